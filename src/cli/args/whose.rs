//! Identities as they are typed: the whole fingerprint, or its first digits.

use std::str::FromStr;

use crate::domain::ids::Fingerprint;

/// The fewest digits of a fingerprint that name an identity.
pub(super) const BEGIN_MIN: usize = 8;

/// An identity.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::cli) enum Whose {
    /// Whose fingerprint begins so: small digits.
    Begins(String),
    Whole(Fingerprint),
}

impl FromStr for Whose {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_begin = (BEGIN_MIN..64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_begin {
            return Ok(Self::Begins(text.to_ascii_lowercase()));
        }
        text.parse()
            .map(Self::Whole)
            .map_err(|error| format!("{error}; or write its first digits, {BEGIN_MIN} at least"))
    }
}

//! The text of an enrolment token: `SE1-`, then groups of five digits of base32 as in license keys.
//!
//! It names the server that it is for: whoever holds it sends it to no other, without having to trust any server before.

use std::fmt;

use sha2::{Digest, Sha256};
use thiserror::Error;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::domain::ids::{Fingerprint, TokenHash};
use crate::vendor::base32;
use crate::wire::messages::enrol::{Enrol, Secret};

/// The environment variable that has a checkout bring a token where the server asks for one.
pub const TOKEN_VARIABLE: &str = "SEATKEEPER_ENROL_TOKEN";

/// The longest text that is read as a token, in bytes: separators may be anywhere.
const INPUT_LEN_MAX: usize = 512;

const PREFIX: &str = "SE1";
const SECRET_LEN: usize = 20;
/// Of the server's fingerprint: a key whose fingerprint begins alike takes 2^79 attempts to find.
const SERVER_LEN: usize = 10;
/// So that a mistyped token is told from a wrong one, and the right server is not asked for nothing.
const CHECKSUM_LEN: usize = 5;

/// A token that enrols identities at one server. It is a secret: nothing but [`EnrolmentToken::text`] shows it, and its
/// memory is overwritten when it is dropped.
#[derive(Clone, Eq, PartialEq, ZeroizeOnDrop)]
pub struct EnrolmentToken {
    secret: [u8; SECRET_LEN],
    server: [u8; SERVER_LEN],
}

/// Not an enrolment token. None of them shows what was read: it may be one with a slip in it.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum TokenError {
    /// Digits are missing, added or mistyped.
    #[error("this enrolment token is damaged: characters are missing, added or mistyped; copy it once more as a whole")]
    Damaged,
    /// It is something else.
    #[error(
        "this is no enrolment token; one begins with SE1-, and an administrator makes it with `seatkeeper enrol token`"
    )]
    NotOne,
    /// It is of a later format.
    #[error("this enrolment token is of a newer kind; upgrade this program")]
    NeedsNewer,
    /// The environment variable is not text.
    #[error("it is not text; set it to an enrolment token, or unset it")]
    NotText,
}

impl EnrolmentToken {
    /// The token of these random bytes, for the server of this identity.
    #[must_use]
    pub fn new(secret: [u8; SECRET_LEN], server: Fingerprint) -> Self {
        Self {
            secret,
            server: beginning(server),
        }
    }

    /// Reads a token: case, spaces, line breaks and hyphens are ignored, I and L are 1, O is 0.
    ///
    /// # Errors
    /// [`TokenError`]; nothing of the text is in it.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        if text.len() > INPUT_LEN_MAX {
            return Err(TokenError::NotOne);
        }
        let mut digits = Zeroizing::new(String::with_capacity(text.len()));
        for c in text.chars().filter(|&c| !base32::is_separator(c)) {
            digits.push(base32::digit(c).ok_or(TokenError::Damaged)?);
        }
        let Some(digits) = digits.strip_prefix(PREFIX) else {
            return Err(match digits.as_bytes() {
                [b'S', b'E', b'2'..=b'9', ..] => TokenError::NeedsNewer,
                _ => TokenError::NotOne,
            });
        };
        let bytes = Zeroizing::new(base32::decode(digits).ok_or(TokenError::Damaged)?);
        let (secret, rest) = bytes.split_first_chunk().ok_or(TokenError::Damaged)?;
        let (server, checksum) = rest.split_first_chunk().ok_or(TokenError::Damaged)?;
        let token = Self {
            secret: *secret,
            server: *server,
        };
        if checksum == token.checksum() {
            Ok(token)
        } else {
            Err(TokenError::Damaged)
        }
    }

    /// The token in [`TOKEN_VARIABLE`], if it is set and not empty.
    ///
    /// # Errors
    /// [`TokenError`]: it is set to something else.
    pub fn from_environment() -> Result<Option<Self>, TokenError> {
        let Some(text) = std::env::var_os(TOKEN_VARIABLE).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let text = Zeroizing::new(text.into_string().map_err(|_| TokenError::NotText)?);
        Self::parse(&text).map(Some)
    }

    /// The token as people pass it on. Whoever has it can enrol.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        let bytes = Zeroizing::new([&self.secret[..], &self.server, &self.checksum()].concat());
        let digits = Zeroizing::new(base32::encode(&bytes));
        let mut text = Zeroizing::new(String::with_capacity(digits.len() * 2));
        text.push_str(PREFIX);
        for (place, digit) in digits.chars().enumerate() {
            if place % 5 == 0 {
                text.push('-');
            }
            text.push(digit);
        }
        text
    }

    /// What a server knows it by.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.secret).into())
    }

    /// Whether it is for the server of this identity.
    #[must_use]
    pub fn is_for(&self, server: Fingerprint) -> bool {
        self.server == beginning(server)
    }

    /// The message that brings it.
    pub(super) fn message(&self) -> Enrol {
        Enrol {
            secret: Secret(self.secret),
        }
    }

    fn checksum(&self) -> [u8; CHECKSUM_LEN] {
        let digest = Sha256::new_with_prefix(self.secret).chain_update(self.server);
        let digest: [u8; 32] = digest.finalize().into();
        digest.first_chunk().copied().unwrap_or_default()
    }
}

impl fmt::Debug for EnrolmentToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnrolmentToken(..)")
    }
}

fn beginning(server: Fingerprint) -> [u8; SERVER_LEN] {
    server.0.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: Fingerprint = Fingerprint([0xab; 32]);

    fn token() -> EnrolmentToken {
        EnrolmentToken::new([7; 20], SERVER)
    }

    #[test]
    fn a_token_is_read_as_people_write_it() {
        let text = token().text();
        assert!(text.starts_with("SE1-"), "{}", &*text);
        assert_eq!(EnrolmentToken::parse(&text), Ok(token()));
        let sloppy = text.to_lowercase().replace('-', " ").replace('1', "l");
        assert_eq!(EnrolmentToken::parse(&format!(" {sloppy}\n")), Ok(token()));
    }

    /// The example of `protocol.md`, section 6.
    #[test]
    fn a_token_is_the_text_of_the_specification() {
        let secret = std::array::from_fn(|place| u8::try_from(place).unwrap());
        let token = EnrolmentToken::new(secret, SERVER);
        assert_eq!(
            *token.text(),
            "SE1-000G4-0R40M-30E20-9185G-R38E1-W8124-GKNEN-TQAXB-NENTQ-AXBPK-8P8RS-R"
        );
        assert_eq!(token.hash().id().to_string(), "e7aebf577f60412f");
    }

    #[test]
    fn each_slip_is_found_without_asking_a_server() {
        let text = token().text();
        for at in 4..text.len() {
            let mut slip: Vec<char> = text.chars().collect();
            if slip[at] == '-' {
                continue;
            }
            slip[at] = if slip[at] == 'Z' { 'Y' } else { 'Z' };
            let slip: String = slip.into_iter().collect();
            assert_eq!(EnrolmentToken::parse(&slip), Err(TokenError::Damaged), "{at}");
            assert_eq!(
                EnrolmentToken::parse(&text[..at]),
                Err(TokenError::Damaged),
                "cut at {at}"
            );
        }
        assert_eq!(EnrolmentToken::parse(&format!("{}0", &*text)), Err(TokenError::Damaged));
    }

    #[test]
    fn something_else_is_told_and_never_repeated() {
        for (text, error) in [
            ("", TokenError::NotOne),
            ("SK1-00000", TokenError::NotOne),
            ("SE2-00000", TokenError::NeedsNewer),
            ("SE1-0000U", TokenError::Damaged),
        ] {
            assert_eq!(EnrolmentToken::parse(text), Err(error), "{text}");
            assert!(!error.to_string().contains("0000"));
        }
    }

    #[test]
    fn a_token_is_for_one_server_and_known_by_the_hash_of_its_secret() {
        assert!(token().is_for(SERVER));
        let mut other = SERVER;
        other.0[9] ^= 1;
        assert!(!token().is_for(other));
        assert_eq!(token().hash().0, <[u8; 32]>::from(Sha256::digest([7; 20])));
    }

    #[test]
    fn nothing_shows_a_token_by_accident() {
        assert_eq!(format!("{:?}", token()), "EnrolmentToken(..)");
        assert_eq!(format!("{:?}", token().message()), "Enrol { secret: Secret(..) }");
    }
}

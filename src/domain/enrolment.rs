//! Enrolment by token: what the server knows of the tokens that administrators hand out, and of whom they enrolled.
//!
//! Whether a site wants it is its configuration and no part of the ledger: an open server keeps tokens and enrolled
//! identities too, so that a site can hand out tokens first and close afterwards.

use super::ids::TokenId;
use super::time::{DAY_SECS, Timestamp};

/// Tokens that are remembered, ended ones included, at most.
pub const TOKENS_MAX: usize = 256;

/// Identities that one token enrols, at most.
pub const TOKEN_USES_MAX: u32 = 100_000;

/// The same, where whoever makes the token says nothing.
pub const TOKEN_USES_DEFAULT: u32 = 1_000;

/// A token lasts so many seconds, at most: 366 days.
pub const TOKEN_SECS_MAX: u32 = 366 * 86_400;

/// The same, where whoever makes the token says nothing: 30 days.
pub const TOKEN_SECS_DEFAULT: u32 = 30 * 86_400;

/// The longest label of a token, in bytes.
pub const TOKEN_LABEL_LEN_MAX: usize = 64;

/// A token that has ended stays in the listing for so many seconds.
pub const ENDED_KEPT_SECS: u64 = 30 * DAY_SECS;

/// Identities whose enrolment one command takes back, at most.
pub const REVOKED_MAX: usize = 1_024;

/// A token, as far as the server knows it: never the token itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Token {
    /// What it is for, for people; at most [`TOKEN_LABEL_LEN_MAX`] bytes, no control characters.
    pub label: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it enrols nobody.
    pub expires_at: Timestamp,
    /// How many identities it enrols yet.
    pub uses_left: u32,
    /// How many it has enrolled.
    pub enrolled: u32,
    /// When it enrolled the last one.
    pub last_used_at: Option<Timestamp>,
    /// When an administrator revoked it.
    pub revoked_at: Option<Timestamp>,
}

impl Token {
    /// Since when it enrols nobody any more; nothing while it does.
    #[must_use]
    pub fn ended_at(&self, now: Timestamp) -> Option<Timestamp> {
        let used_up = self.last_used_at.filter(|_| self.uses_left == 0);
        let expired = (self.expires_at <= now).then_some(self.expires_at);
        [self.revoked_at, used_up, expired].into_iter().flatten().min()
    }
}

/// An identity that a token enrolled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Enrolled {
    /// Which token.
    pub token: TokenId,
    /// When.
    pub at: Timestamp,
    /// When an administrator took that back: from then on the identity is worse off than one that is not known.
    pub revoked_at: Option<Timestamp>,
}

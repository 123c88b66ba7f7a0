//! Whom a server serves, and what becomes of who comes with another identity.

use serde::Deserialize;

use crate::domain::command::Rebind;
use crate::service::Enrolment;

/// What a server does about an identity that is not the bound one (rule I7).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum RebindPolicy {
    /// It waits until an administrator approves it with `seatkeeper resolve MAC`.
    Approve,
    /// It takes the bound one's place at once, as an event.
    #[default]
    Honour,
}

/// Whom a server serves as an agent.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum EnrolPolicy {
    /// Whoever connects.
    #[default]
    Open,
    /// Who was enrolled with a token that an administrator made, has a role, or holds already what it asks for.
    Token,
}

impl From<EnrolPolicy> for Enrolment {
    fn from(policy: EnrolPolicy) -> Self {
        match policy {
            EnrolPolicy::Open => Self::Open,
            EnrolPolicy::Token => Self::Token,
        }
    }
}

impl From<RebindPolicy> for Rebind {
    fn from(policy: RebindPolicy) -> Self {
        match policy {
            RebindPolicy::Approve => Self::Approve,
            RebindPolicy::Honour => Self::Honour,
        }
    }
}

impl RebindPolicy {
    /// The word for it in the file.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Honour => "honour",
        }
    }
}

impl EnrolPolicy {
    /// The word for it in the file.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Token => "token",
        }
    }
}

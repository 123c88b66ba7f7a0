//! Tokens that enrol identities, and whom they enrolled, at rest.

use serde::{Deserialize, Serialize};

use crate::domain::enrolment::{Enrolled, TOKEN_LABEL_LEN_MAX, TOKEN_USES_MAX, Token};
use crate::domain::ids::TokenId;
use crate::domain::time::Timestamp;
use crate::store::envelope::RecordError;

use super::check;

/// Its hash stands in the key. The token itself is nowhere.
#[derive(Debug, Deserialize, Serialize)]
pub(in crate::store) struct TokenV1 {
    label: String,
    created_at: u64,
    expires_at: u64,
    uses_left: u32,
    enrolled: u32,
    last_used_at: Option<u64>,
    revoked_at: Option<u64>,
}

/// The identity stands in the key.
#[derive(Debug, Deserialize, Serialize)]
pub(in crate::store) struct EnrolledV1 {
    token: [u8; 8],
    at: u64,
    revoked_at: Option<u64>,
}

impl From<&Token> for TokenV1 {
    fn from(token: &Token) -> Self {
        Self {
            label: token.label.clone(),
            created_at: token.created_at.0,
            expires_at: token.expires_at.0,
            uses_left: token.uses_left,
            enrolled: token.enrolled,
            last_used_at: token.last_used_at.map(|at| at.0),
            revoked_at: token.revoked_at.map(|at| at.0),
        }
    }
}

impl TryFrom<TokenV1> for Token {
    type Error = RecordError;

    fn try_from(record: TokenV1) -> Result<Self, RecordError> {
        check("label", record.label.len() <= TOKEN_LABEL_LEN_MAX)?;
        check("label", !record.label.contains(char::is_control))?;
        check("uses_left", record.uses_left <= TOKEN_USES_MAX)?;
        check("enrolled", record.enrolled <= TOKEN_USES_MAX)?;
        // One that enrolled somebody did so at some time.
        check("last_used_at", (record.enrolled > 0) == record.last_used_at.is_some())?;
        Ok(Self {
            label: record.label,
            created_at: Timestamp(record.created_at),
            expires_at: Timestamp(record.expires_at),
            uses_left: record.uses_left,
            enrolled: record.enrolled,
            last_used_at: record.last_used_at.map(Timestamp),
            revoked_at: record.revoked_at.map(Timestamp),
        })
    }
}

impl From<&Enrolled> for EnrolledV1 {
    fn from(enrolled: &Enrolled) -> Self {
        Self {
            token: enrolled.token.0,
            at: enrolled.at.0,
            revoked_at: enrolled.revoked_at.map(|at| at.0),
        }
    }
}

impl From<EnrolledV1> for Enrolled {
    fn from(record: EnrolledV1) -> Self {
        Self {
            token: TokenId(record.token),
            at: Timestamp(record.at),
            revoked_at: record.revoked_at.map(Timestamp),
        }
    }
}

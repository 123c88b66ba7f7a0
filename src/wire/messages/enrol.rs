//! Enrolment by token: an agent brings one, administrators make, list and revoke them.

use std::fmt;

use super::field::Value;
use crate::codec::{DecodeError, Reader, Writer};
use crate::wire::limits::{LABEL_LEN_MAX, PAGE_ROWS_MAX};

/// The secret of a token. Nothing shows it, so that it comes into no log.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Secret(pub [u8; 20]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// It does not stay where it was put together. The buffers of a connection, through which it passes, are not reached from
/// here.
#[cfg(feature = "client")]
impl Drop for Secret {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

impl Value for Secret {
    const KIND: &'static str = "bytes20";
    const LEN_MAX: usize = 20;

    fn write(&self, out: &mut Writer) -> Result<(), DecodeError> {
        out.bytes(&self.0);
        Ok(())
    }

    fn read(value: &[u8], field: &'static str) -> Result<Self, DecodeError> {
        Reader::all(value, |r| r.array(field)).map(Self)
    }

    #[cfg(test)]
    fn sample(random: &mut crate::wire::tests::Random, _max: usize) -> Self {
        Self(random.array())
    }
}

message! {
    /// ENROL: bring a token, to be served where a site has agents enrol.
    Enrol {
        /// The token's secret.
        0x0001 secret: required Secret;
    }
}

message! {
    /// The reply to ENROL: the identity is enrolled, now or before.
    EnrolOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// What the token is for, for people; empty where that is not known any more.
        0x0002 label: required String, max LABEL_LEN_MAX;
    }
}

message! {
    /// `ENROL_TOKEN_ADD`: let a token enrol identities.
    EnrolTokenAdd {
        /// The SHA-256 of the token's secret.
        0x0001 hash: required [u8; 32];
        /// What it is for, for people.
        0x0002 label: required String, max LABEL_LEN_MAX;
        /// For how many seconds, 1 to 31,622,400; 2,592,000 if absent.
        0x0003 secs: optional u32;
        /// How many identities it enrols, 1 to 100,000; 1,000 if absent.
        0x0004 uses: optional u32;
    }
}

message! {
    /// The reply to `ENROL_TOKEN_ADD`.
    EnrolTokenAddOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// The token.
        0x0002 token: required TokenRow;
    }
}

message! {
    /// A token, without its secret.
    TokenRow {
        /// The SHA-256 of its secret; its first 8 bytes are its short name.
        0x0001 hash: required [u8; 32];
        /// What it is for, for people.
        0x0002 label: required String, max LABEL_LEN_MAX;
        /// When it was made, in seconds since 1970-01-01 00:00 UTC.
        0x0003 created_at: required u64;
        /// From when on it enrols nobody.
        0x0004 expires_at: required u64;
        /// How many identities it enrols yet.
        0x0005 uses_left: required u32;
        /// How many it has enrolled.
        0x0006 enrolled: required u32;
        /// How many of them are enrolled still.
        0x0007 identities: required u32;
        /// When it enrolled the last one; absent where it enrolled none.
        0x0008 last_used_at: optional u64;
        /// When it was revoked; absent where it was not.
        0x0009 revoked_at: optional u64;
    }
}

message! {
    /// `ENROL_TOKENS`: a page of the tokens.
    EnrolTokens {
        /// Start behind this token's hash; from the first if absent.
        0x0001 after: optional [u8; 32];
        /// Rows at most; 256 if absent.
        0x0002 limit: optional u16;
    }
}

message! {
    /// The reply to `ENROL_TOKENS`.
    EnrolTokensOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// Whether more follow: ask again behind the last row's hash.
        0x0002 more: required bool;
        /// The tokens, in the order of their hashes.
        0x0003 rows: repeated TokenRow, count PAGE_ROWS_MAX;
    }
}

message! {
    /// `ENROL_TOKEN_REVOKE`: end a token, and take back whom it enrolled if that is asked.
    EnrolTokenRevoke {
        /// Its short name: the first 8 bytes of its hash.
        0x0001 token: required [u8; 8];
        /// Whether the identities that it enrolled are to be enrolled no more, as many as one request takes.
        0x0002 also_identities: required bool;
    }
}

message! {
    /// The reply to `ENROL_TOKEN_REVOKE`.
    EnrolTokenRevokeOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// How many identities are not enrolled any more by this request.
        0x0002 identities: required u32;
        /// Whether more are to be taken back: ask again.
        0x0003 more: required bool;
    }
}

message! {
    /// `ENROL_IDENTITIES`: a page of the identities that tokens enrolled.
    EnrolIdentities {
        /// Start behind this identity; from the first if absent.
        0x0001 after: optional [u8; 32];
        /// Rows at most; 256 if absent.
        0x0002 limit: optional u16;
    }
}

message! {
    /// The reply to `ENROL_IDENTITIES`.
    EnrolIdentitiesOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// Whether more follow: ask again behind the last row's identity.
        0x0002 more: required bool;
        /// The identities, in the order of their bytes.
        0x0003 rows: repeated EnrolledRow, count PAGE_ROWS_MAX;
    }
}

message! {
    /// An identity that a token enrolled.
    EnrolledRow {
        /// The identity.
        0x0001 identity: required [u8; 32];
        /// The token's short name; the token itself may be forgotten.
        0x0002 token: required [u8; 8];
        /// When, in seconds since 1970-01-01 00:00 UTC.
        0x0003 enrolled_at: required u64;
        /// When that was taken back; absent where it stands.
        0x0004 revoked_at: optional u64;
    }
}

message! {
    /// `ENROL_REMOVE`: take back the enrolment of one identity.
    EnrolRemove {
        /// The identity.
        0x0001 identity: required [u8; 32];
    }
}

//! Values as people read them, read as the messages read them.

use std::net::IpAddr;

use bytes::Bytes;
use data_encoding::HEXLOWER;

use crate::codec::DecodeError;
use crate::wire::messages::enrol::Secret;
use crate::wire::messages::field::Value;
use crate::wire::{
    Altered, Check, ConfigEffect, ConflictKind, EndCause, EventKind, Finding, ImportOutcome, Kind, LicenseStatus,
    Offers, OnConflict, Outcome, ReleaseOutcome, Reserved, Role, Settled, Status, Usage, Warning,
};

/// Bytes that are shown of a long value.
const SHOWN_MAX: usize = 64;

/// What is shown of a secret.
const HIDDEN: &str = "a secret, not shown";

pub(super) fn hex(bytes: &[u8]) -> String {
    match bytes.get(..SHOWN_MAX) {
        Some(begin) if bytes.len() > SHOWN_MAX => format!("{}.. ({} bytes)", HEXLOWER.encode(begin), bytes.len()),
        _ => HEXLOWER.encode(bytes),
    }
}

/// What is shown of bytes that cannot be read as this type: an enrolment token's secret is not, whole or not.
pub(super) fn unread(kind: &str, bytes: &[u8]) -> String {
    if kind == Secret::KIND {
        HIDDEN.to_owned()
    } else {
        hex(bytes)
    }
}

/// The value of a field of this type.
pub(super) fn shown(kind: &str, bytes: &[u8]) -> Result<String, DecodeError> {
    const FIELD: &str = "the value";
    macro_rules! displayed {
        ($($known:ty)*) => {
            $( if kind == <$known as Value>::KIND {
                return <$known as Value>::read(bytes, FIELD).map(|value| value.to_string());
            } )*
        };
    }
    macro_rules! in_hex {
        ($($known:ty)*) => {
            $( if kind == <$known as Value>::KIND {
                return <$known as Value>::read(bytes, FIELD).map(|value| hex(&value));
            } )*
        };
    }
    displayed! { u8 u16 u32 u64 bool String IpAddr }
    in_hex! { Bytes [u8; 8] [u8; 16] [u8; 32] }
    if kind == Secret::KIND {
        return Secret::read(bytes, FIELD).map(|_| HIDDEN.to_owned());
    }
    if kind == <[u8; 6] as Value>::KIND {
        let mac = <[u8; 6] as Value>::read(bytes, FIELD)?;
        return Ok(mac.map(|byte| format!("{byte:02x}")).join(":"));
    }
    macro_rules! codes {
        ($($code:ident)*) => {
            $( if kind == <$code as Value>::KIND {
                return <$code as Value>::read(bytes, FIELD).map(|code| format!("{code:?}"));
            } )*
        };
    }
    codes! {
        Altered Check ConfigEffect ConflictKind EndCause EventKind Finding ImportOutcome Kind LicenseStatus Offers
        OnConflict Outcome ReleaseOutcome Reserved Role Settled Status Usage Warning
    }
    Ok(hex(bytes))
}

//! The state file's text: JSON of frozen types. A later version gets types of its own.

use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;

use bytes::Bytes;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::{CONTINUATIONS_MAX, FORMER_MAX, FormerNumber, KeptLease, LastGrant, LastStanding, Memory, Pin, StateError};
use crate::domain::ids::{Fingerprint, Mac};
use crate::domain::time::Timestamp;
use crate::tls::PINS_MAX;

const VERSION: u32 = 1;

/// What every version has.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StateV1 {
    version: u32,
    /// The identity that the continuation numbers were answered to.
    identity: String,
    pins: Vec<PinV1>,
    /// Base64.
    signed_entry: Option<String>,
    grant: Option<GrantV1>,
    standing: Option<StandingV1>,
    /// Absent in files from before there were leases, like the next.
    #[serde(default)]
    lease: Option<LeaseV1>,
    #[serde(default)]
    newest_time: u64,
    /// Absent where there are none, as in files from before they were kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former: Vec<FormerV1>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct FormerV1 {
    server: String,
    mac: String,
    number: u64,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct PinV1 {
    fingerprint: String,
    server: Option<String>,
    address: Option<String>,
    epoch: u32,
    /// Base64; absent in files from before there were leases.
    #[serde(default)]
    lease_key: Option<String>,
    continuations: Vec<ContinuationV1>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ContinuationV1 {
    mac: String,
    number: u64,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct GrantV1 {
    mac: String,
    serial: String,
    acquired_at: u64,
    renew_by: Option<u64>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct LeaseV1 {
    /// Base64.
    signed: String,
    server: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StandingV1 {
    at: u64,
    kind: StandingKindV1,
    status: Option<u16>,
    text: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum StandingKindV1 {
    Denied,
    Licensed,
    NoServer,
    NotCounted,
    Released,
}

pub(super) fn encode(memory: &Memory, identity: Fingerprint) -> String {
    let record = StateV1 {
        version: VERSION,
        identity: identity.to_string(),
        pins: memory.pins.iter().map(pin_out).collect(),
        signed_entry: memory.signed_entry.as_ref().map(|entry| BASE64.encode(entry)),
        grant: memory.grant.as_ref().map(|grant| GrantV1 {
            mac: grant.mac.to_string(),
            serial: grant.serial.to_string(),
            acquired_at: grant.acquired_at.0,
            renew_by: grant.renew_by.map(|at| at.0),
        }),
        standing: memory.standing.as_ref().map(standing_out),
        lease: memory.lease.as_ref().map(|lease| LeaseV1 {
            signed: BASE64.encode(&lease.signed),
            server: lease.server.to_string(),
        }),
        newest_time: memory.newest_time.0,
        former: memory.former.iter().map(former_out).collect(),
    };
    serde_json::to_string_pretty(&record).expect("the record has string keys only")
}

/// What is remembered, and the identity that it belongs to.
pub(super) fn decode(path: &Path, text: &[u8]) -> Result<(Memory, Fingerprint), StateError> {
    let damaged = |reason: String| StateError::Damaged {
        path: path.to_owned(),
        reason,
    };
    let Versioned { version } = serde_json::from_slice(text).map_err(|error| damaged(error.to_string()))?;
    match version {
        VERSION => {}
        0 => return Err(damaged("version 0".to_owned())),
        version => {
            return Err(StateError::Newer {
                path: path.to_owned(),
                version,
            });
        }
    }
    let record: StateV1 = serde_json::from_slice(text).map_err(|error| damaged(error.to_string()))?;
    memory_in(record).map_err(damaged)
}

fn memory_in(record: StateV1) -> Result<(Memory, Fingerprint), String> {
    if record.pins.len() > PINS_MAX {
        return Err(format!("more than {PINS_MAX} pins"));
    }
    if record.former.len() > FORMER_MAX {
        return Err(format!("more than {FORMER_MAX} numbers of former servers"));
    }
    let memory = Memory {
        pins: record.pins.into_iter().map(pin_in).collect::<Result<_, _>>()?,
        signed_entry: record
            .signed_entry
            .map(|entry| bytes_in("signed_entry", &entry))
            .transpose()?
            .map(Bytes::from),
        grant: record.grant.as_ref().map(grant_in).transpose()?,
        standing: record.standing.map(standing_in).transpose()?,
        lease: record.lease.as_ref().map(lease_in).transpose()?,
        newest_time: Timestamp(record.newest_time),
        former: record.former.iter().map(former_in).collect::<Result<_, _>>()?,
    };
    Ok((memory, parsed(&record.identity)?))
}

fn former_out(one: &FormerNumber) -> FormerV1 {
    FormerV1 {
        server: one.server.to_string(),
        mac: one.mac.to_string(),
        number: one.number,
    }
}

fn former_in(one: &FormerV1) -> Result<FormerNumber, String> {
    Ok(FormerNumber {
        server: parsed(&one.server)?,
        mac: parsed(&one.mac)?,
        number: one.number,
    })
}

fn pin_out(pin: &Pin) -> PinV1 {
    PinV1 {
        fingerprint: pin.fingerprint.to_string(),
        server: pin.server.map(|server| server.to_string()),
        address: pin.address.map(|address| address.to_string()),
        epoch: pin.epoch,
        lease_key: pin.lease_key.map(|key| BASE64.encode(&key)),
        continuations: pin
            .continuations
            .iter()
            .map(|(mac, number)| ContinuationV1 {
                mac: mac.to_string(),
                number: *number,
            })
            .collect(),
    }
}

fn pin_in(pin: PinV1) -> Result<Pin, String> {
    if pin.continuations.len() > CONTINUATIONS_MAX {
        return Err(format!("more than {CONTINUATIONS_MAX} continuation numbers"));
    }
    let continuation = |kept: ContinuationV1| Ok((parsed::<Mac>(&kept.mac)?, kept.number));
    Ok(Pin {
        fingerprint: parsed(&pin.fingerprint)?,
        server: pin.server.as_deref().map(parsed).transpose()?,
        address: pin.address.as_deref().map(parsed).transpose()?,
        epoch: pin.epoch,
        lease_key: pin.lease_key.as_deref().map(lease_key_in).transpose()?,
        continuations: pin
            .continuations
            .into_iter()
            .map(continuation)
            .collect::<Result<_, String>>()?,
    })
}

fn grant_in(grant: &GrantV1) -> Result<LastGrant, String> {
    Ok(LastGrant {
        mac: parsed(&grant.mac)?,
        serial: parsed(&grant.serial)?,
        acquired_at: Timestamp(grant.acquired_at),
        renew_by: grant.renew_by.map(Timestamp),
    })
}

fn lease_key_in(text: &str) -> Result<[u8; 32], String> {
    let bytes = bytes_in("lease_key", text)?;
    bytes
        .try_into()
        .map_err(|bytes: Vec<u8>| format!("lease_key: {} bytes", bytes.len()))
}

fn lease_in(kept: &LeaseV1) -> Result<KeptLease, String> {
    Ok(KeptLease {
        signed: bytes_in("lease", &kept.signed)?.into(),
        server: parsed(&kept.server)?,
    })
}

fn bytes_in(field: &str, text: &str) -> Result<Vec<u8>, String> {
    BASE64
        .decode(text.as_bytes())
        .map_err(|error| format!("{field}: {error}"))
}

fn standing_out((standing, at): &(LastStanding, Timestamp)) -> StandingV1 {
    let (kind, status, text) = match standing {
        LastStanding::Denied { status, text } => (StandingKindV1::Denied, Some(*status), Some(text.clone())),
        LastStanding::Licensed => (StandingKindV1::Licensed, None, None),
        LastStanding::NoServer => (StandingKindV1::NoServer, None, None),
        LastStanding::NotCounted => (StandingKindV1::NotCounted, None, None),
        LastStanding::Released => (StandingKindV1::Released, None, None),
    };
    StandingV1 {
        at: at.0,
        kind,
        status,
        text,
    }
}

fn standing_in(kept: StandingV1) -> Result<(LastStanding, Timestamp), String> {
    let standing = match kept.kind {
        StandingKindV1::Denied => LastStanding::Denied {
            status: kept.status.ok_or("a denial without status")?,
            text: kept.text.ok_or("a denial without text")?,
        },
        StandingKindV1::Licensed => LastStanding::Licensed,
        StandingKindV1::NoServer => LastStanding::NoServer,
        StandingKindV1::NotCounted => LastStanding::NotCounted,
        StandingKindV1::Released => LastStanding::Released,
    };
    Ok((standing, Timestamp(kept.at)))
}

fn parsed<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| format!("{text:?}: {error}"))
}

//! Facts as rows of the tree, and back.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::change::{Change, Fact, FactKey};

use super::StoreError;
use super::envelope::{RecordError, fields, seal, unseal};
use super::keys::Key;
use super::records::{
    AdminV1, BlacklistV1, CatalogueV1, ClockV1, EnrolledV1, FormerV1, LeftV1, LicenseV1, MetaV1, ReservationV1, SeatV1,
    ServerV1, ServerV2, SpentV1, TokenV1, TombstoneV1, VendorV1,
};

/// The rows that a round writes: the new record of each key, or nothing where it is deleted.
pub(super) type Rows = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The rows of `changes`; the last change of a key counts. Each new record is read back before anything is written: a
/// record that stops the next start must not come about.
pub(super) fn rows(changes: &[Change]) -> Result<Rows, StoreError> {
    let mut rows = Rows::new();
    for Change { fact, .. } in changes {
        let key = Key::Fact(fact.key());
        let bytes = key.encode();
        let record = record(&bytes, fact)
            .and_then(|record| match &record {
                Some(record) if self::fact(key, &bytes, record)?.as_ref() != Some(fact) => {
                    Err(RecordError::Field("value"))
                }
                _ => Ok(record),
            })
            .map_err(|source| StoreError::Unstorable {
                key: key.to_string(),
                source,
            })?;
        rows.insert(bytes, record);
    }
    Ok(rows)
}

/// The version that every kind of record is written in, but for the server of which a backup was made.
const VERSION: u8 = 1;

/// The version of a server of which a backup was made.
const BACKED_UP: u8 = 2;

fn record(key: &[u8], fact: &Fact) -> Result<Option<Vec<u8>>, RecordError> {
    fn put<T: Serialize>(key: &[u8], record: &T) -> Result<Option<Vec<u8>>, RecordError> {
        seal(key, VERSION, record).map(Some)
    }
    match fact {
        Fact::AdminPut(_, admin) => put(key, &AdminV1::from(admin)),
        Fact::BlacklistPut(list) => put(key, &BlacklistV1::from(&**list)),
        Fact::ClockPut(clock) => put(key, &ClockV1::from(clock)),
        Fact::ReservationPut(_, reservation) => put(key, &ReservationV1::from(&**reservation)),
        Fact::CataloguePut(catalogue) => put(key, &CatalogueV1::from(&**catalogue)),
        Fact::EnrolledPut(_, enrolled) => put(key, &EnrolledV1::from(enrolled)),
        Fact::FormerPut(_, former) => put(key, &FormerV1::from(former)),
        Fact::LeftPut(_, left) => put(key, &LeftV1::from(&**left)),
        Fact::LicensePut(license) => put(key, &LicenseV1::from(&**license)),
        Fact::SeatPut(_, seat) => put(key, &SeatV1::from(&**seat)),
        Fact::ServerPut(server) => match &server.last_backup {
            // A release that knows of no backups goes on reading what has none.
            None => put(key, &ServerV1::from(server)),
            Some(backup) => seal(key, BACKED_UP, &ServerV2::of(server, backup)).map(Some),
        },
        Fact::SpentPut(_, _, unit) => put(key, &SpentV1::from(unit)),
        Fact::TokenPut(_, token) => put(key, &TokenV1::from(token)),
        Fact::TombstonePut(_, tombstone) => put(key, &TombstoneV1::from(tombstone)),
        Fact::VendorPut(_, vendor) => put(key, &VendorV1::from(vendor)),
        Fact::AdminRemoved(_)
        | Fact::FormerDropped(_)
        | Fact::LeftDropped(_)
        | Fact::LicenseRemoved(_)
        | Fact::ReservationEnded(_)
        | Fact::SeatEnded(_)
        | Fact::TokenDropped(_) => Ok(None),
    }
}

/// The fact that a row holds; nothing for the row that is about the ledger itself.
pub(super) fn fact(key: Key, bytes: &[u8], record: &[u8]) -> Result<Option<Fact>, RecordError> {
    let (version, payload) = unseal(bytes, record)?;
    let key = match (key, version) {
        (Key::Meta, VERSION) => return Ok(None),
        (Key::Fact(FactKey::Server), BACKED_UP) => {
            return Ok(Some(Fact::ServerPut(fields::<ServerV2>(payload)?.into())));
        }
        (Key::Fact(key), VERSION) => key,
        (_, version) => return Err(RecordError::Version(version)),
    };
    Ok(Some(match key {
        FactKey::Server => Fact::ServerPut(fields::<ServerV1>(payload)?.into()),
        FactKey::Admin(fingerprint) => Fact::AdminPut(fingerprint, fields::<AdminV1>(payload)?.try_into()?),
        FactKey::Vendor(vendor) => Fact::VendorPut(vendor, fields::<VendorV1>(payload)?.into()),
        FactKey::Catalogue(vendor) => {
            Fact::CataloguePut(Box::new(fields::<CatalogueV1>(payload)?.into_catalogue(vendor)?))
        }
        FactKey::License(serial) => Fact::LicensePut(Box::new(fields::<LicenseV1>(payload)?.into_license(serial)?)),
        FactKey::Tombstone(serial) => Fact::TombstonePut(serial, fields::<TombstoneV1>(payload)?.try_into()?),
        FactKey::Spent(serial, unit) => Fact::SpentPut(serial, unit, fields::<SpentV1>(payload)?.try_into()?),
        FactKey::Blacklist(vendor) => {
            Fact::BlacklistPut(Box::new(fields::<BlacklistV1>(payload)?.into_blacklist(vendor)?))
        }
        FactKey::Reservation(id) => Fact::ReservationPut(id, Box::new(fields::<ReservationV1>(payload)?.try_into()?)),
        FactKey::Left(seat) => Fact::LeftPut(seat, Box::new(fields::<LeftV1>(payload)?.try_into()?)),
        FactKey::Token(hash) => Fact::TokenPut(hash, fields::<TokenV1>(payload)?.try_into()?),
        FactKey::Enrolled(identity) => Fact::EnrolledPut(identity, fields::<EnrolledV1>(payload)?.into()),
        FactKey::Clock => Fact::ClockPut(fields::<ClockV1>(payload)?.into()),
        FactKey::Seat(seat) => Fact::SeatPut(seat, Arc::new(fields::<SeatV1>(payload)?.try_into()?)),
        FactKey::Former(seat) => Fact::FormerPut(seat, fields::<FormerV1>(payload)?.try_into()?),
    }))
}

/// The fact in a row of a generation; nothing in the row that is about the generation itself.
pub(super) fn stored(bytes: &[u8], record: &[u8]) -> Result<Option<Fact>, RecordError> {
    fact(Key::decode(bytes)?, bytes, record)
}

/// The fact that a row of the journal tells: its value, or that it is gone.
pub(super) fn told(bytes: &[u8], record: Option<&[u8]>) -> Result<Fact, RecordError> {
    let Key::Fact(key) = Key::decode(bytes)? else {
        return Err(RecordError::Key);
    };
    match record {
        Some(record) => fact(Key::Fact(key), bytes, record)?.ok_or(RecordError::Key),
        None => gone(key).ok_or(RecordError::Field("deletion")),
    }
}

/// The fact that deletes a key; nothing for what is never deleted.
const fn gone(key: FactKey) -> Option<Fact> {
    Some(match key {
        FactKey::Admin(fingerprint) => Fact::AdminRemoved(fingerprint),
        FactKey::Former(seat) => Fact::FormerDropped(seat),
        FactKey::Left(seat) => Fact::LeftDropped(seat),
        FactKey::License(serial) => Fact::LicenseRemoved(serial),
        FactKey::Reservation(id) => Fact::ReservationEnded(id),
        FactKey::Seat(seat) => Fact::SeatEnded(seat),
        FactKey::Token(hash) => Fact::TokenDropped(hash),
        FactKey::Blacklist(_)
        | FactKey::Catalogue(_)
        | FactKey::Clock
        | FactKey::Enrolled(_)
        | FactKey::Server
        | FactKey::Spent(..)
        | FactKey::Tombstone(_)
        | FactKey::Vendor(_) => return None,
    })
}

/// The payload of a record in the one version that nearly every kind has. Another version of a kind has its own arm above.
fn payload<'a>(key: &[u8], record: &'a [u8]) -> Result<&'a [u8], RecordError> {
    match unseal(key, record)? {
        (VERSION, payload) => Ok(payload),
        (version, _) => Err(RecordError::Version(version)),
    }
}

/// The record of where the ledger stands.
pub(super) fn meta_record(meta: &MetaV1) -> Result<Vec<u8>, RecordError> {
    seal(&Key::Meta.encode(), VERSION, meta)
}

/// Where the ledger stands, from its record.
pub(super) fn meta(record: &[u8]) -> Result<MetaV1, RecordError> {
    read(&Key::Meta.encode(), record)
}

fn read<T: DeserializeOwned>(key: &[u8], record: &[u8]) -> Result<T, RecordError> {
    fields(payload(key, record)?)
}

//! Facts as rows of the tree, and back.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::change::{Change, Fact, FactKey};

use super::StoreError;
use super::envelope::{RecordError, fields, seal, seal_into, unseal};
use super::keys::{self, Key};
use super::records::{
    AdminV1, BlacklistV1, CatalogueV1, ClockV1, EnrolledV1, FormerV1, LeftV1, LicenseV1, MetaV1, ReservationV1, SeatV1,
    ServerV1, ServerV2, SpentV1, TokenV1, TombstoneV1, VendorV1,
};

/// The rows that a round writes, in the order of their keys, each key once: its new record, or nothing where it is deleted.
/// Keys stand in one piece of memory and records in another: a round has hundreds of either.
#[derive(Debug, Default)]
pub(super) struct Rows {
    keys: Vec<u8>,
    records: Vec<u8>,
    places: Vec<Place>,
}

/// Where a row stands.
#[derive(Debug)]
struct Place {
    key: Range<usize>,
    record: Option<Range<usize>>,
}

/// A row, to look at.
pub(super) type RowRef<'a> = (&'a [u8], Option<&'a [u8]>);

/// Bytes of a record that room is made for beforehand.
const ROOM_LEN: usize = 256;

impl Rows {
    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.places.len()
    }

    /// Each of them.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = RowRef<'_>> {
        self.places.iter().map(|place| {
            let record = place.record.clone();
            let record = record.map(|record| self.records.get(record).unwrap_or_default());
            (key_at(&self.keys, place), record)
        })
    }

    /// Appends the row of a fact, behind which others stand in no order until [`Rows::sort`].
    fn push(&mut self, fact: &Fact) -> Result<(), StoreError> {
        let (key_at, at) = (self.keys.len(), self.records.len());
        let key = Key::Fact(fact.key());
        key.encode_into(&mut self.keys);
        let bytes = self.keys.get(key_at..).unwrap_or_default();
        let unstorable = |source| StoreError::Unstorable {
            key: key.to_string(),
            source,
        };
        let is_there = put(&mut self.records, bytes, fact).map_err(unstorable)?;
        if is_there {
            let written = self.records.get(at..).unwrap_or_default();
            let read = self::fact(key, bytes, written).map_err(unstorable)?;
            if read.as_ref() != Some(fact) {
                return Err(unstorable(RecordError::Field("value")));
            }
        }
        self.places.push(Place {
            key: key_at..self.keys.len(),
            record: is_there.then_some(at..self.records.len()),
        });
        Ok(())
    }

    /// Puts them into the order of their keys; of several with one key the last one stays.
    fn sort(&mut self) {
        let keys = &self.keys;
        self.places.sort_by(|a, b| key_at(keys, a).cmp(key_at(keys, b)));
        // The one that is looked at goes where both are of one key, so the later one is put in the place of the earlier.
        self.places.dedup_by(|later, earlier| {
            let is_same = key_at(keys, later) == key_at(keys, earlier);
            if is_same {
                std::mem::swap(later, earlier);
            }
            is_same
        });
    }
}

fn key_at<'a>(keys: &'a [u8], place: &Place) -> &'a [u8] {
    keys.get(place.key.clone()).unwrap_or_default()
}

/// The rows of `changes`; the last change of a key counts. Each new record is read back before anything is written: a
/// record that stops the next start must not come about.
pub(super) fn rows(changes: &[Change]) -> Result<Rows, StoreError> {
    let mut rows = Rows {
        keys: Vec::with_capacity(changes.len() * keys::LEN_MAX),
        records: Vec::with_capacity(changes.len() * ROOM_LEN),
        places: Vec::with_capacity(changes.len()),
    };
    for Change { fact, .. } in changes {
        rows.push(fact)?;
    }
    rows.sort();
    Ok(rows)
}

/// The version that every kind of record is written in, but for the server of which a backup was made.
const VERSION: u8 = 1;

/// The version of a server of which a backup was made.
const BACKED_UP: u8 = 2;

/// Appends the record of a fact; false where the fact is that there is none.
fn put(out: &mut Vec<u8>, key: &[u8], fact: &Fact) -> Result<bool, RecordError> {
    let out = &mut Sink { out, key };
    match fact {
        Fact::AdminPut(_, admin) => out.put(&AdminV1::from(admin)),
        Fact::BlacklistPut(list) => out.put(&BlacklistV1::from(&**list)),
        Fact::ClockPut(clock) => out.put(&ClockV1::from(clock)),
        Fact::ReservationPut(_, reservation) => out.put(&ReservationV1::from(&**reservation)),
        Fact::CataloguePut(catalogue) => out.put(&CatalogueV1::from(&**catalogue)),
        Fact::EnrolledPut(_, enrolled) => out.put(&EnrolledV1::from(enrolled)),
        Fact::FormerPut(_, former) => out.put(&FormerV1::from(former)),
        Fact::LeftPut(_, left) => out.put(&LeftV1::from(&**left)),
        Fact::LicensePut(license) => out.put(&LicenseV1::from(&**license)),
        Fact::SeatPut(_, seat) => out.put(&SeatV1::from(&**seat)),
        Fact::ServerPut(server) => match &server.last_backup {
            // A release that knows of no backups goes on reading what has none.
            None => out.put(&ServerV1::from(server)),
            Some(backup) => out.put_as(BACKED_UP, &ServerV2::of(server, backup)),
        },
        Fact::SpentPut(_, _, unit) => out.put(&SpentV1::from(unit)),
        Fact::TokenPut(_, token) => out.put(&TokenV1::from(token)),
        Fact::TombstonePut(_, tombstone) => out.put(&TombstoneV1::from(tombstone)),
        Fact::VendorPut(_, vendor) => out.put(&VendorV1::from(vendor)),
        Fact::AdminRemoved(_)
        | Fact::FormerDropped(_)
        | Fact::LeftDropped(_)
        | Fact::LicenseRemoved(_)
        | Fact::ReservationEnded(_)
        | Fact::SeatEnded(_)
        | Fact::TokenDropped(_) => Ok(false),
    }
}

/// Where a record goes, and under which key.
struct Sink<'a> {
    out: &'a mut Vec<u8>,
    key: &'a [u8],
}

impl Sink<'_> {
    fn put<T: Serialize>(&mut self, record: &T) -> Result<bool, RecordError> {
        self.put_as(VERSION, record)
    }

    fn put_as<T: Serialize>(&mut self, version: u8, record: &T) -> Result<bool, RecordError> {
        seal_into(self.out, self.key, version, record)?;
        Ok(true)
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
        FactKey::Seat(seat) => Fact::SeatPut(seat, Arc::new(fields::<SeatV1<'_>>(payload)?.try_into()?)),
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

fn read<'a, T: Deserialize<'a>>(key: &[u8], record: &'a [u8]) -> Result<T, RecordError> {
    fields(payload(key, record)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{Mac, VendorId};
    use crate::domain::seat::{EndCause, FormerSeat, SeatKey};
    use crate::domain::time::Timestamp;

    fn key(mac: u8) -> SeatKey {
        SeatKey {
            vendor: VendorId([1; 16]),
            product: "BKSRV".parse().unwrap(),
            mac: Mac::new([0, 0, 0, 0, 1, mac]).unwrap(),
        }
    }

    fn put(mac: u8, at: u64) -> Fact {
        let former = FormerSeat {
            ended_at: Timestamp(at),
            cause: EndCause::Idle,
        };
        Fact::FormerPut(key(mac), former)
    }

    /// What rows tell, as a start hears it.
    fn told_by(facts: impl IntoIterator<Item = Fact>) -> Vec<Fact> {
        let changes: Vec<_> = facts.into_iter().map(Change::from).collect();
        let rows = rows(&changes).unwrap();
        rows.iter().map(|(key, record)| told(key, record).unwrap()).collect()
    }

    #[test]
    fn rows_are_in_the_order_of_their_keys_and_of_several_with_one_key_the_last_one_counts() {
        let written = [
            put(3, 1),
            put(1, 1),
            put(2, 1),
            put(3, 2),
            Fact::FormerDropped(key(1)),
            put(3, 3),
            put(4, 1),
            Fact::FormerDropped(key(4)),
            put(4, 2),
        ];
        let expected = [Fact::FormerDropped(key(1)), put(2, 1), put(3, 3), put(4, 2)];
        assert_eq!(told_by(written), expected);
        assert_eq!(told_by([]), []);
    }
}

//! The running digest of all records, and the full scan that compares it.

use sha2::{Digest, Sha256};

use crate::domain::change::Fact;
use crate::domain::time::Now;

use super::envelope::RecordError;
use super::keys::{Key, describe};
use super::records::MetaV1;
use super::rows::{self, Rows};
use super::{Round, StoreError};

/// How many records there are, and the wrapping sum of their hashes: it changes with a record and not with the rest.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Tally {
    records: u64,
    digest: u128,
}

impl Tally {
    /// As the last round left it.
    pub(super) const fn of(meta: &MetaV1) -> Self {
        Self {
            records: meta.records,
            digest: u128::from_le_bytes(meta.digest),
        }
    }

    /// Counts the rows that a round replaces out and the new ones in. `before` answers the record that a key has.
    pub(super) fn update<E>(
        &mut self,
        rows: &Rows,
        mut before: impl FnMut(&[u8]) -> Result<Option<u128>, E>,
    ) -> Result<(), E> {
        for (key, record) in rows.iter() {
            if let Some(hash) = before(key)? {
                self.records = self.records.wrapping_sub(1);
                self.digest = self.digest.wrapping_sub(hash);
            }
            if let Some(record) = record {
                self.add(hash(key, record));
            }
        }
        Ok(())
    }

    /// How many records.
    pub(super) const fn records(&self) -> u64 {
        self.records
    }

    /// The sum of their hashes.
    pub(super) const fn digest(&self) -> u128 {
        self.digest
    }

    /// The record of where the ledger stands after a round.
    pub(super) fn meta(&self, number: u64, now: Now) -> MetaV1 {
        MetaV1 {
            round: number,
            steady: now.steady.0,
            calendar: now.calendar.0,
            records: self.records,
            digest: self.digest.to_le_bytes(),
        }
    }

    pub(super) const fn add(&mut self, hash: u128) {
        self.records = self.records.wrapping_add(1);
        self.digest = self.digest.wrapping_add(hash);
    }
}

/// The first 16 bytes of the SHA-256 of a row, little-endian.
pub(super) fn hash(key: &[u8], record: &[u8]) -> u128 {
    let digest: [u8; 32] = Sha256::new()
        .chain_update((key.len() as u64).to_le_bytes())
        .chain_update(key)
        .chain_update(record)
        .finalize()
        .into();
    digest
        .iter()
        .take(16)
        .rev()
        .fold(0, |number, &byte| number << 8 | u128::from(byte))
}

/// A walk over all rows in key order.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    place: &'a str,
    tally: Tally,
    meta: Option<MetaV1>,
}

impl<'a> Scan<'a> {
    /// Of the store at `place`, as errors name it.
    pub(super) fn new(place: &'a str) -> Self {
        Self {
            place,
            tally: Tally::default(),
            meta: None,
        }
    }

    /// Takes the next row and hands out the fact in it.
    pub(super) fn row(&mut self, bytes: &[u8], record: &[u8], visit: &mut dyn FnMut(Fact)) -> Result<(), StoreError> {
        self.read(bytes, record, visit).map_err(|source| StoreError::Record {
            place: self.place.to_owned(),
            key: describe(bytes),
            source,
        })
    }

    fn read(&mut self, bytes: &[u8], record: &[u8], visit: &mut dyn FnMut(Fact)) -> Result<(), RecordError> {
        match rows::fact(Key::decode(bytes)?, bytes, record)? {
            Some(fact) => {
                self.tally.add(hash(bytes, record));
                visit(fact);
            }
            None => self.meta = Some(rows::meta(record)?),
        }
        Ok(())
    }

    /// Where the ledger stands, if that is what its rows add up to. Without any row there was no round.
    pub(super) fn finish(self) -> Result<MetaV1, StoreError> {
        let meta = match self.meta {
            Some(meta) => meta,
            None if self.tally == Tally::default() => return Ok(Tally::default().meta(0, Now::default())),
            None => return Err(self.mismatch("the record of the last round", "one".into(), "none".into())),
        };
        let told = Tally::of(&meta);
        if told.records != self.tally.records {
            let (expected, found) = (told.records.to_string(), self.tally.records.to_string());
            return Err(self.mismatch("the number of records", expected, found));
        }
        if told.digest != self.tally.digest {
            let [expected, found] = [told.digest, self.tally.digest].map(|digest| format!("{digest:032x}"));
            return Err(self.mismatch("the digest of the records", expected, found));
        }
        Ok(meta)
    }

    fn mismatch(&self, what: &'static str, expected: String, found: String) -> StoreError {
        StoreError::Mismatch {
            place: self.place.to_owned(),
            what,
            expected,
            found,
        }
    }
}

/// Where a store stands between rounds: whether it was loaded, and whether a commit failed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Standing {
    Loaded { round: u64 },
    NotLoaded,
    Poisoned,
}

impl Standing {
    /// Forgets an earlier load; after a failed commit nothing is loaded either.
    pub(super) fn begin_load(&mut self) -> Result<(), StoreError> {
        if matches!(self, Self::Poisoned) {
            return Err(StoreError::Poisoned);
        }
        *self = Self::NotLoaded;
        Ok(())
    }

    /// Runs `commit` if `round` may come now. Whatever goes wrong, nothing may come afterwards.
    pub(super) fn commit(
        &mut self,
        round: &Round<'_>,
        commit: impl FnOnce(Rows) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let before = std::mem::replace(self, Self::Poisoned);
        match before {
            Self::NotLoaded => {
                *self = before;
                return Err(StoreError::NotLoaded);
            }
            Self::Poisoned => return Err(StoreError::Poisoned),
            Self::Loaded { round: last } if round.number != last + 1 => {
                return Err(StoreError::RoundOrder {
                    last,
                    number: round.number,
                });
            }
            Self::Loaded { .. } => {}
        }
        commit(rows::rows(round.changes)?)?;
        *self = Self::Loaded { round: round.number };
        Ok(())
    }
}

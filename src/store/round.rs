//! What a round is in the journal: its time, the rows that it writes, the events that they tell of.

use crate::domain::change::{Change, Event, EventKind};
use crate::domain::time::{Now, Timestamp};

use super::envelope::{RECORD_LEN_MAX, RecordError};
use super::records::event_bytes;
use super::rows::Rows;
use super::{Round, StoreError};

/// What stands in place of a record's length where the row is deleted.
const DELETED: u32 = u32::MAX;

/// A round as it was read from the journal.
#[derive(Debug)]
pub(super) struct Payload {
    /// The time that was handed to its decisions.
    pub(super) now: Now,
    /// The new record of each key, or nothing where it is deleted.
    pub(super) rows: Rows,
}

/// The bytes of a round whose changes come to `rows`.
pub(super) fn write(round: &Round<'_>, rows: &Rows) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    bytes.extend(round.now.steady.0.to_le_bytes());
    bytes.extend(round.now.calendar.0.to_le_bytes());
    bytes.extend(count(rows.len()));
    for (key, record) in rows {
        // No key has more than 64 bytes.
        bytes.push(u8::try_from(key.len()).unwrap_or(u8::MAX));
        bytes.extend(key);
        match record {
            Some(record) => {
                bytes.extend(count(record.len()));
                bytes.extend(record);
            }
            None => bytes.extend(DELETED.to_le_bytes()),
        }
    }
    // A plain renewal is no event (rule V3).
    let is_told = |event: &&Event| !matches!(event.kind, EventKind::SeatRenewed { .. });
    let events = || {
        round
            .changes
            .iter()
            .flat_map(|Change { events, .. }| events)
            .filter(is_told)
    };
    bytes.extend(count(events().count()));
    for event in events() {
        let event = event_bytes(event).map_err(|source| StoreError::Unstorable {
            key: "an event".into(),
            source,
        })?;
        bytes.extend(count(event.len()));
        bytes.extend(event);
    }
    Ok(bytes)
}

fn count(len: usize) -> [u8; 4] {
    u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes()
}

/// Takes a round apart.
pub(super) fn read(bytes: &[u8]) -> Result<Payload, RecordError> {
    let mut cursor = Cursor(bytes);
    let now = Now {
        steady: Timestamp(u64::from_le_bytes(cursor.array()?)),
        calendar: Timestamp(u64::from_le_bytes(cursor.array()?)),
    };
    let mut rows = Rows::new();
    for _ in 0..cursor.number()? {
        let [key_len] = cursor.array()?;
        let key = cursor.bytes(usize::from(key_len))?.to_vec();
        let record = match cursor.number()? {
            DELETED => None,
            len => Some(cursor.record(len)?.to_vec()),
        };
        // A round is written in the order of the keys, each once.
        if rows.last_key_value().is_some_and(|(last, _)| *last >= key) {
            return Err(RecordError::Field("order of rows"));
        }
        rows.insert(key, record);
    }
    // Events are no part of the ledger: they are only known to be there.
    for _ in 0..cursor.number()? {
        let len = cursor.number()?;
        cursor.record(len)?;
    }
    match cursor.0 {
        [] => Ok(Payload { now, rows }),
        _ => Err(RecordError::Trailing),
    }
}

/// What is left to read.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        let (head, rest) = self.0.split_first_chunk().ok_or(RecordError::Truncated)?;
        self.0 = rest;
        Ok(*head)
    }

    fn bytes(&mut self, len: usize) -> Result<&'a [u8], RecordError> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(RecordError::Truncated)?;
        self.0 = rest;
        Ok(head)
    }

    fn number(&mut self) -> Result<u32, RecordError> {
        self.array().map(u32::from_le_bytes)
    }

    fn record(&mut self, len: u32) -> Result<&'a [u8], RecordError> {
        match usize::try_from(len) {
            Ok(len) if len <= RECORD_LEN_MAX => self.bytes(len),
            _ => Err(RecordError::TooLong(usize::try_from(len).unwrap_or(usize::MAX))),
        }
    }
}

//! What a round is in the journal: its time, the rows that it writes, the events that they tell of.

use crate::domain::change::{Change, Event, EventKind};
use crate::domain::time::{Now, Timestamp};

use super::envelope::{RECORD_LEN_MAX, RecordError};
use super::records::event_bytes;
use super::rows::{RowRef, Rows};
use super::{Round, StoreError};

/// What stands in place of a record's length where the row is deleted.
const DELETED: u32 = u32::MAX;

/// A round as it was read from the journal.
#[derive(Debug)]
pub(super) struct Payload<'a> {
    /// The time that was handed to its decisions.
    pub(super) now: Now,
    /// In the order of their keys, each key once: its new record, or nothing where it is deleted.
    pub(super) rows: Vec<RowRef<'a>>,
}

/// The bytes of a round whose changes come to `rows`.
pub(super) fn write(round: &Round<'_>, rows: &Rows) -> Result<Vec<u8>, StoreError> {
    // What a row has beside its key and its record.
    const ROW_LEN: usize = 1 + 4;
    let rows_len: usize = rows
        .iter()
        .map(|(key, record)| ROW_LEN + key.len() + record.map_or(0, <[u8]>::len))
        .sum();
    // In nearly its full size: as it grows, hundreds of thousands of bytes would be moved again and again.
    let mut bytes = Vec::with_capacity(32 + rows_len);
    bytes.extend(round.now.steady.0.to_le_bytes());
    bytes.extend(round.now.calendar.0.to_le_bytes());
    bytes.extend(count(rows.len()));
    for (key, record) in rows.iter() {
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
pub(super) fn read(bytes: &[u8]) -> Result<Payload<'_>, RecordError> {
    let mut cursor = Cursor(bytes);
    let now = Now {
        steady: Timestamp(u64::from_le_bytes(cursor.array()?)),
        calendar: Timestamp(u64::from_le_bytes(cursor.array()?)),
    };
    // It grows with what is there, whatever is told of it.
    let mut rows: Vec<RowRef<'_>> = Vec::new();
    for _ in 0..cursor.number()? {
        let [key_len] = cursor.array()?;
        let key = cursor.bytes(usize::from(key_len))?;
        let record = match cursor.number()? {
            DELETED => None,
            len => Some(cursor.record(len)?),
        };
        // A round is written in the order of the keys, each once.
        if rows.last().is_some_and(|(last, _)| *last >= key) {
            return Err(RecordError::Field("order of rows"));
        }
        rows.push((key, record));
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

/// The time of a round and its events, which come one by one: a round may have very many.
pub(super) fn events(bytes: &[u8]) -> Result<(Now, Events<'_>), RecordError> {
    let mut cursor = Cursor(bytes);
    let now = Now {
        steady: Timestamp(u64::from_le_bytes(cursor.array()?)),
        calendar: Timestamp(u64::from_le_bytes(cursor.array()?)),
    };
    for _ in 0..cursor.number()? {
        let [key_len] = cursor.array()?;
        cursor.bytes(usize::from(key_len))?;
        match cursor.number()? {
            DELETED => {}
            len => drop(cursor.record(len)?),
        }
    }
    let left = cursor.number()?;
    Ok((now, Events { cursor, left }))
}

/// The events of a round.
#[derive(Debug)]
pub(super) struct Events<'a> {
    cursor: Cursor<'a>,
    left: u32,
}

impl<'a> Iterator for Events<'a> {
    type Item = Result<&'a [u8], RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let read = self.cursor.number().and_then(|len| self.cursor.record(len));
        if read.is_err() {
            self.left = 0;
        }
        Some(read)
    }
}

/// What is left to read.
#[derive(Debug)]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::change::Fact;
    use crate::domain::command::Actor;
    use crate::domain::ids::{Mac, VendorId};
    use crate::domain::seat::{EndCause, FormerSeat, SeatKey};
    use crate::store::rows::rows;

    /// Where the number of rows stands.
    const ROWS_AT: usize = 16;

    /// A round of a value, a deletion and an event.
    fn payload() -> (Rows, Vec<u8>) {
        let seat = |number| SeatKey {
            vendor: VendorId([0x11; 16]),
            product: "BKSRV".parse().unwrap(),
            mac: Mac::new([0, 0x1a, 0, 0, 0, number]).unwrap(),
        };
        let former = FormerSeat {
            ended_at: Timestamp(7),
            cause: EndCause::Idle,
        };
        let event = Event {
            at: Timestamp(7),
            actor: Actor::Server,
            kind: EventKind::VendorTrusted {
                vendor: VendorId([0x11; 16]),
            },
        };
        let changes = [
            (Fact::FormerPut(seat(1), former), vec![event]),
            (Fact::FormerDropped(seat(2)), Vec::new()),
        ]
        .map(|(fact, events)| Change { fact, events });
        let rows = rows(&changes).unwrap();
        let round = Round {
            number: 1,
            now: Now::at(3),
            changes: &changes,
        };
        let payload = write(&round, &rows).unwrap();
        (rows, payload)
    }

    #[test]
    fn a_round_reads_back_and_cut_anywhere_or_longer_is_refused() {
        let (rows, payload) = payload();
        let round = read(&payload).unwrap();
        assert_eq!((round.now, round.rows), (Now::at(3), rows.iter().collect()));
        for len in 0..payload.len() {
            assert!(
                matches!(read(&payload[..len]), Err(RecordError::Truncated)),
                "cut at {len}"
            );
        }
        let longer = [payload.as_slice(), &[0]].concat();
        assert!(matches!(read(&longer), Err(RecordError::Trailing)));
    }

    /// Numbers at and beside each power of two.
    fn numbers() -> impl Iterator<Item = u32> {
        (0..32)
            .flat_map(|power| [(1_u32 << power) - 1, 1 << power, (1 << power) + 1])
            .chain([u32::MAX - 1, u32::MAX])
    }

    #[test]
    fn whatever_a_round_tells_of_rows_events_and_lengths_only_what_is_there_is_read() {
        let (rows, payload) = payload();
        let key_len = rows.iter().next().unwrap().0.len();
        let record_at = ROWS_AT + 4 + 1 + key_len;
        // How many rows, how long a record, how many events, how long an event.
        let event_len = payload.len() - payload.windows(2).rposition(|two| two == [1, 28]).unwrap();
        let events_at = payload.len() - event_len - 8;
        for at in [ROWS_AT, record_at, events_at, events_at + 4] {
            let told = u32::from_le_bytes(*payload[at..].first_chunk().unwrap());
            for number in numbers().filter(|&number| number != told) {
                let mut changed = payload.clone();
                changed[at..at + 4].copy_from_slice(&number.to_le_bytes());
                assert!(read(&changed).is_err(), "{number} at {at}");
            }
        }
        for len in (0..=u8::MAX).filter(|&len| usize::from(len) != key_len) {
            let mut changed = payload.clone();
            changed[ROWS_AT + 4] = len;
            assert!(read(&changed).is_err(), "a key of {len} bytes");
        }
    }

    #[test]
    fn rows_that_do_not_ascend_are_refused() {
        let row = |key: u8| [1, key, 0xff, 0xff, 0xff, 0xff];
        let payload =
            |keys: [u8; 2]| [&[0; ROWS_AT], [2, 0, 0, 0].as_slice(), &keys.map(row).concat(), &[0; 4]].concat();
        assert_eq!(read(&payload([1, 2])).unwrap().rows.len(), 2);
        for keys in [[2, 1], [1, 1]] {
            assert!(matches!(read(&payload(keys)), Err(RecordError::Field(_))), "{keys:?}");
        }
    }
}

//! What a segment holds, in a few bytes: so that one without anything that is asked for need not be read.

use crate::domain::change::Event;
use crate::domain::event_log::EventFilter;
use crate::domain::time::Timestamp;
use crate::store::journal::Walk;
use crate::store::records;
use crate::store::round;

/// How the field begins in the header of a packed segment: its name and its length, as gzip has it.
const FIELD: [u8; 4] = [b'S', b'K', 45, 0];

/// The version of its form.
const VERSION: u8 = 1;

/// What a segment holds whose rounds can all be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::store) struct Summary {
    /// Its first round.
    pub(super) first: u64,
    /// Its last one.
    pub(super) last: u64,
    /// The times of its events, from the earliest to the latest; the wrong way round where it has none.
    times: (Timestamp, Timestamp),
    /// The kinds of its events: bit N for kind N, all of them for kinds above 63.
    kinds: u64,
}

impl Summary {
    /// What segment `number` holds; nothing where that cannot all be read, or is nothing.
    pub(in crate::store) fn of(number: u64, bytes: &[u8]) -> Option<Self> {
        let mut walk = Walk::new(number, bytes, 0, u64::MAX).ok()?;
        let mut seen = None;
        while let Some(read) = walk.next() {
            let read = read.ok()?;
            let seen = seen.get_or_insert_with(|| Seen::new(Some(read.link.round)));
            for event in round::events(&read.payload).ok()?.1 {
                seen.event(&event.and_then(records::event).ok()?);
            }
            seen.round(read.link.round);
        }
        seen?.summary()
    }

    /// As a field of a header.
    pub(in crate::store) fn bytes(&self) -> Vec<u8> {
        let mut bytes = FIELD.to_vec();
        bytes.push(VERSION);
        for number in [self.first, self.last, self.times.0.0, self.times.1.0, self.kinds] {
            bytes.extend(number.to_le_bytes());
        }
        let sum = crc32c::crc32c(&bytes);
        bytes.extend(sum.to_le_bytes());
        bytes
    }

    /// What a header says.
    pub(in crate::store) fn read(bytes: &[u8]) -> Option<Self> {
        let (told, sum) = bytes.split_last_chunk::<4>()?;
        let rest = told.strip_prefix(&FIELD)?.strip_prefix(&[VERSION])?;
        let (numbers, []) = rest.as_chunks::<8>() else {
            return None;
        };
        let [first, last, from, to, kinds] = numbers else {
            return None;
        };
        let number = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
        (crc32c::crc32c(told).to_le_bytes() == *sum).then(|| Self {
            first: number(first),
            last: number(last),
            times: (Timestamp(number(from)), Timestamp(number(to))),
            kinds: number(kinds),
        })
    }

    /// Whether any event of the segment may be wanted.
    pub(super) fn may_have(&self, filter: &EventFilter) -> bool {
        let (first, last) = self.times;
        first <= last
            && filter.since.is_none_or(|since| since <= last)
            && filter.until.is_none_or(|until| first < until)
            && (filter.kinds.is_empty() || filter.kinds.iter().any(|kind| self.kinds & bit(*kind) != 0))
    }
}

fn bit(kind: u8) -> u64 {
    1_u64.checked_shl(kind.into()).unwrap_or(u64::MAX)
}

/// What is learned of a segment while it is read.
#[derive(Debug)]
pub(super) struct Seen(Option<Summary>);

impl Seen {
    /// Of a segment that is read from its first round on, which is this one; otherwise nothing is learned.
    pub(super) fn new(first: Option<u64>) -> Self {
        Self(first.map(|first| Summary {
            first,
            last: 0,
            times: (Timestamp::MAX, Timestamp(0)),
            kinds: 0,
        }))
    }

    pub(super) fn event(&mut self, event: &Event) {
        if let Some(summary) = &mut self.0 {
            let (first, last) = summary.times;
            summary.times = (first.min(event.at), last.max(event.at));
            summary.kinds |= bit(event.kind.number());
        }
    }

    /// A round was read to its end.
    pub(super) const fn round(&mut self, round: u64) {
        if let Some(summary) = &mut self.0 {
            summary.last = round;
        }
    }

    /// Something cannot be read: what is learned counts for nothing.
    pub(super) fn spoil(&mut self) {
        self.0 = None;
    }

    /// What the segment holds, where all of it was read.
    pub(super) fn summary(self) -> Option<Summary> {
        self.0.filter(|summary| summary.last >= summary.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_what_was_written_into_it_and_no_flipped_bit_says_anything() {
        let summary = Summary {
            first: 7,
            last: 1_034,
            times: (Timestamp(5), Timestamp(6)),
            kinds: 1 << 28,
        };
        let bytes = summary.bytes();
        assert_eq!(usize::from(bytes[2]), bytes.len() - FIELD.len());
        assert_eq!(Summary::read(&bytes), Some(summary));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Summary::read(&flipped), None, "bit {bit}");
        }
        assert!((0..bytes.len()).all(|len| Summary::read(&bytes[..len]).is_none()));
    }
}

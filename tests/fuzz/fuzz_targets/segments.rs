//! A journal that somebody made who knows its form: stamps and sums hold, lengths, rounds and numbers are anything. A
//! reading neither panics nor takes memory for what is not there, and what it accepts goes on.
#![no_main]

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use libfuzzer_sys::fuzz_target;
use seatkeeper::domain::event_log::{ChainPage, EventFilter, EventsPage};
use seatkeeper::store::fuzz::{Start, chronicle, cut_journal};
use seatkeeper_fuzz::forms::{self, MARK, ROOM, SEAL, SECTOR_LEN};
use seatkeeper_fuzz::{Shelf, Steps, number};

/// Segments of one input, at most.
const SEGMENTS_MAX: usize = 8;

/// Where the numbers of segments end, nothing need go on.
const LAST_NUMBERS: RangeInclusive<u64> = 9_999_999_000..=9_999_999_999;

/// A segment that is being made.
#[derive(Default)]
struct Segment {
    /// Without its first sector.
    bytes: Vec<u8>,
    /// How many sectors it says that it has, where that is not how many it has.
    told: Option<u32>,
}

struct Forger {
    segments: BTreeMap<u64, Segment>,
    current: u64,
    start: Start,
    /// The last round, and the hash of its record.
    round: u64,
    hash: [u8; 32],
}

impl Forger {
    fn new() -> Self {
        Self {
            segments: BTreeMap::from([(1, Segment::default())]),
            current: 1,
            start: Start::FIRST,
            round: 0,
            hash: [0; 32],
        }
    }

    fn stamp(&mut self, place: u32, round: u64, bytes: &[u8]) {
        let current = self.current;
        let Some(segment) = self.segments.get_mut(&current) else {
            return;
        };
        // What is no whole sector is filled up.
        segment
            .bytes
            .resize(segment.bytes.len().next_multiple_of(SECTOR_LEN), 0);
        let index = u32::try_from(segment.bytes.len() / SECTOR_LEN + 1).expect("few");
        let bytes = &bytes[..bytes.len().min(ROOM)];
        segment.bytes.extend(forms::sector(current, index, place, round, bytes));
    }

    fn record(&mut self, round: u64, len: u32, payload: &[u8]) {
        let (record, hash) = forms::record(round, &self.hash, len, payload);
        for (place, part) in (0..).zip(record.chunks(ROOM)) {
            self.stamp(place, round, part);
        }
        (self.round, self.hash) = (round, hash);
    }

    fn step(&mut self, kind: u8, taken: &[u8]) {
        let long = |number: u64| u32::try_from(number).expect("four bytes");
        let hash = self.hash;
        match kind % 10 {
            0 => self.record(
                self.round.wrapping_add(1),
                u32::try_from(taken.len()).expect("short"),
                taken,
            ),
            1 => {
                let (len, rest) = number::<4>(taken);
                let (round, payload) = number::<8>(rest);
                self.record(round, long(len), payload);
            }
            2 => {
                let (place, rest) = number::<4>(taken);
                let (round, bytes) = number::<8>(rest);
                self.stamp(long(place), round, bytes);
            }
            3 => self.stamp(SEAL, self.round, &hash),
            4 => {
                let (named, _) = number::<8>(taken);
                self.stamp(MARK, self.round, &[&hash, named.to_le_bytes().as_slice()].concat());
                self.go_to(named);
            }
            5 => self.raw(taken),
            6 => self.raw(&vec![
                0;
                usize::try_from(number::<1>(taken).0).expect("a byte") * SECTOR_LEN
            ]),
            7 => self.go_to(number::<8>(taken).0),
            8 => {
                if let Some(segment) = self.segments.get_mut(&self.current) {
                    segment.told = Some(long(number::<4>(taken).0));
                }
            }
            _ => {
                let (segment, rest) = number::<8>(taken);
                let (sector, rest) = number::<4>(rest);
                let (round, _) = number::<8>(rest);
                // A manifest tells no greater ones.
                let round = round & (u64::MAX >> 1);
                (self.round, self.hash) = (round, [0; 32]);
                self.start = Start {
                    segment: segment & (u64::MAX >> 1),
                    sector: long(sector) & ((1 << 23) - 1),
                    round,
                    hash: self.hash,
                };
            }
        }
    }

    fn go_to(&mut self, number: u64) {
        if self.segments.len() < SEGMENTS_MAX || self.segments.contains_key(&number) {
            self.segments.entry(number).or_default();
            self.current = number;
        }
    }

    fn raw(&mut self, bytes: &[u8]) {
        if let Some(segment) = self.segments.get_mut(&self.current) {
            segment.bytes.extend(bytes);
        }
    }

    fn is_at_the_last_numbers(&self) -> bool {
        self.segments.keys().any(|number| LAST_NUMBERS.contains(number))
    }

    /// The segments as files; each has two sectors more than was written into it.
    fn shelf(&self) -> Shelf {
        let shelf = Shelf::new(16 * 512);
        for (&number, Segment { bytes, told }) in &self.segments {
            let sectors = bytes.len().div_ceil(SECTOR_LEN) + 3;
            let first = forms::first_sector(number, told.unwrap_or(u32::try_from(sectors).expect("few")));
            let mut file = [first.as_slice(), bytes].concat();
            file.resize(sectors * SECTOR_LEN, 0);
            shelf.put(number, &file);
        }
        shelf
    }
}

/// Reads all events and checks the whole chain: each answer is a step ahead, in whichever direction.
fn read_events(shelf: &Shelf, through: u64) {
    let (disk, data, _) = shelf.parts();
    let chronicle = chronicle(disk, data);
    for newest_first in [false, true] {
        let mut page = EventsPage {
            filter: EventFilter::default(),
            newest_first,
            after: None,
            limit: 3,
        };
        loop {
            let read = chronicle.page(&page, through).expect("a directory");
            if !read.more {
                break;
            }
            let is_ahead = match (page.after, read.next) {
                (Some(before), Some(next)) => (next > before) != newest_first,
                (None, next) => next.is_some(),
                (Some(_), None) => false,
            };
            assert!(is_ahead, "{page:?} goes on at {:?}", read.next);
            page.after = read.next;
        }
    }
    let mut page = ChainPage::default();
    loop {
        let read = chronicle.check(&page, through).expect("a directory");
        let last = read.segments.last().map(|segment| segment.number);
        if !read.more {
            break;
        }
        assert!(last > page.after);
        page.after = last;
    }
}

fuzz_target!(|input: &[u8]| {
    let mut forger = Forger::new();
    for (kind, taken) in Steps::of(input) {
        forger.step(kind, taken);
    }
    let (shelf, start) = (forger.shelf(), forger.start);
    let reading = shelf.read(start);
    for through in [start.round + reading.rounds.len() as u64, u64::MAX] {
        read_events(&shelf, through);
    }
    let numbers = reading.rounds.iter().map(|(number, _)| *number);
    assert!(
        numbers.eq((start.round..).skip(1).take(reading.rounds.len())),
        "each follows the one before"
    );
    let can_go_on = !forger.is_at_the_last_numbers();
    match reading.end {
        Ok(end) => {
            assert_eq!(end.round, start.round + reading.rounds.len() as u64);
            if can_go_on {
                shelf.assert_goes_on(start);
            }
        }
        // Where reading starts is only known to be there where a sound manifest says it.
        Err(_) if (start.segment, start.sector) == (Start::FIRST.segment, Start::FIRST.sector) => {
            let (disk, data, segment_bytes) = shelf.parts();
            let kept = cut_journal(disk, data, start, segment_bytes).expect("cut off");
            assert_eq!(kept, start.round + reading.rounds.len() as u64);
            let again = shelf.read(start);
            assert!(
                again.end.is_ok() && again.rounds == reading.rounds,
                "what could be read is kept"
            );
            if can_go_on {
                shelf.assert_goes_on(start);
            }
        }
        Err(_) => {}
    }
});

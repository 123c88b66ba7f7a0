//! A journal that was written soundly and then damaged: the rounds that a reading hands out are the first of those that
//! were written, the others are missed only where damage of one place can look like a power cut, and after the damaged
//! part is cut off the journal goes on.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seatkeeper::store::StoreError;
use seatkeeper::store::fuzz::{ReadEnd, Start, Writing, cut_journal};
use seatkeeper_fuzz::forms::SECTOR_LEN;
use seatkeeper_fuzz::{Shelf, Steps, number};

/// Bytes of a segment: small, so that a few rounds fill several.
const SEGMENT_BYTES: u32 = 16 * 512;

/// Rounds and damages of one input, at most: enough for each to meet each.
const STEPS_MAX: usize = 64;

/// The longest payload, in bytes: longer than a segment.
const PAYLOAD_MAX: usize = 12_000;

/// A journal that is being written.
struct Written {
    shelf: Shelf,
    journal: Option<Writing>,
    rounds: Vec<(u64, Vec<u8>)>,
    /// Whether it says that the last round was answered.
    is_sealed: bool,
    damages: usize,
    /// Whether what was written after some time is lost: that can take several rounds.
    is_rolled_back: bool,
    /// Each segment as it was at some time: a disk may have lost what was written since.
    earlier: Vec<(u64, Vec<u8>)>,
}

impl Written {
    fn new() -> Self {
        let shelf = Shelf::new(SEGMENT_BYTES);
        let (disk, data, segment_bytes) = shelf.parts();
        let journal = Writing::create(disk, data, segment_bytes).expect("a journal");
        Self {
            shelf,
            journal: Some(journal),
            rounds: Vec::new(),
            is_sealed: false,
            damages: 0,
            is_rolled_back: false,
            earlier: Vec::new(),
        }
    }

    /// A step of writing.
    fn write(&mut self, kind: u8, taken: &[u8]) {
        let Some(journal) = &mut self.journal else { return };
        match kind {
            0 => {
                let (len, rest) = number::<2>(taken);
                let len = usize::try_from(len).expect("two bytes") % PAYLOAD_MAX;
                let payload: Vec<u8> = rest.iter().copied().chain([7]).cycle().take(len).collect();
                journal.append(&payload).expect("room");
                self.rounds.push((self.rounds.len() as u64 + 1, payload));
            }
            1 => journal.seal().expect("room"),
            2 => self.reopen(),
            _ => {
                let all = self.shelf.numbers().into_iter();
                self.earlier
                    .extend(all.map(|number| (number, self.shelf.bytes(number))));
            }
        }
    }

    fn close(&mut self) -> ReadEnd {
        self.journal = None;
        let reading = self.shelf.read(Start::FIRST);
        assert!(reading.rounds == self.rounds, "everything is there");
        let end = reading.end.expect("a sound journal");
        self.is_sealed = end.is_sealed();
        end
    }

    fn reopen(&mut self) {
        let end = self.close();
        let (disk, data, segment_bytes) = self.shelf.parts();
        self.journal = Some(Writing::resume(disk, data, segment_bytes, &end).expect("it goes on"));
    }

    /// Damages a place of a segment.
    fn damage(&mut self, kind: u8, taken: &[u8]) {
        if self.journal.is_some() {
            self.close();
        }
        let numbers = self.shelf.numbers();
        let (segment, rest) = number::<1>(taken);
        let (place, rest) = number::<4>(rest);
        let place = usize::try_from(place).expect("four bytes");
        let Some(&segment) = numbers.get(usize::try_from(segment).expect("a byte") % numbers.len().max(1)) else {
            return;
        };
        let before = self.shelf.bytes(segment);
        let mut bytes = before.clone();
        let sector = |place: usize| (place % (before.len() / SECTOR_LEN).max(1)) * SECTOR_LEN;
        match kind % 8 {
            0 => change(&mut bytes, place, rest),
            1 => bytes
                .iter_mut()
                .skip(sector(place))
                .take(SECTOR_LEN)
                .for_each(|byte| *byte = 0),
            2 => bytes.truncate(place % (before.len() + 1)),
            3 => bytes.extend(rest),
            4 => {
                // Another sector, of the same segment or another one, stands here.
                let (from, rest) = number::<1>(rest);
                let from = numbers[usize::try_from(from).expect("a byte") % numbers.len()];
                let at = usize::try_from(number::<1>(rest).0).expect("a byte") * SECTOR_LEN;
                let there = self.shelf.bytes(from).get(at..at + SECTOR_LEN).map(<[u8]>::to_vec);
                if let (Some(there), Some(here)) = (there, bytes.get_mut(sector(place)..sector(place) + SECTOR_LEN)) {
                    here.copy_from_slice(&there);
                }
            }
            5 => return self.remove(segment),
            6 => self.shelf.put(place as u64 % 40, &bytes),
            _ => {
                if let Some((earlier, then)) = self.earlier.get(place % self.earlier.len().max(1)) {
                    self.is_rolled_back = true;
                    self.shelf.put(*earlier, then);
                }
                return;
            }
        }
        if kind % 8 == 6 || bytes != before {
            self.damages += 1;
            if kind % 8 != 6 {
                self.shelf.put(segment, &bytes);
            }
        }
    }

    fn remove(&mut self, segment: u64) {
        self.damages += 1;
        self.shelf.remove(segment);
    }

    fn check(mut self) {
        self.journal = None;
        let reading = self.shelf.read(Start::FIRST);
        let count = reading.rounds.len();
        assert!(
            reading.rounds[..] == self.rounds[..count.min(self.rounds.len())],
            "a round that was not written"
        );
        match reading.end {
            Ok(end) => {
                assert_eq!(end.round, count as u64);
                let missed = self.rounds.len() - count;
                let allowed = match self.damages {
                    _ if self.is_rolled_back => usize::MAX,
                    0 => 0,
                    // A sector of the last record that turned into zeros looks as if it never was written.
                    1 => usize::from(!self.is_sealed),
                    _ => usize::MAX,
                };
                assert!(missed <= allowed, "{missed} rounds are missed");
            }
            Err(StoreError::Journal { .. }) => {
                let (disk, data, segment_bytes) = self.shelf.parts();
                let kept = cut_journal(disk, data, Start::FIRST, segment_bytes).expect("cut off");
                assert_eq!(kept, count as u64);
                assert!(
                    self.shelf.read(Start::FIRST).rounds == reading.rounds,
                    "what could be read is kept"
                );
            }
            Err(error) => panic!("{error}"),
        }
        self.shelf.assert_goes_on(Start::FIRST);
    }
}

/// Changes up to four bytes side by side: no sum of 32 bits misses that.
fn change(bytes: &mut [u8], place: usize, by: &[u8]) {
    let place = place % bytes.len().max(1);
    // Side by side in one sector: two sums of their own would be another damage.
    let end = (place / SECTOR_LEN + 1) * SECTOR_LEN;
    for (byte, by) in bytes.iter_mut().take(end).skip(place).zip(by.iter().take(4)) {
        *byte ^= by;
    }
}

fuzz_target!(|input: &[u8]| {
    let mut written = Written::new();
    for (kind, taken) in Steps::of(input).take(STEPS_MAX) {
        if kind < 16 {
            written.write(kind % 4, taken);
        } else {
            written.damage(kind, taken);
        }
    }
    written.check();
});

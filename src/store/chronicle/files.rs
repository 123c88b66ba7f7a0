//! The segments that there are, and what they hold.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use super::{Chronicle, Segment, Summary};
use crate::domain::event_log::Gap;
use crate::store::history::{self, HISTORY};
use crate::store::journal::{Beginning, DIR, Walk, segment_name, segment_number};
use crate::store::{StoreError, io_failed};

/// Bytes of a segment that is kept unpacked, at most: one with a very large round is not.
const KEPT_BYTES: usize = 32 << 20;

impl Chronicle {
    /// The numbers of the segments, ascending.
    pub(super) fn numbers(&self) -> Result<Vec<u64>, StoreError> {
        let (disk, data) = (&*self.0.disk, &self.0.data);
        let journal = data.join(DIR);
        // The journal first: a segment moves into the history and never back.
        let names = disk
            .names(&journal)
            .map_err(io_failed("reading the directory", &journal))?;
        let kept = history::numbers(disk, data);
        let kept = kept.map_err(io_failed("reading the directory", &data.join(HISTORY)))?;
        let numbers: BTreeSet<u64> = names
            .iter()
            .filter_map(|name| segment_number(name))
            .chain(kept)
            .collect();
        Ok(numbers.into_iter().collect())
    }

    /// A segment; nothing where it is not there any more: the oldest go. One that the disk does not give is empty, and says so.
    pub(super) fn segment(&self, number: u64) -> Option<Segment> {
        if let Some(segment) = self.known().unpacked.as_ref().filter(|one| one.number == number) {
            return Some(segment.clone());
        }
        let (disk, data) = (&*self.0.disk, &self.0.data);
        let file = format!("{DIR}/{}", segment_name(number));
        match disk.read(&data.join(&file)) {
            Ok(bytes) => return Some(whole(number, file, bytes)),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Some(unreadable(number, file, &error)),
            // It has moved.
            Err(_) => {}
        }
        let file = history::file(number);
        match history::read(disk, data, number) {
            Ok((bytes, is_whole)) => {
                let fault = (!is_whole).then(|| Gap {
                    file: file.clone(),
                    byte: 0,
                    what: "it cannot be unpacked, or not as a whole: its checksum does not hold".to_owned(),
                    after: 0,
                });
                let segment = Segment {
                    fault,
                    ..whole(number, file, bytes)
                };
                if segment.bytes.len() <= KEPT_BYTES {
                    self.known().unpacked = Some(segment.clone());
                }
                Some(segment)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => Some(unreadable(number, file, &error)),
        }
    }

    /// What a segment of the history says that it holds, or what was learned of one.
    pub(super) fn summary(&self, number: u64) -> Option<Summary> {
        {
            let known = self.known();
            if let Some(summary) = known.summaries.get(&number) {
                return Some(*summary);
            }
            if known.silent.contains(&number) {
                return None;
            }
        }
        let (disk, data) = (&*self.0.disk, &self.0.data);
        let told = history::summary(disk, data, number);
        let mut known = self.known();
        if let Some(summary) = told {
            known.summaries.insert(number, summary);
            known.first.insert(number, summary.first);
        } else if disk.len(&data.join(history::file(number))).is_ok() {
            known.silent.insert(number);
        }
        told
    }

    /// The first round of a segment; nothing where it holds none that can be read.
    pub(super) fn first_round(&self, number: u64) -> Option<u64> {
        if let Some(first) = self.known().first.get(&number) {
            return Some(*first);
        }
        if let Some(summary) = self.summary(number) {
            return Some(summary.first);
        }
        let path = self.0.data.join(DIR).join(segment_name(number));
        // Two of its sectors tell it in nearly every case, and that there is none of one that was made ahead.
        let start = self.0.disk.read_start(&path, Walk::START_LEN);
        let beginning = start.map_or(Beginning::Unclear, |start| Walk::begins_with(number, &start));
        let first = match beginning {
            Beginning::Round(first) => first,
            Beginning::Nothing => return None,
            Beginning::Unclear => Walk::first_round(number, &self.segment(number)?.bytes)?,
        };
        self.known().first.insert(number, first);
        Some(first)
    }

    /// Which of `numbers` holds round `round`, or would: the last one that does not begin behind it.
    pub(super) fn place_of(&self, numbers: &[u64], round: u64) -> usize {
        let (mut low, mut high) = (0, numbers.len());
        while low < high {
            let middle = low + (high - low) / 2;
            // One without rounds begins where the next one with rounds does.
            let first = numbers
                .get(middle..high)
                .unwrap_or_default()
                .iter()
                .enumerate()
                .find_map(|(skipped, number)| Some((skipped, self.first_round(*number)?)));
            match first {
                Some((skipped, first)) if first <= round => low = middle + skipped + 1,
                _ => high = middle,
            }
        }
        low.saturating_sub(1)
    }

    /// Forgets what is known of segments that are gone.
    pub(super) fn forget_before(&self, oldest: u64) {
        let mut known = self.known();
        known.first = known.first.split_off(&oldest);
        known.summaries = known.summaries.split_off(&oldest);
        known.silent = known.silent.split_off(&oldest);
    }
}

fn whole(number: u64, file: String, bytes: Vec<u8>) -> Segment {
    Segment {
        number,
        file,
        bytes: Arc::new(bytes),
        fault: None,
    }
}

fn unreadable(number: u64, file: String, error: &io::Error) -> Segment {
    Segment {
        fault: Some(Gap {
            file: file.clone(),
            byte: 0,
            what: format!("it cannot be read: {error}"),
            after: 0,
        }),
        ..whole(number, file, Vec::new())
    }
}

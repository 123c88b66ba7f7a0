//! The check of the chain, a portion of segments at a time: each round holds the hash of the one before it.

use super::{Chronicle, PAGE_BYTES, Segment, Summary};
use crate::domain::event_log::{ChainPage, ChainRead, GAPS_MAX, Gap, SegmentRead, Span};
use crate::store::StoreError;
use crate::store::history;
use crate::store::journal::{Read, Walk};
use crate::store::records;
use crate::store::round;

impl Chronicle {
    /// Checks segments, of the rounds up to `through`, which is durable. How one goes on in the next is the caller's to
    /// compare: the first round of each names the hash of the one before it.
    ///
    /// # Errors
    /// The directories cannot be read. What is damaged is told, and read over.
    pub fn check(&self, page: &ChainPage, through: u64) -> Result<ChainRead, StoreError> {
        let numbers = self.numbers()?;
        let begin = match page.after {
            _ if page.newest_only => self.place_of(&numbers, through),
            Some(after) => numbers.partition_point(|number| *number <= after),
            None => 0,
        };
        let mut read = ChainRead {
            through,
            ..ChainRead::default()
        };
        let mut bytes = 0;
        for &number in numbers.get(begin..).unwrap_or_default() {
            if bytes >= PAGE_BYTES {
                read.more = true;
                break;
            }
            let Some(segment) = self.segment(number) else { continue };
            bytes += segment.bytes.len();
            let mut checked = checked(&segment, page.round, through);
            let (disk, data) = (&*self.0.disk, &self.0.data);
            // What a search goes by must not hide anything.
            let told = history::summary(disk, data, number).filter(|_| checked.gaps.is_empty());
            if told.is_some_and(|told| Summary::of(number, &segment.bytes) != Some(told)) {
                add(
                    &mut checked.gaps,
                    Gap {
                        file: history::file(number),
                        byte: 0,
                        what: "its header does not say what it holds: searches may have missed events".to_owned(),
                        after: 0,
                    },
                );
            }
            let is_last = checked.span.is_some_and(|span| span.last >= through);
            read.segments.push(checked);
            if is_last {
                break;
            }
        }
        Ok(read)
    }
}

fn checked(segment: &Segment, wanted: Option<u64>, through: u64) -> SegmentRead {
    let mut found = SegmentRead {
        number: segment.number,
        file: segment.file.clone(),
        gaps: segment.fault.iter().cloned().collect(),
        ..SegmentRead::default()
    };
    let mut walk = match Walk::new(segment.number, &segment.bytes, 0, through) {
        Ok(walk) => walk,
        Err(damage) => {
            add(&mut found.gaps, segment.gap(&damage));
            return found;
        }
    };
    while let Some(read) = walk.next() {
        match read {
            Ok(read) => count(&mut found, segment, &read, wanted),
            Err(damage) => add(&mut found.gaps, segment.gap(&damage)),
        }
    }
    found
}

fn count(found: &mut SegmentRead, segment: &Segment, read: &Read, wanted: Option<u64>) {
    let round = read.link.round;
    let unreadable = |what: String| Gap {
        file: segment.file.clone(),
        byte: 0,
        what,
        after: round - 1,
    };
    let told = match round::events(&read.payload) {
        Ok((now, events)) => {
            for event in events {
                match event.and_then(records::event) {
                    Ok(_) => found.events += 1,
                    Err(error) => add(
                        &mut found.gaps,
                        unreadable(format!("an event of round {round}: {error}")),
                    ),
                }
            }
            Some(now.latest())
        }
        Err(error) => {
            add(&mut found.gaps, unreadable(format!("round {round}: {error}")));
            None
        }
    };
    let before = || found.span.map(|span| span.last_at).unwrap_or_default();
    let at = told.unwrap_or_else(before);
    let span = found.span.get_or_insert(Span {
        first: round,
        before: read.before.hash,
        first_at: at,
        ..Span::default()
    });
    (span.last, span.hash, span.last_at) = (round, read.link.hash, at);
    found.rounds += 1;
    if wanted == Some(round) {
        (found.hash_of_round, found.time_of_round) = (Some(read.link.hash), told);
    }
}

fn add(gaps: &mut Vec<Gap>, gap: Gap) {
    if gaps.len() < GAPS_MAX {
        gaps.push(gap);
    }
}

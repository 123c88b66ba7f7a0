//! A page of events, oldest or newest first.

use std::collections::VecDeque;

use super::summary::Seen;
use super::{Chronicle, PAGE_BYTES, Segment};
use crate::domain::change::Event;
use crate::domain::event_log::{EventPlace, EventsPage, EventsRead, GAPS_MAX, Gap};
use crate::store::journal::{Damage, Read, Walk};
use crate::store::records;
use crate::store::round;
use crate::store::{RecordError, StoreError};

/// What it costs to find out that a segment can be left out, in bytes of what a page may read.
const HEADER_COST: usize = 64 << 10;

/// Rounds that are looked at together where the newest come first.
const CHUNK_ROUNDS: u64 = 1_024;

impl Chronicle {
    /// The events that are asked for, of the rounds up to `through`, which is durable.
    ///
    /// # Errors
    /// The directories cannot be read. A segment that cannot be read is a gap, and is told.
    pub fn page(&self, page: &EventsPage, through: u64) -> Result<EventsRead, StoreError> {
        let is_at_the_end = page.after.is_some_and(|after| after >= EventPlace::behind(through));
        if is_at_the_end && !page.newest_first {
            // Whoever follows the log asks so most of the time: the disk has nothing to do with it.
            return Ok(EventsRead {
                through,
                next: page.after,
                ..EventsRead::default()
            });
        }
        let numbers = self.numbers()?;
        self.forget_before(numbers.first().copied().unwrap_or_default());
        let mut taken = Taken::new(page, through);
        if page.newest_first {
            self.newest_first(&numbers, &mut taken);
        } else {
            self.oldest_first(&numbers, &mut taken);
        }
        Ok(taken.read)
    }

    fn oldest_first(&self, numbers: &[u64], taken: &mut Taken<'_>) {
        let start = taken.page.after.unwrap_or(EventPlace::behind(0));
        let through = taken.read.through;
        taken.read.next = Some(start);
        let begin = self.place_of(numbers, start.round);
        // What the reading comes from, where that is known: nothing is missed between here and there.
        let mut last = (begin > 0 && start.index == u32::MAX).then_some(start.round);
        let mut bytes = 0;
        for &number in numbers.get(begin..).unwrap_or_default() {
            if last.is_some_and(|last| last >= through) {
                break;
            }
            if bytes >= PAGE_BYTES && taken.goes_on_at(self.first_round(number)) {
                return;
            }
            if let Some(summary) = self.summary(number)
                && !summary.may_have(&taken.page.filter)
            {
                bytes += HEADER_COST;
                if summary.last >= start.round {
                    taken.read.next = Some(EventPlace::behind(summary.last));
                    last = Some(summary.last);
                }
                continue;
            }
            let Some(segment) = self.segment(number) else {
                // It went with all that are older than it.
                last = None;
                continue;
            };
            bytes += segment.bytes.len();
            if !self.forwards(&segment, start, &mut last, taken) {
                taken.read.more = true;
                return;
            }
        }
        if let Some(last) = last.filter(|last| *last < through) {
            taken.missing(last + 1, through);
        }
        taken.read.next = Some(EventPlace::behind(through));
    }

    /// Takes what is asked for of a segment; false where the page is full.
    fn forwards(&self, segment: &Segment, start: EventPlace, last: &mut Option<u64>, taken: &mut Taken<'_>) -> bool {
        taken.fault(segment);
        let mut walk = match Walk::new(segment.number, &segment.bytes, start.round, taken.read.through) {
            Ok(walk) => walk,
            Err(damage) => {
                taken.damage(segment, &damage);
                *last = None;
                return true;
            }
        };
        let mut seen = Seen::new(self.first_round(segment.number).filter(|first| *first > start.round));
        while let Some(read) = walk.next() {
            let read = match read {
                Ok(read) => read,
                Err(damage) => {
                    taken.damage(segment, &damage);
                    *last = None;
                    seen.spoil();
                    continue;
                }
            };
            if let Some(last) = last.filter(|last| *last < read.before.round) {
                taken.missing(last + 1, read.before.round);
            }
            let round = read.link.round;
            let Some(events) = taken.events(segment, &read) else {
                seen.spoil();
                *last = Some(round);
                continue;
            };
            for (place, bytes) in events {
                if place <= start {
                    continue;
                }
                let Some(event) = taken.event(segment, place, bytes) else {
                    seen.spoil();
                    continue;
                };
                seen.event(&event);
                if taken.page.filter.admits(&event) {
                    if taken.is_full() {
                        return false;
                    }
                    taken.read.rows.push((place, event));
                    taken.read.next = Some(place);
                }
            }
            seen.round(round);
            taken.read.next = taken.read.next.max(Some(EventPlace::behind(round)));
            *last = Some(round);
        }
        // One that is still written to has more to come.
        if let Some(summary) = seen.summary().filter(|summary| summary.last < taken.read.through) {
            self.known().summaries.insert(segment.number, summary);
        }
        true
    }

    fn newest_first(&self, numbers: &[u64], taken: &mut Taken<'_>) {
        let through = taken.read.through;
        let end = EventPlace {
            round: through.saturating_add(1),
            index: 0,
        };
        let mut before = taken.page.after.map_or(end, |after| after.min(end));
        taken.read.next = Some(before);
        let mut at = self.place_of(numbers, before.round);
        let mut bytes = 0;
        while let Some(&number) = numbers.get(at) {
            let skips = self
                .summary(number)
                .is_some_and(|summary| !summary.may_have(&taken.page.filter));
            bytes += HEADER_COST;
            if !skips && let Some(segment) = self.segment(number) {
                bytes += segment.bytes.len();
                taken.fault(&segment);
                let first = self.first_round(number).unwrap_or(before.round);
                while before.round >= first && before > (EventPlace { round: first, index: 0 }) {
                    if taken.is_full() {
                        taken.read.more = true;
                        return;
                    }
                    before = Self::backwards(&segment, first, before, taken);
                    taken.read.next = Some(before);
                }
            } else if let Some(first) = self.first_round(number) {
                before = before.min(EventPlace { round: first, index: 0 });
                taken.read.next = Some(before);
            }
            if at == 0 {
                return;
            }
            if bytes >= PAGE_BYTES {
                taken.read.more = true;
                return;
            }
            at -= 1;
        }
    }

    /// Takes the last events of a segment before a place, of so many rounds; the place before which to go on.
    fn backwards(segment: &Segment, first: u64, before: EventPlace, taken: &mut Taken<'_>) -> EventPlace {
        let room = taken.room();
        let through = taken.read.through.min(before.round);
        // Counted from what the segment has: behind its end any number of rounds may be missing.
        let newest = Walk::newest_round(segment.number, &segment.bytes, through);
        let from = newest.map_or(first, |newest| newest.saturating_sub(CHUNK_ROUNDS - 1).max(first));
        let mut found = VecDeque::new();
        let (mut is_cut, mut is_sound, mut last) = (false, true, from.saturating_sub(1));
        match Walk::new(segment.number, &segment.bytes, from, through) {
            Err(damage) => taken.damage(segment, &damage),
            Ok(mut walk) => {
                while let Some(read) = walk.next() {
                    let read = match read {
                        Ok(read) => read,
                        Err(damage) => {
                            is_sound = false;
                            if damage.after + 1 >= from {
                                taken.damage(segment, &damage);
                            }
                            continue;
                        }
                    };
                    let round = read.link.round;
                    if round < from {
                        continue;
                    }
                    last = round;
                    for (place, bytes) in taken.events(segment, &read).into_iter().flatten() {
                        let Some(event) = (place < before).then(|| taken.event(segment, place, bytes)).flatten() else {
                            continue;
                        };
                        if taken.page.filter.admits(&event) {
                            if found.len() == room {
                                found.pop_front();
                                is_cut = true;
                            }
                            found.push_back((place, event));
                        }
                    }
                }
                let expected = through.min(before.round - u64::from(before.index == 0));
                if is_sound && last < expected {
                    taken.missing(last + 1, expected);
                }
            }
        }
        let down_to = match found.front() {
            Some((place, _)) if is_cut => *place,
            _ => EventPlace { round: from, index: 0 },
        };
        taken.read.rows.extend(found.into_iter().rev());
        down_to
    }
}

/// The bytes of an event.
type Bytes<'a> = Result<&'a [u8], RecordError>;

/// What a page has so far.
struct Taken<'a> {
    page: &'a EventsPage,
    read: EventsRead,
}

impl<'a> Taken<'a> {
    fn new(page: &'a EventsPage, through: u64) -> Self {
        Self {
            page,
            read: EventsRead {
                through,
                ..EventsRead::default()
            },
        }
    }

    /// Has the page end before a segment that begins with this round. False where that would be no step ahead.
    fn goes_on_at(&mut self, first: Option<u64>) -> bool {
        let next = first.map(|first| EventPlace::behind(first.saturating_sub(1)));
        let is_step = next.is_some() && self.read.next.max(self.page.after) <= next && next > self.page.after;
        if is_step {
            self.read.next = next;
            self.read.more = true;
        }
        is_step
    }

    /// The events of a round as bytes; where they cannot be had, that is told.
    fn events<'r>(
        &mut self,
        segment: &Segment,
        read: &'r Read,
    ) -> Option<impl Iterator<Item = (EventPlace, Bytes<'r>)> + use<'r>> {
        let round = read.link.round;
        match round::events(&read.payload) {
            Ok((_, events)) => {
                let places = (0..u32::MAX).map(move |index| EventPlace { round, index });
                Some(places.zip(events))
            }
            Err(error) => {
                self.unreadable(segment, round, format!("round {round}: {error}"));
                None
            }
        }
    }

    /// The event that has these bytes; one that cannot be read is told.
    fn event(&mut self, segment: &Segment, place: EventPlace, bytes: Bytes<'_>) -> Option<Event> {
        match bytes.and_then(records::event) {
            Ok(event) => Some(event),
            Err(error) => {
                let EventPlace { round, index } = place;
                self.unreadable(segment, round, format!("event {index} of round {round}: {error}"));
                None
            }
        }
    }

    fn unreadable(&mut self, segment: &Segment, round: u64, what: String) {
        self.gap(Gap {
            file: segment.file.clone(),
            byte: 0,
            what,
            after: round - 1,
        });
    }

    fn room(&self) -> usize {
        self.page.limit.max(1).saturating_sub(self.read.rows.len())
    }

    fn is_full(&self) -> bool {
        self.room() == 0
    }

    fn fault(&mut self, segment: &Segment) {
        if let Some(fault) = &segment.fault {
            self.gap(fault.clone());
        }
    }

    fn damage(&mut self, segment: &Segment, damage: &Damage) {
        self.gap(segment.gap(damage));
    }

    fn missing(&mut self, first: u64, last: u64) {
        self.gap(Gap {
            file: "journal and history".to_owned(),
            byte: 0,
            what: format!("rounds {first} to {last} are missing"),
            after: first - 1,
        });
    }

    fn gap(&mut self, gap: Gap) {
        if self.read.gaps.len() < GAPS_MAX && !self.read.gaps.contains(&gap) {
            self.read.gaps.push(gap);
        }
    }
}

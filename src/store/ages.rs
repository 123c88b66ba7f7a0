//! How old what is in the journal is, and how old it may get: events are to go in time, and they go by segments, once no
//! generation needs them (rule V3). Without this, little that is written would be kept for ever.

use super::history::Retention;
use super::journal::Walk;
use super::round;
use crate::domain::time::{DAY_SECS, Timestamp};

/// Parts of the time for which events are kept: nothing of it stays for longer than one of them more.
const PARTS: u64 = 50;

/// The times that a store goes by, all of them steady (rule T2): a clock that jumped ahead makes nothing old before the jump
/// is accepted.
#[derive(Debug, Default)]
pub(super) struct Ages {
    /// The first round of the segment in use; nothing before there is one.
    segment: Option<Timestamp>,
    /// The newest generation, or the last try to make one; nothing before the first round.
    generation: Option<Timestamp>,
    /// The day, since 1970, on which the history was looked through last.
    day: u64,
}

impl Ages {
    /// Those of a store that was loaded. `segment` is its last one, `generation` the time of its newest generation where
    /// it has rounds, `now` that of its last round.
    pub(super) fn new(segment: Option<Timestamp>, generation: Option<Timestamp>, now: Timestamp) -> Self {
        Self {
            segment: segment.map(|time| as_of(time, now)),
            generation: generation.map(|time| as_of(time, now)),
            day: day(now),
        }
    }

    /// Whether the next round is to begin a new segment.
    pub(super) fn is_segment_old(&self, retention: Retention, now: Timestamp) -> bool {
        is_old(self.segment, retention, now)
    }

    /// Whether a checkpoint is due, however short the journal is. What it makes needless goes after the one that follows it:
    /// two generations are kept.
    pub(super) fn is_generation_old(&self, retention: Retention, now: Timestamp) -> bool {
        is_old(self.generation, retention, now)
    }

    /// A round was written, as the first one of its segment or not.
    pub(super) fn round(&mut self, begins_segment: bool, now: Timestamp) {
        let with = |time: Option<Timestamp>| Some(time.map_or(now, |time| as_of(time, now)));
        self.segment = if begins_segment { Some(now) } else { with(self.segment) };
        self.generation = with(self.generation);
    }

    /// A checkpoint begins.
    pub(super) const fn begun(&mut self, now: Timestamp) {
        self.generation = Some(now);
    }

    /// It failed: it is tried again after a day, not at once.
    pub(super) fn failed(&mut self, retention: Retention, now: Timestamp) {
        let due_at = now.after_secs(DAY_SECS).0;
        self.generation = Some(Timestamp(due_at.saturating_sub(part(retention))));
    }

    /// Whether the history is to be looked through: once a day.
    pub(super) fn is_new_day(&mut self, now: Timestamp) -> bool {
        std::mem::replace(&mut self.day, day(now)) != day(now)
    }
}

/// The time of the first round of segment `number`; nothing where it has none. Of one that cannot be read, the beginning of
/// all times.
pub(super) fn first_time(number: u64, bytes: &[u8]) -> Option<Timestamp> {
    let first = Walk::new(number, bytes, 0, u64::MAX).map(|mut walk| walk.next());
    match first {
        Ok(None) => None,
        Ok(Some(Ok(read))) => Some(time(&read.payload).unwrap_or_default()),
        Ok(Some(Err(_))) | Err(_) => Some(Timestamp::default()),
    }
}

/// The time of the last round of segment `number`; nothing where it has none that can be read.
pub(super) fn last_time(number: u64, bytes: &[u8]) -> Option<Timestamp> {
    let last = Walk::newest_round(number, bytes, u64::MAX)?;
    let read = Walk::new(number, bytes, last, u64::MAX).ok()?.next()?.ok()?;
    time(&read.payload)
}

fn time(payload: &[u8]) -> Option<Timestamp> {
    Some(round::events(payload).ok()?.0.steady)
}

/// What was begun at `time`, as of `now`. Behind a clock that was set back, what was begun before counts as old: nothing tells
/// how old it is.
fn as_of(time: Timestamp, now: Timestamp) -> Timestamp {
    if time > now { Timestamp::default() } else { time }
}

fn is_old(time: Option<Timestamp>, retention: Retention, now: Timestamp) -> bool {
    time.is_some_and(|time| now.secs_since(time) >= part(retention))
}

/// How long a segment is written, and how long a generation is the newest, at most, in seconds: a day at least, so that what
/// is done for it is little.
fn part(retention: Retention) -> u64 {
    (u64::from(retention.days) * DAY_SECS / PARTS).max(DAY_SECS)
}

const fn day(time: Timestamp) -> u64 {
    time.0 / DAY_SECS
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: Retention = Retention { days: 365, bytes: 0 };

    fn at(days: u64) -> Timestamp {
        Timestamp(days * DAY_SECS)
    }

    #[test]
    fn what_gets_old_is_told_once_until_it_is_old_again_and_a_failure_after_a_day() {
        let mut ages = Ages::new(None, None, at(100));
        assert!(
            !ages.is_segment_old(KEPT, at(900)) && !ages.is_generation_old(KEPT, at(900)),
            "of nothing"
        );
        ages.round(false, at(100));
        assert!(!ages.is_generation_old(KEPT, at(107)) && ages.is_generation_old(KEPT, at(108)));
        assert!(!ages.is_segment_old(KEPT, at(107)) && ages.is_segment_old(KEPT, at(108)));
        let days = |days| Retention { days, bytes: 0 };
        assert!(!ages.is_segment_old(days(730), at(108)) && ages.is_segment_old(days(7), at(101)));
        ages.round(true, at(108));
        ages.begun(at(108));
        assert!(!ages.is_segment_old(KEPT, at(115)) && !ages.is_generation_old(KEPT, at(115)));
        ages.failed(KEPT, at(108));
        assert!(!ages.is_generation_old(KEPT, Timestamp(at(109).0 - 1)) && ages.is_generation_old(KEPT, at(109)));
    }

    #[test]
    fn behind_a_clock_that_was_set_back_all_is_old_once() {
        let found = Ages::new(Some(at(30_000)), Some(at(30_000)), at(100));
        let mut went_on = Ages::new(Some(at(30_000)), Some(at(30_000)), at(30_000));
        went_on.round(false, at(100));
        for mut ages in [found, went_on] {
            assert!(ages.is_segment_old(KEPT, at(100)) && ages.is_generation_old(KEPT, at(100)));
            ages.begun(at(100));
            ages.round(true, at(100));
            assert!(!ages.is_segment_old(KEPT, at(107)) && !ages.is_generation_old(KEPT, at(107)));
        }
    }

    #[test]
    fn the_history_is_looked_through_once_a_day() {
        let mut ages = Ages::new(None, None, at(5));
        let secs = [0, 1, DAY_SECS - 1, DAY_SECS, DAY_SECS + 1, 0];
        let is_new = secs.map(|secs| ages.is_new_day(at(5).after_secs(secs)));
        assert_eq!(is_new, [false, false, false, true, false, true]);
    }
}

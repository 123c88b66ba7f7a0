//! What refusals noted, beside a checkpoint and a clock that is set.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::*;
use crate::domain::change::{Event, EventKind};
use crate::domain::event_log::{EventFilter, EventsPage};
use crate::domain::timekeeper::Standing;
use crate::store::{Progress, Room};

/// A server whose one seat is held, with a checkpoint that stays as far as that; its disk, and its commits.
fn served(progress: Progress) -> (Writer<CountingStore>, MemoryStore, Arc<AtomicUsize>) {
    let inner = MemoryStore::new();
    let (disk, commits) = (inner.reopen(), Arc::new(AtomicUsize::new(0)));
    let mut writer = writer(CountingStore {
        inner,
        progress,
        commits: Arc::clone(&commits),
    });
    let mut requests = setup(1);
    requests.push(checkout(1, 1));
    writer.round(&requests, at(START)).expect("commits");
    assert_eq!(writer.checkpoint().expect("no commit"), progress);
    commits.store(0, Ordering::SeqCst);
    (writer, disk, commits)
}

// proves V3
#[test]
fn a_refusal_syncs_before_a_portion_is_taken_and_not_while_a_checkpoint_ends() {
    for (progress, expected) in [
        (Progress::Resting, 0),
        (Progress::Going, 1),
        (Progress::Waiting, 1),
        (Progress::Ending, 0),
    ] {
        let (mut writer, _, commits) = served(progress);
        writer.round(&[stranger(2)], at(START + 1)).expect("noted");
        writer.checkpoint().expect("commits");
        assert_eq!(commits.load(Ordering::SeqCst), expected, "{progress:?}");
    }
}

// proves T2
#[test]
fn what_was_refused_after_a_reset_does_not_bring_the_time_before_back() {
    let far = START + 4_000 * DAY_SECS;
    let (mut writer, disk, commits) = served(Progress::Going);
    writer
        .round(&[as_server(Command::ClockAccept), checkout(1, 1)], at(far))
        .expect("commits");
    let mended = START + DAY_SECS;
    writer
        .round(&[as_server(Command::ClockReset), stranger(2)], at(mended))
        .expect("commits");
    // Before a portion is taken, what is noted becomes durable.
    let before = commits.load(Ordering::SeqCst);
    writer.checkpoint().expect("commits");
    assert_eq!(commits.load(Ordering::SeqCst), before + 1);
    let mut after = super::writer(disk);
    let replies = after
        .round(&[as_server(Command::Status)], at(mended))
        .expect("no commit");
    let Reply::Status(status) = &replies[0] else {
        panic!("{replies:?}")
    };
    assert_eq!(status.clock, Some((Timestamp(mended), Standing::Fine)));
}

/// A store that keeps what it was told of.
struct Telling {
    inner: MemoryStore,
    told: Arc<Mutex<Vec<Event>>>,
    room: Arc<Mutex<Room>>,
}

impl Store for Telling {
    fn load(&mut self, visit: &mut dyn FnMut(Fact)) -> Result<Loaded, StoreError> {
        self.inner.load(visit)
    }

    fn commit(&mut self, round: &Round<'_>) -> Result<(), StoreError> {
        let events = round.changes.iter().flat_map(|change| change.events.clone());
        self.told.lock().expect("no panic").extend(events);
        self.inner.commit(round)
    }

    fn room(&self) -> Room {
        *self.room.lock().expect("no panic")
    }
}

/// The refusals among events: how many requests each counts.
fn refusals(events: &[Event]) -> Vec<u32> {
    let count = |event: &Event| match &event.kind {
        EventKind::Refused { refused, .. } => Some(refused.count),
        _ => None,
    };
    events.iter().filter_map(count).collect()
}

fn ask_events(newest_first: bool) -> Request {
    as_server(Command::Events(Box::new(EventsPage {
        filter: EventFilter::default(),
        newest_first,
        after: None,
        limit: 256,
    })))
}

fn counted(reply: &Reply) -> (u64, Vec<u32>) {
    let Reply::Events(read) = reply else {
        panic!("{reply:?}")
    };
    let events: Vec<_> = read.rows.iter().map(|(_, event)| event.clone()).collect();
    (read.through, refusals(&events))
}

// proves V3
#[test]
fn refusals_ride_with_what_is_granted_after_their_hour_and_are_told_of_until_then() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let room = Arc::new(Mutex::new(Room::Enough));
    let mut writer = writer(Telling {
        inner: MemoryStore::new(),
        told: Arc::clone(&told),
        room: Arc::clone(&room),
    });
    let written = || refusals(&told.lock().expect("no panic"));
    let mut requests = setup(1);
    requests.push(checkout(1, 1));
    writer.round(&requests, at(START)).expect("commits");
    let begun = START - START % 3_600 + 3_600;
    for second in [0, 1, 2] {
        writer.round(&[checkout(2, 2)], at(begun + second)).expect("refused");
    }
    let replies = writer
        .round(
            &[checkout(3, 3), checkout(1, 1), ask_events(false), ask_events(true)],
            at(begun + 9),
        )
        .expect("commits");
    let (through, [forwards, backwards]) = (counted(&replies[2]).0, [2, 3].map(|at: usize| counted(&replies[at]).1));
    assert_eq!(
        (forwards, backwards),
        (vec![3, 1], vec![1, 3]),
        "those of this hour, in its order"
    );
    assert_eq!(through, 2, "what was granted before it in the same round is durable");
    assert!(written().is_empty(), "their hour is not over");
    // On a full disk they wait.
    *room.lock().expect("no panic") = Room::Short { left: 1 << 20 };
    writer.round(&[checkout(1, 1)], at(begun + 3_600)).expect("commits");
    assert!(written().is_empty());
    *room.lock().expect("no panic") = Room::Enough;
    writer.round(&[checkout(2, 2)], at(begun + 3_600)).expect("refused");
    assert!(written().is_empty(), "a refusal writes nothing");
    let replies = writer
        .round(&[checkout(1, 1), ask_events(false)], at(begun + 3_601))
        .expect("commits");
    assert_eq!(written(), [3, 1]);
    assert_eq!(counted(&replies[1]).1, [1], "those of the next hour are counted on");
    writer.finish(at(begun + 3_602)).expect("commits");
    assert_eq!(written(), [3, 1, 1], "the end writes all");
    // Also where the time is recorded already.
    writer.round(&[checkout(2, 2)], at(begun + 3_602)).expect("refused");
    writer.finish(at(begun + 3_602)).expect("commits");
    assert_eq!(written(), [3, 1, 1, 1]);
}

//! Reading the event log beside the writer: whatever moves, goes or is damaged meanwhile, what is read is what was written.

mod damage;

use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use seatkeeper::domain::change::{Change, Event, EventKind, Fact};
use seatkeeper::domain::command::Actor;
use seatkeeper::domain::event_log::{
    By, ChainPage, ChainRead, EventFilter, EventPlace, EventsPage, EventsRead, SegmentRead,
};
use seatkeeper::domain::ids::Fingerprint;
use seatkeeper::domain::ledger::Ledger;
use seatkeeper::domain::time::{Now, Timestamp};
use seatkeeper::store::{Chronicle, DiskStore, Round, Store};
use seatkeeper_harm::{Options, Place, Rounds};

const SECTOR: usize = 512;

/// A store and what was written to it.
struct Log {
    place: Place,
    store: DiskStore,
    chronicle: Chronicle,
    ledger: Ledger,
    rounds: Rounds,
    round: u64,
    /// Every event with its place.
    written: Vec<(EventPlace, Event)>,
}

impl Log {
    fn new(history_bytes: u64) -> Self {
        let place = Place::new(Options {
            history_bytes,
            ..Options::new(7)
        });
        let mut store = place.open().unwrap();
        store.load(&mut |_| ()).unwrap();
        Self {
            chronicle: store.chronicle().unwrap(),
            place,
            store,
            ledger: Ledger::default(),
            rounds: Rounds::new(11),
            round: 0,
            written: Vec::new(),
        }
    }

    /// A log of so many rounds, all of which is kept.
    fn of(rounds: u64) -> Self {
        let mut log = Self::new(1 << 30);
        log.write(rounds);
        log
    }

    fn write(&mut self, rounds: u64) {
        for _ in 0..rounds {
            self.round += 1;
            let changes: Vec<Change> = self.rounds.next(self.round);
            self.commit(&changes);
        }
    }

    fn commit(&mut self, changes: &[Change]) {
        let round = self.round;
        let commit = Round {
            number: round,
            now: Now::at(round),
            changes,
        };
        self.store.commit(&commit).unwrap();
        let events = changes.iter().flat_map(|change| change.events.clone());
        let places = (0..).map(|index| EventPlace { round, index });
        self.written.extend(places.zip(events));
        for change in changes {
            self.ledger.evolve(change);
        }
        self.store.checkpoint(&self.ledger);
    }

    fn page(&self, page: &EventsPage) -> EventsRead {
        self.chronicle.page(page, self.round).unwrap()
    }

    /// Everything that is asked for, page by page.
    fn all(&self, page: &EventsPage) -> Vec<(EventPlace, Event)> {
        all(&self.chronicle, page, self.round, true)
    }

    fn check(&self) -> Vec<SegmentRead> {
        let mut segments = Vec::new();
        let mut ask = ChainPage::default();
        loop {
            let ChainRead {
                segments: more,
                more: is_more,
                ..
            } = self.chronicle.check(&ask, self.round).unwrap();
            segments.extend(more);
            if !is_more {
                return segments;
            }
            ask.after = segments.last().map(|segment| segment.number);
        }
    }
}

fn all(chronicle: &Chronicle, page: &EventsPage, through: u64, is_whole: bool) -> Vec<(EventPlace, Event)> {
    let mut page = page.clone();
    let mut found = Vec::new();
    loop {
        let read = chronicle.page(&page, through).unwrap();
        assert!(!is_whole || read.gaps.is_empty(), "{:?}", read.gaps);
        assert!(read.rows.len() <= page.limit);
        found.extend(read.rows);
        if !read.more {
            return found;
        }
        assert_ne!(page.after, read.next, "a step ahead");
        page.after = read.next;
    }
}

fn asking(limit: usize, newest_first: bool) -> EventsPage {
    EventsPage {
        filter: EventFilter::default(),
        newest_first,
        after: None,
        limit,
    }
}

// proves V1
#[test]
fn the_first_page_of_a_long_log_reads_as_many_files_as_that_of_a_short_one() {
    let calls = |rounds| {
        let log = Log::of(rounds);
        let segments = log.check().len();
        let costs = [false, true].map(|newest_first| {
            let ask = asking(16, newest_first);
            // What is learned of the files at first is kept; and the store may be at work behind.
            let cost = || {
                let before = log.place.disk.calls();
                assert_eq!(log.page(&ask).rows.len(), 16);
                log.place.disk.calls() - before
            };
            cost();
            (0..5).map(|_| cost()).min().unwrap()
        });
        (segments, costs)
    };
    let (few, short) = calls(150);
    let (many, long) = calls(3_000);
    // What a page costs goes by how many segments its events are in, which differs a little.
    let most = 2 * short[1] + 4;
    assert!(many > 4 * few && many as u64 > 2 * most, "{few} and {many} segments");
    assert_eq!(long[0], short[0], "the oldest first");
    assert!(long[1] <= most, "the newest first: {long:?} for {short:?}");
}

// proves V3
#[test]
fn what_is_followed_beside_rounds_checkpoints_and_retention_is_what_was_written_once_and_in_order() {
    let mut log = Log::new(4_000);
    let mut followed = Vec::new();
    let mut page = asking(3, false);
    let mut at = 0;
    for step in [1, 2, 1, 7, 1, 1, 19, 3].iter().cycle().take(64) {
        log.write(*step);
        loop {
            let read = log.page(&page);
            assert!(read.gaps.is_empty(), "{:?}", read.gaps);
            followed.extend(read.rows);
            page.after = read.next;
            if !read.more {
                break;
            }
        }
        assert_eq!(followed[at..], log.written[at..], "through round {}", log.round);
        at = followed.len();
    }
    assert!(
        log.place.names("history").len() > 1 && log.check()[0].number > 1,
        "the oldest went"
    );
    // What is kept is read the same from either end, in pages of any length.
    let kept = log.all(&asking(256, false));
    assert!(kept.len() > 50 && log.written.ends_with(&kept) && kept.len() < log.written.len());
    for limit in [1, 7] {
        assert_eq!(log.all(&asking(limit, false)), kept);
    }
    for limit in [1, 7, 256] {
        let mut backwards = log.all(&asking(limit, true));
        backwards.reverse();
        assert_eq!(backwards, kept, "{limit} a page");
    }
    // Every place is one to go on from, in either direction.
    for cut in 0..kept.len() {
        let behind = |newest_first| EventsPage {
            after: Some(kept[cut].0),
            ..asking(256, newest_first)
        };
        assert_eq!(log.all(&behind(false)), kept[cut + 1..]);
        let mut before = log.all(&behind(true));
        before.reverse();
        assert_eq!(before, kept[..cut]);
    }
}

#[test]
fn readers_on_threads_of_their_own_miss_nothing_while_files_move_and_go() {
    let mut log = Log::new(4_000);
    log.write(50);
    let (chronicle, durable, is_over) = (log.chronicle.clone(), AtomicU64::new(50), AtomicBool::new(false));
    let done = [AtomicU64::new(0), AtomicU64::new(0)];
    let readings = std::thread::scope(|scope| {
        let read = |newest_first| {
            let (chronicle, durable, is_over) = (&chronicle, &durable, &is_over);
            let done = &done[usize::from(newest_first)];
            scope.spawn(move || {
                let mut readings = Vec::new();
                while !is_over.load(Ordering::Acquire) {
                    let through = durable.load(Ordering::Acquire);
                    let mut found = all(chronicle, &asking(40, newest_first), through, !newest_first);
                    if newest_first {
                        found.reverse();
                    }
                    let kept = chronicle.check(&ChainPage::default(), through).unwrap();
                    let oldest = kept.segments.iter().find_map(|segment| segment.span);
                    // Where the writer was so much faster that nothing of it is kept any more, nothing has to be there.
                    readings.push((through, oldest.map_or(u64::MAX, |span| span.first), found));
                    done.fetch_add(1, Ordering::Release);
                }
                readings
            })
        };
        let (forwards, backwards) = (read(false), read(true));
        // Files move and go until each has read several times meanwhile, however little of the processor it gets.
        let has_read = |count: u64| done.iter().all(|done| done.load(Ordering::Acquire) >= count);
        while log.round < 450 || !has_read(3) {
            log.write(1);
            durable.store(log.round, Ordering::Release);
        }
        is_over.store(true, Ordering::Release);
        [forwards.join().unwrap(), backwards.join().unwrap()].concat()
    });
    for (through, oldest, found) in readings {
        // What went meanwhile may have been read or not.
        let is_kept = |(place, _): &&(EventPlace, Event)| (oldest..=through).contains(&place.round);
        assert!(
            log.written.iter().filter(is_kept).eq(found.iter().filter(is_kept)),
            "rounds {oldest} to {through}"
        );
        assert!(found.is_sorted_by_key(|(place, _)| *place) && found.iter().all(|one| log.written.contains(one)));
    }
}

#[test]
fn filters_admit_what_they_say_and_a_page_that_matches_nothing_ends_and_goes_on() {
    let mut log = Log::of(300);
    let by = Actor::Peer {
        identity: Fingerprint([7; 32]),
        address: [192, 0, 2, 1].into(),
    };
    log.round += 1;
    let kind = EventKind::AdminRemoved {
        fingerprint: Fingerprint([9; 32]),
    };
    let event = Event {
        at: Timestamp(log.round),
        actor: by,
        kind,
    };
    log.commit(&[Change {
        fact: Fact::AdminRemoved(Fingerprint([9; 32])),
        events: vec![event.clone()],
    }]);
    log.write(200);
    let with = |filter: EventFilter| EventsPage {
        filter,
        ..asking(9, false)
    };
    let only = |filter: EventFilter| {
        let page = with(filter);
        let found = log.all(&page);
        // Once more by what was learned, and from the other end.
        assert_eq!(log.all(&page), found);
        let mut backwards = log.all(&EventsPage {
            newest_first: true,
            ..page
        });
        backwards.reverse();
        assert_eq!(backwards, found);
        found.into_iter().map(|(_, event)| event).collect::<Vec<_>>()
    };
    let kinds = |kind: u8| EventFilter {
        kinds: [kind].into(),
        ..EventFilter::default()
    };
    assert_eq!(only(kinds(2)), std::slice::from_ref(&event));
    assert_eq!(only(kinds(28)).len(), log.written.len() - 1);
    assert!(only(kinds(5)).is_empty() && only(kinds(200)).is_empty());
    let of = |by| EventFilter {
        by: Some(by),
        ..EventFilter::default()
    };
    assert_eq!(
        only(of(By::Identity(Fingerprint([7; 32])))),
        std::slice::from_ref(&event)
    );
    assert!(only(of(By::Identity(Fingerprint([8; 32])))).is_empty());
    let within = EventFilter {
        since: Some(Timestamp(301)),
        until: Some(Timestamp(302)),
        ..EventFilter::default()
    };
    assert_eq!(only(within), [event]);
}

#[test]
fn a_place_that_nobody_was_told_is_harmless() {
    let log = Log::of(60);
    for round in [0, 1, 7, 59, 60, 61, 1 << 40, u64::MAX - 1, u64::MAX] {
        for index in [0, 3, u32::MAX] {
            for newest_first in [false, true] {
                let page = EventsPage {
                    after: Some(EventPlace { round, index }),
                    ..asking(5, newest_first)
                };
                let found = log.all(&page);
                let is_behind = |place: &EventPlace| (*place > EventPlace { round, index }) != newest_first;
                let places = found.iter().map(|(place, _)| place);
                assert!(places.clone().all(is_behind), "{page:?}");
                assert!(places.clone().is_sorted_by(|a, b| (a < b) != newest_first), "{page:?}");
            }
        }
    }
    for after in [0, 1 << 40, u64::MAX] {
        let ask = ChainPage {
            after: Some(after),
            ..ChainPage::default()
        };
        log.chronicle.check(&ask, log.round).unwrap();
        log.chronicle.check(&ask, u64::MAX).unwrap();
    }
}

#[test]
fn the_chain_of_a_whole_log_holds_and_its_newest_segment_names_the_last_round() {
    let log = Log::of(300);
    let segments = log.check();
    assert!(segments.iter().all(|segment| segment.gaps.is_empty()), "{segments:?}");
    let spans: Vec<_> = segments.iter().filter_map(|segment| segment.span).collect();
    assert_eq!((spans[0].first, spans[0].before), (1, [0; 32]));
    for pair in spans.windows(2) {
        assert_eq!((pair[1].first, pair[1].before), (pair[0].last + 1, pair[0].hash));
    }
    let last = spans.last().unwrap();
    assert_eq!((last.last, last.last_at), (300, Timestamp(300)));
    let events: u64 = segments.iter().map(|segment| segment.events).sum();
    assert_eq!(events, log.written.len() as u64);
    let newest = ChainPage {
        newest_only: true,
        round: Some(300),
        ..ChainPage::default()
    };
    let read = log.chronicle.check(&newest, log.round).unwrap();
    let newest = read.segments.last().unwrap();
    assert_eq!(newest.hash_of_round, Some(last.hash));
    assert_eq!(newest.time_of_round, Some(last.last_at));
}

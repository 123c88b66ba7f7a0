//! How long what happened is kept, at a site that writes little: no longer than is configured and what is told beside it,
//! and nothing goes that is younger, or that a start needs (rule V3).

use seatkeeper::domain::change::Event;
use seatkeeper::domain::event_log::{EventFilter, EventsPage};
use seatkeeper::domain::ledger::Ledger;
use seatkeeper::domain::time::{DAY_SECS, Now, Timestamp};
use seatkeeper::store::{DiskStore, Progress, Retention, Round, Store};
use seatkeeper_harm::{Options, Place, Rounds};

/// A site, and the times of everything that it told of.
struct Site {
    place: Place,
    store: DiskStore,
    ledger: Ledger,
    rounds: Rounds,
    round: u64,
    told: Vec<Timestamp>,
}

impl Site {
    fn new(keep_days: u32) -> Self {
        let place = Place::new(Options {
            segment_bytes: 64 * 512,
            // More than is ever written: nothing is done because of its size.
            checkpoint_bytes: 1 << 30,
            history_bytes: 1 << 30,
            keep_days,
            ..Options::new(3)
        });
        let mut store = place.open().unwrap();
        store.load(&mut |_| ()).unwrap();
        Self {
            place,
            store,
            ledger: Ledger::default(),
            rounds: Rounds::new(5),
            round: 0,
            told: Vec::new(),
        }
    }

    fn write(&mut self, now: Now) {
        self.round += 1;
        let mut changes = self.rounds.next(self.round);
        for event in changes.iter_mut().flat_map(|change| &mut change.events) {
            event.at = now.steady;
            self.told.push(now.steady);
        }
        let round = Round {
            number: self.round,
            now,
            changes: &changes,
        };
        self.store.commit(&round).unwrap();
        for change in &changes {
            self.ledger.evolve(change);
        }
        while self.store.checkpoint(&self.ledger) != Progress::Resting {}
    }

    /// Everything is there that was answered, after another start.
    fn restart(self) -> Self {
        let Self {
            place,
            store,
            ledger,
            rounds,
            round,
            told,
        } = self;
        drop(store);
        let mut store = place.open().unwrap();
        let mut found = Ledger::default();
        let loaded = store.load(&mut |fact| found.record(&fact)).unwrap();
        assert!(loaded.round == round && found == ledger, "round {round}");
        Self {
            place,
            store,
            ledger,
            rounds,
            round,
            told,
        }
    }

    /// The times of all events that are kept, the oldest first.
    fn kept(&self) -> Vec<Timestamp> {
        let mut page = EventsPage {
            filter: EventFilter::default(),
            newest_first: false,
            after: None,
            limit: 100_000,
        };
        let chronicle = self.store.chronicle().unwrap();
        let mut found = Vec::new();
        loop {
            let read = chronicle.page(&page, self.round).unwrap();
            assert!(read.gaps.is_empty(), "{:?}", read.gaps);
            found.extend(read.rows.into_iter().map(|(_, Event { at, .. })| at));
            if !read.more {
                return found;
            }
            page.after = read.next;
        }
    }

    /// How many generations were made.
    fn generations(&self) -> u64 {
        let numbers = |name: &String| name.strip_prefix("state.").and_then(|number| number.parse().ok());
        self.place.names("").iter().filter_map(numbers).max().unwrap_or(0)
    }

    /// Nothing of it is older than it may be, and all is there that is younger than it must be.
    fn assert_kept(&self, keep_days: u64, hours_max: u64) {
        let now = *self.told.last().unwrap();
        let kept = self.kept();
        let young: Vec<_> = self
            .told
            .iter()
            .filter(|at| now.secs_since(**at) <= keep_days * DAY_SECS)
            .collect();
        assert!(kept.len() >= young.len(), "{} of {} are kept", kept.len(), young.len());
        assert_eq!(kept, self.told[self.told.len() - kept.len()..], "the newest are kept");
        let hours = now.secs_since(kept[0]).div_ceil(3_600);
        assert!(hours <= hours_max, "{hours} hours and not {hours_max} at most");
    }
}

fn at(secs: u64) -> Now {
    Now::at(1_700_000_000 + secs)
}

// proves V3
#[test]
fn little_that_is_written_is_kept_for_as_long_as_is_configured_and_no_longer() {
    // The days that are configured, the hours that it may stay, and how many days there are.
    for (keep_days, hours_max, days) in [
        (0, 75, 20),
        (1, 75, 20),
        (2, 99, 20),
        (9, 11 * 24, 40),
        (365, 8_960, 450),
    ] {
        let mut site = Site::new(keep_days);
        for day in 0..days {
            // A round a day at least: the clock's mark.
            for hour in [0, 9, 17].into_iter().take(1 + usize::try_from(day % 3).unwrap()) {
                site.write(at(day * DAY_SECS + hour * 3_600 + day % 1_000));
                if keep_days < 100 || day % 7 == 0 {
                    site = site.restart();
                }
            }
            if keep_days < 100 || day % 5 == 0 {
                site.assert_kept(keep_days.into(), hours_max);
            }
        }
        let most = days / u64::from(keep_days / 50).max(1) + 1;
        assert!(
            site.generations() <= most,
            "{} generations in {days} days",
            site.generations()
        );
    }
}

// proves V3
#[test]
fn a_server_that_was_off_for_years_has_what_is_old_gone_soon() {
    let mut site = Site::new(365);
    for day in 0..40 {
        site.write(at(day * DAY_SECS));
    }
    let begins_anew = 1_000;
    site = site.restart();
    for day in begins_anew..begins_anew + 17 {
        site.write(at(day * DAY_SECS));
        site = site.restart();
    }
    assert!(site.generations() < 10, "{} generations", site.generations());
    assert_eq!(site.kept()[0], at(begins_anew * DAY_SECS).steady, "what was told since");
}

// proves T2
#[test]
fn a_clock_that_jumps_ahead_has_nothing_removed_before_it_is_accepted_and_one_that_is_set_back_stops_nothing_for_long()
{
    let mut site = Site::new(30);
    for day in 0..60 {
        site.write(at(day * DAY_SECS));
    }
    let steady = |days: u64| at(days * DAY_SECS).steady;
    site.write(at(59 * DAY_SECS + 60));
    site = site.restart();
    let (kept, generations) = (site.kept(), site.generations());
    let ahead = steady(30_000);
    for minute in 2..20 {
        // The mark goes on by what is counted, within the same day.
        site.write(Now {
            steady: steady(59).after_secs(minute * 60),
            calendar: ahead,
        });
        site = site.restart();
    }
    assert_eq!(site.kept()[..kept.len()], kept, "nothing is gone");
    assert_eq!(site.generations(), generations);
    // It is accepted for some days, by mistake, and then set back.
    for day in 30_000..30_005 {
        site.write(at(day * DAY_SECS));
        site = site.restart();
    }
    assert!(site.kept()[0] >= steady(59), "as it was accepted");
    for day in 60..130 {
        site.write(at(day * DAY_SECS));
        site = site.restart();
    }
    assert!(
        site.kept().iter().all(|at| (steady(96)..ahead).contains(at)),
        "{:?}",
        site.kept()
    );
    assert!(site.kept().contains(&steady(129 - 30)));
}

// proves V3
#[test]
fn another_retention_takes_effect_at_once_and_needs_no_checkpoint() {
    let mut site = Site::new(365);
    for day in 0..100 {
        site.write(at(day * DAY_SECS));
    }
    let generations = site.generations();
    let before = site.place.names("history").len();
    assert!(before > 8, "{before} files");
    let days = |days| Retention { days, bytes: 1 << 30 };
    site.store.keep(1 << 30, days(40));
    // Of 5 weeks, and what the generations need.
    let after = site.place.names("history").len();
    assert!(after > 2 && after < before - 5, "{after} of {before} files");
    assert_eq!(site.generations(), generations);
    // Nor is more removed than that: what is there is there on any terms.
    site.store.keep(1 << 30, days(365));
    assert_eq!(site.place.names("history").len(), after);
    site = site.restart();
    site.store.keep(1 << 30, Retention { days: 365, bytes: 0 });
    assert_eq!(site.place.names("history").len(), 0);
    site.restart();
}

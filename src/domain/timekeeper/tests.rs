use super::*;

/// When the tests begin.
const T: u64 = 1_700_000_000;
/// 2099-01-01 00:00 UTC.
const Y2099: u64 = 4_070_908_800;
const D: u64 = DAY_SECS;
const HOUR: u64 = 3_600;

/// A timekeeper and the clocks that it is read: seconds since 1970 and milliseconds.
#[derive(Clone)]
struct Bench {
    keeper: Timekeeper,
    calendar: u64,
    counted_ms: u64,
}

impl Bench {
    /// A new server that was started at `T`.
    fn new() -> Self {
        Self::founded(T)
    }

    fn founded(calendar: u64) -> Self {
        let mut bench = Self {
            keeper: Timekeeper::start(None, None),
            calendar,
            counted_ms: 5_000,
        };
        assert_eq!(bench.look(), (calendar, vec![]));
        bench
    }

    /// A server that was down since the mark was `T`, before its first reading.
    fn down() -> Self {
        let mut bench = Self::new();
        bench.restart();
        bench
    }

    fn reading(&self) -> Reading {
        Reading {
            calendar: Timestamp(self.calendar),
            counted: Monotonic(self.counted_ms),
        }
    }

    /// Both clocks go on.
    fn pass(&mut self, secs: u64) -> &mut Self {
        self.calendar += secs;
        self.count(secs)
    }

    /// The counting clock alone goes on.
    fn count(&mut self, secs: u64) -> &mut Self {
        self.counted_ms += secs * 1_000;
        self
    }

    /// Somebody sets the calendar.
    fn set(&mut self, calendar: u64) -> &mut Self {
        self.calendar = calendar;
        self
    }

    /// Goes on from what is durable; the counting clock begins anew.
    fn restart(&mut self) -> &mut Self {
        let state = self.keeper.state();
        self.keeper = Timekeeper::start(Some(state), Some(state.mark));
        assert_eq!(self.keeper.state(), state, "nothing is lost by a start");
        self.counted_ms = 77;
        self
    }

    /// The mark after a reading, and what the reading changed.
    fn look(&mut self) -> (u64, Vec<ClockChange>) {
        let before = self.keeper.state().mark;
        let (now, changes) = self.keeper.observe(self.reading());
        assert_eq!(now.calendar, Timestamp(self.calendar));
        assert_eq!(now.steady, self.keeper.state().mark);
        assert!(before <= now.steady, "the mark never goes back");
        let again = self.keeper.observe(self.reading());
        assert_eq!(again, (now, vec![]), "a reading counts once");
        (now.steady.0, changes)
    }

    fn standing(&self) -> Standing {
        self.keeper.standing(self.reading())
    }
}

const fn jump(size_secs: u64, began_at: u64) -> Jump {
    Jump {
        size_secs,
        began_at: Timestamp(began_at),
    }
}

const fn pending(size_secs: u64, began_at: u64) -> ClockChange {
    ClockChange::Pending(jump(size_secs, began_at))
}

const fn rejected(size_secs: u64, began_at: u64, mark: u64) -> ClockChange {
    ClockChange::Rejected {
        jump: jump(size_secs, began_at),
        mark: Timestamp(mark),
    }
}

const fn accepted(size_secs: u64, began_at: u64) -> ClockChange {
    ClockChange::Accepted(jump(size_secs, began_at))
}

const fn jumped(size_secs: u64, began_at: u64, accepted_in_secs: u64) -> Standing {
    Standing::Jumped {
        jump: jump(size_secs, began_at),
        accepted_in_secs,
    }
}

// proves T2
#[test]
fn the_first_reading_of_a_new_server_is_its_mark_whatever_it_says() {
    for calendar in [0, T, Y2099, u64::MAX] {
        let bench = Bench::founded(calendar);
        assert_eq!(bench.keeper.state().mark, Timestamp(calendar));
        assert_eq!(bench.standing(), Standing::Fine);
    }
    let mut bench = Bench::new();
    assert_eq!(
        bench.set(T + D + 1).look(),
        (T, vec![pending(D + 1, T)]),
        "it was not down before"
    );
}

// proves T1 T2
#[test]
fn the_mark_follows_a_clock_that_behaves() {
    let mut bench = Bench::new();
    for secs in [0, 1, 59, HOUR, D, 400 * D] {
        let mark = bench.keeper.state().mark.0;
        assert_eq!(bench.pass(secs).look(), (mark + secs, vec![]), "{secs}");
        assert_eq!(bench.standing(), Standing::Fine);
    }
}

// proves T2
#[test]
fn a_calendar_that_drifts_moves_the_mark() {
    let mut bench = Bench::new();
    for hour in 1..=1_000 {
        // A minute in an hour too fast, then too slow: never a day at once.
        let off = if hour % 200 < 100 { HOUR + 60 } else { HOUR - 60 };
        let calendar = bench.calendar + off;
        assert_eq!(bench.count(HOUR).set(calendar).look(), (calendar, vec![]));
    }
}

// proves T2
#[test]
fn while_running_a_day_beyond_what_was_counted_is_accepted_and_a_second_more_is_not() {
    for waited in [0, 1, HOUR, 10 * D] {
        let ahead = |secs: u64| {
            let mut bench = Bench::new();
            bench.pass(1).look();
            bench.count(waited).set(T + 1 + waited + secs).look()
        };
        assert_eq!(ahead(D - 1), (T + waited + D, vec![]));
        assert_eq!(ahead(D), (T + 1 + waited + D, vec![]));
        assert_eq!(ahead(D + 1), (T + 1 + waited, vec![pending(D + 1, T + 1 + waited)]));
    }
}

// proves T2
#[test]
fn at_a_start_45_days_are_accepted_and_a_second_more_is_not() {
    let ahead = |secs| Bench::down().set(T + secs).look();
    assert_eq!(ahead(D + 1), (T + D + 1, vec![]));
    assert_eq!(ahead(40 * D), (T + 40 * D, vec![]));
    assert_eq!(ahead(45 * D - 1), (T + 45 * D - 1, vec![]));
    assert_eq!(ahead(45 * D), (T + 45 * D, vec![]));
    assert_eq!(ahead(45 * D + 1), (T, vec![pending(45 * D + 1, T)]));
}

// proves T2
#[test]
fn the_45_days_of_a_start_are_over_once_the_mark_has_moved() {
    let mut bench = Bench::down();
    assert_eq!(bench.look(), (T, vec![]), "not a move yet");
    assert_eq!(bench.clone().set(T + 45 * D).look(), (T + 45 * D, vec![]));
    assert_eq!(bench.pass(1).look(), (T + 1, vec![]));
    assert_eq!(bench.set(T + 45 * D).look(), (T + 1, vec![pending(45 * D - 1, T + 1)]));
}

// proves T2
#[test]
fn forty_days_ahead_are_pending_while_running_and_accepted_across_a_restart() {
    let mut running = Bench::new();
    assert_eq!(running.set(T + 40 * D).look(), (T, vec![pending(40 * D, T)]));
    assert_eq!(Bench::down().set(T + 40 * D).look(), (T + 40 * D, vec![]));
}

// proves T1 T2
#[test]
fn a_clock_set_back_stands_still_until_it_has_caught_up() {
    let mut bench = Bench::new();
    assert_eq!(bench.set(T - 40 * D).look(), (T, vec![]));
    assert_eq!(bench.standing(), Standing::SetBack { secs: 40 * D });
    assert_eq!(bench.pass(40 * D - 1).look(), (T, vec![]));
    assert_eq!(bench.standing(), Standing::SetBack { secs: 1 });
    assert_eq!(bench.pass(1).look(), (T, vec![]));
    assert_eq!(bench.standing(), Standing::Fine);
    assert_eq!(bench.pass(1).look(), (T + 1, vec![]));
}

// proves T2
#[test]
fn a_clock_that_was_set_back_may_be_corrected_by_what_was_counted_meanwhile() {
    let mut bench = Bench::new();
    bench.set(T - 40 * D).look();
    bench.pass(40 * D - HOUR).look();
    let counted = 40 * D - HOUR;
    assert_eq!(bench.clone().set(T + counted).look(), (T + counted, vec![]));
    assert_eq!(bench.clone().set(T + counted + D).look(), (T + counted + D, vec![]));
    let late = bench.set(T + counted + D + 1).look();
    assert_eq!(late, (T + counted, vec![pending(D + 1, T + counted)]));
}

// proves T2
#[test]
fn a_clock_that_stands_still_may_be_corrected_by_what_was_counted_meanwhile() {
    let mut bench = Bench::new();
    assert_eq!(bench.count(10 * D).look(), (T, vec![]));
    assert_eq!(bench.set(T + 11 * D).look(), (T + 11 * D, vec![]));
}

// proves T1 T2
#[test]
fn a_glitch_to_2099_and_back_harms_nothing() {
    let mut bench = Bench::new();
    bench.pass(HOUR).look();
    let size = Y2099 - T - HOUR - 10;
    assert_eq!(
        bench.count(10).set(Y2099).look(),
        (T + HOUR + 10, vec![pending(size, T + HOUR + 10)])
    );
    assert_eq!(bench.standing(), jumped(size, T + HOUR + 10, D));
    // The mark goes on as time does.
    assert_eq!(bench.pass(5 * HOUR).look(), (T + 6 * HOUR + 10, vec![]));
    assert_eq!(bench.standing(), jumped(size, T + HOUR + 10, 19 * HOUR));
    let back = T + 6 * HOUR + 20;
    let over = rejected(size, T + HOUR + 10, back);
    assert_eq!(bench.count(10).set(back).look(), (back, vec![over]));
    assert_eq!(bench.standing(), Standing::Fine);
    assert_eq!(bench.pass(1).look(), (back + 1, vec![]));
}

// proves T2
#[test]
fn a_jump_is_accepted_by_itself_after_24_hours_of_the_counting_clock() {
    let mut bench = Bench::new();
    let size = Y2099 - T;
    bench.set(Y2099).look();
    assert_eq!(bench.pass(D - 1).look(), (T + D - 1, vec![]));
    assert_eq!(bench.standing(), jumped(size, T, 1));
    bench.counted_ms += 999;
    assert_eq!(bench.look(), (T + D - 1, vec![]));
    assert_eq!(bench.standing(), jumped(size, T, 1), "rounded up");
    let mut late = bench.clone();
    bench.calendar += 1;
    bench.counted_ms += 1;
    assert_eq!(bench.look(), (Y2099 + D, vec![accepted(size, T)]));
    assert_eq!(bench.standing(), Standing::Fine);
    assert_eq!(
        bench.keeper.state(),
        ClockState {
            mark: Timestamp(Y2099 + D),
            jump: None
        }
    );
    assert_eq!(bench.pass(1).look(), (Y2099 + D + 1, vec![]));
    // Nobody looked for days.
    assert_eq!(late.pass(9 * D).look(), (Y2099 + 10 * D - 1, vec![accepted(size, T)]));
}

// proves T2
#[test]
fn a_calendar_that_stands_still_ahead_is_off_by_what_was_counted() {
    let mut bench = Bench::new();
    bench.set(T + 9 * D).look();
    assert_eq!(bench.count(D - 1).look(), (T + D - 1, vec![]));
    assert_eq!(bench.count(1).look(), (T + 9 * D, vec![accepted(9 * D, T)]));

    // Time reaches it before the 24 hours are over, so that there is nothing to accept.
    let mut bench = Bench::new();
    bench.set(T + 2 * D).look();
    assert_eq!(bench.count(D - 1).look(), (T + D - 1, vec![]));
    assert_eq!(bench.count(1).look(), (T + 2 * D, vec![rejected(2 * D, T, T + D)]));
}

// proves T2
#[test]
fn a_jump_is_over_when_the_calendar_is_a_day_beyond_the_mark_and_a_second_more_is_another() {
    let back_to = |secs: u64| {
        let mut bench = Bench::new();
        bench.set(T + 100 * D).look();
        bench.count(HOUR).set(T + HOUR + secs).look()
    };
    let over = rejected(100 * D, T, T + HOUR);
    assert_eq!(back_to(0), (T + HOUR, vec![over]));
    assert_eq!(back_to(D - 1), (T + HOUR + D - 1, vec![over]));
    assert_eq!(back_to(D), (T + HOUR + D, vec![over]));
    assert_eq!(back_to(D + 1), (T + HOUR, vec![over, pending(D + 1, T + HOUR)]));
}

// proves T2
#[test]
fn a_jump_that_is_over_may_leave_the_clock_set_back() {
    let mut bench = Bench::new();
    bench.set(T + 100 * D).look();
    let back = bench.count(HOUR).set(T - 40 * D).look();
    assert_eq!(back, (T + HOUR, vec![rejected(100 * D, T, T + HOUR)]));
    assert_eq!(bench.standing(), Standing::SetBack { secs: 40 * D + HOUR });
}

// proves T2
#[test]
fn a_jump_within_a_jump_replaces_it_when_it_is_off_by_more_than_a_day() {
    let size = 100 * D;
    let moved_by = |secs: i64| {
        let mut bench = Bench::new();
        bench.set(T + size).look();
        bench.pass(20 * HOUR).look();
        let calendar = bench.calendar.saturating_add_signed(secs);
        bench.set(calendar).look()
    };
    let mark = T + 20 * HOUR;
    let day = i64::try_from(D).expect("small");
    for within in [0, 1, -1, day - 1, day, 1 - day, -day] {
        assert_eq!(moved_by(within), (mark, vec![]), "{within}");
    }
    let over = rejected(size, T, mark);
    assert_eq!(moved_by(day + 1), (mark, vec![over, pending(size + D + 1, mark)]));
    assert_eq!(moved_by(-day - 1), (mark, vec![over, pending(size - D - 1, mark)]));
    assert_eq!(moved_by(-50 * day), (mark, vec![over, pending(size - 50 * D, mark)]));
}

// proves T2
#[test]
fn another_jump_begins_its_24_hours_anew() {
    let mut bench = Bench::new();
    bench.set(T + 100 * D).look();
    bench.pass(D - 1).set(Y2099).look();
    let mark = T + D - 1;
    assert_eq!(bench.standing(), jumped(Y2099 - mark, mark, D));
    assert_eq!(bench.pass(D - 1).look(), (mark + D - 1, vec![]));
    assert_eq!(bench.pass(1).look(), (Y2099 + D, vec![accepted(Y2099 - mark, mark)]));
}

// proves T2
#[test]
fn a_jump_that_changes_after_24_hours_is_replaced_and_not_accepted() {
    let mut bench = Bench::new();
    bench.set(T + 100 * D).look();
    let changes = bench.count(D).set(Y2099).look().1;
    assert_eq!(
        changes,
        vec![rejected(100 * D, T, T + D), pending(Y2099 - T - D, T + D)]
    );
}

// proves T2
#[test]
fn a_machine_that_boots_in_1970_and_is_corrected_lost_nothing() {
    for down in [0, 20 * D, 45 * D - 60, 45 * D] {
        let mut bench = Bench::down();
        assert_eq!(bench.set(10).look(), (T, vec![]));
        assert_eq!(bench.standing(), Standing::SetBack { secs: T - 10 });
        assert_eq!(bench.pass(60).look(), (T, vec![]));
        assert_eq!(bench.set(T + down + 60).look(), (T + down + 60, vec![]), "{down}");
    }
    let mut bench = Bench::down();
    bench.set(10).look();
    let late = bench.count(60).set(T + 45 * D + 61).look();
    assert_eq!(late, (T + 60, vec![pending(45 * D + 1, T + 60)]));
}

// proves T2
#[test]
fn a_machine_that_boots_in_2099_and_is_corrected_lost_nothing() {
    let mut bench = Bench::down();
    let size = Y2099 - T;
    assert_eq!(bench.set(Y2099).look(), (T, vec![pending(size, T)]));
    let over = rejected(size, T, T + 60);
    bench.count(60);
    assert_eq!(bench.clone().set(T + 60).look(), (T + 60, vec![over]));
    assert_eq!(bench.clone().set(T + 60 + D).look(), (T + 60 + D, vec![over]));
    // It was down for longer: the mark moved by the counting clock, so that a day is what is allowed.
    assert_eq!(
        bench.set(T + 20 * D).look(),
        (T + 60, vec![over, pending(20 * D - 60, T + 60)])
    );
}

// proves T2
#[test]
fn a_new_server_that_booted_in_2099_stands_still_until_it_is_reset() {
    let mut bench = Bench::founded(Y2099);
    assert_eq!(bench.set(T).look(), (Y2099, vec![]));
    assert_eq!(bench.keeper.reset(bench.reading()), Now::at(T));
    assert_eq!(bench.pass(1).look(), (T + 1, vec![]));
}

// proves T2
#[test]
fn a_new_server_that_booted_in_1970_waits_for_24_hours_or_an_administrator() {
    let mut bench = Bench::founded(0);
    assert_eq!(bench.count(60).set(T).look(), (60, vec![pending(T - 60, 60)]));
    assert_eq!(bench.clone().pass(D).look(), (T + D, vec![accepted(T - 60, 60)]));
    let (now, change) = bench.keeper.accept(bench.reading()).expect("pending");
    assert_eq!((now, change), (Now::at(T), accepted(T - 60, 60)));
}

mod administrators;
mod bounds;
mod starts;

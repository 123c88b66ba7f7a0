use super::*;

// proves T1 T2
#[test]
fn a_start_goes_on_from_the_state_or_the_newest_round_whichever_is_later() {
    let state = |mark| {
        Some(ClockState {
            mark: Timestamp(mark),
            jump: None,
        })
    };
    for (state, newest, mark) in [
        (None, None, 0),
        (None, Some(T), T),
        (state(T), None, T),
        (state(T), Some(T + 9), T + 9),
        (state(T), Some(T - 9), T),
    ] {
        let keeper = Timekeeper::start(state, newest.map(Timestamp));
        assert_eq!(keeper.state().mark, Timestamp(mark), "{state:?} {newest:?}");
    }
}

// proves T2
#[test]
fn a_server_without_any_state_has_the_45_days_from_its_newest_round() {
    let first = |secs| {
        let mut keeper = Timekeeper::start(None, Some(Timestamp(T)));
        let reading = Reading {
            calendar: Timestamp(T + secs),
            counted: Monotonic(0),
        };
        keeper.observe(reading)
    };
    assert_eq!(first(45 * D), (Now::at(T + 45 * D), vec![]));
    let (now, changes) = first(45 * D + 1);
    assert_eq!((now.steady, changes), (Timestamp(T), vec![pending(45 * D + 1, T)]));
}

// proves T2
#[test]
fn what_was_counted_before_the_first_reading_does_not_count() {
    let mut bench = Bench::down();
    bench.counted_ms = 1_000_000 * D;
    assert_eq!(bench.set(T + 45 * D + 1).look().1, vec![pending(45 * D + 1, T)]);
}

// proves T1 T2
#[test]
fn a_restart_while_set_back_does_not_set_the_mark_back() {
    let mut bench = Bench::new();
    bench.set(T - 40 * D).look();
    bench.pass(D).restart();
    assert_eq!(bench.look(), (T, vec![]));
    assert_eq!(bench.standing(), Standing::SetBack { secs: 39 * D });
    assert_eq!(bench.pass(39 * D + 1).look(), (T + 1, vec![]));
}

// proves T2
#[test]
fn a_restart_while_set_back_leaves_the_45_days_until_the_mark_moves() {
    let mut bench = Bench::new();
    bench.set(T - 40 * D).look();
    assert_eq!(bench.restart().look(), (T, vec![]));
    let mut ahead = bench.clone();
    assert_eq!(
        bench.count(HOUR).set(T + HOUR + 45 * D).look(),
        (T + HOUR + 45 * D, vec![])
    );
    let late = ahead.count(HOUR).set(T + HOUR + 45 * D + 1).look();
    assert_eq!(late, (T + HOUR, vec![pending(45 * D + 1, T + HOUR)]));
}

// proves T2
#[test]
fn a_restart_with_a_pending_jump_begins_its_24_hours_anew() {
    let mut bench = Bench::new();
    let size = Y2099 - T;
    bench.set(Y2099).look();
    bench.pass(D - 1).look();
    let mark = T + D - 1;
    assert_eq!(
        bench.restart().keeper.state().jump,
        Some(jump(size, T)),
        "before the first reading too"
    );
    assert_eq!(bench.look(), (mark, vec![]));
    assert_eq!(bench.standing(), jumped(size, T, D));
    assert_eq!(bench.pass(D - 1).look(), (mark + D - 1, vec![]));
    assert_eq!(bench.pass(1).look(), (Y2099 + 2 * D - 1, vec![accepted(size, T)]));
}

// proves T2
#[test]
fn a_start_keeps_a_jump_that_is_not_more_than_a_day_short() {
    let size = 100 * D;
    let start_at = |calendar| {
        let mut bench = Bench::new();
        bench.set(T + size).look();
        bench.pass(HOUR).look();
        bench.restart().set(calendar).look()
    };
    let mark = T + HOUR;
    let expected = mark + size;
    for kept in [
        expected - D,
        expected - D + 1,
        expected,
        expected + 300 * D,
        Y2099,
        u64::MAX,
    ] {
        assert_eq!(start_at(kept), (mark, vec![]), "{kept}");
    }
    let over = rejected(size, T, mark);
    assert_eq!(
        start_at(expected - D - 1),
        (mark, vec![over, pending(size - D - 1, mark)])
    );
}

// proves T2
#[test]
fn a_start_rejects_a_jump_that_was_corrected_and_judges_as_at_any_start() {
    let start_at = |calendar| {
        let mut bench = Bench::new();
        bench.set(Y2099).look();
        bench.pass(HOUR).look();
        bench.restart().set(calendar).look()
    };
    let mark = T + HOUR;
    let over = rejected(Y2099 - T, T, mark);
    assert_eq!(start_at(mark - D), (mark, vec![over]), "set back");
    assert_eq!(start_at(mark), (mark, vec![over]));
    assert_eq!(start_at(mark + 45 * D), (mark + 45 * D, vec![over]));
    assert_eq!(
        start_at(mark + 45 * D + 1),
        (mark, vec![over, pending(45 * D + 1, mark)])
    );
}

// proves T2
#[test]
fn a_restart_does_not_make_a_small_jump_good() {
    let mut bench = Bench::new();
    bench.set(T + 10 * D).look();
    bench.pass(HOUR).look();
    assert_eq!(bench.restart().look(), (T + HOUR, vec![]));
    assert_eq!(bench.standing(), jumped(10 * D, T, D));
    assert_eq!(bench.pass(D).look(), (T + 10 * D + HOUR + D, vec![accepted(10 * D, T)]));
}

// proves T2
#[test]
fn a_kept_jump_is_expected_where_the_calendar_went_while_the_server_was_down() {
    let mut bench = Bench::new();
    bench.set(T + 100 * D).look();
    bench.restart();
    let calendar = T + 130 * D;
    assert_eq!(bench.set(calendar).look(), (T, vec![]));
    assert_eq!(bench.pass(HOUR).look(), (T + HOUR, vec![]), "not another jump");
    assert_eq!(bench.keeper.state().jump, Some(jump(100 * D, T)), "its size stays");
    assert_eq!(bench.clone().pass(23 * HOUR).look().1, vec![accepted(100 * D, T)]);
    let off = bench.set(calendar + HOUR + D + 1).look().1;
    assert_eq!(
        off,
        vec![rejected(100 * D, T, T + HOUR), pending(131 * D + 1, T + HOUR)]
    );
}

// proves T2
#[test]
fn a_kept_jump_is_over_within_a_day_of_the_mark_at_the_next_reading() {
    let mut bench = Bench::new();
    bench.set(T + D + 1).look();
    bench.restart();
    bench.set(T + 2);
    let (now, changes) = bench.keeper.observe(bench.reading());
    assert_eq!((now.steady, changes), (Timestamp(T), vec![]));
    assert_eq!(bench.look(), (T + 2, vec![rejected(D + 1, T, T)]));
}

// proves T2
#[test]
fn a_restart_after_an_acceptance_or_a_reset_goes_on_from_there() {
    let mut accepted = Bench::new();
    accepted.set(Y2099).look();
    accepted.keeper.accept(accepted.reading()).expect("pending");
    assert_eq!(accepted.restart().pass(9).look(), (Y2099 + 9, vec![]));

    let mut by_itself = Bench::new();
    by_itself.set(Y2099).look();
    by_itself.pass(D).look();
    assert_eq!(by_itself.restart().pass(9).look(), (Y2099 + D + 9, vec![]));

    let mut reset = Bench::new();
    reset.set(T - 40 * D);
    reset.keeper.reset(reset.reading());
    assert_eq!(reset.restart().pass(9).look(), (T - 40 * D + 9, vec![]));
}

// proves T2
#[test]
fn a_reset_before_the_first_reading_of_a_start_forgets_the_jump() {
    let mut bench = Bench::new();
    bench.set(Y2099).look();
    bench.restart().set(T);
    assert_eq!(bench.keeper.reset(bench.reading()), Now::at(T));
    assert_eq!(bench.look(), (T, vec![]));
}

// proves T2
#[test]
fn a_mark_that_went_on_by_the_counting_clock_has_moved() {
    let after = |secs| {
        let mut bench = Bench::down();
        bench.set(Y2099).look();
        bench.count(secs).set(T - D).look();
        assert_eq!(bench.standing(), Standing::SetBack { secs: D + secs });
        bench.set(T + secs + 2 * D).look()
    };
    assert_eq!(after(0), (T + 2 * D, vec![]), "the 45 days are left");
    assert_eq!(after(1), (T + 1, vec![pending(2 * D, T + 1)]));
}

use super::*;

// proves T2
#[test]
fn an_administrator_accepts_a_jump_and_the_mark_is_the_calendar() {
    let mut bench = Bench::new();
    bench.set(T + 100 * D).look();
    bench.pass(HOUR).look();
    let (now, change) = bench.keeper.accept(bench.reading()).expect("pending");
    assert_eq!(now, Now::at(T + 100 * D + HOUR));
    assert_eq!(change, accepted(100 * D, T));
    assert_eq!(bench.standing(), Standing::Fine);
    assert_eq!(bench.pass(1).look(), (T + 100 * D + HOUR + 1, vec![]));
}

// proves T2
#[test]
fn without_a_pending_jump_there_is_nothing_to_accept() {
    let mut new = Timekeeper::start(None, None);
    assert_eq!(new.accept(Reading::default()), Err(NoJumpPending));

    let mut bench = Bench::new();
    assert_eq!(bench.keeper.accept(bench.reading()), Err(NoJumpPending));
    bench.set(T - D).look();
    assert_eq!(bench.keeper.accept(bench.reading()), Err(NoJumpPending), "set back");
    bench.set(Y2099).look();
    bench.set(T).look();
    assert_eq!(bench.keeper.accept(bench.reading()), Err(NoJumpPending), "over");
    bench.set(Y2099).look();
    bench.pass(D).look();
    assert_eq!(
        bench.keeper.accept(bench.reading()),
        Err(NoJumpPending),
        "accepted by itself"
    );
    assert_eq!(bench.look(), (Y2099 + D, vec![]), "a refusal changes nothing");
}

// proves T1
#[test]
fn accepting_never_moves_the_mark_back() {
    let mut bench = Bench::new();
    bench.set(Y2099).look();
    let behind = Reading {
        calendar: Timestamp(0),
        ..bench.reading()
    };
    let (now, _) = bench.keeper.accept(behind).expect("pending");
    assert_eq!(now.steady, Timestamp(T));
}

// proves T2
#[test]
fn a_reset_makes_the_calendar_the_mark_forwards_and_backwards() {
    for calendar in [0, T - 40 * D, T, T + 1, Y2099, u64::MAX] {
        let mut bench = Bench::new();
        bench.count(HOUR).set(calendar);
        assert_eq!(bench.keeper.reset(bench.reading()), Now::at(calendar));
        let mark = Timestamp(calendar);
        assert_eq!(bench.keeper.state(), ClockState { mark, jump: None });
        assert_eq!(bench.standing(), Standing::Fine);
        assert_eq!(bench.look(), (calendar, vec![]));
    }
}

// proves T2
#[test]
fn a_reset_ends_what_was_wrong_with_the_clock() {
    let mut set_back = Bench::new();
    set_back.set(T - 40 * D).look();
    set_back.keeper.reset(set_back.reading());
    assert_eq!(set_back.pass(1).look(), (T - 40 * D + 1, vec![]));

    let mut ahead = Bench::new();
    ahead.set(Y2099).look();
    ahead.keeper.reset(ahead.reading());
    assert_eq!(ahead.keeper.state().jump, None);
    assert_eq!(
        ahead.pass(D).look(),
        (Y2099 + D, vec![]),
        "no 24 hours are left of the jump"
    );
}

// proves T2
#[test]
fn after_a_reset_or_an_acceptance_what_counts_is_counted_from_there() {
    let mut reset = Bench::new();
    reset.count(100 * D).set(T + D);
    reset.keeper.reset(reset.reading());
    assert_eq!(reset.set(T + 2 * D + 1).look(), (T + D, vec![pending(D + 1, T + D)]));

    let mut accepted = Bench::new();
    accepted.set(Y2099).look();
    accepted.keeper.accept(accepted.reading()).expect("pending");
    let again = accepted.set(Y2099 + D + 1).look();
    assert_eq!(again, (Y2099, vec![pending(D + 1, Y2099)]));
}

//! What is recorded of the time, and the dates that go back with a jump (rules T1, T2).

use super::fixture::*;
use crate::domain::command::{Command, Wanted};
use crate::domain::denial::Denial;
use crate::domain::ids::ReservationId;
use crate::domain::reply::Reply;
use crate::domain::time::{Now, Timestamp};
use crate::domain::timekeeper::{ClockChange, ClockState, Jump};

/// 2099-01-01 00:00 UTC.
const FAR: u64 = 4_070_908_800;

impl Site {
    /// The wall clock says something else than the steady time, in seconds after the start.
    fn jumped(&mut self, steady: u64, calendar: u64) -> &mut Self {
        self.now = Now {
            steady: Timestamp(START + steady),
            calendar: Timestamp(calendar),
        };
        self
    }

    fn note(&mut self, change: ClockChange) -> Reply {
        self.serve(&Command::NoteClock(change))
    }
}

fn jump(steady: u64) -> Jump {
    Jump {
        size_secs: FAR - START - steady,
        began_at: Timestamp(START + steady),
    }
}

// proves T1
// proves T2
#[test]
fn dates_set_by_a_rejected_jump_go_back_by_its_size_and_others_stay() {
    let mut site = Site::with(&[key(1, "SERVER", 3), key(3, "WORK", 9)]);
    site.at(DAY).grant(agent(1));
    site.at(DAY).grant(agent(2));
    site.note(ClockChange::Pending(jump(DAY)));
    assert_eq!(site.ledger.clock().unwrap().jump, Some(jump(DAY)));
    // An hour into the jump: a renewal, a new seat, an import, a release, a reservation.
    let hour = 3_600;
    let far = FAR + hour;
    site.jumped(DAY + hour, far).grant(agent(2));
    site.grant(agent(3));
    assert_eq!(
        site.seat(3, "SERVER").unwrap().acquired_at.0,
        far,
        "dates are the later time's"
    );
    site.import(&key_for(2, "SERVER", 1, 10));
    site.release(agent(1));
    let held = super::deploying::ask(ReservationId([7; 16]), Wanted::Seats(1));
    site.serve(&Command::Reserve(held.clone()));
    let mark = START + DAY + 2 * hour;
    site.jumped(DAY + 2 * hour, mark).note(ClockChange::Rejected {
        jump: jump(DAY),
        mark: Timestamp(mark),
    });
    let at = START + DAY + hour;
    let renewed = site.seat(2, "SERVER").unwrap();
    assert_eq!(
        (renewed.acquired_at.0, renewed.renewed_at.0, renewed.renew_by.unwrap().0),
        (START + DAY, at, at + IDLE)
    );
    assert_eq!(site.seat(3, "SERVER").unwrap().acquired_at.0, at);
    assert_eq!(site.license(2).license.imported_at.0, at);
    assert_eq!(site.license(1).license.imported_at.0, START, "set before it");
    let reply = site.serve(&Command::Reserve(held));
    let row = super::deploying::reserved(&reply);
    assert_eq!(row.reservation.lapses_at.0, at + 2 * DAY);
    assert_eq!(site.grant(agent(1)).kind, {
        let former = crate::domain::seat::FormerSeat {
            ended_at: Timestamp(at),
            cause: crate::domain::seat::EndCause::Released,
        };
        crate::domain::reply::GrantKind::EngagedAgain(former)
    });
    let state = ClockState {
        mark: Timestamp(mark),
        jump: None,
    };
    assert_eq!(site.ledger.clock(), Some(state));
}

// proves T2
#[test]
fn nothing_idles_out_by_a_jump_before_it_is_accepted() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1));
    site.note(ClockChange::Pending(jump(0)));
    site.jumped(5, FAR).serve(&Command::Status);
    assert!(site.seat(1, "SERVER").is_some());
    assert_eq!(site.serve(&Command::ClockAccept), Reply::Done);
    assert_eq!(
        site.ledger.clock(),
        Some(ClockState {
            mark: Timestamp(FAR),
            jump: None
        })
    );
    site.jumped(FAR - START, FAR).serve(&Command::Status);
    assert!(site.seat(1, "SERVER").is_none(), "and then at once");
    assert_eq!(denial(&site.serve(&Command::ClockAccept)), Denial::NoJumpPending);
}

// proves T2
#[test]
fn a_reset_brings_dates_after_it_back_to_it() {
    let mut site = Site::with(&[key_for(1, "SERVER", 1, 10)]);
    // The clock said 2099 when the server was founded, and that was accepted.
    site.jumped(FAR - START, FAR).import(&key_for(2, "SERVER", 1, 10));
    site.grant(agent(1));
    site.jumped(FAR - START, START + DAY);
    assert_eq!(site.serve(&Command::ClockReset), Reply::Done);
    assert_eq!(site.at(DAY).serve(&Command::MendDates), Reply::Done);
    let seat = site.seat(1, "SERVER").unwrap();
    assert_eq!(
        (seat.acquired_at.0, seat.renew_by.unwrap().0),
        (START + DAY, START + DAY + IDLE)
    );
    assert_eq!(site.license(2).license.ends_at().0, START + 11 * DAY);
    assert_eq!(site.license(1).license.ends_at().0, START + 10 * DAY);
}

// proves T2
#[test]
fn more_dates_than_one_round_takes_move_in_portions() {
    let mut site = Site::with(&[key(1, "SERVER", 3_000)]);
    site.note(ClockChange::Pending(jump(0)));
    site.jumped(5, FAR);
    for machine in 1..=2_500 {
        // Not by way of the site, which audits all of them each time.
        let ask = agent(machine);
        site.ledger
            .apply(peer(ask.identity), &Command::Checkout(ask.checkout()), site.now);
    }
    site.at(10);
    let rejected = ClockChange::Rejected {
        jump: jump(0),
        mark: Timestamp(START + 10),
    };
    assert_eq!(site.note(rejected), Reply::Unfinished);
    assert!(site.ledger.clock().unwrap().jump.is_some(), "until all of it is done");
    assert_eq!(site.note(rejected), Reply::Unfinished);
    assert_eq!(site.note(rejected), Reply::Done);
    let mut machines = 1..=2_500;
    assert!(machines.all(|machine| site.seat(machine, "SERVER").unwrap().acquired_at.0 <= START + 10));
}

// proves T2
#[test]
fn the_time_is_durable_once_a_day_even_if_nothing_happens() {
    let mut site = Site::with(&[]);
    let before = site.log.len();
    site.at(1).serve(&Command::KeepTime(DAY));
    let first = site.log.len();
    assert_eq!(first, before + 1, "a server that never recorded any");
    site.at(DAY).serve(&Command::KeepTime(DAY));
    assert_eq!(site.log.len(), first);
    site.at(DAY + 1).serve(&Command::KeepTime(DAY));
    assert_eq!(site.ledger.clock().unwrap().mark.0, START + DAY + 1);
}

// proves S9
// proves T2
#[test]
fn a_jump_that_may_be_rejected_spends_no_single_use_unit() {
    let mut site = Site::with(&[key_for(1, "WIPE", 2, 100), key(2, "WIPE", 2)]);
    site.at(DAY).grant(agent(1).of("WIPE"));
    site.note(ClockChange::Pending(jump(DAY)));
    // By the calendar its license has expired; another one has room.
    let denied = site.jumped(DAY + 5, FAR).denied(agent(1).of("WIPE"));
    assert_eq!(denied.denial, Denial::LicenseExpired);
    assert_eq!((site.license(1).used, site.license(2).used), (1, 0));
    site.at(DAY + 60).grant(agent(1).of("WIPE"));
    assert_eq!((site.license(1).used, site.license(2).used), (1, 0));
    // Once the time is what the calendar says it moves, and its unit stays spent.
    for day in (30..100).step_by(20) {
        site.at(day * DAY).grant(agent(1).of("WIPE"));
    }
    site.at(100 * DAY).grant(agent(1).of("WIPE"));
    assert_eq!((site.license(1).used, site.license(2).used), (1, 1));
}

//! The life of a seat: rules S1, S2, S4, S6, S7, S10 and S14.

use super::fixture::*;
use crate::domain::change::EventKind;
use crate::domain::command::Command;
use crate::domain::denial::Denial;
use crate::domain::reply::{GrantKind, RECLAIM_MAX, Reply};
use crate::domain::seat::EndCause;
use crate::domain::time::Timestamp;

// proves S1
#[test]
fn a_granted_seat_binds_a_serial_and_takes_exactly_one_of_it() {
    let mut site = Site::with(&[key(1, "SERVER", 2), key(2, "SERVER", 2)]);
    let grant = site.grant(agent(1));
    assert_eq!((grant.serial, &grant.certificate[..]), (serial(1), &[1][..]));
    assert_eq!((site.license(1).free(), site.license(2).free()), (1, 2));
}

// proves S1
#[test]
fn without_an_available_seat_a_checkout_is_refused_and_changes_nothing() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1));
    let before = site.ledger.clone();
    assert_eq!(site.denied(agent(2)).denial, Denial::SeatsExhausted);
    assert_eq!(site.denied(agent(2).of("WORK")).denial, Denial::NoLicense);
    assert_eq!(site.ledger, before);
}

type Step = Box<dyn Fn(&mut Site)>;

// proves S2
#[test]
fn total_is_free_and_used_at_every_step() {
    let mut site = Site::with(&[key(1, "WIPE", 3), key_for(2, "WIPE", 2, 10)]);
    let mut steps: Vec<Step> = Vec::new();
    for machine in 1..7 {
        steps.push(Box::new(move |site| drop(site.checkout(agent(machine).of("WIPE")))));
        steps.push(Box::new(move |site| drop(site.release(agent(machine - 1).of("WIPE")))));
    }
    steps.push(Box::new(|site| drop(site.at(11 * DAY).checkout(agent(6).of("WIPE")))));
    for step in steps {
        step(&mut site);
        let rows = [site.license(1), site.license(2)];
        for row in &rows {
            assert_eq!(row.license.claims.seats, row.free() + row.used);
        }
        let counts = site.counts("WIPE");
        assert_eq!(counts.total, counts.free + counts.used);
        assert_eq!(counts.used, rows.iter().map(|row| u64::from(row.used)).sum::<u64>());
        assert_eq!(
            counts.available,
            rows.iter().map(|row| u64::from(row.available())).sum::<u64>()
        );
    }
}

// proves S4
#[test]
fn the_acquire_date_never_moves_and_each_renewal_moves_the_renew_date() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    for secs in [0, 1, DAY, 30 * DAY, 59 * DAY] {
        let grant = site.at(secs).grant(agent(1));
        assert_eq!(grant.acquired_at, Timestamp(START));
        assert_eq!(grant.renew_by, Some(Timestamp(START + secs + IDLE)));
    }
}

// proves S4
#[test]
fn another_component_renews_the_same_seat() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1));
    let grant = site.at(DAY).grant(agent(1).part("cli"));
    assert_eq!(grant.acquired_at, Timestamp(START));
    assert_eq!(
        site.seat(1, "SERVER").unwrap().renew_by,
        Some(Timestamp(START + DAY + IDLE))
    );
}

// proves S4
#[test]
fn a_seat_without_idle_period_never_idles_out() {
    let mut site = Site::with(&[key(1, "FOREVER", 1)]);
    assert_eq!(site.grant(agent(1).of("FOREVER")).renew_by, None);
    assert_eq!(site.at(40_000 * DAY).counts("FOREVER").used, 1);
    assert_eq!(site.grant(agent(1).of("FOREVER")).kind, GrantKind::Renewed);
}

// proves S6
#[test]
fn a_seat_is_free_from_its_renew_date_on_and_not_one_second_earlier() {
    for (offset, freed) in [(IDLE - 1, false), (IDLE, true), (IDLE + 1, true)] {
        let mut site = Site::with(&[key(1, "SERVER", 1)]);
        site.grant(agent(1));
        let reply = site.at(offset).checkout(agent(2));
        assert_eq!(matches!(reply, Reply::Seat(_)), freed, "{offset}");
        assert_eq!(site.seat(1, "SERVER").is_none(), freed, "{offset}");
    }
}

// proves S6
#[test]
fn a_renewal_in_the_last_second_keeps_the_seat() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1));
    assert_eq!(site.at(IDLE - 1).grant(agent(1)).kind, GrantKind::Renewed);
    assert_eq!(site.at(2 * IDLE - 2).denied(agent(2)).denial, Denial::SeatsExhausted);
    assert_eq!(site.at(2 * IDLE - 1).grant(agent(2)).kind, GrantKind::Granted);
}

// proves S6
#[test]
fn what_is_overdue_is_reclaimed_in_bounded_rounds() {
    let over = 10;
    let machines = u16::try_from(RECLAIM_MAX).unwrap() + over;
    let mut site = Site::with(&[key(1, "SERVER", u32::from(machines))]);
    for machine in 0..machines {
        site.grant(agent(machine));
    }
    site.at(IDLE);
    let (reply, _) = site.ledger.apply(peer(1), &Command::Reclaim, site.now);
    assert_eq!(denial(&reply), Denial::NotAuthorized);
    for expected in [RECLAIM_MAX, usize::from(over), 0] {
        let (reply, _) = site
            .ledger
            .apply(crate::domain::command::Actor::Server, &Command::Reclaim, site.now);
        assert_eq!(reply, Reply::Reclaimed(expected));
    }
    assert_eq!(
        (site.ledger.next_due(), site.available("SERVER")),
        (None, u64::from(machines))
    );
}

// proves S6
#[test]
fn an_idle_seat_ended_at_its_renew_date_however_late_the_sweep() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1));
    site.at(IDLE + 7 * DAY).grant(agent(2));
    let former = site.denied(agent(1)).former.unwrap();
    assert_eq!(
        (former.ended_at, former.cause),
        (Timestamp(START + IDLE), EndCause::Idle)
    );
}

// proves S7
#[test]
fn a_machine_that_runs_again_engages_a_new_seat_and_is_told() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1));
    let grant = site.at(IDLE + 5).grant(agent(1));
    let GrantKind::EngagedAgain(former) = grant.kind else {
        panic!("{grant:?}");
    };
    assert_eq!(former.ended_at, Timestamp(START + IDLE));
    assert_eq!(grant.acquired_at, Timestamp(START + IDLE + 5));
    assert_eq!(site.grant(agent(1)).kind, GrantKind::Renewed);
    let again = site.events(|event| match event {
        EventKind::SeatEngaged { again, host_name, .. } => Some((*again, host_name.clone())),
        _ => None,
    });
    let name = Some(Box::from("host-1"));
    assert_eq!(again, [(false, name.clone()), (true, name)]);
}

// proves S7
#[test]
fn a_machine_that_runs_again_is_refused_and_told_when_its_seat_went_to_another() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1));
    site.at(IDLE).grant(agent(2));
    let denied = site.denied(agent(1));
    assert_eq!(denied.denial, Denial::SeatsExhausted);
    assert_eq!(denied.former.unwrap().cause, EndCause::Idle);
}

// proves S7
#[test]
fn a_former_seat_is_forgotten_after_a_year() {
    for (offset, kind_is_again) in [(365 * DAY - 1, true), (365 * DAY, false)] {
        let mut site = Site::with(&[key(1, "SERVER", 1)]);
        site.grant(agent(1));
        site.release(agent(1));
        let kind = site.at(offset).grant(agent(1)).kind;
        assert_eq!(matches!(kind, GrantKind::EngagedAgain(_)), kind_is_again, "{offset}");
    }
}

// proves S10
#[test]
fn asking_how_many_are_available_engages_none() {
    let mut site = Site::with(&[key(1, "SERVER", 3)]);
    site.grant(agent(1));
    let before = site.ledger.clone();
    let reply = site.ask(peer(7), &Command::Availability(named("SERVER")));
    assert!(matches!(reply, Reply::Availability { seats, .. } if (seats.total, seats.available) == (3, 2)));
    let reply = site.ask(peer(7), &Command::Availability(named("OTHER")));
    assert_eq!(denial(&reply), Denial::UnknownProduct);
    assert_eq!(site.ledger, before);
}

// proves S10
#[test]
fn a_product_never_bought_says_so() {
    let mut site = Site::with(&[]);
    let reply = site.ask(peer(7), &Command::Availability(named("SERVER")));
    assert!(matches!(reply, Reply::Availability { seats, units } if seats.licenses + units.licenses == 0));
}

// proves S14
#[test]
fn a_checkout_answers_granted_renewed_engaged_again_or_not_counted() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    assert_eq!(site.grant(agent(1)).kind, GrantKind::Granted);
    assert_eq!(site.grant(agent(1)).kind, GrantKind::Renewed);
    site.release(agent(1));
    assert!(matches!(site.grant(agent(1)).kind, GrantKind::EngagedAgain(_)));
    assert!(matches!(
        site.checkout(agent(1).part("console")),
        Reply::NotCounted { .. }
    ));
}

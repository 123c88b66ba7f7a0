//! Giving up seats: rules S8, S11 and S14.

use super::fixture::*;
use crate::domain::change::EventKind;
use crate::domain::command::Command;
use crate::domain::denial::Denial;
use crate::domain::reply::{GrantKind, Reply};
use crate::domain::seat::EndCause;

// proves S8
#[test]
fn the_seat_is_free_when_the_last_counted_component_is_released_and_not_before() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1));
    site.grant(agent(1).part("cli"));
    let reply = site.release(agent(1));
    assert_eq!(
        reply,
        Reply::Released {
            seat_freed: false,
            components_left: 1
        }
    );
    assert_eq!(site.denied(agent(2)).denial, Denial::SeatsExhausted);
    let reply = site.release(agent(1).part("cli"));
    assert_eq!(
        reply,
        Reply::Released {
            seat_freed: true,
            components_left: 0
        }
    );
    assert_eq!(site.grant(agent(2)).kind, GrantKind::Granted);
}

// proves S8
#[test]
fn a_component_that_a_newer_catalogue_does_not_count_holds_no_seat() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1));
    site.grant(agent(1).part("cli"));
    let mut newer = catalogue(1);
    newer.version = 2;
    newer.signed = bytes::Bytes::from_static(b"newer");
    let server = newer.products.get_mut(&named("SERVER").product).unwrap();
    server.components.get_mut(&component("cli")).unwrap().counted = false;
    site.serve(&importing(newer));
    let reply = site.release(agent(1));
    assert_eq!(
        reply,
        Reply::Released {
            seat_freed: true,
            components_left: 0
        }
    );
    assert_eq!(site.grant(agent(2)).kind, GrantKind::Granted);
}

// proves S8
#[test]
fn a_release_does_not_renew() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1));
    let renew_by = site.grant(agent(1).part("cli")).renew_by;
    site.at(DAY).release(agent(1));
    assert_eq!(site.seat(1, "SERVER").unwrap().renew_by, renew_by);
}

// proves S14
#[test]
fn releasing_what_is_not_held_answers_nothing_held() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1));
    let before = site.ledger.clone();
    for ask in [
        agent(2),
        agent(1).part("cli"),
        agent(1).part("console"),
        agent(1).part("unknown"),
        agent(1).of("WORK"),
        agent(1).of("UNKNOWN"),
    ] {
        assert_eq!(site.release(ask), Reply::NothingHeld, "{ask:?}");
    }
    assert_eq!(site.ledger, before);
}

// proves S14
#[test]
fn a_release_that_is_repeated_answers_nothing_held() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1));
    site.release(agent(1));
    assert_eq!(site.release(agent(1)), Reply::NothingHeld);
    assert_eq!(site.available("SERVER"), 1);
}

// proves S14
#[test]
fn a_release_from_a_former_holder_changes_nothing_for_the_present_one() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1));
    site.at(IDLE).grant(agent(2));
    assert_eq!(site.release(agent(1)), Reply::NothingHeld);
    assert_eq!(site.grant(agent(2)).kind, GrantKind::Renewed);
}

// proves S11
#[test]
fn only_the_bound_identity_releases_a_component() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1));
    site.grant(agent(1).part("disc"));
    for ask in [agent(1).under(2), agent(1).part("disc"), agent(1).part("disc").under(2)] {
        let before = site.ledger.clone();
        assert_eq!(denial(&site.release(ask)), Denial::IdentityNotBound, "{ask:?}");
        assert_eq!(site.ledger, before);
    }
    assert!(matches!(
        site.release(agent(1)),
        Reply::Released { seat_freed: false, .. }
    ));
}

// proves S11
#[test]
fn an_administrator_ends_a_seat_or_one_component_with_a_reason_as_an_event() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1));
    site.grant(agent(1).part("disc"));
    let reply = site.serve(&Command::EndSeat {
        mac: mac(1),
        product: named("SERVER"),
        component: Some(component("disc")),
        reason: "a lost disc".to_owned(),
    });
    assert_eq!(
        reply,
        Reply::Released {
            seat_freed: false,
            components_left: 1
        }
    );
    let reply = site.end_seat(1, "SERVER");
    assert_eq!(
        reply,
        Reply::Released {
            seat_freed: true,
            components_left: 0
        }
    );
    assert_eq!(site.end_seat(1, "SERVER"), Reply::NothingHeld);
    let reasons = site.events(|event| match event {
        EventKind::ComponentReleased { reason, .. } | EventKind::SeatEnded { reason, .. } => reason.clone(),
        _ => None,
    });
    assert_eq!(reasons, ["a lost disc", "the machine is gone"]);
    let GrantKind::EngagedAgain(former) = site.grant(agent(1)).kind else {
        panic!("not told");
    };
    assert_eq!(former.cause, EndCause::Administrator);
}

// proves S11
#[test]
fn a_release_is_an_event() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1));
    site.release(agent(1));
    let released = site.events(|event| match event {
        EventKind::ComponentReleased { component, reason, .. } => Some((*component, reason.clone())),
        _ => None,
    });
    assert_eq!(released, [(component("agent"), None)]);
    let ended = site.events(|event| match event {
        EventKind::SeatEnded { cause, .. } => Some(*cause),
        _ => None,
    });
    assert_eq!(ended, [EndCause::Released]);
}

// proves S11
#[test]
fn an_administrator_may_end_the_last_component_of_a_seat_alone() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1).part("disc"));
    let reply = site.serve(&Command::EndSeat {
        mac: mac(1),
        product: named("SERVER"),
        component: Some(component("disc")),
        reason: "a lost disc".to_owned(),
    });
    assert_eq!(
        reply,
        Reply::Released {
            seat_freed: true,
            components_left: 0
        }
    );
    assert_eq!(site.available("SERVER"), 1);
}

//! Products that need a seat of another one first (rule S15).

use super::fixture::*;
use crate::domain::denial::Denial;
use crate::domain::reply::Reply;

/// A site whose `SERVER` needs `WORK` on the same machine.
fn site() -> Site {
    let mut site = Site::with(&[key(1, "SERVER", 2), key(2, "WORK", 1)]);
    site.serve(&importing(changed(|server| {
        server.required = Some("WORK".parse().unwrap());
    })));
    site
}

fn missing() -> Denial {
    Denial::RequiredProduct {
        product: "WORK".parse().unwrap(),
    }
}

// proves S15
#[test]
fn an_add_on_is_refused_until_its_machine_holds_a_seat_of_what_it_needs() {
    let mut site = site();
    assert_eq!(site.denied(agent(1)).denial, missing());
    assert_eq!(site.counts("SERVER").used, 0);
    site.grant(agent(1).of("WORK"));
    site.grant(agent(1));
    // On another machine it counts for nothing.
    assert_eq!(site.denied(agent(2)).denial, missing());
}

// proves S15
// proves I3
#[test]
fn a_component_that_is_not_counted_needs_nothing() {
    let mut site = site();
    let reply = site.checkout(agent(1).part("console"));
    assert!(matches!(reply, Reply::NotCounted { .. }), "{reply:?}");
}

// proves S15
#[test]
fn a_renewal_needs_it_too_and_the_refused_seat_stays_until_its_renew_date() {
    let mut site = site();
    site.grant(agent(1).of("WORK"));
    site.grant(agent(1));
    site.at(DAY).release(agent(1).of("WORK"));
    assert_eq!(site.denied(agent(1)).denial, missing());
    assert!(site.at(IDLE - 1).seat(1, "SERVER").is_some());
    assert!(site.at(IDLE).seat(1, "SERVER").is_none());
}

// proves S15
#[test]
fn a_seat_whose_license_has_expired_is_a_seat_all_the_same() {
    let mut site = Site::with(&[key(1, "SERVER", 2), key_for(2, "WORK", 1, 1)]);
    site.serve(&importing(changed(|server| {
        server.required = Some("WORK".parse().unwrap());
    })));
    site.grant(agent(1).of("WORK"));
    site.at(2 * DAY).grant(agent(1));
}

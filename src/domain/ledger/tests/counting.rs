//! Identity and counting: rules I1 to I4 and I6.

use super::fixture::*;
use crate::domain::denial::Denial;
use crate::domain::license::Usage;
use crate::domain::reply::{GrantKind, Reply};

// proves I1
#[test]
fn any_number_of_counted_components_on_one_machine_hold_one_seat() {
    let mut site = Site::with(&[key(1, "SERVER", 5)]);
    for name in ["agent", "cli", "disc", "agent", "cli"] {
        site.grant(agent(1).part(name));
        assert_eq!(site.counts("SERVER").used, 1, "{name}");
    }
    assert_eq!(site.seat(1, "SERVER").unwrap().components.len(), 3);
}

// proves I2
#[test]
fn a_checkout_by_the_holder_is_a_renewal_however_often_its_answer_is_lost() {
    let mut site = Site::with(&[key(1, "SERVER", 2)]);
    assert_eq!(site.grant(agent(1)).kind, GrantKind::Granted);
    for secs in 1..20 {
        assert_eq!(site.at(secs).grant(agent(1)).kind, GrantKind::Renewed);
        assert_eq!(site.available("SERVER"), 1);
    }
}

// proves I3
#[test]
fn an_uncounted_component_neither_takes_nor_renews_and_is_told_the_available_seats() {
    let mut site = Site::with(&[key(1, "SERVER", 3)]);
    let renew_by = site.grant(agent(1)).renew_by;
    for machine in [1, 2] {
        let before = site.ledger.clone();
        let reply = site.at(50).checkout(agent(machine).part("console"));
        let Reply::NotCounted { counts, signed_entry } = reply else {
            panic!("{reply:?}");
        };
        assert_eq!((counts.available, &signed_entry[..]), (2, &b"entry"[..]));
        assert_eq!(site.ledger, before);
    }
    assert_eq!(site.seat(1, "SERVER").unwrap().renew_by, renew_by);
}

// proves I3
#[test]
fn an_uncounted_component_is_answered_where_no_license_is_left_or_was_ever_bought() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1));
    for product in ["SERVER", "WORK"] {
        let reply = site.checkout(agent(2).of(product).part("console"));
        assert!(matches!(reply, Reply::NotCounted { counts, .. } if counts.available == 0));
    }
}

// proves I3
#[test]
fn an_unknown_component_is_refused_as_such() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    assert_eq!(site.denied(agent(1).part("server")).denial, Denial::UnknownComponent);
    site.grant(agent(1));
    assert_eq!(site.denied(agent(1).part("server")).denial, Denial::UnknownComponent);
    assert_eq!(site.seat(1, "SERVER").unwrap().components.len(), 1);
}

// proves I4
#[test]
fn products_are_independent_on_one_machine() {
    let mut site = Site::with(&[key(1, "SERVER", 1), key(2, "WORK", 1)]);
    site.grant(agent(1));
    site.at(DAY).grant(agent(1).of("WORK"));
    assert_eq!((site.available("SERVER"), site.available("WORK")), (0, 0));
    site.release(agent(1));
    assert_eq!((site.available("SERVER"), site.available("WORK")), (1, 0));
    assert_eq!(site.seat(1, "WORK").unwrap().acquired_at.0, START + DAY);
}

// proves I4
// proves K2
#[test]
fn products_of_one_name_and_two_vendors_are_two_products() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.trust(2);
    let mut theirs = key(2, "SERVER", 7);
    theirs.claims.vendor = vendor(2);
    site.import(&theirs);
    site.grant(agent(1));
    assert_eq!(
        site.ledger
            .counts(product_of(1, "SERVER"), Usage::Machine, site.now)
            .free,
        0
    );
    assert_eq!(
        site.ledger
            .counts(product_of(2, "SERVER"), Usage::Machine, site.now)
            .free,
        7
    );
    assert_eq!(denial(&site.end_seat(1, "SERVER")), Denial::AmbiguousProduct);
}

// proves I6
#[test]
fn a_machine_whose_address_changed_is_another_machine() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1));
    // The old address travels along as information and covers nothing.
    let moved = agent(2).under(1);
    assert_eq!(site.denied(moved).denial, Denial::SeatsExhausted);
    site.import(&key(2, "SERVER", 1));
    assert_eq!(site.grant(moved).kind, GrantKind::Granted);
    assert_eq!(site.counts("SERVER").used, 2);
}

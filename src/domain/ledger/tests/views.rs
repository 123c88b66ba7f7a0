//! Views and what refusals tell: rules V1 and V2.

use std::net::{IpAddr, Ipv4Addr};

use super::fixture::*;
use crate::domain::command::{Command, Page, SeatsPage};
use crate::domain::denial::{Denial, SeatsInUse};
use crate::domain::license::LicenseStatus;
use crate::domain::reply::Reply;
use crate::domain::time::Timestamp;

// proves V1
#[test]
fn the_available_view_has_total_used_free_available_and_status_of_each_license() {
    let mut site = Site::with(&[key_for(1, "SERVER", 3, 10), key(2, "WORK", 2)]);
    site.grant(agent(1));
    let row = site.license(1);
    assert_eq!(
        (row.vendor_name.as_str(), row.product_name.as_str()),
        ("Vendor 1", "A product")
    );
    assert_eq!(
        (row.license.claims.seats, row.used, row.free(), row.available()),
        (3, 1, 2, 2)
    );
    assert_eq!(row.license.imported_at, Timestamp(START));
    let row = site.at(10 * DAY).license(1);
    assert_eq!(
        (row.used, row.free(), row.available(), row.status),
        (1, 2, 0, LicenseStatus::Expired)
    );
    assert_eq!(site.license(2).available(), 2);
}

// proves V1
#[test]
fn the_used_view_has_host_address_serial_dates_and_components_of_each_seat() {
    let mut site = Site::with(&[key(1, "SERVER", 3)]);
    site.grant(agent(1));
    site.at(DAY).grant(agent(1).part("cli"));
    let seat = site.seat(1, "SERVER").unwrap();
    assert_eq!(&*seat.machine.host_name, "host-1");
    assert_eq!(seat.machine.address, Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1))));
    assert_eq!(*seat.machine.other_macs, [mac(1_001)]);
    assert_eq!(seat.serial, serial(1));
    assert_eq!((seat.acquired_at.0, seat.renewed_at.0), (START, START + DAY));
    let names: Vec<_> = seat.components.keys().map(|id| id.as_str().to_owned()).collect();
    assert_eq!(names, ["agent", "cli"]);
}

// proves V1
#[test]
fn a_product_that_its_newer_catalogue_dropped_is_shown_by_its_id() {
    let mut site = Site::with(&[key(1, "SERVER", 3)]);
    site.grant(agent(1));
    let mut newer = catalogue(1);
    newer.products.remove(&product_of(1, "SERVER").product);
    (newer.version, newer.signed) = (2, bytes::Bytes::from_static(b"newer"));
    site.serve(&importing(newer));
    let row = site.license(1);
    assert_eq!((row.product_name.as_str(), row.used), ("SERVER", 1));
    assert_eq!(row.vendor_name, "Vendor 1");
    for mac in [None, Some(mac(1))] {
        let page = Page { after: None, limit: 9 };
        let Reply::Seats(listing) = site.serve(&Command::Seats(SeatsPage {
            mac,
            product: None,
            page,
        })) else {
            panic!("no listing");
        };
        let names: Vec<_> = listing.rows.iter().map(|row| row.product_name.as_str()).collect();
        assert_eq!(names, ["SERVER"]);
    }
}

// proves V1
#[test]
fn listings_are_paged_in_key_order_without_gap_or_overlap() {
    let mut site = Site::with(&[key(1, "SERVER", 600), key(2, "WORK", 5)]);
    for machine in 0..600 {
        site.grant(agent(machine));
    }
    site.grant(agent(3).of("WORK"));
    let mut keys = Vec::new();
    let mut after = None;
    loop {
        let page = Page { after, limit: 1_000 };
        let Reply::Seats(listing) = site.serve(&Command::Seats(SeatsPage {
            mac: None,
            product: None,
            page,
        })) else {
            panic!("no listing");
        };
        assert!(listing.rows.len() <= 256);
        keys.extend(listing.rows.iter().map(|row| row.key));
        after = keys.last().copied();
        if !listing.more {
            break;
        }
    }
    assert_eq!(keys.len(), 601);
    assert!(keys.is_sorted_by(|one, other| one < other));
}

// proves V1
#[test]
fn the_seats_of_a_product_are_listed_alone_of_whatever_vendors_have_one_of_its_id_and_in_pages() {
    let mut site = Site::with(&[key(1, "SERVER", 9), key(2, "WORK", 9)]);
    site.trust(2);
    let mut theirs = key(3, "SERVER", 9);
    theirs.claims.vendor = vendor(2);
    site.import(&theirs);
    for machine in 1..=3 {
        site.grant(agent(machine));
        site.grant(agent(machine).of("WORK"));
        let mut checkout = agent(machine).checkout();
        checkout.key.vendor = vendor(2);
        site.ask(peer(1), &Command::Checkout(checkout));
    }
    let product = Some(product_of(1, "SERVER").product);
    let mut seats = |mac, after, limit| {
        let page = Page { after, limit };
        match site.serve(&Command::Seats(SeatsPage { mac, product, page })) {
            Reply::Seats(listing) => (listing.rows.iter().map(|row| row.key).collect::<Vec<_>>(), listing.more),
            other => panic!("{other:?}"),
        }
    };
    let (all, more) = seats(None, None, 9);
    let expected = [1, 2].map(|vendor| (1..=3).map(move |machine| product_of(vendor, "SERVER").seat(mac(machine))));
    assert_eq!((&all, more), (&expected.into_iter().flatten().collect(), false));
    let (first, more) = seats(None, None, 4);
    assert!(more && first == all[..4]);
    assert_eq!(seats(None, Some(all[3]), 4), (all[4..].to_vec(), false));
    assert_eq!(seats(Some(mac(2)), None, 9), (vec![all[1], all[4]], false));
}

// proves V1
#[test]
fn the_products_view_has_every_product_also_one_never_bought() {
    let mut site = Site::with(&[key(1, "SERVER", 3)]);
    let page = Page {
        after: None,
        limit: 256,
    };
    let Reply::Products(listing) = site.serve(&Command::Products(page)) else {
        panic!("no listing");
    };
    let bought: Vec<_> = listing
        .rows
        .iter()
        .map(|row| (row.key.product.as_str(), row.counts.licenses))
        .collect();
    assert_eq!(bought, [("FOREVER", 0), ("SERVER", 1), ("WIPE", 0), ("WORK", 0)]);
}

// proves V2
#[test]
fn a_refusal_tells_how_many_are_in_use_and_when_the_first_may_come_free() {
    let mut site = Site::with(&[key(1, "SERVER", 2)]);
    site.at(10).grant(agent(1));
    site.at(20).grant(agent(2));
    let denied = site.at(30).denied(agent(3));
    assert_eq!(denied.denial, Denial::SeatsExhausted);
    let seats = SeatsInUse {
        used: 2,
        total: 2,
        earliest_renew_by: Some(Timestamp(START + 10 + IDLE)),
    };
    assert_eq!(denied.seats, Some(seats));
    assert_eq!(
        (denied.subject.mac, denied.subject.component),
        (Some(mac(3)), Some(component("agent")))
    );
}

// proves V2
#[test]
fn only_reusable_seats_of_serving_licenses_count_for_the_earliest_renew_date() {
    let mut site = Site::with(&[key_for(1, "SERVER", 1, 5)]);
    site.grant(agent(1));
    site.at(DAY).import(&key(2, "SERVER", 1));
    site.grant(agent(2));
    // The first machine's seat is due first, but its license has expired.
    let denied = site.at(6 * DAY).denied(agent(4));
    assert_eq!(
        denied.seats.unwrap().earliest_renew_by,
        Some(Timestamp(START + DAY + IDLE))
    );
    site.end_seat(2, "SERVER");
    site.remove(2, false);
    let denied = site.denied(agent(4));
    assert_eq!(denied.seats.unwrap().earliest_renew_by, None);
}

// proves V2
#[test]
fn the_earliest_renew_date_is_a_lower_bound_where_many_seats_of_expired_licenses_come_first() {
    let mut site = Site::with(&[key_for(1, "SERVER", 100, 5)]);
    for machine in 0..100 {
        site.grant(agent(machine));
    }
    site.at(DAY).import(&key(2, "SERVER", 1));
    site.grant(agent(200));
    let earliest = site.at(6 * DAY).denied(agent(201)).seats.unwrap().earliest_renew_by;
    assert!(earliest.is_some_and(|at| at <= Timestamp(START + DAY + IDLE)));
}

// proves V2
#[test]
fn seats_that_never_idle_out_promise_no_date() {
    let mut site = Site::with(&[key(1, "FOREVER", 1)]);
    site.grant(agent(1).of("FOREVER"));
    let denied = site.denied(agent(2).of("FOREVER"));
    assert_eq!(denied.seats.unwrap().earliest_renew_by, None);
}

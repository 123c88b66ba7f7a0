//! Which license serves, single use and expiry: rules S3, S9 and S13.

use super::fixture::*;
use crate::domain::change::EventKind;
use crate::domain::denial::Denial;
use crate::domain::license::{LicenseStatus, VerifiedKey};
use crate::domain::reply::{GrantKind, Reply};
use crate::domain::time::Timestamp;

// proves S3
#[test]
fn the_soonest_to_expire_serves_then_the_oldest_import_then_the_lowest_serial() {
    let mut site = Site::with(&[key(9, "SERVER", 1)]);
    site.at(10).import(&key_for(5, "SERVER", 1, 20));
    site.at(20).import(&key_for(6, "SERVER", 1, 10));
    site.import(&key_for(4, "SERVER", 1, 10));
    site.at(30).import(&key(1, "SERVER", 1));
    let served: Vec<_> = (1..6).map(|machine| site.grant(agent(machine)).serial).collect();
    assert_eq!(served, [4, 6, 5, 9, 1].map(serial));
}

// proves S3
#[test]
fn of_two_imports_with_one_end_the_older_serves() {
    let through_day = |number| {
        let mut key = key(number, "SERVER", 1);
        key.claims.validity = crate::domain::license::Validity::ThroughDay(30_000);
        key
    };
    let mut site = Site::with(&[through_day(8)]);
    site.at(5).import(&through_day(2));
    assert_eq!(site.grant(agent(1)).serial, serial(8));
    assert_eq!(site.grant(agent(2)).serial, serial(2));
}

// proves S3
#[test]
fn an_expired_license_serves_nobody() {
    let mut site = Site::with(&[key_for(1, "SERVER", 5, 10), key(2, "SERVER", 1)]);
    assert_eq!(site.at(10 * DAY).grant(agent(1)).serial, serial(2));
    assert_eq!(site.license(1).status, LicenseStatus::Expired);
    assert_eq!((site.license(1).free(), site.license(1).available()), (5, 0));
}

type Ending = fn(&mut Site, &'static str);

const ENDINGS: [(&str, Ending); 4] = [
    ("release", |site, product| drop(site.release(agent(1).of(product)))),
    ("idleness", |site, _| {
        site.at(IDLE);
    }),
    ("an administrator", |site, product| drop(site.end_seat(1, product))),
    ("removal and another import", |site, product| {
        let license = site.license(1).license;
        site.remove(1, true);
        site.import(&VerifiedKey {
            claims: license.claims,
            certificate: license.certificate,
        });
        assert_eq!(site.counts(product).licenses, 1);
    }),
];

// proves S9
#[test]
fn a_single_use_seat_never_comes_back_whatever_ends_it() {
    for (name, end) in ENDINGS {
        let product = "WIPE";
        let mut site = Site::with(&[key(1, product, 1)]);
        site.grant(agent(1).of(product));
        end(&mut site, product);
        let denied = site.denied(agent(2).of(product));
        assert_eq!(denied.denial, Denial::SeatsExhausted, "{name}");
        assert_eq!(site.seat(1, product), None, "{name}");
        let row = site.license(1);
        assert_eq!((row.used, row.free()), (1, 0), "{name}");
    }
}

// proves S9
#[test]
fn each_single_use_seat_that_ends_at_once_with_others_stays_spent() {
    let mut site = Site::with(&[key(1, "WIPE", 5)]);
    for machine in 1..=4 {
        site.grant(agent(machine).of("WIPE"));
    }
    site.at(IDLE).grant(agent(9).of("WIPE"));
    assert_eq!((site.license(1).used, site.available("WIPE")), (5, 0));
    let spent = site.events(|event| match event {
        EventKind::SeatEnded { spent, .. } => Some(*spent),
        _ => None,
    });
    assert_eq!(spent, [true; 4]);
}

// proves S9
#[test]
fn a_single_use_seat_that_moves_off_an_expired_license_leaves_its_unit_spent() {
    let mut site = Site::with(&[key_for(1, "WIPE", 2, 10), key(2, "WIPE", 2)]);
    site.grant(agent(1).of("WIPE"));
    let grant = site.at(10 * DAY).grant(agent(1).of("WIPE"));
    assert_eq!(grant.serial, serial(2));
    assert_eq!((site.license(1).used, site.license(2).used), (1, 1));
    site.release(agent(1).of("WIPE"));
    assert_eq!((site.license(1).used, site.license(2).used), (1, 1));
}

// proves X3
#[test]
fn a_deployment_license_serves_no_checkout() {
    let mut site = Site::with(&[deployment_key(1, "SERVER", 5)]);
    let denied = site.denied(agent(1));
    assert_eq!(denied.denial, Denial::DeploymentOnly);
    assert_eq!(site.units("SERVER").available, 5);
    site.import(&key(2, "SERVER", 1));
    assert_eq!(site.grant(agent(1)).serial, serial(2));
    assert_eq!(site.denied(agent(2)).denial, Denial::SeatsExhausted);
}

// proves S13
#[test]
fn a_renewal_moves_the_seat_of_an_expired_license_to_one_with_room() {
    let mut site = Site::with(&[key_for(1, "SERVER", 1, 10), key(2, "SERVER", 1)]);
    let acquired_at = site.grant(agent(1)).acquired_at;
    let grant = site.at(10 * DAY).grant(agent(1));
    assert_eq!(
        (grant.serial, grant.kind, grant.acquired_at),
        (serial(2), GrantKind::Renewed, acquired_at)
    );
    assert_eq!((site.license(1).used, site.license(2).used), (0, 1));
    let moved = site.events(|event| match event {
        EventKind::SeatMoved { from, to, .. } => Some((*from, *to)),
        _ => None,
    });
    assert_eq!(moved, [(serial(1), serial(2))]);
}

// proves S13
#[test]
fn a_renewal_with_room_nowhere_is_refused_as_expired_and_its_row_stays_until_its_renew_date() {
    let mut site = Site::with(&[key_for(1, "SERVER", 1, 10)]);
    site.at(5 * DAY).grant(agent(1));
    assert_eq!(site.at(10 * DAY - 1).grant(agent(1)).kind, GrantKind::Renewed);
    let denied = site.at(10 * DAY).denied(agent(1));
    assert_eq!(
        (denied.denial, denied.subject.serial),
        (Denial::LicenseExpired, Some(serial(1)))
    );
    let due = 10 * DAY - 1 + IDLE;
    let seat = site.at(due - 1).seat(1, "SERVER").unwrap();
    assert_eq!(
        seat.renew_by,
        Some(Timestamp(START + due)),
        "a refused renewal extends nothing"
    );
    assert_eq!(site.available("SERVER"), 0);
    assert_eq!(site.at(due).seat(1, "SERVER"), None);
    assert_eq!(site.denied(agent(2)).denial, Denial::LicenseExpired);
}

// proves S13
#[test]
fn a_seat_of_an_expired_license_can_still_be_released() {
    let mut site = Site::with(&[key_for(1, "SERVER", 1, 10)]);
    site.grant(agent(1));
    assert!(matches!(
        site.at(11 * DAY).release(agent(1)),
        Reply::Released { seat_freed: true, .. }
    ));
}

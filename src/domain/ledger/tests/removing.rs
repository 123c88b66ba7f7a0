//! Licenses that go and come back: what `remove` leaves behind (rules S9, K5).

use bytes::Bytes;

use super::fixture::*;
use crate::domain::denial::{Denial, KeyRefusal};
use crate::domain::license::VerifiedKey;
use crate::domain::reply::{GrantKind, ImportOutcome, Removed, Reply};
use crate::domain::seat::EndCause;
use crate::domain::time::Timestamp;

// proves S12
#[test]
fn a_license_in_use_is_removed_only_with_its_seats() {
    let mut site = Site::with(&[key(1, "SERVER", 3), key(2, "SERVER", 1)]);
    for machine in 1..=4 {
        site.grant(agent(machine));
    }
    assert_eq!(denial(&site.remove(1, false)), Denial::LicenseInUse { seats: 3 });
    assert_eq!(site.counts("SERVER").used, 4);
    let removed = Removed {
        seats_ended: 3,
        ..Removed::default()
    };
    assert_eq!(site.remove(1, true), Reply::LicenseRemoved(removed));
    let counts = site.counts("SERVER");
    assert_eq!((counts.licenses, counts.total, counts.used), (1, 1, 1));
    let former = site.denied(agent(1)).former.unwrap();
    assert_eq!(former.cause, EndCause::LicenseRemoved);
    assert_eq!(denial(&site.remove(1, true)), Denial::UnknownSerial);
}

// proves S12
#[test]
fn a_license_that_is_not_in_use_is_removed_without_more_ado() {
    let mut site = Site::with(&[key(1, "SERVER", 3)]);
    assert_eq!(site.remove(1, false), Reply::LicenseRemoved(Removed::default()));
    assert_eq!(site.denied(agent(1)).denial, Denial::NoLicense);
}

// proves S9
// proves S12
#[test]
fn another_import_keeps_the_first_import_date_and_the_spent_units() {
    let mut site = Site::with(&[key(1, "WIPE", 3)]);
    site.at(5).grant(agent(1).of("WIPE"));
    site.grant(agent(2).of("WIPE"));
    site.release(agent(1).of("WIPE"));
    site.at(DAY).remove(1, true);
    site.at(2 * DAY).import(&key(1, "WIPE", 3));
    let row = site.license(1);
    assert_eq!(
        (row.license.imported_at, row.used, row.free()),
        (Timestamp(START), 2, 1)
    );
    // Units spent later are numbered behind those from before.
    site.grant(agent(3).of("WIPE"));
    site.release(agent(3).of("WIPE"));
    assert_eq!(site.license(1).used, 3);
}

// proves K5
// proves S12
#[test]
fn a_trial_that_is_removed_and_imported_again_does_not_start_anew() {
    let trial = key_for(1, "SERVER", 1, 30);
    let mut site = Site::with(std::slice::from_ref(&trial));
    site.at(20 * DAY).remove(1, false);
    site.at(29 * DAY).import(&trial);
    assert_eq!(site.license(1).license.ends_at(), Timestamp(START + 30 * DAY));
    site.remove(1, false);
    let outcome = site.at(30 * DAY).import(&trial);
    assert!(matches!(
        outcome,
        ImportOutcome::Refused {
            refusal: KeyRefusal::Expired,
            ..
        }
    ));
}

// proves S9
// proves S12
#[test]
fn a_key_with_fewer_seats_than_were_spent_under_its_serial_is_refused() {
    let mut site = Site::with(&[key(1, "WIPE", 2)]);
    for machine in [1, 2] {
        site.grant(agent(machine).of("WIPE"));
    }
    site.remove(1, true);
    let fewer = VerifiedKey {
        certificate: Bytes::from_static(b"fewer"),
        ..key(1, "WIPE", 1)
    };
    // The fixture audits after every command: an oversold license would stop the next start.
    let outcome = site.import(&fewer);
    assert!(matches!(
        outcome,
        ImportOutcome::Refused {
            refusal: KeyRefusal::Superseded,
            ..
        }
    ));
    assert!(matches!(site.import(&key(1, "WIPE", 2)), ImportOutcome::Added { .. }));
}

// proves S12
#[test]
fn a_seat_of_a_license_that_came_back_is_engaged_again() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1));
    site.remove(1, true);
    site.import(&key(1, "SERVER", 1));
    assert!(matches!(site.grant(agent(1)).kind, GrantKind::EngagedAgain(_)));
}

// proves S12
// proves K2
#[test]
fn a_vendors_key_goes_on_from_no_other_vendors_license_of_the_same_serial() {
    let theirs = |certificate| {
        let mut key = key_for(1, "WIPE", 5, 30);
        key.claims.vendor = vendor(2);
        key.certificate = Bytes::from_static(certificate);
        key
    };
    let taken = |outcome| {
        let refused = KeyRefusal::SerialTaken;
        matches!(outcome, ImportOutcome::Refused { refusal, .. } if refusal == refused)
    };
    let mut site = Site::with(&[key(1, "WIPE", 3)]);
    site.trust(2);
    site.grant(agent(1).of("WIPE"));
    assert!(taken(site.import(&theirs(b"theirs"))), "while it is here");
    site.release(agent(1).of("WIPE"));
    site.remove(1, true);
    let before = site.ledger.clone();
    assert!(taken(site.at(DAY).import(&theirs(b"theirs"))), "after it was removed");
    // Also where the certificates could not be told apart.
    assert!(taken(site.import(&theirs(&[1]))));
    assert_eq!(site.ledger, before);
    // Its own vendor's key goes on.
    site.import(&key(1, "WIPE", 3));
    assert_eq!(
        (site.license(1).license.imported_at, site.license(1).used),
        (Timestamp(START), 1)
    );
}

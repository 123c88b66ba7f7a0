//! Keys that renew or are outdone, and lists that vendors take licenses back by (rules K4, K5, K6, C3).

use std::collections::BTreeMap;

use bytes::Bytes;

use super::fixture::*;
use crate::domain::blacklist::{Blacklist, Listed};
use crate::domain::command::Command;
use crate::domain::denial::{Denial, KeyRefusal};
use crate::domain::license::{Kind, LicenseStatus, VerifiedKey};
use crate::domain::reply::{ImportOutcome, Reply};
use crate::domain::time::Timestamp;

/// Another key of the same serial: seats, and days from the first import.
fn next(seats: u32, days: u32, certificate: u8) -> VerifiedKey {
    VerifiedKey {
        certificate: Bytes::from(vec![certificate, certificate]),
        ..key_for(1, "SERVER", seats, days)
    }
}

fn refusal(outcome: ImportOutcome) -> KeyRefusal {
    match outcome {
        ImportOutcome::Refused { refusal, .. } => refusal,
        other => panic!("{other:?}"),
    }
}

fn is_renewal(outcome: &ImportOutcome) -> bool {
    matches!(outcome, ImportOutcome::Added { renewal: true, .. })
}

fn list(version: u64, serials: &[(u8, Listed)]) -> Command {
    named(version, serials, false)
}

fn named(version: u64, serials: &[(u8, Listed)], dry_run: bool) -> Command {
    let list = Box::new(Blacklist {
        vendor: vendor(1),
        version,
        issued_at: Timestamp(START),
        contact: "licensing@example.com".to_owned(),
        serials: serials
            .iter()
            .map(|(number, listed)| (serial(*number), *listed))
            .collect::<BTreeMap<_, _>>(),
        signed: Bytes::from(version.to_be_bytes().to_vec()),
    });
    Command::ImportBlacklist { list, dry_run }
}

// proves C3
#[test]
fn a_list_that_is_only_tried_tells_what_it_would_name_and_changes_nothing() {
    let mut site = Site::with(&[key(1, "SERVER", 3), key(2, "SERVER", 3)]);
    site.grant(agent(1));
    let before = site.ledger.clone();
    let tried = site.serve(&named(1, &[(1, Listed::Blacklisted), (9, Listed::Superseded)], true));
    assert_eq!(site.ledger, before);
    let expected = Reply::BlacklistImported {
        serials: 2,
        licenses: 1,
        used: 1,
    };
    assert_eq!(tried, expected);
    assert_eq!(
        site.serve(&list(1, &[(1, Listed::Blacklisted), (9, Listed::Superseded)])),
        expected
    );
    let older = site.serve(&named(0, &[], true));
    assert_eq!(
        denial(&older),
        Denial::BlacklistNotNewer { held: 1 },
        "as importing it would"
    );
}

// proves K6
#[test]
fn a_renewal_replaces_the_key_and_keeps_its_seats_and_first_import() {
    let mut site = Site::with(&[key_for(1, "SERVER", 2, 10)]);
    let acquired_at = site.grant(agent(1)).acquired_at;
    let mut longer = next(2, 20, 7);
    longer.claims.kind = Kind::Subscription;
    assert!(is_renewal(&site.at(5 * DAY).import(&longer)));
    let row = site.license(1);
    assert_eq!(
        (row.license.imported_at.0, row.license.ends_at().0, row.used),
        (START, START + 20 * DAY, 1)
    );
    assert_eq!(row.license.claims.kind, Kind::Subscription);
    assert!(is_renewal(&site.import(&next(5, 20, 8))), "more seats");
    let grant = site.at(15 * DAY).grant(agent(1));
    assert_eq!((grant.serial, grant.acquired_at), (serial(1), acquired_at));
    assert_eq!(site.counts("SERVER").available, 4);
}

// proves K6
#[test]
fn an_expired_license_comes_back_by_its_renewal() {
    let mut site = Site::with(&[key_for(1, "SERVER", 1, 10)]);
    site.grant(agent(1));
    assert_eq!(site.at(11 * DAY).denied(agent(1)).denial, Denial::LicenseExpired);
    assert!(is_renewal(&site.import(&next(1, 40, 7))));
    site.grant(agent(1));
}

// proves K4
// proves K6
#[test]
fn a_key_that_is_smaller_or_alike_is_superseded_and_one_that_is_both_is_no_renewal() {
    let mut site = Site::with(&[key_for(1, "SERVER", 5, 20)]);
    for (seats, days, refused) in [
        (5, 20, KeyRefusal::Superseded),
        (4, 20, KeyRefusal::Superseded),
        (5, 19, KeyRefusal::Superseded),
        (1, 1, KeyRefusal::Superseded),
        (6, 19, KeyRefusal::NotARenewal),
        (4, 21, KeyRefusal::NotARenewal),
    ] {
        let outcome = site.import(&next(seats, days, 9));
        assert_eq!(refusal(outcome), refused, "{seats} seats, {days} days");
    }
    assert_eq!(site.counts("SERVER").total, 5);
}

// proves K6
// proves S12
#[test]
fn a_removed_license_remembers_how_far_it_was_renewed() {
    let mut site = Site::with(&[key_for(1, "SERVER", 2, 10)]);
    site.import(&next(3, 20, 7));
    site.at(DAY).remove(1, false);
    assert_eq!(
        refusal(site.import(&key_for(1, "SERVER", 2, 10))),
        KeyRefusal::Superseded
    );
    assert_eq!(refusal(site.import(&next(2, 30, 8))), KeyRefusal::NotARenewal);
    assert!(matches!(
        site.import(&next(3, 20, 7)),
        ImportOutcome::Added { renewal: false, .. }
    ));
    assert_eq!(site.license(1).license.imported_at.0, START);
}

// proves K6
// proves S9
#[test]
fn a_longer_key_with_fewer_seats_than_are_used_is_refused_as_that() {
    let shorter = |seats, days| VerifiedKey {
        certificate: Bytes::from_static(b"longer"),
        ..key_for(1, "WIPE", seats, days)
    };
    let mut site = Site::with(&[key_for(1, "WIPE", 3, 10)]);
    for machine in 1..=2 {
        site.grant(agent(machine).of("WIPE"));
    }
    let used = KeyRefusal::FewerSeatsThanUsed { used: 2 };
    assert_eq!(refusal(site.import(&shorter(1, 20))), used);
    assert_eq!(refusal(site.import(&shorter(2, 20))), KeyRefusal::NotARenewal);
    site.remove(1, true);
    assert_eq!(refusal(site.import(&shorter(1, 20))), used, "what was spent counts");
    assert!(matches!(site.import(&shorter(3, 20)), ImportOutcome::Added { .. }));
    assert_eq!((site.license(1).used, site.license(1).free()), (2, 1));
}

// proves K5
#[test]
fn days_left_round_up_and_end_at_the_end() {
    let mut site = Site::with(&[key_for(1, "SERVER", 1, 10), key(2, "SERVER", 1)]);
    for (secs, days) in [
        (0, 10),
        (1, 10),
        (DAY - 1, 10),
        (DAY, 9),
        (10 * DAY - 1, 1),
        (10 * DAY, 0),
        (11 * DAY, 0),
    ] {
        assert_eq!(site.at(secs).license(1).days_left, Some(days), "after {secs} s");
    }
    assert_eq!(site.license(2).days_left, None);
}

// proves C3
// proves K4
#[test]
fn a_blacklisted_license_serves_nobody_and_says_whom_to_contact() {
    let mut site = Site::with(&[key(1, "SERVER", 2)]);
    site.grant(agent(1));
    let reply = site.serve(&list(1, &[(1, Listed::Blacklisted), (9, Listed::Superseded)]));
    let expected = Reply::BlacklistImported {
        serials: 2,
        licenses: 1,
        used: 1,
    };
    assert_eq!(reply, expected);
    for machine in [1, 2] {
        let denied = site.denied(agent(machine));
        assert_eq!(denied.denial, Denial::LicenseBlacklisted);
        assert_eq!(denied.contact.as_deref(), Some("licensing@example.com"));
    }
    let row = site.license(1);
    assert_eq!(
        (row.status, row.free(), row.available()),
        (LicenseStatus::Blacklisted, 1, 0)
    );
    assert!(site.seat(1, "SERVER").is_some(), "the row stays until its renew date");
    assert!(matches!(
        refusal(site.import(&next(9, 900, 3))),
        KeyRefusal::Blacklisted { contact } if contact == "licensing@example.com"
    ));
    assert_eq!(refusal(site.import(&key(9, "SERVER", 1))), KeyRefusal::Superseded);
    // The seat goes to another license as soon as there is one.
    site.import(&key(2, "SERVER", 1));
    assert_eq!(site.grant(agent(1)).serial, serial(2));
}

// proves C3
#[test]
fn a_newer_list_counts_as_a_whole_and_an_older_one_not_at_all() {
    let mut site = Site::with(&[key(1, "SERVER", 1), key(2, "SERVER", 1)]);
    site.serve(&list(2, &[(1, Listed::Blacklisted), (2, Listed::Superseded)]));
    assert_eq!(site.license(2).status, LicenseStatus::Superseded);
    assert!(matches!(
        site.serve(&Command::Status),
        Reply::Status(status) if (status.licenses_blacklisted, status.licenses_superseded) == (1, 1)
    ));
    assert_eq!(
        denial(&site.serve(&list(1, &[]))),
        Denial::BlacklistNotNewer { held: 2 }
    );
    site.serve(&list(3, &[(2, Listed::Superseded)]));
    assert_eq!(site.license(1).status, LicenseStatus::Valid);
    assert_eq!(site.grant(agent(1)).serial, serial(1));
    site.remove(1, true);
    assert_eq!(site.denied(agent(1)).denial, Denial::LicenseSuperseded);
}

// proves S12
#[test]
fn the_seats_of_a_removed_license_move_to_those_with_room_and_keep_their_dates() {
    let mut site = Site::with(&[key(1, "SERVER", 3), key(2, "SERVER", 1), key_for(3, "SERVER", 1, 400)]);
    // The trial serves first, since it ends first.
    for machine in 1..=4 {
        site.at(u64::from(machine)).grant(agent(machine));
    }
    site.release(agent(1));
    assert_eq!(denial(&site.remove(1, false)), Denial::LicenseInUse { seats: 1 });
    let before = site.seat(2, "SERVER").unwrap();
    let Reply::LicenseRemoved(removed) = site.remove(1, true) else {
        panic!("not removed");
    };
    assert_eq!((removed.seats_moved, removed.seats_ended, removed.spent), (2, 1, 0));
    let after = site.seat(2, "SERVER").unwrap();
    assert_eq!(after.serial, serial(3), "in the order of their MACs, as S3 says");
    assert_eq!(site.seat(3, "SERVER").unwrap().serial, serial(2));
    assert_eq!(site.seat(4, "SERVER"), None);
    assert_eq!(
        (after.acquired_at, after.renew_by, after.components),
        (before.acquired_at, before.renew_by, before.components)
    );
}

// proves S12
// proves S9
#[test]
fn single_use_seats_of_a_removed_license_end_and_stay_spent_whatever_room_there_is() {
    let mut site = Site::with(&[key(1, "WIPE", 2), key(2, "WIPE", 9)]);
    site.grant(agent(1).of("WIPE"));
    assert_eq!(denial(&site.remove(1, false)), Denial::LicenseInUse { seats: 1 });
    let Reply::LicenseRemoved(removed) = site.remove(1, true) else {
        panic!("not removed");
    };
    assert_eq!((removed.seats_moved, removed.seats_ended, removed.spent), (0, 1, 1));
    site.import(&key(1, "WIPE", 2));
    assert_eq!(site.license(1).used, 1);
}

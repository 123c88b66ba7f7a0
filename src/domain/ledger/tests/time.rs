//! Two times: rules T1 and K5.

use super::fixture::*;
use crate::domain::license::{LicenseStatus, Validity};
use crate::domain::reply::{GrantKind, Reply};
use crate::domain::time::{Now, Timestamp};

const fn now(steady: u64, calendar: u64) -> Now {
    Now {
        steady: Timestamp(START + steady),
        calendar: Timestamp(START + calendar),
    }
}

// proves T1
#[test]
fn idleness_is_tested_against_the_steady_time() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1));
    site.now = now(IDLE - 1, 10 * IDLE);
    assert!(site.seat(1, "SERVER").is_some(), "a calendar that jumped frees nothing");
    site.now = now(IDLE, 0);
    assert!(
        site.seat(1, "SERVER").is_none(),
        "a calendar that was set back keeps nothing"
    );
}

// proves T1
#[test]
fn expiry_is_tested_against_the_later_time() {
    for (steady, calendar, serves) in [
        (10 * DAY - 1, 10 * DAY - 1, true),
        (10 * DAY, 0, false),
        (0, 10 * DAY, false),
        (10 * DAY - 1, 0, true),
    ] {
        let mut site = Site::with(&[key_for(1, "SERVER", 1, 10)]);
        site.now = now(steady, calendar);
        assert_eq!(site.license(1).status.serves(), serves, "{steady} {calendar}");
        assert_eq!(
            matches!(site.checkout(agent(1)), Reply::Seat(_)),
            serves,
            "{steady} {calendar}"
        );
        assert_eq!(site.counts("SERVER").free, if serves { 0 } else { 1 });
    }
}

// proves T1
#[test]
fn dates_are_set_from_the_later_time() {
    for (steady, calendar) in [(0, 5 * DAY), (5 * DAY, 0)] {
        let mut site = Site::with(&[key(1, "SERVER", 1)]);
        site.now = now(steady, calendar);
        let grant = site.grant(agent(1));
        assert_eq!(grant.acquired_at, Timestamp(START + 5 * DAY));
        assert_eq!(grant.renew_by, Some(Timestamp(START + 5 * DAY + IDLE)));
        site.import(&key(2, "SERVER", 1));
        assert_eq!(site.license(2).license.imported_at, Timestamp(START + 5 * DAY));
    }
}

// proves T1
#[test]
fn the_same_ledger_command_and_time_decide_the_same() {
    let site = Site::with(&[key(1, "SERVER", 1)]);
    let command = crate::domain::command::Command::Checkout(agent(1).checkout());
    let decide = || site.ledger.clone().apply(peer(1), &command, site.now);
    assert_eq!(decide(), decide());
}

// proves K5
#[test]
fn an_expiry_date_serves_through_its_last_second() {
    let first = START / DAY;
    let mut key = key(1, "SERVER", 1);
    key.claims.validity = Validity::ThroughDay(u32::try_from(first).unwrap() + 3);
    let mut site = Site::with(&[key]);
    assert_eq!(site.at(4 * DAY - 1).license(1).status, LicenseStatus::Valid);
    assert_eq!(site.grant(agent(1)).kind, GrantKind::Granted);
    assert_eq!(site.at(4 * DAY).license(1).status, LicenseStatus::Expired);
}

// proves K5
#[test]
fn the_days_of_a_trial_run_from_its_import_to_the_second() {
    let mut site = Site::with(&[]);
    site.at(12_345).import(&key_for(1, "SERVER", 1, 2));
    assert_eq!(site.at(12_345 + 2 * DAY - 1).license(1).status, LicenseStatus::Valid);
    assert_eq!(site.at(12_345 + 2 * DAY).license(1).status, LicenseStatus::Expired);
}

//! What STATUS looks ahead to: ends of licenses, products that run out; and a configuration that is read again.

use super::fixture::*;
use crate::domain::change::EventKind;
use crate::domain::command::{Actor, Command};
use crate::domain::denial::Denial;
use crate::domain::license::Usage;
use crate::domain::reply::{ENDING_MAX, EndingRow, Reply, ScarceRow, Status};
use crate::domain::time::Timestamp;

fn status(site: &mut Site) -> Status {
    match site.serve(&Command::Status) {
        Reply::Status(status) => *status,
        other => panic!("{other:?}"),
    }
}

/// Serial, days left and how many end together, of each end.
fn ends(rows: &[EndingRow]) -> Vec<(String, u32, u32)> {
    let row = |row: &EndingRow| (row.license.claims.serial.to_string(), row.days_left, row.licenses);
    rows.iter().map(row).collect()
}

fn name(number: u8) -> String {
    serial(number).to_string()
}

// proves K5
#[test]
fn the_next_end_of_each_product_and_usage_is_told_the_soonest_first() {
    let keys = [
        key_for(1, "SERVER", 3, 40),
        key_for(2, "SERVER", 3, 20),
        key_for(3, "SERVER", 3, 20),
        key_for(4, "WORK", 1, 5),
        key(5, "WORK", 1),
        key(6, "SERVER", 7),
    ];
    let mut site = Site::with(&keys);
    let told = status(&mut site).ending;
    assert_eq!(ends(&told), [(name(4), 5, 1), (name(2), 20, 2)]);
    assert_eq!(told[1].ends_at, Timestamp(START + 20 * DAY));
    assert_eq!(told[1].product_name, "A product");
    // Whether seats are free is all the same to it, and what has ended does not end any more.
    for machine in 1..=3 {
        site.grant(agent(machine));
    }
    let told = status(site.at(19 * DAY + 1)).ending;
    assert_eq!(ends(&told), [(name(2), 1, 2)]);
    let told = status(site.at(20 * DAY)).ending;
    assert_eq!(ends(&told), [(name(1), 20, 1)]);
    assert_eq!(status(site.at(40 * DAY)).ending, []);
    assert!(ends(&told).len() <= ENDING_MAX);
}

fn scarce(rows: &[ScarceRow]) -> Vec<(&str, u64, u64)> {
    let row = |row: &ScarceRow| (row.used, row.available);
    let counts = rows.iter().map(row);
    let names = rows.iter().map(|row| match row.usage {
        Usage::Machine => "seats",
        Usage::Deployment => "units",
    });
    names
        .zip(counts)
        .map(|(name, (used, left))| (name, used, left))
        .collect()
}

// proves S2
#[test]
fn a_product_of_which_nine_in_ten_are_in_use_is_told_and_one_without_a_license_that_serves_is_not() {
    let mut site = Site::with(&[key(1, "SERVER", 10), key_for(2, "WORK", 1, 5)]);
    for machine in 1..=8 {
        site.grant(agent(machine));
    }
    assert_eq!(status(&mut site).scarce, []);
    site.grant(agent(9));
    assert_eq!(scarce(&status(&mut site).scarce), [("seats", 9, 1)]);
    site.grant(agent(10));
    site.grant(agent(1).of("WORK"));
    let told = status(&mut site).scarce;
    assert_eq!(scarce(&told), [("seats", 10, 0), ("seats", 1, 0)]);
    // Nobody can do anything about what has expired but renew it, which is told elsewhere.
    assert_eq!(scarce(&status(site.at(5 * DAY)).scarce), [("seats", 10, 0)]);
}

#[test]
fn that_the_configuration_is_read_again_is_an_event_by_whoever_may_and_changes_nothing_else() {
    let mut site = Site::with(&[key(1, "SERVER", 3)]);
    let reload = |dry_run| Command::NoteReload { applied: 7, dry_run };
    let told = |site: &Site| {
        site.events(|kind| match kind {
            EventKind::ConfigReloaded { applied } => Some(*applied),
            _ => None,
        })
    };
    let before = site.ledger.clone();
    let Reply::Denied(denied) = site.ask(peer(1), &reload(false)) else {
        panic!("an agent may not");
    };
    assert_eq!(denied.denial, Denial::NotAuthorized);
    assert_eq!(site.ask(Actor::Server, &reload(true)), Reply::Done);
    assert_eq!((told(&site), &site.ledger), (vec![], &before));
    assert_eq!(site.at(60).ask(Actor::Server, &reload(false)), Reply::Done);
    assert_eq!(told(&site), [7]);
    let mark = site.ledger.clock().expect("kept").mark;
    assert_eq!(
        mark,
        Timestamp(START + 60),
        "the time that rides along is the one that counts"
    );
}

//! Listings whose rows come, go and change between their pages (rule V1).

use std::collections::BTreeMap;

use super::fixture::*;
use crate::domain::command::{Command, Page, SeatsPage};
use crate::domain::reply::{LicenseRow, ProductRow, Reply, SeatRow};
use crate::domain::seat::SeatKey;

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

const MACHINES: u16 = 90;

/// Every third machine stays; another one goes or comes, and one of those that stay renews.
fn disturb(site: &mut Site, dice: &mut Dice) {
    for _ in 0..4 {
        let machine = u16::try_from(dice.below(MACHINES.into())).unwrap();
        if machine.is_multiple_of(3) {
            site.checkout(agent(machine).part("cli"));
        } else if dice.below(2) == 0 {
            site.end_seat(machine, "SERVER");
        } else {
            site.checkout(agent(machine));
        }
    }
}

fn seats(site: &mut Site, after: Option<SeatKey>, limit: usize) -> (Vec<SeatRow>, bool) {
    let page = Page { after, limit };
    match site.serve(&Command::Seats(SeatsPage {
        mac: None,
        product: None,
        page,
    })) {
        Reply::Seats(listing) => (listing.rows, listing.more),
        other => panic!("{other:?}"),
    }
}

// proves V1
#[test]
fn a_seat_that_is_there_throughout_is_listed_exactly_once_while_others_come_go_and_change() {
    for seed in 0..20 {
        let mut dice = Dice(seed);
        let mut site = Site::with(&[key(1, "SERVER", 200)]);
        for machine in (0..MACHINES).filter(|machine| machine.is_multiple_of(3) || machine.is_multiple_of(2)) {
            site.grant(agent(machine));
        }
        let mut listed: BTreeMap<SeatKey, u32> = BTreeMap::new();
        let (mut after, mut pages) = (None, 0);
        loop {
            let limit = usize::try_from(1 + dice.below(12)).unwrap();
            let (rows, more) = seats(&mut site, after, limit);
            assert!(rows.len() <= limit, "seed {seed}");
            for row in &rows {
                *listed.entry(row.key).or_default() += 1;
            }
            after = rows.last().map(|row| row.key).or(after);
            pages += 1;
            if !more {
                break;
            }
            disturb(&mut site, &mut dice);
        }
        assert!(pages > 3, "seed {seed}: {pages} pages");
        assert!(listed.values().all(|times| *times == 1), "seed {seed}: {listed:?}");
        for machine in (0..MACHINES).step_by(3) {
            assert!(
                listed.contains_key(&seat_key(machine, "SERVER")),
                "seed {seed}: machine {machine}"
            );
        }
    }
}

fn products(site: &mut Site) -> Vec<ProductRow> {
    let page = Page {
        after: None,
        limit: 256,
    };
    match site.serve(&Command::Products(page)) {
        Reply::Products(listing) => listing.rows,
        other => panic!("{other:?}"),
    }
}

fn licenses(site: &mut Site, limit: usize) -> Vec<LicenseRow> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let Reply::Licenses(listing) = site.serve(&Command::Licenses(Page { after, limit })) else {
            panic!("no listing");
        };
        after = listing.rows.last().map(|row| row.license.claims.serial);
        rows.extend(listing.rows);
        if !listing.more {
            return rows;
        }
    }
}

// proves V1
#[test]
fn a_license_that_is_there_throughout_is_listed_exactly_once_while_others_are_imported_and_removed() {
    for seed in 0..10 {
        let mut dice = Dice(seed);
        let all: Vec<u8> = (1..=60).collect();
        let keys: Vec<_> = all.iter().map(|number| key(*number, "SERVER", 2)).collect();
        let mut site = Site::with(&keys);
        let mut listed = BTreeMap::new();
        let mut after = None;
        loop {
            let limit = usize::try_from(1 + dice.below(8)).unwrap();
            let Reply::Licenses(listing) = site.serve(&Command::Licenses(Page { after, limit })) else {
                panic!("no listing");
            };
            for row in &listing.rows {
                *listed.entry(row.license.claims.serial).or_insert(0) += 1;
            }
            after = listing.rows.last().map(|row| row.license.claims.serial).or(after);
            if !listing.more {
                break;
            }
            let other = u8::try_from(1 + dice.below(60)).unwrap();
            match other {
                stays if stays.is_multiple_of(3) => {
                    let mut renewal = key(stays, "SERVER", 3);
                    renewal.certificate = bytes::Bytes::from(vec![stays, 1]);
                    drop(site.import(&renewal));
                }
                other if dice.below(2) == 0 => drop(site.remove(other, true)),
                other => drop(site.import(&key(other, "SERVER", 2))),
            }
        }
        assert!(listed.values().all(|times| *times == 1), "seed {seed}: {listed:?}");
        for number in all.into_iter().filter(|number| number.is_multiple_of(3)) {
            assert!(listed.contains_key(&serial(number)), "seed {seed}: license {number}");
        }
    }
}

// proves V1
// proves S2
#[test]
fn the_sums_of_a_product_are_of_the_moment_of_their_one_answer() {
    let mut dice = Dice(1);
    let mut site = Site::with(&[key(1, "SERVER", 20), key(2, "SERVER", 30), key_for(3, "SERVER", 9, 5)]);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..40 {
        disturb(&mut site, &mut dice);
        let sums = products(&mut site)
            .into_iter()
            .find(|row| row.key == product_of(1, "SERVER"))
            .unwrap()
            .counts;
        // Page by page, but nothing happens in between: the sums are those of what is there now.
        let rows = licenses(&mut site, 1);
        let sum = |of: fn(&LicenseRow) -> u32| rows.iter().map(|row| u64::from(of(row))).sum::<u64>();
        assert_eq!(
            (sums.total, sums.used, sums.free, sums.available),
            (
                sum(|row| row.license.claims.seats),
                sum(|row| row.used),
                sum(LicenseRow::free),
                sum(LicenseRow::available)
            )
        );
        assert_eq!(sums.total, sums.used + sums.free);
        seen.insert(sums.used);
    }
    assert!(seen.len() > 5, "the sums never change: {seen:?}");
}

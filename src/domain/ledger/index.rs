//! The indexes: kept from the old and the new value of one key alone, so that replay may pass through any state.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::Ledger;
use crate::domain::ids::{Mac, ProductKey, Serial};
use crate::domain::license::{License, Usage};
use crate::domain::reply::Counts;
use crate::domain::seat::{Binding, FormerSeat, Seat, SeatKey, SpentUnit};
use crate::domain::time::{Now, Timestamp};

/// A license with a free seat, in the order in which licenses serve (rule S3; machine licenses first, rule X5).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Open {
    product: ProductKey,
    usage: Usage,
    ends_at: Timestamp,
    imported_at: Timestamp,
    serial: Serial,
}

/// Sums over the licenses of a product that end at one moment.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Ending {
    licenses: u32,
    free: u64,
}

/// Sums over the licenses of a product.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Tally {
    licenses: u32,
    total: u64,
    used: u64,
    free: u64,
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Index {
    /// Seats by renew date (rule S6).
    due: BTreeSet<(Timestamp, SeatKey)>,
    /// Seats that come back, by product and renew date (rule V2).
    reusable_due: BTreeSet<(ProductKey, Timestamp, Mac)>,
    /// Former seats by the time they ended.
    former_ended: BTreeSet<(Timestamp, SeatKey)>,
    /// Machines with a seat of a license; the license says of which product.
    holders: BTreeSet<(Serial, Mac)>,
    /// Seats and spent units of each license (rule S2).
    used: BTreeMap<Serial, u32>,
    open: BTreeSet<Open>,
    /// Sums over the licenses of a product by the moment from which they do not serve: keys sold by the day share few.
    ends: BTreeMap<(ProductKey, Timestamp), Ending>,
    tallies: BTreeMap<ProductKey, Tally>,
    conflicts: u64,
}

/// Seats looked at for the earliest renew date, at most: those of licenses that do not serve may come first.
const EARLIEST_LOOKS_MAX: usize = 64;

impl Index {
    pub(super) fn used(&self, serial: Serial) -> u32 {
        self.used.get(&serial).copied().unwrap_or(0)
    }

    pub(super) fn products(&self) -> impl Iterator<Item = &ProductKey> {
        self.tallies.keys()
    }

    /// The license that serves a new seat (rule S3).
    pub(super) fn first_open(&self, product: ProductKey, now: Now) -> Option<Serial> {
        [Usage::Machine, Usage::Deployment].into_iter().find_map(|usage| {
            let serving = now.latest().after_secs(1)..=Timestamp::MAX;
            self.open
                .range(open_between(product, usage, &serving))
                .next()
                .map(|open| open.serial)
        })
    }

    pub(super) fn due(&self) -> impl Iterator<Item = &(Timestamp, SeatKey)> {
        self.due.iter()
    }

    pub(super) fn former_ended(&self) -> impl Iterator<Item = &(Timestamp, SeatKey)> {
        self.former_ended.iter()
    }

    pub(super) fn holders(&self, serial: Serial) -> impl Iterator<Item = Mac> {
        let (first, last) = (Mac::FIRST, Mac::LAST);
        self.holders
            .range((serial, first)..=(serial, last))
            .map(|(_, mac)| *mac)
    }

    /// Whether any license of the product serves, full or not.
    pub(super) fn any_serves(&self, product: ProductKey, now: Now) -> bool {
        let serving = (product, now.latest().after_secs(1))..=(product, Timestamp::MAX);
        self.ends.range(serving).next().is_some()
    }

    pub(super) fn licenses_ended(&self, now: Now) -> u32 {
        self.tallies
            .keys()
            .flat_map(|product| self.ended(*product, now))
            .map(|ending| ending.licenses)
            .sum()
    }

    /// What has ended of a product.
    fn ended(&self, product: ProductKey, now: Now) -> impl Iterator<Item = &Ending> {
        self.ends
            .range((product, Timestamp(0))..=(product, now.latest()))
            .map(|(_, ending)| ending)
    }

    pub(super) const fn conflicts(&self) -> u64 {
        self.conflicts
    }
}

fn open_between(product: ProductKey, usage: Usage, ends: &RangeInclusive<Timestamp>) -> RangeInclusive<Open> {
    let first = Open {
        product,
        usage,
        ends_at: *ends.start(),
        imported_at: Timestamp(0),
        serial: Serial::FIRST,
    };
    let last = Open {
        product,
        usage,
        ends_at: *ends.end(),
        imported_at: Timestamp::MAX,
        serial: Serial::LAST,
    };
    first..=last
}

impl Ledger {
    /// The earliest renew date of all seats: nothing is due before it.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.index.due.first().map(|(at, _)| *at)
    }

    /// Seats of a product over all its licenses (rules S2, S10).
    #[must_use]
    pub fn counts(&self, product: ProductKey, now: Now) -> Counts {
        let tally = self.index.tallies.get(&product).copied().unwrap_or_default();
        let idle: u64 = self.index.ended(product, now).map(|ending| ending.free).sum();
        Counts {
            licenses: tally.licenses,
            total: tally.total,
            used: tally.used,
            free: tally.free,
            available: tally.free.saturating_sub(idle),
        }
    }

    /// A time before which no reusable seat of a serving license idles out (rule V2).
    pub(super) fn earliest_renew_by(&self, product: ProductKey, now: Now) -> Option<Timestamp> {
        let seats = (product, Timestamp(0), Mac::FIRST)..=(product, Timestamp::MAX, Mac::LAST);
        let mut last = None;
        for (looked, (_, renew_by, mac)) in self.index.reusable_due.range(seats).enumerate() {
            let key = SeatKey {
                vendor: product.vendor,
                product: product.product,
                mac: *mac,
            };
            let license = self.seats.get(&key).and_then(|seat| self.licenses.get(&seat.serial));
            if license.is_some_and(|license| license.status(now.latest()).serves()) {
                return Some(*renew_by);
            }
            if looked + 1 == EARLIEST_LOOKS_MAX {
                last = Some(*renew_by);
                break;
            }
        }
        last
    }

    /// Seats of a license that nobody holds and no unit was spent of.
    pub(super) fn free_of(&self, license: &License) -> u32 {
        license
            .claims
            .seats
            .saturating_sub(self.index.used(license.claims.serial))
    }

    pub(super) fn put_license(&mut self, serial: Serial, license: Option<License>) {
        self.uncount(serial);
        match license {
            Some(license) => drop(self.licenses.insert(serial, license)),
            None => drop(self.licenses.remove(&serial)),
        }
        self.count(serial);
    }

    pub(super) fn put_seat(&mut self, key: &SeatKey, seat: Option<Seat>) {
        if let Some(old) = self.seats.remove(key) {
            if let Some(renew_by) = old.renew_by {
                self.index.due.remove(&(renew_by, *key));
                self.index.reusable_due.remove(&(key.product_key(), renew_by, key.mac));
            }
            self.index.holders.remove(&(old.serial, key.mac));
            self.index.conflicts -= u64::from(has_conflict(&old));
            self.use_units(old.serial, -1);
        }
        if let Some(new) = seat {
            if let Some(renew_by) = new.renew_by {
                self.index.due.insert((renew_by, *key));
                if !new.single_use {
                    self.index.reusable_due.insert((key.product_key(), renew_by, key.mac));
                }
            }
            self.index.holders.insert((new.serial, key.mac));
            self.index.conflicts += u64::from(has_conflict(&new));
            self.use_units(new.serial, 1);
            self.seats.insert(*key, new);
        }
    }

    pub(super) fn put_spent(&mut self, serial: Serial, unit: u32, spent: SpentUnit) {
        if self.spent.insert((serial, unit), spent).is_none() {
            self.use_units(serial, 1);
        }
    }

    pub(super) fn put_former(&mut self, key: &SeatKey, former: Option<FormerSeat>) {
        if let Some(old) = self.former.remove(key) {
            self.index.former_ended.remove(&(old.ended_at, *key));
        }
        if let Some(new) = former {
            self.index.former_ended.insert((new.ended_at, *key));
            self.former.insert(*key, new);
        }
    }

    fn use_units(&mut self, serial: Serial, by: i32) {
        self.uncount(serial);
        match self.index.used(serial).saturating_add_signed(by) {
            0 => drop(self.index.used.remove(&serial)),
            used => drop(self.index.used.insert(serial, used)),
        }
        self.count(serial);
    }

    /// Takes a license out of the sums over its product; [`Ledger::count`] puts it back with its new values.
    fn uncount(&mut self, serial: Serial) {
        let Some((open, tally)) = self.contribution(serial) else {
            return;
        };
        self.index.open.remove(&open);
        if let Some(ending) = self.index.ends.get_mut(&(open.product, open.ends_at)) {
            ending.licenses -= tally.licenses;
            ending.free -= tally.free;
            if ending.licenses == 0 {
                self.index.ends.remove(&(open.product, open.ends_at));
            }
        }
        if let Some(sum) = self.index.tallies.get_mut(&open.product) {
            sum.licenses -= tally.licenses;
            sum.total -= tally.total;
            sum.used -= tally.used;
            sum.free -= tally.free;
            if sum.licenses == 0 {
                self.index.tallies.remove(&open.product);
            }
        }
    }

    fn count(&mut self, serial: Serial) {
        let Some((open, tally)) = self.contribution(serial) else {
            return;
        };
        if tally.free > 0 {
            self.index.open.insert(open);
        }
        let ending = self.index.ends.entry((open.product, open.ends_at)).or_default();
        ending.licenses += tally.licenses;
        ending.free += tally.free;
        let sum = self.index.tallies.entry(open.product).or_default();
        sum.licenses += tally.licenses;
        sum.total += tally.total;
        sum.used += tally.used;
        sum.free += tally.free;
    }

    fn contribution(&self, serial: Serial) -> Option<(Open, Tally)> {
        let license = self.licenses.get(&serial)?;
        let open = Open {
            product: license.claims.product_key(),
            usage: license.claims.usage,
            ends_at: license.ends_at(),
            imported_at: license.imported_at,
            serial,
        };
        let tally = Tally {
            licenses: 1,
            total: u64::from(license.claims.seats),
            used: u64::from(self.index.used(serial)),
            free: u64::from(self.free_of(license)),
        };
        Some((open, tally))
    }
}

fn has_conflict(seat: &Seat) -> bool {
    seat.components
        .values()
        .any(|binding| matches!(binding, Binding::Identity(bound) if bound.conflict.is_some()))
}

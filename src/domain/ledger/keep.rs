//! Keeps the indexes: each from the old and the new value of one key alone, so that replay may pass through any state.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Ledger;
use super::index::{Open, Tally};
use crate::domain::blacklist::Listed;
use crate::domain::enrolment::Enrolled;
use crate::domain::ids::{Fingerprint, ProductKey, ReservationId, Serial};
use crate::domain::license::License;
use crate::domain::reservation::{Hold, Reservation};
use crate::domain::seat::{Binding, FormerSeat, LeftBehind, Seat, SeatKey, SpentUnit};
use crate::domain::time::Timestamp;

impl Ledger {
    pub(super) fn put_license(&mut self, serial: Serial, license: Option<License>) {
        self.uncount(serial);
        match license {
            Some(license) => drop(self.licenses.insert(serial, license)),
            None => drop(self.licenses.remove(&serial)),
        }
        self.count(serial);
    }

    pub(super) fn put_seat(&mut self, key: &SeatKey, seat: Option<Arc<Seat>>) {
        let seat = match (self.seats.get_mut(key), seat) {
            // Most of what happens: a renewal, which leaves everything that is counted as it is.
            (Some(old), Some(new)) if is_counted_alike(old, &new) => {
                let before = std::mem::replace(old, new);
                let (renew_by, single_use) = (old.renew_by, old.single_use);
                self.move_due(key, before.renew_by, renew_by, single_use);
                return;
            }
            (_, seat) => seat,
        };
        if let Some(old) = self.seats.remove(key) {
            if let Some(renew_by) = old.renew_by {
                self.index.due.remove(renew_by, key, old.single_use);
            }
            self.index.remove_holder(old.serial, key.mac);
            self.index.conflicts -= u64::from(has_conflict(&old));
            self.index.waiting -= u64::from(has_waiting(&old));
            self.count_holds(key.product_key(), &old, -1);
            self.use_units(old.serial, -1);
        }
        if let Some(new) = seat {
            if let Some(renew_by) = new.renew_by {
                self.index.due.insert(renew_by, key, new.single_use);
            }
            self.index.add_holder(new.serial, key.mac);
            self.index.conflicts += u64::from(has_conflict(&new));
            self.index.waiting += u64::from(has_waiting(&new));
            self.count_holds(key.product_key(), &new, 1);
            self.use_units(new.serial, 1);
            self.seats.insert(key, new);
        }
    }

    /// Moves a seat from one renew date to another.
    fn move_due(&mut self, key: &SeatKey, from: Option<Timestamp>, to: Option<Timestamp>, single_use: bool) {
        if from == to {
            return;
        }
        if let Some(from) = from {
            self.index.due.remove(from, key, single_use);
        }
        if let Some(to) = to {
            self.index.due.insert(to, key, single_use);
        }
    }

    pub(super) fn put_left(&mut self, key: &SeatKey, left: Option<LeftBehind>) {
        if let Some(old) = self.left.remove(key) {
            self.index.left_at.remove(&(old.left_at, *key));
        }
        if let Some(new) = left {
            self.index.left_at.insert((new.left_at, *key));
            self.left.insert(*key, new);
        }
    }

    fn count_holds(&mut self, product: ProductKey, seat: &Seat, by: i64) {
        adjust(&mut self.index.seats, product, by);
        for component in seat.components.keys() {
            adjust(&mut self.index.holding, (product, *component), by);
        }
    }

    pub(super) fn put_spent(&mut self, serial: Serial, unit: u32, spent: SpentUnit) {
        match self.spent.insert((serial, unit), spent) {
            None => self.use_units(serial, 1),
            Some(old) => {
                if let Some(id) = old.reservation {
                    self.index.committed.remove(&(id, old.mac, serial, unit));
                }
            }
        }
        if let Some(id) = spent.reservation {
            self.index.committed.insert((id, spent.mac, serial, unit));
        }
    }

    pub(super) fn put_reservation(&mut self, id: ReservationId, reservation: Option<Reservation>) {
        if let Some(old) = self.reservations.remove(&id) {
            self.index.lapses.remove(&(old.lapses_at, id));
            self.index.held.remove(&(old.product, old.lapses_at, id));
            for (serial, count) in old.units() {
                self.use_units(serial, -i64::from(count));
            }
        }
        if let Some(new) = reservation {
            self.index.lapses.insert((new.lapses_at, id));
            if matches!(new.hold, Hold::Seats(_)) {
                self.index.held.insert((new.product, new.lapses_at, id));
            }
            for (serial, count) in new.units() {
                self.use_units(serial, i64::from(count));
            }
            self.reservations.insert(id, new);
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

    pub(super) fn put_enrolled(&mut self, identity: Fingerprint, enrolled: Enrolled) {
        let stands = |one: &Enrolled| one.revoked_at.is_none();
        if let Some(old) = self.enrolled.insert(identity, enrolled).filter(stands) {
            self.index.enrolled.remove(&(old.token, identity));
            adjust(&mut self.index.enrolled_counts, old.token, -1);
        }
        if stands(&enrolled) {
            self.index.enrolled.insert((enrolled.token, identity));
            adjust(&mut self.index.enrolled_counts, enrolled.token, 1);
        }
    }

    fn use_units(&mut self, serial: Serial, by: i64) {
        self.uncount(serial);
        let used = i64::from(self.index.used(serial)).saturating_add(by);
        match u32::try_from(used.max(0)).unwrap_or(u32::MAX) {
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
        self.index.full.remove(&open);
        let of = (open.product, open.usage);
        if let Some(ends) = self.index.ends.get_mut(&of) {
            ends.remove(open.ends_at, tally.ending());
            if ends.is_empty() {
                self.index.ends.remove(&of);
            }
        }
        if let Some(sum) = self.index.tallies.get_mut(&of) {
            sum.licenses -= tally.licenses;
            sum.blacklisted -= tally.blacklisted;
            sum.superseded -= tally.superseded;
            sum.total -= tally.total;
            sum.used -= tally.used;
            sum.free -= tally.free;
            if sum.licenses == 0 {
                self.index.tallies.remove(&of);
            }
        }
    }

    fn count(&mut self, serial: Serial) {
        let Some((open, tally)) = self.contribution(serial) else {
            return;
        };
        if tally.free > 0 {
            self.index.open.insert(open);
        } else {
            self.index.full.insert(open);
        }
        let of = (open.product, open.usage);
        let ends = self.index.ends.entry(of).or_default();
        ends.add(open.ends_at, tally.ending());
        let sum = self.index.tallies.entry(of).or_default();
        sum.licenses += tally.licenses;
        sum.blacklisted += tally.blacklisted;
        sum.superseded += tally.superseded;
        sum.total += tally.total;
        sum.used += tally.used;
        sum.free += tally.free;
    }

    fn contribution(&self, serial: Serial) -> Option<(Open, Tally)> {
        let license = self.licenses.get(&serial)?;
        let open = Open {
            product: license.claims.product_key(),
            usage: license.claims.usage,
            ends_at: license.serves_until(),
            imported_at: license.imported_at,
            serial,
        };
        let tally = Tally {
            licenses: 1,
            blacklisted: u32::from(license.listed == Some(Listed::Blacklisted)),
            superseded: u32::from(license.listed == Some(Listed::Superseded)),
            total: u64::from(license.claims.seats),
            used: u64::from(self.index.used(serial)),
            free: u64::from(self.free_of(license)),
        };
        Some((open, tally))
    }
}

/// Whether all counts and indexes have the same of both but for the renew date.
fn is_counted_alike(old: &Seat, new: &Seat) -> bool {
    old.serial == new.serial
        && old.single_use == new.single_use
        && has_conflict(old) == has_conflict(new)
        && has_waiting(old) == has_waiting(new)
        && old.components.keys().eq(new.components.keys())
}

fn has_conflict(seat: &Seat) -> bool {
    let mut bindings = seat.components.values();
    bindings.any(|binding| matches!(binding, Binding::Identity(bound) if bound.others.conflict.is_some()))
}

fn has_waiting(seat: &Seat) -> bool {
    let mut bindings = seat.components.values();
    bindings.any(|binding| matches!(binding, Binding::Identity(bound) if bound.others.waiting.is_some()))
}

/// Adds `by` to a count, and forgets it at 0.
fn adjust<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K, by: i64) {
    let count = counts.get(&key).copied().unwrap_or(0).saturating_add_signed(by);
    match count {
        0 => drop(counts.remove(&key)),
        _ => drop(counts.insert(key, count)),
    }
}

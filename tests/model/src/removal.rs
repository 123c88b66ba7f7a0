//! Licenses that are taken off the server (rule S12).

use crate::ask::{Answer, Denial};
use crate::model::{Model, plain};
use crate::state::{EndCause, Reserved};
use crate::words::{Mac, Now, Serial, Usage};

/// What becomes of what a license held.
#[derive(Clone, Copy, Default)]
struct Counted {
    moved: u32,
    ended: u32,
    spent: u32,
    dropped: u32,
}

impl Model {
    pub(crate) fn remove(&mut self, serial: Serial, end_seats: bool, now: Now) -> Answer {
        let mut licenses = self.licenses.iter();
        if !licenses.any(|one| one.present() && one.key.serial == serial) {
            return plain(Denial::UnknownSerial);
        }
        let mut after = self.clone();
        let counted = after.take_off(serial, now);
        let lost = counted.ended + counted.dropped;
        if lost > 0 && !end_seats {
            return plain(Denial::LicenseInUse { seats: lost });
        }
        *self = after;
        Answer::Removed {
            moved: counted.moved,
            ended: counted.ended,
            spent: counted.spent,
            dropped: counted.dropped,
        }
    }

    fn take_off(&mut self, serial: Serial, now: Now) -> Counted {
        let mut counted = Counted::default();
        self.license_mut(serial).removed_at = Some(now.later());
        let product = self.license(serial).key.product;
        let usage = self.license(serial).key.usage;
        let seats = self.seats.iter().filter(|seat| seat.serial == serial);
        let mut seats: Vec<_> = seats.map(|seat| seat.key).collect();
        seats.sort_unstable();
        for key in seats {
            let place = self.seat_place(key).expect("it is held");
            let single_use = self.seats[place].single_use;
            let other = self.choose(product, Usage::Machine, now);
            if let Some(other) = other.filter(|_| !single_use) {
                self.seats[place].serial = other;
                self.seats[place].single_use = self.product(product).is_ok_and(|one| one.single_use);
                counted.moved += 1;
            } else {
                self.end(place, EndCause::LicenseRemoved, now.later());
                counted.ended += 1;
                counted.spent += u32::from(single_use);
            }
        }
        self.reservations.sort_by_key(|one| one.id);
        for place in 0..self.reservations.len() {
            let units = self.reservations[place].units().filter(|unit| unit.1 == serial);
            let macs: Vec<Mac> = units.map(|unit| unit.0).collect();
            for mac in macs {
                let other = self.choose(product, usage, now);
                let machines = &mut self.reservations[place].machines;
                machines.retain(|row| row.0 != mac);
                machines.extend(other.map(|other| (mac, Reserved::Unit(other))));
                machines.sort_unstable();
                counted.dropped += u32::from(other.is_none());
            }
            while let Some(one) = (self.reservations[place].held.iter()).position(|held| *held == serial) {
                let other = self.choose(product, usage, now);
                let held = &mut self.reservations[place].held;
                held.remove(one);
                held.extend(other);
                held.sort_unstable();
                counted.dropped += u32::from(other.is_none());
            }
        }
        self.reservations.retain(|one| !one.is_over());
        counted
    }
}

//! Licenses going out: their seats and reserved units move to others that have room (rule S12).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::allocate::Allocator;
use super::checkout::put_reservation;
use super::ending::Endings;
use super::{Decided, Ledger, Occasion};
use crate::domain::change::{Change, EventKind, Fact};
use crate::domain::denial::{Denial, Subject};
use crate::domain::ids::{Mac, ProductKey, ReservationId, Serial};
use crate::domain::license::{License, Tombstone, Usage};
use crate::domain::reply::{Removed, Reply};
use crate::domain::reservation::{HELD_LICENSES_MAX, Hold, Reservation, Reserved};
use crate::domain::seat::{EndCause, Seat, SeatKey};

/// Takes one license off the server.
struct Removal<'a> {
    ledger: &'a Ledger,
    occasion: Occasion,
    serial: Serial,
    product: ProductKey,
    /// Room on other licenses of the same usage.
    room: Allocator<'a>,
    endings: Endings<'a>,
    moved: Vec<Change>,
    removed: Removed,
}

impl Ledger {
    pub(super) fn remove_license(&self, occasion: Occasion, serial: Serial, end_seats: bool) -> Decided {
        let subject = Subject {
            serial: Some(serial),
            ..Subject::default()
        };
        let refuse = |denial| Decided::refused_about(denial, subject);
        let Some(license) = self.licenses.get(&serial) else {
            return refuse(Denial::UnknownSerial);
        };
        let product = license.claims.product_key();
        let usage = license.claims.usage;
        let mut removal = Removal {
            ledger: self,
            occasion,
            serial,
            product,
            room: Allocator::new(self, product, &[usage], occasion.now, Some(serial)),
            endings: Endings::new(self, occasion),
            moved: Vec::new(),
            removed: Removed::default(),
        };
        if usage == Usage::Machine {
            for mac in self.index.holders(serial) {
                removal.seat(mac);
            }
        }
        for (id, reservation) in &self.reservations {
            removal.reservation(*id, reservation);
        }
        let Removal {
            endings,
            moved,
            removed,
            ..
        } = removal;
        let without_room = removed.seats_ended + removed.dropped;
        if without_room > 0 && !end_seats {
            return refuse(Denial::LicenseInUse { seats: without_room });
        }
        let mut changes = endings.changes;
        changes.extend(moved);
        changes.extend(gone(occasion, license, removed.seats_ended));
        Decided {
            reply: Reply::LicenseRemoved(removed),
            changes,
        }
    }
}

/// The tombstone, and that the license is not here any more.
fn gone(occasion: Occasion, license: &License, seats_ended: u32) -> [Change; 2] {
    let serial = license.claims.serial;
    let tombstone = Tombstone {
        vendor: license.claims.vendor,
        product: license.claims.product,
        usage: license.claims.usage,
        seats: license.claims.seats,
        validity: license.claims.validity,
        imported_at: license.imported_at,
        removed_at: occasion.now.latest(),
    };
    let put = Fact::TombstonePut(serial, tombstone).into();
    let removed = EventKind::LicenseRemoved { serial, seats_ended };
    [put, occasion.change(Fact::LicenseRemoved(serial), removed)]
}

impl Removal<'_> {
    /// A seat moves if it comes back and finds room; otherwise it ends.
    fn seat(&mut self, mac: Mac) {
        let key = SeatKey {
            vendor: self.product.vendor,
            product: self.product.product,
            mac,
        };
        let Some(seat) = self.ledger.seats.get(&key) else {
            return;
        };
        let to = if seat.single_use { None } else { self.room.take() };
        let Some((_, to)) = to else {
            let now = self.occasion.now.latest();
            self.endings.end(key, seat, EndCause::LicenseRemoved, now, None);
            self.removed.seats_ended += 1;
            self.removed.spent += u32::from(seat.single_use);
            return;
        };
        let product = self.ledger.product(&self.product);
        let moved = Seat {
            serial: to,
            single_use: product.map_or(seat.single_use, |product| product.single_use),
            ..seat.clone()
        };
        let event = EventKind::SeatMoved {
            key,
            from: self.serial,
            to,
        };
        self.moved
            .push(self.occasion.change(Fact::SeatPut(key, Arc::new(moved)), event));
        self.removed.seats_moved += 1;
    }

    /// What a reservation has of the license goes to others, or is dropped.
    fn reservation(&mut self, id: ReservationId, reservation: &Reservation) {
        if reservation.product != self.product {
            return;
        }
        let mut next = reservation.clone();
        match &mut next.hold {
            Hold::Machines(machines) => self.units(machines),
            Hold::Seats(held) => self.held(held),
        }
        if next != *reservation {
            // The removal tells it.
            self.moved.push(put_reservation(id, next, Vec::new()));
        }
    }

    fn units(&mut self, machines: &mut BTreeMap<Mac, Reserved>) {
        machines.retain(|_, reserved| {
            if *reserved != Reserved::Unit(self.serial) {
                return true;
            }
            let to = self.room.take();
            if let Some((_, to)) = to {
                *reserved = Reserved::Unit(to);
            } else {
                self.removed.dropped += 1;
            }
            to.is_some()
        });
    }

    fn held(&mut self, held: &mut BTreeMap<Serial, u32>) {
        let mut left = held.remove(&self.serial).unwrap_or(0);
        while left > 0 && held.len() < HELD_LICENSES_MAX {
            let Some((_, to, taken)) = self.room.take_up_to(left) else {
                break;
            };
            *held.entry(to).or_insert(0) += taken;
            left -= taken;
        }
        self.removed.dropped += left;
    }
}

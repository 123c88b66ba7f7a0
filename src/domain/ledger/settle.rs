//! Commits and aborts the machines of a reservation (rules X2, X4). Each machine is decided on its own.

use std::collections::BTreeSet;

use super::allocate::Allocator;
use super::checkout::put_reservation;
use super::reserve::usages;
use super::units::NextUnits;
use super::{Decided, Ledger, Occasion};
use crate::domain::catalogue::Product;
use crate::domain::change::{Change, Event, EventKind, Fact};
use crate::domain::command::{Actor, Settle};
use crate::domain::denial::{Denial, Subject};
use crate::domain::ids::{Mac, ProductKey, ReservationId, Serial};
use crate::domain::license::{Tombstone, Usage};
use crate::domain::reply::{Reply, Settled};
use crate::domain::reservation::{Hold, Reservation, Reserved};
use crate::domain::seat::{SeatKey, SpentUnit};
use crate::domain::time::Now;

/// One command's work: what it has decided so far.
struct Work<'a> {
    ledger: &'a Ledger,
    occasion: Occasion,
    id: ReservationId,
    key: ProductKey,
    product: Result<&'a Product, Denial>,
    usages: &'static [Usage],
    licenses: Allocator<'a>,
    units: NextUnits,
    changes: Vec<Change>,
    /// What is to be told of units that are free again.
    aborted: Vec<Event>,
}

impl Ledger {
    /// Commits machines, or aborts them.
    pub(super) fn settle(&self, occasion: Occasion, settle: &Settle, commit: bool) -> Decided {
        let subject = Subject {
            product: Some(settle.product.product),
            ..Subject::default()
        };
        let refuse = |denial| Decided::refused_about(denial, subject);
        let key = match self.resolve(settle.product) {
            Ok(key) => key,
            Err(denial) => return refuse(denial),
        };
        let reservation = self.reservations.get(&settle.id);
        // What is reserved can be settled also where a newer catalogue does not name the product any more.
        let product = self.known(key);
        if let (None, Err(denial)) = (reservation, product) {
            return refuse(denial);
        }
        if reservation.is_some_and(|held| held.product != key) {
            return refuse(Denial::ReservationTaken);
        }
        if reservation.is_none() && settle.macs.is_empty() {
            return refuse(Denial::UnknownReservation);
        }
        let macs = match reservation.map(|held| &held.hold) {
            Some(Hold::Machines(machines)) if settle.macs.is_empty() => machines.keys().copied().collect(),
            _ => settle.macs.clone(),
        };
        let usages = product.map_or(&[] as &[Usage], |product| usages(product, settle.preferred_only));
        let mut work = Work {
            ledger: self,
            occasion,
            id: settle.id,
            key,
            product,
            usages,
            licenses: Allocator::new(self, key, usages, occasion.now, None),
            units: NextUnits::new(),
            changes: Vec::new(),
            aborted: Vec::new(),
        };
        let reserved = |mac: &Mac| match reservation.map(|held| &held.hold) {
            Some(Hold::Machines(machines)) => machines.get(mac).copied(),
            Some(Hold::Seats(_)) | None => None,
        };
        let mut rows = Vec::with_capacity(macs.len());
        for mac in &macs {
            let settled = if commit {
                work.commit(*mac, reserved(mac))
            } else {
                work.abort(*mac, reserved(mac))
            };
            rows.push((*mac, settled));
        }
        let gives_back_all = !commit && settle.macs.is_empty();
        let left = reservation.and_then(|held| left_of(held, &macs, gives_back_all));
        let changes = work.finish(left);
        Decided {
            reply: Reply::Settled {
                product: key.product,
                rows,
            },
            changes,
        }
    }
}

impl Ledger {
    /// Whether this commit would give a machine what was not set aside for it: a seat that it does not hold, or a unit that
    /// is not reserved.
    #[must_use]
    pub fn would_give_anew(&self, settle: &Settle, now: Now) -> bool {
        let occasion = Occasion {
            actor: Actor::Server,
            now,
        };
        let Reply::Settled { rows, .. } = self.settle(occasion, settle, true).reply else {
            return false;
        };
        let has_unit = |mac: &Mac| match self.reservations.get(&settle.id).map(|held| &held.hold) {
            Some(Hold::Machines(machines)) => matches!(machines.get(mac), Some(Reserved::Unit(_))),
            Some(Hold::Seats(_)) | None => false,
        };
        rows.iter().any(|(mac, settled)| match settled {
            Settled::Engaged(_) => true,
            Settled::Committed(_) => !has_unit(mac),
            Settled::AlreadyCommitted(_)
            | Settled::Covered(_)
            | Settled::GivenBack(_)
            | Settled::NothingReserved
            | Settled::Refused(_) => false,
        })
    }
}

/// What the reservation is without the machines that were settled; nothing where it stays as it is.
fn left_of(held: &Reservation, settled: &BTreeSet<Mac>, gives_back_all: bool) -> Option<Reservation> {
    let mut left = held.clone();
    match &mut left.hold {
        Hold::Machines(machines) => machines.retain(|mac, _| !settled.contains(mac)),
        Hold::Seats(seats) if gives_back_all => seats.clear(),
        Hold::Seats(_) => {}
    }
    (left != *held).then_some(left)
}

impl Work<'_> {
    /// All that was decided, with what is left of the reservation if that changes.
    fn finish(self, left: Option<Reservation>) -> Vec<Change> {
        let Self {
            occasion,
            id,
            mut changes,
            aborted: mut events,
            ..
        } = self;
        changes.extend(left.map(|left| {
            if left.is_empty() {
                events.push(occasion.event(EventKind::ReservationEnded {
                    reservation: id,
                    lapsed: false,
                }));
            }
            put_reservation(id, left, events)
        }));
        changes
    }

    fn commit(&mut self, mac: Mac, reserved: Option<Reserved>) -> Settled {
        match (reserved, self.committed(mac)) {
            (Some(Reserved::Unit(serial)), _) if self.serves(serial) => self.spend(mac, serial),
            (Some(Reserved::Unit(_)), _) | (_, None) => self.decide_anew(mac),
            (_, Some(serial)) => Settled::AlreadyCommitted(serial),
        }
    }

    fn abort(&mut self, mac: Mac, reserved: Option<Reserved>) -> Settled {
        match (reserved, self.seat_of(mac)) {
            (Some(Reserved::Unit(serial)), _) => {
                let event = EventKind::DeploymentAborted {
                    reservation: self.id,
                    mac,
                    serial,
                };
                self.aborted.push(self.occasion.event(event));
                return Settled::GivenBack(serial);
            }
            (Some(_), Some(serial)) => return Settled::Covered(serial),
            _ => {}
        }
        match self.committed(mac) {
            Some(serial) => Settled::AlreadyCommitted(serial),
            None => Settled::NothingReserved,
        }
    }

    /// As reserving would decide it for this machine alone.
    fn decide_anew(&mut self, mac: Mac) -> Settled {
        let key = self.seat_key(mac);
        let held = self.ledger.seats.get(&key);
        if let Some(seat) = held.filter(|seat| self.ledger.keeps_its_license(seat, self.occasion.now)) {
            return Settled::Covered(seat.serial);
        }
        let product = match self.product {
            Ok(product) => product,
            Err(denial) => return Settled::Refused(denial),
        };
        if let Some(product) = self.ledger.lacks(product, self.key, mac) {
            return Settled::Refused(Denial::RequiredProduct { product });
        }
        match self.licenses.take() {
            Some((Usage::Machine, serial)) => {
                let given = self
                    .ledger
                    .give_seat(self.occasion, key, product, serial, &mut self.units);
                self.changes.extend(given);
                Settled::Engaged(serial)
            }
            Some((Usage::Deployment, serial)) => self.spend(mac, serial),
            None => Settled::Refused(self.ledger.why_none(self.key, self.usages, self.occasion.now)),
        }
    }

    fn spend(&mut self, mac: Mac, serial: Serial) -> Settled {
        let unit = self.units.take(self.ledger, serial);
        let spent = SpentUnit {
            mac,
            spent_at: self.occasion.now.latest(),
            reservation: Some(self.id),
        };
        let event = EventKind::DeploymentCommitted {
            reservation: self.id,
            mac,
            serial,
        };
        self.changes
            .push(self.occasion.change(Fact::SpentPut(serial, unit, spent), event));
        Settled::Committed(serial)
    }

    /// The license whose unit was spent for this machine of this reservation before.
    fn committed(&self, mac: Mac) -> Option<Serial> {
        let product = |serial: &Serial| {
            let license = self.ledger.licenses.get(serial).map(|one| one.claims.product_key());
            license.or_else(|| self.ledger.tombstones.get(serial).map(Tombstone::product_key))
        };
        let mut spent = self.ledger.index.committed(self.id, mac);
        spent.find(|serial| product(serial) == Some(self.key))
    }

    fn serves(&self, serial: Serial) -> bool {
        let license = self.ledger.licenses.get(&serial);
        license.is_some_and(|one| one.status(self.occasion.now.latest()).serves())
    }

    const fn seat_key(&self, mac: Mac) -> SeatKey {
        SeatKey {
            vendor: self.key.vendor,
            product: self.key.product,
            mac,
        }
    }

    fn seat_of(&self, mac: Mac) -> Option<Serial> {
        self.ledger.seats.get(&self.seat_key(mac)).map(|seat| seat.serial)
    }
}

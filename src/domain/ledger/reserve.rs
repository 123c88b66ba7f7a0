//! Sets seats and units aside: for the machines of a deployment (rule X2) or for a rollout (rule X4).

use std::collections::{BTreeMap, BTreeSet};

use super::allocate::Allocator;
use super::checkout::{new_seat, put_reservation};
use super::{Decided, Ledger, Occasion};
use crate::domain::catalogue::Product;
use crate::domain::change::{Change, EventKind, Fact};
use crate::domain::command::{Actor, Reserve, Wanted};
use crate::domain::denial::{Denial, Subject};
use crate::domain::ids::{Mac, ProductKey, ReservationId};
use crate::domain::license::Usage;
use crate::domain::reply::{Reply, ReservationRow};
use crate::domain::reservation::{HELD_LICENSES_MAX, Hold, RESERVATIONS_MAX, RESERVE_SECS_MAX, Reservation, Reserved};
use crate::domain::seat::SeatKey;

/// A reservation whose product is known.
struct Asked<'a> {
    reserve: &'a Reserve,
    key: ProductKey,
    product: &'a Product,
    occasion: Occasion,
}

impl Asked<'_> {
    /// The usages of the licenses that may be used, the preferred one first (rule X5).
    fn usages(&self) -> &'static [Usage] {
        usages(self.product, self.reserve.preferred_only)
    }
}

/// The usages of the licenses that may be used for a deployment, the preferred one first (rule X5). Licenses that are here
/// serve also where the catalogue has none of their usage any more.
pub(super) fn usages(product: &Product, preferred_only: bool) -> &'static [Usage] {
    let usages = product.offers.order();
    if preferred_only {
        usages.get(..1).unwrap_or(usages)
    } else {
        usages
    }
}

impl Ledger {
    pub(super) fn reserve(&self, occasion: Occasion, reserve: &Reserve) -> Decided {
        let subject = Subject {
            product: Some(reserve.product.product),
            ..Subject::default()
        };
        let refuse = |denial| Decided::refused_about(denial, subject);
        let key = match self.resolve(reserve.product) {
            Ok(key) => key,
            Err(denial) => return refuse(denial),
        };
        if let Some(held) = self.reservations.get(&reserve.id) {
            let is_same_kind = matches!(
                (&held.hold, &reserve.wanted),
                (Hold::Machines(_), Wanted::Machines(_)) | (Hold::Seats(_), Wanted::Seats(_))
            );
            return if held.product == key && is_same_kind {
                Decided::unchanged(Reply::Reserved(Box::new(self.reservation_row(reserve.id, held))))
            } else {
                refuse(Denial::ReservationTaken)
            };
        }
        let product = match self.known(key) {
            Ok(product) => product,
            Err(denial) => return refuse(denial),
        };
        if reserve.secs == 0 || u64::from(reserve.secs) > RESERVE_SECS_MAX {
            return refuse(Denial::ReservationTooLong);
        }
        if self.reservations.len() >= RESERVATIONS_MAX {
            return refuse(Denial::TooManyReservations);
        }
        let asked = Asked {
            reserve,
            key,
            product,
            occasion,
        };
        match &reserve.wanted {
            Wanted::Machines(macs) => self.reserve_machines(&asked, macs),
            Wanted::Seats(count) => self.hold_seats(&asked, *count),
        }
    }

    /// The product's entry in the catalogue.
    pub(super) fn known(&self, key: ProductKey) -> Result<&Product, Denial> {
        match self.product(&key) {
            Some(product) => Ok(product),
            None if self.vendors.contains_key(&key.vendor) => Err(Denial::UnknownProduct),
            None => Err(Denial::UnknownVendor),
        }
    }

    /// A seat or a unit for each machine, or nothing at all.
    fn reserve_machines(&self, asked: &Asked<'_>, macs: &BTreeSet<Mac>) -> Decided {
        let Asked { key, occasion, .. } = *asked;
        let seat_of = |mac: Mac| SeatKey {
            vendor: key.vendor,
            product: key.product,
            mac,
        };
        let is_covered = |mac: &&Mac| self.seats.contains_key(&seat_of(**mac));
        let lacking = macs
            .iter()
            .filter(|mac| !is_covered(mac))
            .find_map(|mac| Some((*mac, self.lacks(asked.product, key, *mac)?)));
        if let Some((mac, product)) = lacking {
            let subject = Subject {
                product: Some(key.product),
                mac: Some(mac),
                ..Subject::default()
            };
            return Decided::refused_about(Denial::RequiredProduct { product }, subject);
        }
        let mut licenses = Allocator::new(self, key, asked.usages(), occasion.now, None);
        let mut machines = BTreeMap::new();
        let mut seats = Vec::new();
        for mac in macs {
            if is_covered(&mac) {
                machines.insert(*mac, Reserved::Covered);
                continue;
            }
            match licenses.take() {
                Some((Usage::Machine, serial)) => {
                    machines.insert(*mac, Reserved::Seat);
                    let seat = new_seat(asked.product, serial, occasion.now);
                    seats.extend(self.put_new_seat(occasion, seat_of(*mac), seat));
                }
                Some((Usage::Deployment, serial)) => drop(machines.insert(*mac, Reserved::Unit(serial))),
                None => return self.refuse_reservation(asked, Some(*mac)),
            }
        }
        self.made(asked, Hold::Machines(machines), seats)
    }

    /// So many seats for whoever checks out, or none at all.
    fn hold_seats(&self, asked: &Asked<'_>, count: u32) -> Decided {
        let mut licenses = Allocator::new(self, asked.key, &[Usage::Machine], asked.occasion.now, None);
        let mut held = BTreeMap::new();
        let mut left = count;
        while left > 0 {
            let Some((_, serial, taken)) = licenses.take_up_to(left) else {
                let now = asked.occasion.now;
                let why = self.why_none(asked.key, &[Usage::Machine], now);
                let subject = Subject {
                    product: Some(asked.key.product),
                    ..Subject::default()
                };
                let denied = self.denied(why, subject, asked.key, &[Usage::Machine], now);
                return Decided::unchanged(Reply::Denied(denied));
            };
            *held.entry(serial).or_insert(0) += taken;
            left -= taken;
            if held.len() > HELD_LICENSES_MAX {
                let subject = Subject {
                    product: Some(asked.key.product),
                    ..Subject::default()
                };
                return Decided::refused_about(Denial::ReservationTooLarge, subject);
            }
        }
        self.made(asked, Hold::Seats(held), Vec::new())
    }

    fn refuse_reservation(&self, asked: &Asked<'_>, mac: Option<Mac>) -> Decided {
        let now = asked.occasion.now;
        let subject = Subject {
            product: Some(asked.key.product),
            mac,
            ..Subject::default()
        };
        let why = self.why_none(asked.key, asked.usages(), now);
        Decided::unchanged(Reply::Denied(self.denied(why, subject, asked.key, asked.usages(), now)))
    }

    fn made(&self, asked: &Asked<'_>, hold: Hold, mut changes: Vec<Change>) -> Decided {
        let Asked {
            reserve, key, occasion, ..
        } = *asked;
        let reserved_at = occasion.now.latest();
        let reservation = Reservation {
            product: key,
            reserved_at,
            lapses_at: reserved_at.after_secs(reserve.secs.into()),
            by: match occasion.actor {
                Actor::Peer { identity, .. } => Some(identity),
                Actor::Server => None,
            },
            hold,
        };
        let event = EventKind::Reserved {
            reservation: reserve.id,
            product: key,
            units: reservation.units().map(|(_, count)| count).sum(),
        };
        let mut row = self.reservation_row(reserve.id, &reservation);
        let engaged = changes.iter().filter_map(|change| match &change.fact {
            Fact::SeatPut(seat_key, seat) => Some((seat_key.mac, seat.serial)),
            _ => None,
        });
        row.seats.extend(engaged);
        row.seats.sort_unstable();
        changes.push(put_reservation(reserve.id, reservation, vec![occasion.event(event)]));
        Decided {
            reply: Reply::Reserved(Box::new(row)),
            changes,
        }
    }

    /// The reservation with the seats that its machines hold.
    pub(super) fn reservation_row(&self, id: ReservationId, reservation: &Reservation) -> ReservationRow {
        let ProductKey { vendor, product } = reservation.product;
        let seats = match &reservation.hold {
            Hold::Machines(machines) => machines
                .keys()
                .filter_map(|mac| {
                    let key = SeatKey {
                        vendor,
                        product,
                        mac: *mac,
                    };
                    Some((*mac, self.seats.get(&key)?.serial))
                })
                .collect(),
            Hold::Seats(_) => Vec::new(),
        };
        ReservationRow {
            id,
            reservation: reservation.clone(),
            product_name: self.product_name(&reservation.product),
            seats,
        }
    }
}

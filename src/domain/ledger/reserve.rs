//! Sets seats and units aside: for the machines of a deployment (rule X2) or for a rollout (rule X4).

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;

use super::allocate::Allocator;
use super::checkout::{new_seat, put_reservation};
use super::units::NextUnits;
use super::{Decided, Ledger, Occasion};
use crate::domain::catalogue::Product;
use crate::domain::change::{Change, EventKind, Fact, SetAside};
use crate::domain::command::{Actor, Reserve, Wanted};
use crate::domain::denial::{Denial, Denied, Subject};
use crate::domain::ids::{Mac, ProductKey, ReservationId, Serial};
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

    /// What a refusal is about.
    fn subject(&self, mac: Option<Mac>) -> Subject {
        Subject {
            product: Some(self.key.product),
            mac,
            ..Subject::default()
        }
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
        // A name under which units were spent is used up, or the next deployment would be "already committed".
        if self.index.has_committed(reserve.id) {
            return refuse(Denial::ReservationTaken);
        }
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
        let is_covered = |mac: &&Mac| {
            let seat = self.seats.get(&seat_of(**mac));
            seat.is_some_and(|seat| self.keeps_its_license(seat, occasion.now))
        };
        let lacking = macs
            .iter()
            .filter(|mac| !is_covered(mac))
            .find_map(|mac| Some((*mac, self.lacks(asked.product, key, *mac)?)));
        if let Some((mac, product)) = lacking {
            return Decided::refused_about(Denial::RequiredProduct { product }, asked.subject(Some(mac)));
        }
        let mut licenses = Allocator::new(self, key, asked.usages(), occasion.now, None);
        let mut machines = BTreeMap::new();
        let mut seats = Vec::new();
        let mut units = NextUnits::new();
        for mac in macs {
            if is_covered(&mac) {
                machines.insert(*mac, Reserved::Covered);
                continue;
            }
            match licenses.take() {
                Some((Usage::Machine, serial)) => {
                    machines.insert(*mac, Reserved::Seat);
                    seats.extend(self.give_seat(occasion, seat_of(*mac), asked.product, serial, &mut units));
                }
                Some((Usage::Deployment, serial)) => drop(machines.insert(*mac, Reserved::Unit(serial))),
                None => {
                    let lacking = macs.range(mac..).filter(|mac| !is_covered(mac)).count();
                    let lacked = u32::try_from(lacking).unwrap_or(u32::MAX);
                    return self.refuse_for_want(asked, asked.usages(), Some(*mac), lacked);
                }
            }
        }
        self.made(asked, Hold::Machines(machines), seats)
    }

    /// A seat of this license for a deployment: a new one, or the machine's own that leaves a license which does not serve
    /// any more. Only its component's next checkout renews it.
    pub(super) fn give_seat(
        &self,
        occasion: Occasion,
        key: SeatKey,
        product: &Product,
        serial: Serial,
        units: &mut NextUnits,
    ) -> Vec<Change> {
        let Some(held) = self.seats.get(&key) else {
            return self.put_new_seat(occasion, key, new_seat(product, serial, occasion.now));
        };
        let mut seat = held.clone();
        let (spent, moved) = self.leave_license(occasion, key, &mut seat, serial, product, units);
        let put = occasion.change(Fact::SeatPut(key, Arc::new(seat)), moved);
        spent.into_iter().chain([put]).collect()
    }

    /// So many seats for whoever checks out, or none at all.
    fn hold_seats(&self, asked: &Asked<'_>, count: u32) -> Decided {
        let mut licenses = Allocator::new(self, asked.key, &[Usage::Machine], asked.occasion.now, None);
        let mut held = BTreeMap::new();
        let mut left = count;
        while left > 0 {
            let Some((_, serial, taken)) = licenses.take_up_to(left) else {
                return self.refuse_for_want(asked, &[Usage::Machine], None, left);
            };
            *held.entry(serial).or_insert(0) += taken;
            left -= taken;
            if held.len() > HELD_LICENSES_MAX {
                return Decided::refused_about(Denial::ReservationTooLarge, asked.subject(None));
            }
        }
        self.made(asked, Hold::Seats(held), Vec::new())
    }

    /// A machine, or a seat of a number of them, finds no license of these usages; so many find none.
    fn refuse_for_want(&self, asked: &Asked<'_>, usages: &[Usage], mac: Option<Mac>, lacked: u32) -> Decided {
        let now = asked.occasion.now;
        let why = self.why_none(asked.key, usages, now);
        let denied = Denied {
            lacked: NonZeroU32::new(lacked),
            ..self.denied(why, asked.subject(mac), asked.key, usages, now)
        };
        Decided::unchanged(Reply::Denied(denied))
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
        let events = told_of(&reservation).map(|(what, count)| {
            occasion.event(EventKind::Reserved {
                reservation: reserve.id,
                product: key,
                what,
                count,
            })
        });
        let events = events.collect();
        let mut row = self.reservation_row(reserve.id, &reservation);
        let engaged = changes.iter().filter_map(|change| match &change.fact {
            Fact::SeatPut(seat_key, seat) => Some((seat_key.mac, seat.serial)),
            _ => None,
        });
        for (mac, serial) in engaged {
            row.seats.retain(|(holder, _)| *holder != mac);
            row.seats.push((mac, serial));
        }
        row.seats.sort_unstable();
        changes.push(put_reservation(reserve.id, reservation, events));
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

/// What is told of a new reservation: its machines, and the units if any of them needs one; or the seats that it holds.
fn told_of(reservation: &Reservation) -> impl Iterator<Item = (SetAside, u32)> {
    let count = reservation.units().map(|(_, count)| count).sum();
    let (first, second) = match &reservation.hold {
        Hold::Machines(machines) => {
            let machines = u32::try_from(machines.len()).unwrap_or(u32::MAX);
            ((SetAside::Machines, machines), Some((SetAside::Units, count)))
        }
        Hold::Seats(_) => ((SetAside::HeldSeats, count), None),
    };
    [first].into_iter().chain(second.filter(|(_, units)| *units > 0))
}

//! Reservations (rules X1, X2, X4, X5).

use crate::ask::{Answer, Denial, Rollout};
use crate::model::{Model, plain};
use crate::state::{Reservation, Reserved};
use crate::words::{DAY, Mac, Now, Product, ProductKey, ReservationId, SeatKey, Serial, Usage};

/// Reservations that can be here.
const RESERVATIONS_MAX: usize = 4_096;

/// Licenses that one reservation for a number can be spread over.
const LICENSES_MAX: usize = 1_024;

impl Model {
    pub(crate) fn reserve(
        &mut self,
        id: ReservationId,
        product: ProductKey,
        for_secs: Option<u64>,
        what: &Rollout,
        preferred_only: bool,
        now: Now,
    ) -> Answer {
        if let Some(here) = self.reservations.iter().find(|one| one.id == id) {
            let same = here.product == product && here.for_number == matches!(what, Rollout::Count(_));
            return if same {
                self.still_has(here)
            } else {
                plain(Denial::ReservationTaken)
            };
        }
        let product = match self.product(product) {
            Ok(product) => product.clone(),
            Err(denial) => return plain(denial),
        };
        let mut spent = self.licenses.iter().flat_map(|license| &license.spent);
        if spent.any(|unit| unit.reservation == Some(id)) {
            return plain(Denial::ReservationTaken);
        }
        let for_secs = for_secs.unwrap_or(2 * DAY);
        if !(1..=30 * DAY).contains(&for_secs) {
            return plain(Denial::ReservationTooLong);
        }
        if self.reservations.len() >= RESERVATIONS_MAX {
            return plain(Denial::TooManyReservations);
        }
        // All or none: a copy is thrown away where it does not work out.
        let mut after = self.clone();
        let mut reservation = Reservation {
            id,
            product: product.key,
            for_number: false,
            made_at: now.later(),
            ends_at: now.later() + for_secs,
            machines: Vec::new(),
            held: Vec::new(),
        };
        let decided = match what {
            Rollout::Machines(macs) => after.reserve_machines(&mut reservation, &product, macs, preferred_only, now),
            Rollout::Count(count) => after.reserve_number(&mut reservation, *count, now),
        };
        match decided {
            Ok(()) => {
                *self = after;
                self.still_has(&reservation)
            }
            Err(denial) => {
                let usages = match what {
                    Rollout::Machines(_) => usages(&product, preferred_only),
                    Rollout::Count(_) => vec![Usage::Machine],
                };
                Answer::Denied {
                    denial,
                    seats: Some(self.seats_in_use(product.key, &usages, now)),
                    former: None,
                }
            }
        }
    }

    fn reserve_machines(
        &mut self,
        reservation: &mut Reservation,
        product: &Product,
        macs: &[Mac],
        preferred_only: bool,
        now: Now,
    ) -> Result<(), Denial> {
        let mut macs = macs.to_vec();
        macs.sort_unstable();
        macs.dedup();
        let lacks = |mac: &Mac| {
            let seat = SeatKey {
                product: product.key,
                mac: *mac,
            };
            !self.is_covered(seat, now) && self.lacks_required(product, seat)
        };
        if macs.iter().any(lacks) {
            return Err(Denial::RequiredProduct);
        }
        // Looked up anew for each machine, so that what is reserved counts as used at once.
        self.reservations.push(reservation.clone());
        let here = self.reservations.len() - 1;
        for mac in macs {
            let reserved = self.provide(product, mac, preferred_only, now)?;
            self.reservations[here].machines.push((mac, reserved));
        }
        *reservation = self.reservations[here].clone();
        self.reservations.retain(|one| !one.is_over());
        Ok(())
    }

    /// What one machine is given: a seat is engaged, a unit only named.
    pub(crate) fn provide(
        &mut self,
        product: &Product,
        mac: Mac,
        preferred_only: bool,
        now: Now,
    ) -> Result<Reserved, Denial> {
        let key = product.key;
        let seat = SeatKey { product: key, mac };
        if self.is_covered(seat, now) {
            return Ok(Reserved::Covered);
        }
        if self.lacks_required(product, seat) {
            return Err(Denial::RequiredProduct);
        }
        let usages = usages(product, preferred_only);
        for usage in &usages {
            match (usage, self.choose(key, *usage, now)) {
                (Usage::Machine, Some(serial)) => {
                    match self.seat_place(seat) {
                        Some(place) => self.move_seat(place, product, serial, now),
                        None => drop(self.engage(product, seat, serial, now)),
                    }
                    return Ok(Reserved::Seat);
                }
                (Usage::Deployment, Some(serial)) => return Ok(Reserved::Unit(serial)),
                (_, None) => {}
            }
        }
        Err(self.why_none(key, &usages, now))
    }

    /// Whether the machine's seat covers it: its license serves, or it is single use and the license serves by the
    /// steady time.
    pub(crate) fn is_covered(&self, seat: SeatKey, now: Now) -> bool {
        let Some(place) = self.seat_place(seat) else {
            return false;
        };
        let license = self.license(self.seats[place].serial);
        self.serves(license, now) || self.stays(place, now)
    }

    fn reserve_number(&mut self, reservation: &mut Reservation, count: u32, now: Now) -> Result<(), Denial> {
        reservation.for_number = true;
        self.reservations.push(reservation.clone());
        let here = self.reservations.len() - 1;
        for _ in 0..count {
            let Some(serial) = self.choose(reservation.product, Usage::Machine, now) else {
                return Err(self.why_no_seat(reservation.product, now));
            };
            self.reservations[here].held.push(serial);
        }
        let held: &mut Vec<Serial> = &mut self.reservations[here].held;
        held.sort_unstable();
        let mut serials = held.clone();
        serials.dedup();
        if serials.len() > LICENSES_MAX {
            return Err(Denial::ReservationTooLarge);
        }
        *reservation = self.reservations[here].clone();
        self.reservations.retain(|one| !one.is_over());
        Ok(())
    }

    fn still_has(&self, here: &Reservation) -> Answer {
        let of = |mac| {
            let product = here.product;
            let seat = self.seats.iter().find(|seat| seat.key == SeatKey { product, mac })?;
            Some((mac, seat.serial))
        };
        Answer::Reserved {
            ends_at: here.ends_at,
            machines: here.machines.clone(),
            seats: here.machines.iter().filter_map(|row| of(row.0)).collect(),
            held: here.held.clone(),
        }
    }
}

/// The usages that are looked at, the preferred one first.
fn usages(product: &Product, preferred_only: bool) -> Vec<Usage> {
    match product.offers.first() {
        Some(Usage::Deployment) if preferred_only => vec![Usage::Deployment],
        Some(Usage::Deployment) => vec![Usage::Deployment, Usage::Machine],
        _ if preferred_only => vec![Usage::Machine],
        _ => vec![Usage::Machine, Usage::Deployment],
    }
}

//! "Order of a checkout".

use crate::ask::{Answer, Checkout, Denial, GrantKind};
use crate::binding::Binding;
use crate::model::{Model, number};
use crate::state::{Conflict, ConflictKind, Hold, Status, Waiting};
use crate::words::{Component, Identity, Now, Product, ProductKey, SeatKey, Serial, Usage};

/// Components that one seat can have.
const COMPONENTS_MAX: u32 = 64;

impl Model {
    pub(crate) fn check_out(&mut self, identity: Identity, asked: &Checkout, now: Now) -> Answer {
        let key = asked.seat.product;
        let found = self.product(key).and_then(|product| {
            let mut components = product.components.iter();
            let component = components.find(|one| one.id == asked.component);
            Ok((product.clone(), *component.ok_or(Denial::UnknownComponent)?))
        });
        let (product, component) = match found {
            Ok(found) => found,
            Err(denial) => {
                return Answer::Denied {
                    denial,
                    seats: None,
                    former: self.former_of(asked.seat),
                };
            }
        };
        if !component.counted {
            return Answer::NotCounted(self.counts(key, now));
        }
        if self.lacks_required(&product, asked.seat) {
            return self.refuse(asked.seat, Denial::RequiredProduct, now);
        }
        let decided = match self.seat_place(asked.seat) {
            Some(place) => self.renew(place, &product, component, identity, asked, now),
            None if self.is_refused_copy(&product, component, identity, asked, now) => Err(Denial::Conflict),
            None => self.grant(&product, asked.seat, now),
        };
        match decided {
            Ok(kind) => self.hold(kind, &product, component, identity, asked, now),
            Err(denial) => self.refuse(asked.seat, denial, now),
        }
    }

    /// Whether what the component left behind shows a copy, and the catalogue has such refused.
    fn is_refused_copy(
        &self,
        product: &Product,
        component: Component,
        identity: Identity,
        asked: &Checkout,
        now: Now,
    ) -> bool {
        let left = self
            .left_place(asked.seat, component.id)
            .map(|place| &self.left[place].binding);
        let left = left.filter(|left| left.identity == identity && !component.ephemeral);
        let shown = left.and_then(|left| left.copy_shown(identity, asked.continuation, now.steady));
        shown.is_some() && product.refuse_conflicts
    }

    /// Whether the machine holds no seat of the product that this one requires (rule S15).
    pub(crate) fn lacks_required(&self, product: &Product, seat: SeatKey) -> bool {
        product.required.is_some_and(|id| {
            let product = ProductKey { id, ..seat.product };
            self.seat_place(SeatKey { product, ..seat }).is_none()
        })
    }

    fn refuse(&self, seat: SeatKey, denial: Denial, now: Now) -> Answer {
        Answer::Denied {
            denial,
            seats: Some(self.seats_in_use(seat.product, &[Usage::Machine], now)),
            former: self.former_of(seat),
        }
    }

    /// The machine holds the seat.
    fn renew(
        &mut self,
        place: usize,
        product: &Product,
        component: Component,
        identity: Identity,
        asked: &Checkout,
        now: Now,
    ) -> Result<GrantKind, Denial> {
        let seat = &mut self.seats[place];
        let hold = seat.hold(component.id);
        if hold.is_none() && number(seat.holds.len()) >= COMPONENTS_MAX {
            return Err(Denial::TooManyComponents);
        }
        if hold.is_none() && self.is_refused_copy(product, component, identity, asked, now) {
            return Err(Denial::Conflict);
        }
        let seat = &mut self.seats[place];
        if let Some(hold) = hold.filter(|_| !component.ephemeral) {
            let hold = &mut seat.holds[hold];
            if asked.approve && hold.identity().is_some_and(|bound| bound != identity) {
                let same = hold.waiting.filter(|waiting| waiting.identity == identity);
                let since = same.map_or(now.steady, |waiting| waiting.since);
                hold.waiting = Some(Waiting { identity, since });
                return Err(Denial::RebindPending);
            }
            let shown = hold.copy_shown(identity, asked.continuation, now);
            if let Some(kind) = shown.filter(|_| product.refuse_conflicts) {
                hold.note(kind, now);
                return Err(Denial::Conflict);
            }
        }
        let from = seat.serial;
        let status = self.status(self.license(from), now);
        if status == Status::Valid {
            return Ok(GrantKind::Renewed);
        }
        let serial = self.choose(product.key, Usage::Machine, now);
        let Some(serial) = serial.filter(|_| !self.stays(place, now)) else {
            return Err(match status {
                Status::Blacklisted => Denial::LicenseBlacklisted,
                Status::Superseded => Denial::LicenseSuperseded,
                Status::Expired | Status::Valid => Denial::LicenseExpired,
            });
        };
        self.move_seat(place, product, serial, now);
        Ok(GrantKind::Renewed)
    }

    /// A single-use seat does not move off a license that serves by the steady time: a jump may be rejected.
    pub(crate) fn stays(&self, place: usize, now: Now) -> bool {
        let steady = Now {
            steady: now.steady,
            calendar: now.steady,
        };
        let seat = &self.seats[place];
        seat.single_use && self.serves(self.license(seat.serial), steady)
    }

    /// The seat leaves a license that does not serve; the unit of a single-use one stays spent there.
    pub(crate) fn move_seat(&mut self, place: usize, product: &Product, to: Serial, now: Now) {
        let (from, key) = (self.seats[place].serial, self.seats[place].key);
        if self.seats[place].single_use {
            self.spend(from, key, now.later());
        }
        self.seats[place].serial = to;
        self.seats[place].single_use = product.single_use;
    }

    /// The machine holds no seat.
    fn grant(&mut self, product: &Product, seat: SeatKey, now: Now) -> Result<GrantKind, Denial> {
        let serial = match self.take_held(product.key, now) {
            Some(serial) => serial,
            None => self
                .choose(product.key, Usage::Machine, now)
                .ok_or_else(|| self.why_no_seat(product.key, now))?,
        };
        let former = self.engage(product, seat, serial, now);
        Ok(former.map_or(GrantKind::Granted, GrantKind::EngagedAgain))
    }

    pub(crate) fn why_no_seat(&self, product: ProductKey, now: Now) -> Denial {
        self.why_none(product, &[Usage::Machine], now)
    }

    /// Takes a held seat out of the reservation that lapses first (rule X4).
    fn take_held(&mut self, product: ProductKey, now: Now) -> Option<Serial> {
        let serving = |serial: &Serial| self.serves(self.license(*serial), now);
        let place = (0..self.reservations.len())
            .filter(|place| self.reservations[*place].product == product)
            .filter(|place| self.reservations[*place].held.iter().any(serving))
            .min_by_key(|place| (self.reservations[*place].ends_at, self.reservations[*place].id))?;
        let held = self.reservations[place].held.iter();
        let serial = *held.filter(|serial| serving(serial)).min_by_key(|serial| {
            let license = self.license(**serial);
            (license.ends_at(), license.first_import, license.key.serial)
        })?;
        let reservation = &mut self.reservations[place];
        let one = reservation.held.iter().position(|held| *held == serial)?;
        reservation.held.remove(one);
        self.reservations.retain(|one| !one.is_over());
        Some(serial)
    }

    /// The checkout is granted: the component holds the seat, which is renewed.
    fn hold(
        &mut self,
        kind: GrantKind,
        product: &Product,
        component: Component,
        identity: Identity,
        asked: &Checkout,
        now: Now,
    ) -> Answer {
        let left = self
            .take_up(asked.seat, component.id)
            .filter(|left| left.identity == identity);
        let place = self.seat_place(asked.seat).expect("it was engaged or renewed");
        let seat = &mut self.seats[place];
        seat.renewed_at = now.later();
        seat.renew_by = product.idle_secs.map(|secs| now.later() + secs);
        let hold = seat.hold(component.id).unwrap_or_else(|| {
            seat.holds.push(Hold {
                component: component.id,
                binding: None,
                conflict: None,
                waiting: None,
            });
            seat.holds.len() - 1
        });
        let hold = &mut seat.holds[hold];
        if !component.ephemeral {
            if let Some(kind) = hold.copy_shown(identity, asked.continuation, now) {
                hold.note(kind, now);
            }
            let shown = left
                .as_ref()
                .and_then(|left| left.copy_shown(identity, asked.continuation, now.steady));
            if let Some(kind) = shown {
                hold.note(kind, now);
            }
            let binding = hold.binding.take().or(left);
            let mut binding = binding.unwrap_or_else(|| Binding::new(identity, asked.continuation));
            binding.visit(identity, asked.continuation, now.steady);
            hold.binding = Some(binding);
            hold.waiting = hold.waiting.filter(|_| asked.approve);
        }
        let conflict = hold.conflict;
        self.untold = Some((asked.seat, component.id));
        Answer::Seat {
            kind,
            serial: seat.serial,
            acquired_at: seat.acquired_at,
            renew_by: seat.renew_by,
            conflict,
            offline_days: product.offline_days,
        }
    }
}

impl Hold {
    fn copy_shown(&self, identity: Identity, sent: u64, now: Now) -> Option<ConflictKind> {
        self.binding.as_ref()?.copy_shown(identity, sent, now.steady)
    }

    fn note(&mut self, kind: ConflictKind, now: Now) {
        self.conflict = Some(Conflict {
            kind,
            since: self.conflict.map_or(now.steady, |seen| seen.since),
            last_seen: now.steady,
            count: self.conflict.map_or(1, |seen| seen.count + 1),
        });
    }
}

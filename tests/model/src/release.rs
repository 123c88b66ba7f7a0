//! Seats that are given up or taken back, conflicts that are resolved, identities that are approved.

use crate::ask::{Answer, Denial};
use crate::binding::Binding;
use crate::model::{Model, number, plain};
use crate::state::{EndCause, Hold};
use crate::words::{Identity, Mac, Now, ProductKey, SeatKey};

impl Model {
    pub(crate) fn release(&mut self, identity: Identity, seat: SeatKey, component: &str, now: Now) -> Answer {
        let Some(place) = self.seat_place(seat) else {
            return Answer::NothingHeld;
        };
        let Some(hold) = self.seats[place].hold(component) else {
            return Answer::NothingHeld;
        };
        let binding = self.seats[place].holds[hold].binding.as_ref();
        let Some(binding) = binding.filter(|binding| binding.identity == identity) else {
            return plain(Denial::IdentityNotBound);
        };
        match binding.rebound_until(now.steady) {
            Some(until) => plain(Denial::ReboundRecently { until }),
            None => self.let_go(place, hold, EndCause::Released, now),
        }
    }

    pub(crate) fn end_seat(&mut self, seat: SeatKey, component: Option<&str>, now: Now) -> Answer {
        let Some(place) = self.seat_place(seat) else {
            return Answer::NothingHeld;
        };
        let Some(component) = component else {
            self.end(place, EndCause::Administrator, now.later());
            return Answer::Released {
                seat_freed: true,
                components_left: 0,
            };
        };
        match self.seats[place].hold(component) {
            Some(hold) => self.let_go(place, hold, EndCause::Administrator, now),
            None => Answer::NothingHeld,
        }
    }

    /// Only with the last counted component does the seat become free (rule S8). One that a later catalogue made
    /// uncounted does not keep it; one that it dropped does.
    fn let_go(&mut self, place: usize, hold: usize, cause: EndCause, now: Now) -> Answer {
        let gone = self.seats[place].holds.remove(hold);
        self.leave(self.seats[place].key, &gone, now.later());
        let seat = &self.seats[place];
        let counted = |hold: &&Hold| {
            let product = self.product(seat.key.product).ok();
            let mut components = product.iter().flat_map(|product| &product.components);
            components.all(|one| one.id != hold.component || one.counted)
        };
        let components_left = number(seat.holds.iter().filter(counted).count());
        if components_left == 0 {
            self.end(place, cause, now.later());
        }
        Answer::Released {
            seat_freed: components_left == 0,
            components_left,
        }
    }

    pub(crate) fn resolve(&mut self, mac: Mac, product: Option<ProductKey>) -> Answer {
        let is_meant = |key: SeatKey| key.mac == mac && product.is_none_or(|product| key.product == product);
        let before = self.left.len();
        self.left.retain(|left| !is_meant(left.seat));
        let mut resolved = number(before - self.left.len());
        let seats = self.seats.iter_mut().filter(|seat| is_meant(seat.key));
        for hold in seats.flat_map(|seat| &mut seat.holds) {
            if hold.conflict.is_some() || hold.waiting.is_some() {
                hold.binding = hold.waiting.take().map(|waiting| Binding::approved(waiting.identity));
                hold.conflict = None;
                resolved += 1;
            }
        }
        Answer::Resolved(resolved)
    }
}

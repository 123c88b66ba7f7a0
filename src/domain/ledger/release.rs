//! Giving up seats: a component that is uninstalled (rule S8), an administrator who takes one back (rule S11).

use std::sync::Arc;

use super::ending::Endings;
use super::{Decided, Ledger, Occasion};
use crate::domain::change::{EventKind, Fact};
use crate::domain::command::{Actor, ProductName, Release};
use crate::domain::denial::{Denial, Subject};
use crate::domain::ids::{ComponentId, Mac};
use crate::domain::reply::Reply;
use crate::domain::seat::{Binding, EndCause, Seat, SeatKey};
use crate::domain::time::DAY_SECS;

/// For so long after it took another one's place an identity cannot release, in seconds (rule I7).
const REBOUND_HOLD_SECS: u64 = 30 * DAY_SECS;

impl Ledger {
    pub(super) fn release(&self, occasion: Occasion, release: &Release) -> Decided {
        let Release { key, component } = *release;
        let Some(seat) = self.seats.get(&key) else {
            return Decided::unchanged(Reply::NothingHeld);
        };
        let Some(binding) = seat.components.get(&component) else {
            return Decided::unchanged(Reply::NothingHeld);
        };
        let subject = Subject {
            product: Some(key.product),
            component: Some(component),
            mac: Some(key.mac),
            serial: None,
        };
        let refuse = |denial| Decided::refused_about(denial, subject);
        let bound = match (occasion.actor, binding) {
            (Actor::Peer { identity, .. }, Binding::Identity(bound)) if bound.identity == identity => bound,
            _ => return refuse(Denial::IdentityNotBound),
        };
        let until = bound.others.rebound_at.map(|at| at.after_secs(REBOUND_HOLD_SECS));
        match until.filter(|until| occasion.now.steady < *until) {
            Some(until) => refuse(Denial::ReboundRecently { until }),
            None => self.let_go(occasion, key, seat, component, None),
        }
    }

    pub(super) fn end_seat(
        &self,
        occasion: Occasion,
        mac: Mac,
        name: ProductName,
        component: Option<ComponentId>,
        reason: &str,
    ) -> Decided {
        let product = match self.resolve(name) {
            Ok(product) => product,
            Err(denial) => {
                let subject = Subject {
                    product: Some(name.product),
                    component,
                    mac: Some(mac),
                    serial: None,
                };
                return Decided::refused_about(denial, subject);
            }
        };
        let key = SeatKey {
            vendor: product.vendor,
            product: product.product,
            mac,
        };
        let Some(seat) = self.seats.get(&key) else {
            return Decided::unchanged(Reply::NothingHeld);
        };
        match component {
            Some(id) if !seat.components.contains_key(&id) => Decided::unchanged(Reply::NothingHeld),
            Some(id) => self.let_go(occasion, key, seat, id, Some(reason)),
            None => {
                let mut endings = Endings::new(self, occasion);
                let ended_at = occasion.now.latest();
                endings.end(key, seat, EndCause::Administrator, ended_at, Some(reason.to_owned()));
                let reply = Reply::Released {
                    seat_freed: true,
                    components_left: 0,
                };
                Decided {
                    reply,
                    changes: endings.changes,
                }
            }
        }
    }

    /// Components that hold the seat: all of them but those that a newer catalogue does not count (rule S8).
    fn counted_components(&self, key: &SeatKey, seat: &Seat) -> u32 {
        let product = self.product(&key.product_key());
        let is_counted = |id: &&ComponentId| {
            product
                .and_then(|product| product.components.get(*id))
                .is_none_or(|component| component.counted)
        };
        let counted = seat.components.keys().filter(is_counted).count();
        u32::try_from(counted).unwrap_or(u32::MAX)
    }

    /// Takes a component off a seat; the seat is free when the last one is gone (rule S8).
    fn let_go(
        &self,
        occasion: Occasion,
        key: SeatKey,
        seat: &Seat,
        component: ComponentId,
        reason: Option<&str>,
    ) -> Decided {
        let reason = reason.map(str::to_owned);
        let whole = seat;
        let mut seat = seat.clone();
        let binding = seat.components.remove(&component);
        let released = EventKind::ComponentReleased {
            key,
            component,
            reason: reason.clone(),
        };
        let components_left = self.counted_components(&key, &seat);
        if components_left > 0 {
            let reply = Reply::Released {
                seat_freed: false,
                components_left,
            };
            let left = self.leave_behind(
                key,
                binding.as_ref().map(|binding| (&component, binding)),
                occasion.now.latest(),
                occasion.now,
            );
            let put = occasion.change(Fact::SeatPut(key, Arc::new(seat)), released);
            let changes = [put].into_iter().chain(left).collect();
            return Decided { reply, changes };
        }
        let cause = if reason.is_some() {
            EndCause::Administrator
        } else {
            EndCause::Released
        };
        let mut endings = Endings::new(self, occasion);
        endings.end(key, whole, cause, occasion.now.latest(), reason);
        let mut changes = endings.changes;
        if let Some(first) = changes.first_mut() {
            first.events.insert(0, occasion.event(released));
        }
        Decided {
            reply: Reply::Released {
                seat_freed: true,
                components_left: 0,
            },
            changes,
        }
    }
}

//! EXPLAIN: the decision of a checkout, noted as it is made and then dropped (rule V2).

use std::net::{IpAddr, Ipv4Addr};

use super::binding::Met;
use super::{Decided, Ledger, Occasion};
use crate::domain::change::EventKind;
use crate::domain::command::{Actor, Checkout, ProductName};
use crate::domain::denial::{Denial, Subject};
use crate::domain::explain::{
    Beside, Explain, Explanation, HOLDERS_TOLD_MAX, Held, Holder, LICENSES_TOLD_MAX, Looked, LookedAt, Meeting, NOBODY,
    Step,
};
use crate::domain::ids::{ComponentId, Fingerprint, ProductKey, Serial};
use crate::domain::license::Usage;
use crate::domain::reply::Reply;
use crate::domain::seat::{Binding, ConflictKind, LastNumbers, Seat, SeatKey};
use crate::domain::time::{Now, Timestamp};

/// Hears how a checkout is decided. Nothing is made up for one that does not listen.
pub(super) trait Trace {
    fn note(&mut self, step: impl FnOnce() -> Step);
}

/// Does not listen.
pub(super) struct Unheard;

impl Trace for Unheard {
    fn note(&mut self, _step: impl FnOnce() -> Step) {}
}

impl Trace for Vec<Step> {
    fn note(&mut self, step: impl FnOnce() -> Step) {
        self.push(step());
    }
}

/// A checkout that nobody made, and who would have.
struct Supposed {
    checkout: Checkout,
    /// Its component, where one was named or is known.
    component: Option<ComponentId>,
    identity: Fingerprint,
    address: IpAddr,
    refused_at: Option<Timestamp>,
}

impl Ledger {
    pub(super) fn explain(&self, occasion: Occasion, ask: &Explain) -> Decided {
        let key = match self.resolve_for_explanation(ask.product) {
            Ok(key) => key,
            Err(denial) => {
                let subject = Subject {
                    product: Some(ask.product.product),
                    mac: Some(ask.mac),
                    ..Subject::default()
                };
                return Decided::refused_about(denial, subject);
            }
        };
        let Supposed {
            checkout,
            component,
            identity,
            address,
            refused_at,
        } = self.suppose(key, ask);
        let actor = Actor::Peer { identity, address };
        let mut steps = Vec::new();
        // The very decision that a checkout meets; what it would change is dropped.
        let outcome = self
            .checkout(Occasion { actor, ..occasion }, &checkout, &mut steps)
            .reply;
        Decided::unchanged(Reply::Explained(Box::new(Explanation {
            beside: self.beside(&checkout, &outcome),
            component,
            checkout,
            identity,
            address,
            refused_at,
            steps,
            outcome,
        })))
    }

    /// The product that EXPLAIN means by a name: also one that no catalogue has, where it is clear whose it would be.
    ///
    /// # Errors
    /// It is not clear whose product is meant.
    pub fn resolve_for_explanation(&self, name: ProductName) -> Result<ProductKey, Denial> {
        self.resolve(name).or_else(|denial| self.only_vendors(name, denial))
    }

    fn only_vendors(&self, name: ProductName, denial: Denial) -> Result<ProductKey, Denial> {
        let mut vendors = self.vendors.keys();
        match (denial, vendors.next(), vendors.next()) {
            (Denial::UnknownProduct, Some(vendor), None) => Ok(ProductKey {
                vendor: *vendor,
                product: name.product,
            }),
            _ => Err(denial),
        }
    }

    /// The checkout that is meant, and who makes it.
    fn suppose(&self, product: ProductKey, ask: &Explain) -> Supposed {
        let key = SeatKey {
            vendor: product.vendor,
            product: product.product,
            mac: ask.mac,
        };
        let seat = self.seats.get(&key);
        let refused = ask.refused.filter(|_| ask.identity.is_none());
        let named = ask.component.or(refused.map(|refused| refused.component));
        let told = named.or_else(|| self.likely_component(&product, seat));
        // Without a catalogue nothing depends on it.
        let component = told.unwrap_or(ComponentId::ANY);
        let bound = match seat.and_then(|seat| seat.components.get(&component)) {
            Some(Binding::Identity(bound)) => Some(match &bound.others.waiting {
                // It has no number yet.
                Some(waiting) => (waiting.identity, 0),
                None => (bound.identity, bound.continuation),
            }),
            Some(Binding::Unbound) | None => None,
        };
        let last = |last: &LastNumbers| (last.identity, last.continuation);
        let known = bound.or_else(|| self.last_numbers(key, component).map(last));
        let who = ask.identity.or(refused.map(|refused| refused.identity));
        let identity = who.or(known.map(|(identity, _)| identity)).unwrap_or(NOBODY);
        let accepted = known
            .filter(|(known, _)| *known == identity)
            .map_or(0, |(_, number)| number);
        let number = ask.continuation.or(refused.map(|refused| refused.continuation));
        let machine = seat.map(|seat| seat.machine.clone()).unwrap_or_default();
        let address = refused.map(|refused| refused.address).or(machine.address);
        Supposed {
            address: address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            checkout: Checkout {
                key,
                component,
                continuation: number.unwrap_or(accepted),
                machine,
                rebind: ask.rebind,
            },
            component: told,
            identity,
            refused_at: refused.map(|refused| refused.at),
        }
    }

    /// A component that holds the seat; else a counted one of the catalogue.
    fn likely_component(&self, product: &ProductKey, seat: Option<&Seat>) -> Option<ComponentId> {
        let holding = seat.and_then(|seat| seat.components.keys().next());
        let offered = || {
            let components = &self.product(product)?.components;
            let counted = components.iter().find(|(_, component)| component.counted);
            counted.or_else(|| components.iter().next()).map(|(id, _)| id)
        };
        holding.or_else(offered).copied()
    }

    pub(super) fn held_step(&self, key: &SeatKey) -> Step {
        Step::Held(self.seats.get(key).map(|seat| Held {
            serial: seat.serial,
            acquired_at: seat.acquired_at,
            renewed_at: seat.renewed_at,
            renew_by: seat.renew_by,
        }))
    }

    /// The licenses of a product, and the one that serves.
    pub(super) fn licenses_step(&self, product: ProductKey, serves: Option<Serial>, now: Now) -> Step {
        let of = |usage| {
            let free = self.index.with_free(product, usage);
            free.chain(self.index.without_free(product, usage))
        };
        let serials = of(Usage::Machine).chain(of(Usage::Deployment));
        let others = serials.filter(|serial| Some(*serial) != serves);
        // The one that serves is told whatever stands before it.
        let told = serves.into_iter().chain(others).take(LICENSES_TOLD_MAX);
        let licenses: Vec<LookedAt> = told.filter_map(|serial| self.looked_at(serial, now)).collect();
        let standing = |usage| self.index.standing(product, usage, now).licenses();
        let all = standing(Usage::Machine) + standing(Usage::Deployment);
        Step::Licenses(Looked {
            serves,
            more: all.saturating_sub(u32::try_from(licenses.len()).unwrap_or(u32::MAX)),
            licenses,
        })
    }

    fn looked_at(&self, serial: Serial, now: Now) -> Option<LookedAt> {
        let license = self.licenses.get(&serial)?;
        Some(LookedAt {
            serial,
            usage: license.claims.usage,
            status: license.status(now.latest()),
            total: license.claims.seats,
            free: self.free_of(license),
            ends_at: license.ends_at(),
        })
    }

    fn beside(&self, checkout: &Checkout, outcome: &Reply) -> Beside {
        let is_exhausted = matches!(outcome, Reply::Denied(denied) if denied.denial == Denial::SeatsExhausted);
        let seat = self.seats.get(&checkout.key);
        let conflict = match seat.and_then(|seat| seat.components.get(&checkout.component)) {
            Some(Binding::Identity(bound)) => bound.others.conflict,
            Some(Binding::Unbound) | None => None,
        };
        Beside {
            conflict,
            former: self.former.get(&checkout.key).copied(),
            holders: if is_exhausted {
                self.first_to_come_free(checkout.key.product_key())
            } else {
                Vec::new()
            },
        }
    }

    fn first_to_come_free(&self, product: ProductKey) -> Vec<Holder> {
        let due = self.index.due.reusable(product).take(HOLDERS_TOLD_MAX);
        let holder = |(renew_by, mac)| {
            let seat = self.seats.get(&product.seat(mac))?;
            Some(Holder {
                mac,
                host_name: seat.machine.host_name.to_string(),
                renewed_at: seat.renewed_at,
                renew_by,
            })
        };
        due.filter_map(holder).collect()
    }
}

/// How the identity met what is bound.
pub(super) fn binding_step(before: Option<&Binding>, met: &Met) -> Step {
    let (meeting, conflict) = match met {
        Met::Honoured(Binding::Unbound, _) => (Meeting::Ephemeral, None),
        Met::Honoured(Binding::Identity(_), seen) => {
            let conflict = conflict_in(seen);
            let takes = seen.iter().any(|kind| matches!(kind, EventKind::Rebound { .. }));
            match before {
                None | Some(Binding::Unbound) => (Meeting::First, conflict),
                Some(Binding::Identity(_)) if takes => (Meeting::TakesPlace, conflict),
                Some(Binding::Identity(_)) => (Meeting::Same, conflict),
            }
        }
        Met::Refused(denial, _, seen) => (Meeting::Refused(*denial), conflict_in(seen)),
        Met::TurnedAway(denial) => (Meeting::Refused(*denial), None),
    };
    Step::Binding { meeting, conflict }
}

fn conflict_in(seen: &[EventKind]) -> Option<ConflictKind> {
    seen.iter().find_map(|kind| match kind {
        EventKind::ConflictSeen { kind, .. } => Some(*kind),
        _ => None,
    })
}

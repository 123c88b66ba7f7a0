//! CHECKOUT and RENEW: one decision (rule S14). Its order is that of "Order of a checkout" in `proto-spec/rules.md`.

use std::net::IpAddr;
use std::sync::Arc;

use super::binding::{Met, Visitor, meet};
use super::explain::{Trace, binding_step};
use super::index::Standing;
use super::units::NextUnits;
use super::{Decided, Ledger, Occasion};
use crate::domain::catalogue::{COMPONENTS_MAX, Component, Product};
use crate::domain::change::{Change, EventKind, Fact};
use crate::domain::command::{Actor, Checkout};
use crate::domain::denial::{Denial, Denied, SeatsInUse, Subject};
use crate::domain::explain::Step;
use crate::domain::ids::{Fingerprint, Mac, ProductId, ProductKey, ReservationId, Serial};
use crate::domain::license::{LicenseStatus, Usage};
use crate::domain::reply::{Counts, Grant, GrantKind, Reply};
use crate::domain::reservation::{Hold, Reservation};
use crate::domain::seat::{Binding, MachineNote, Seat, SeatKey};
use crate::domain::sorted_map::SortedMap;
use crate::domain::time::{Now, Timestamp};

/// A checkout whose product and component are known, with everything that the decision needs.
struct Asked<'a> {
    checkout: &'a Checkout,
    product: &'a Product,
    component: Component,
    identity: Fingerprint,
    address: IpAddr,
    occasion: Occasion,
}

impl Ledger {
    /// Decides, and notes what was looked at: each step before what follows from it.
    pub(super) fn checkout(&self, occasion: Occasion, checkout: &Checkout, trace: &mut impl Trace) -> Decided {
        // The server itself has no identity that a component could be bound to.
        let Actor::Peer { identity, address } = occasion.actor else {
            return self.refuse(checkout, Denial::NotAuthorized, occasion.now);
        };
        let key = checkout.key.product_key();
        let is_trusted = self.vendors.contains_key(&key.vendor);
        trace.note(|| Step::Vendor { is_trusted });
        if !is_trusted {
            return self.refuse(checkout, Denial::UnknownVendor, occasion.now);
        }
        let known = self.product(&key);
        trace.note(|| Step::Product {
            is_known: known.is_some(),
        });
        let Some(product) = known else {
            return self.refuse(checkout, Denial::UnknownProduct, occasion.now);
        };
        trace.note(|| Step::Component {
            is_known: product.components.contains_key(&checkout.component),
        });
        let Some(component) = product.components.get(&checkout.component).copied() else {
            return self.refuse(checkout, Denial::UnknownComponent, occasion.now);
        };
        trace.note(|| Step::Counted {
            is_counted: component.counted,
        });
        if !component.counted {
            let counts = self.counts(key, Usage::Machine, occasion.now);
            return Decided::unchanged(Reply::NotCounted {
                counts,
                signed_entry: product.signed_entry.clone(),
            });
        }
        let lacked = self.lacks(product, key, checkout.key.mac);
        trace.note(|| Step::Required {
            product: product.required,
            is_missing: lacked.is_some(),
        });
        if let Some(required) = lacked {
            return self.refuse(checkout, Denial::RequiredProduct { product: required }, occasion.now);
        }
        let asked = Asked {
            checkout,
            product,
            component,
            identity,
            address,
            occasion,
        };
        trace.note(|| self.held_step(&checkout.key));
        match self.seats.get(&checkout.key) {
            Some(seat) => self.renew(&asked, seat.clone(), trace),
            None => self.engage(&asked, trace),
        }
    }

    /// The product that this one requires and of which the machine has no seat (rule S15).
    pub(super) fn lacks(&self, product: &Product, key: ProductKey, mac: Mac) -> Option<ProductId> {
        product.required.filter(|required| {
            !self.seats.contains_key(&SeatKey {
                vendor: key.vendor,
                product: *required,
                mac,
            })
        })
    }

    /// The machine holds the seat: it never takes a second one (rule I2).
    fn renew(&self, asked: &Asked<'_>, mut seat: Seat, trace: &mut impl Trace) -> Decided {
        let Asked { checkout, occasion, .. } = *asked;
        let key = checkout.key;
        let holding = seat.components.len();
        let is_full = holding >= COMPONENTS_MAX && !seat.components.contains_key(&checkout.component);
        trace.note(|| Step::Components { holding, is_full });
        if is_full {
            return self.refuse(checkout, Denial::TooManyComponents, occasion.now);
        }
        let before = seat.components.get(&checkout.component);
        let left = self.last_numbers(key, checkout.component);
        let met = meet(before, left, checkout, asked.visitor());
        trace.note(|| binding_step(before, &met));
        let (binding, seen) = match met {
            Met::Honoured(binding, seen) => (binding, seen),
            Met::TurnedAway(denial) => return self.refuse(checkout, denial, occasion.now),
            Met::Refused(denial, noted, seen) => {
                let mut refused = self.refuse(checkout, denial, occasion.now);
                seat.components.insert(checkout.component, noted);
                refused.changes.push(Change {
                    fact: Fact::SeatPut(key, Arc::new(seat)),
                    events: seen.into_iter().map(|kind| occasion.event(kind)).collect(),
                });
                return refused;
            }
        };
        let mut changes = Vec::new();
        let mut events = Vec::new();
        let why_not = self.why_not_serving(seat.serial, occasion.now);
        trace.note(|| Step::SeatLicense {
            serial: seat.serial,
            why_not,
        });
        if let Some(denial) = why_not {
            let room = self.index.first_open(key.product_key(), occasion.now);
            let room = room.filter(|_| !self.keeps_its_license(&seat, occasion.now));
            trace.note(|| self.licenses_step(key.product_key(), room, occasion.now));
            let Some(to) = room else {
                return self.refuse(checkout, denial, occasion.now);
            };
            let (spent, moved) = self.leave_license(occasion, key, &mut seat, to, asked.product, &mut NextUnits::new());
            changes.extend(spent);
            events.push(occasion.event(moved));
        }
        asked.hold(&mut seat, binding);
        events.extend(seen.into_iter().map(|kind| occasion.event(kind)));
        if events.is_empty() {
            events.push(occasion.event(EventKind::SeatRenewed { key }));
        }
        let reply = self.grant(asked, &seat, GrantKind::Renewed);
        changes.extend(self.take_up(key, checkout.component));
        changes.push(Change {
            fact: Fact::SeatPut(key, Arc::new(seat)),
            events,
        });
        Decided { reply, changes }
    }

    /// The machine holds no seat: it gets one if one is available (rules S1, S7, X4).
    fn engage(&self, asked: &Asked<'_>, trace: &mut impl Trace) -> Decided {
        let Asked { checkout, occasion, .. } = *asked;
        let key = checkout.key.product_key();
        let left = self.last_numbers(checkout.key, checkout.component);
        let met = meet(None, left, checkout, asked.visitor());
        trace.note(|| binding_step(None, &met));
        let (binding, seen) = match met {
            Met::Honoured(binding, seen) => (binding, seen),
            Met::Refused(denial, ..) | Met::TurnedAway(denial) => {
                return self.refuse(checkout, denial, occasion.now);
            }
        };
        let mut changes = Vec::new();
        let held = self.first_held(key, occasion.now);
        trace.note(|| Step::SetAside(held));
        let serial = if let Some((id, serial)) = held {
            changes.extend(self.bind_held(id, serial));
            serial
        } else {
            let open = self.index.first_open(key, occasion.now);
            trace.note(|| self.licenses_step(key, open, occasion.now));
            let Some(serial) = open else {
                let why = self.why_none(key, &[Usage::Machine], occasion.now);
                return self.refuse(checkout, why, occasion.now);
            };
            serial
        };
        let mut seat = new_seat(asked.product, serial, occasion.now);
        asked.hold(&mut seat, binding);
        let former = self.former.get(&checkout.key).copied();
        let kind = former.map_or(GrantKind::Granted, GrantKind::EngagedAgain);
        let reply = self.grant(asked, &seat, kind);
        changes.extend(self.take_up(checkout.key, checkout.component));
        let mut engaged = self.put_new_seat(occasion, checkout.key, seat);
        if let Some(change) = engaged.first_mut() {
            // The engagement tells of the component itself.
            let beyond = seen
                .into_iter()
                .filter(|kind| !matches!(kind, EventKind::ComponentAdded { .. }));
            change.events.extend(beyond.map(|kind| occasion.event(kind)));
        }
        changes.extend(engaged);
        Decided { reply, changes }
    }

    /// A seat that was engaged, and that its machine is no former holder any more.
    pub(super) fn put_new_seat(&self, occasion: Occasion, key: SeatKey, seat: Seat) -> Vec<Change> {
        let again = self.former.contains_key(&key);
        let engaged = EventKind::SeatEngaged {
            key,
            serial: seat.serial,
            again,
            host_name: Some(seat.machine.host_name.clone()).filter(|name| !name.is_empty()),
        };
        let mut changes = vec![occasion.change(Fact::SeatPut(key, Arc::new(seat)), engaged)];
        if again {
            changes.push(Fact::FormerDropped(key).into());
        }
        changes
    }

    /// The held seat that a machine binds first: of the reservation that lapses first, on the license that serves and
    /// comes first (rules X4, S3).
    fn first_held(&self, product: ProductKey, now: Now) -> Option<(ReservationId, Serial)> {
        self.index.held(product).find_map(|id| {
            let Hold::Seats(held) = &self.reservations.get(&id)?.hold else {
                return None;
            };
            let licenses = held.keys().filter_map(|serial| self.licenses.get(serial));
            let serving = licenses.filter(|license| license.status(now.latest()).serves());
            let first = serving.min_by_key(|one| (one.ends_at(), one.imported_at, one.claims.serial))?;
            Some((id, first.claims.serial))
        })
    }

    /// One held seat less: a machine binds it. The seat tells its own event.
    fn bind_held(&self, id: ReservationId, serial: Serial) -> Option<Change> {
        let mut reservation = self.reservations.get(&id)?.clone();
        if let Hold::Seats(held) = &mut reservation.hold
            && let Some(count) = held.get_mut(&serial)
        {
            *count -= 1;
            if *count == 0 {
                held.remove(&serial);
            }
        }
        Some(put_reservation(id, reservation, Vec::new()))
    }

    fn grant(&self, asked: &Asked<'_>, seat: &Seat, kind: GrantKind) -> Reply {
        let (continuation, conflict) = match seat.components.get(&asked.checkout.component) {
            Some(Binding::Identity(bound)) => (bound.continuation, bound.others.conflict),
            Some(Binding::Unbound) | None => (0, None),
        };
        Reply::Seat(Box::new(Grant {
            kind,
            serial: seat.serial,
            acquired_at: seat.acquired_at,
            renew_by: seat.renew_by,
            continuation,
            conflict,
            certificate: self
                .licenses
                .get(&seat.serial)
                .map(|one| one.certificate.clone())
                .unwrap_or_default(),
            signed_entry: asked.product.signed_entry.clone(),
            offline_days: asked.product.offline_days,
        }))
    }

    /// Why a license does not serve; nothing where it does.
    fn why_not_serving(&self, serial: Serial, now: Now) -> Option<Denial> {
        match self.licenses.get(&serial).map(|one| one.status(now.latest())) {
            Some(LicenseStatus::Valid) => None,
            Some(LicenseStatus::Blacklisted) => Some(Denial::LicenseBlacklisted),
            Some(LicenseStatus::Superseded) => Some(Denial::LicenseSuperseded),
            Some(LicenseStatus::Expired) | None => Some(Denial::LicenseExpired),
        }
    }

    /// Why no license of these usages has a free unit.
    pub(super) fn why_none(&self, product: ProductKey, usages: &[Usage], now: Now) -> Denial {
        let standing = |usage: &Usage| self.index.standing(product, *usage, now);
        let all = usages.iter().map(standing).fold(Standing::default(), Standing::and);
        if all.licenses() == 0 {
            let deployment = self.index.standing(product, Usage::Deployment, now).licenses();
            if deployment > 0 && !usages.contains(&Usage::Deployment) {
                Denial::DeploymentOnly
            } else {
                Denial::NoLicense
            }
        } else if all.serving > 0 {
            Denial::SeatsExhausted
        } else if all.expired > 0 {
            Denial::LicenseExpired
        } else if all.blacklisted > 0 {
            Denial::LicenseBlacklisted
        } else {
            Denial::LicenseSuperseded
        }
    }

    fn refuse(&self, checkout: &Checkout, denial: Denial, now: Now) -> Decided {
        let product = checkout.key.product_key();
        let subject = Subject {
            product: Some(product.product),
            component: Some(checkout.component),
            mac: Some(checkout.key.mac),
            serial: self.seats.get(&checkout.key).map(|seat| seat.serial),
        };
        let mut denied = self.denied(denial, subject, product, &[Usage::Machine], now);
        denied.former = self.former.get(&checkout.key).copied();
        Decided::unchanged(Reply::Denied(denied))
    }

    /// A refusal for want of a seat or unit with what its reader wants to know next (rule V2).
    pub(super) fn denied(
        &self,
        denial: Denial,
        subject: Subject,
        product: ProductKey,
        usages: &[Usage],
        now: Now,
    ) -> Denied {
        let counts = |usage: &Usage| self.counts(product, *usage, now);
        let seats = matches!(
            denial,
            Denial::SeatsExhausted
                | Denial::LicenseBlacklisted
                | Denial::LicenseExpired
                | Denial::LicenseSuperseded
                | Denial::DeploymentOnly
                | Denial::NoLicense
        )
        .then(|| {
            let sum = usages.iter().map(counts).fold(Counts::default(), Counts::and);
            SeatsInUse {
                used: sum.used,
                total: sum.total,
                earliest_renew_by: self.earliest_renew_by(product, now),
            }
        });
        let list = self.blacklists.get(&product.vendor);
        Denied {
            denial,
            subject,
            seats,
            former: None,
            contact: list
                .filter(|_| denial == Denial::LicenseBlacklisted)
                .map(|list| list.contact.clone()),
            lacked: None,
        }
    }
}

/// A seat of a license that nobody holds yet.
pub(super) fn new_seat(product: &Product, serial: Serial, now: Now) -> Seat {
    Seat {
        serial,
        acquired_at: now.latest(),
        renewed_at: now.latest(),
        renew_by: renew_by(product, now),
        single_use: product.single_use,
        machine: MachineNote::default(),
        components: SortedMap::new(),
    }
}

/// The renew date of a seat that is engaged or renewed now (rule S4).
fn renew_by(product: &Product, now: Now) -> Option<Timestamp> {
    product.idle_period_secs().map(|secs| now.latest().after_secs(secs))
}

/// The reservation as it is from now on; ended where nothing is left of it.
pub(super) fn put_reservation(
    id: ReservationId,
    reservation: Reservation,
    events: Vec<crate::domain::change::Event>,
) -> Change {
    let fact = if reservation.is_empty() {
        Fact::ReservationEnded(id)
    } else {
        Fact::ReservationPut(id, Box::new(reservation))
    };
    Change { fact, events }
}

impl Asked<'_> {
    const fn visitor(&self) -> Visitor {
        Visitor {
            identity: self.identity,
            is_ephemeral: self.component.ephemeral,
            on_conflict: self.product.on_conflict,
            now: self.occasion.now.steady,
        }
    }

    /// Writes the visit into the seat: the component, the machine's words, the new renew date (rule S4).
    fn hold(&self, seat: &mut Seat, binding: Binding) {
        let now = self.occasion.now;
        seat.renewed_at = now.latest();
        seat.renew_by = renew_by(self.product, now);
        let told = &self.checkout.machine;
        let machine = &mut seat.machine;
        machine.address = Some(self.address);
        // Nearly always it says the same again.
        if machine.host_name != told.host_name {
            machine.host_name.clone_from(&told.host_name);
        }
        if machine.other_macs != told.other_macs {
            machine.other_macs.clone_from(&told.other_macs);
        }
        seat.components.insert(self.checkout.component, binding);
    }
}

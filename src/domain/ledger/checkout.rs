//! CHECKOUT and RENEW: one decision (rule S14).

use std::net::IpAddr;

use super::binding::{Sighting, bind};
use super::{Decided, Ledger, Occasion};
use crate::domain::catalogue::{COMPONENTS_MAX, Component, Product};
use crate::domain::change::{Change, EventKind, Fact};
use crate::domain::command::{Actor, Checkout};
use crate::domain::denial::{Denial, Denied, SeatsInUse, Subject};
use crate::domain::ids::{Fingerprint, ProductKey, Serial};
use crate::domain::license::Usage;
use crate::domain::reply::{Grant, GrantKind, Reply};
use crate::domain::seat::{Binding, MachineNote, Seat, SpentUnit};
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
    pub(super) fn checkout(&self, occasion: Occasion, checkout: &Checkout) -> Decided {
        // The server itself has no identity that a component could be bound to.
        let Actor::Peer { identity, address } = occasion.actor else {
            return self.refuse(checkout, Denial::NotAuthorized, occasion.now);
        };
        let key = checkout.key.product_key();
        if !self.vendors.contains_key(&key.vendor) {
            return self.refuse(checkout, Denial::UnknownVendor, occasion.now);
        }
        let Some(product) = self.product(&key) else {
            return self.refuse(checkout, Denial::UnknownProduct, occasion.now);
        };
        let Some(component) = product.components.get(&checkout.component).copied() else {
            return self.refuse(checkout, Denial::UnknownComponent, occasion.now);
        };
        if !component.counted {
            let counts = self.counts(key, occasion.now);
            return Decided::unchanged(Reply::NotCounted {
                counts,
                signed_entry: product.signed_entry.clone(),
            });
        }
        let asked = Asked {
            checkout,
            product,
            component,
            identity,
            address,
            occasion,
        };
        match self.seats.get(&checkout.key) {
            Some(seat) => self.renew(&asked, seat.clone()),
            None => self.engage(&asked),
        }
    }

    /// The machine holds the seat: it never takes a second one (rule I2).
    fn renew(&self, asked: &Asked<'_>, mut seat: Seat) -> Decided {
        let Asked { checkout, occasion, .. } = *asked;
        if seat.components.len() >= COMPONENTS_MAX && !seat.components.contains_key(&checkout.component) {
            return self.refuse(checkout, Denial::TooManyComponents, occasion.now);
        }
        let mut changes = Vec::new();
        let mut events = Vec::new();
        let serves = |serial| {
            self.licenses
                .get(serial)
                .is_some_and(|one| one.status(occasion.now.latest()).serves())
        };
        if !serves(&seat.serial) {
            let Some(to) = self.index.first_open(checkout.key.product_key(), occasion.now) else {
                return self.refuse(checkout, Denial::LicenseExpired, occasion.now);
            };
            let from = seat.serial;
            changes.extend(self.spend_before_move(asked, &seat));
            seat.serial = to;
            seat.single_use = self.is_single_use(asked.product, to);
            events.push(occasion.event(EventKind::SeatMoved {
                key: checkout.key,
                from,
                to,
            }));
        }
        let sighting = asked.hold(&mut seat);
        events.extend(sighting.events.into_iter().map(|kind| occasion.event(kind)));
        if events.is_empty() {
            events.push(occasion.event(EventKind::SeatRenewed { key: checkout.key }));
        }
        let reply = self.grant(asked, &seat, GrantKind::Renewed);
        changes.push(Change {
            fact: Fact::SeatPut(checkout.key, Box::new(seat)),
            events,
        });
        Decided { reply, changes }
    }

    /// The machine holds no seat: it gets one if one is available (rules S1, S7).
    fn engage(&self, asked: &Asked<'_>) -> Decided {
        let Asked { checkout, occasion, .. } = *asked;
        let product = checkout.key.product_key();
        let Some(serial) = self.index.first_open(product, occasion.now) else {
            return self.refuse(checkout, self.why_none(product, occasion.now), occasion.now);
        };
        let former = self.former.get(&checkout.key).copied();
        let mut seat = Seat {
            serial,
            acquired_at: occasion.now.latest(),
            renewed_at: occasion.now.latest(),
            renew_by: None,
            single_use: self.is_single_use(asked.product, serial),
            machine: MachineNote::default(),
            components: std::collections::BTreeMap::new(),
        };
        // A first sighting has nothing to tell that the engagement does not.
        asked.hold(&mut seat);
        let kind = former.map_or(GrantKind::Granted, GrantKind::EngagedAgain);
        let reply = self.grant(asked, &seat, kind);
        let engaged = EventKind::SeatEngaged {
            key: checkout.key,
            serial,
            again: former.is_some(),
        };
        let mut changes = vec![occasion.change(Fact::SeatPut(checkout.key, Box::new(seat)), engaged)];
        if former.is_some() {
            changes.push(Change {
                fact: Fact::FormerDropped(checkout.key),
                events: Vec::new(),
            });
        }
        Decided { reply, changes }
    }

    fn grant(&self, asked: &Asked<'_>, seat: &Seat, kind: GrantKind) -> Reply {
        let (continuation, conflict) = match seat.components.get(&asked.checkout.component) {
            Some(Binding::Identity(bound)) => (bound.continuation, bound.conflict),
            Some(Binding::Ephemeral) | None => (0, None),
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

    /// A single-use seat that goes to another license leaves its unit of the old one spent (rule S9).
    fn spend_before_move(&self, asked: &Asked<'_>, seat: &Seat) -> Option<Change> {
        seat.single_use.then(|| {
            let unit = self.next_unit(seat.serial);
            let spent = SpentUnit {
                mac: asked.checkout.key.mac,
                spent_at: asked.occasion.now.latest(),
            };
            Change {
                fact: Fact::SpentPut(seat.serial, unit, spent),
                events: Vec::new(),
            }
        })
    }

    fn is_single_use(&self, product: &Product, serial: Serial) -> bool {
        product.single_use
            || self
                .licenses
                .get(&serial)
                .is_some_and(|one| one.claims.usage == Usage::Deployment)
    }

    fn why_none(&self, product: ProductKey, now: Now) -> Denial {
        if self.counts(product, now).licenses == 0 {
            Denial::NoLicense
        } else if self.index.any_serves(product, now) {
            Denial::SeatsExhausted
        } else {
            Denial::LicenseExpired
        }
    }

    fn refuse(&self, checkout: &Checkout, denial: Denial, now: Now) -> Decided {
        let product = checkout.key.product_key();
        let seats = matches!(
            denial,
            Denial::SeatsExhausted | Denial::LicenseExpired | Denial::NoLicense
        )
        .then(|| {
            let counts = self.counts(product, now);
            let earliest_renew_by = self.earliest_renew_by(product, now);
            SeatsInUse {
                used: counts.used,
                total: counts.total,
                earliest_renew_by,
            }
        });
        Decided::unchanged(Reply::Denied(Denied {
            denial,
            subject: Subject {
                product: Some(product.product),
                component: Some(checkout.component),
                mac: Some(checkout.key.mac),
                serial: self.seats.get(&checkout.key).map(|seat| seat.serial),
            },
            seats,
            former: self.former.get(&checkout.key).copied(),
        }))
    }
}

impl Asked<'_> {
    /// Writes the sighting into the seat: the component, the machine's words, the new renew date (rule S4).
    fn hold(&self, seat: &mut Seat) -> Sighting {
        let now = self.occasion.now;
        seat.renewed_at = now.latest();
        seat.renew_by = self.renew_by(now);
        seat.machine = MachineNote {
            address: Some(self.address),
            ..self.checkout.machine.clone()
        };
        bind(seat, self.checkout, self.component, self.identity, now.steady)
    }

    fn renew_by(&self, now: Now) -> Option<Timestamp> {
        self.product
            .idle_period_secs()
            .map(|secs| now.latest().after_secs(secs))
    }
}

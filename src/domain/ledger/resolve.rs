//! An administrator approves identities that wait, and has bindings forgotten after a copy was found out (rule I7).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Decided, Ledger, Occasion, binding};
use crate::domain::change::{Change, EventKind, Fact};
use crate::domain::command::ProductName;
use crate::domain::denial::Subject;
use crate::domain::ids::{ComponentId, Mac, ProductKey};
use crate::domain::reply::Reply;
use crate::domain::seat::{Binding, SeatKey};

impl Ledger {
    pub(super) fn resolve_bindings(&self, occasion: Occasion, mac: Mac, product: Option<ProductName>) -> Decided {
        let products: BTreeSet<ProductKey> = match product.map(|name| (name, self.resolve(name))) {
            None => self.index.products().chain(self.left_products()).collect(),
            Some((_, Ok(key))) => BTreeSet::from([key]),
            Some((name, Err(denial))) => {
                let subject = Subject {
                    product: Some(name.product),
                    mac: Some(mac),
                    ..Subject::default()
                };
                return Decided::refused_about(denial, subject);
            }
        };
        let keys = products
            .into_iter()
            .map(|ProductKey { vendor, product }| SeatKey { vendor, product, mac });
        let resolved: Vec<Change> = keys
            .flat_map(|key| [self.resolve_seat(occasion, key), self.forget_left(occasion, key)])
            .flatten()
            .collect();
        let components: usize = resolved.iter().map(|change| change.events.len()).sum();
        Decided {
            reply: Reply::Resolved {
                components: u32::try_from(components).unwrap_or(u32::MAX),
            },
            changes: resolved,
        }
    }

    /// What the machine's components left behind is forgotten: a copy that is refused by it holds nothing that could be
    /// resolved.
    fn forget_left(&self, occasion: Occasion, key: SeatKey) -> Option<Change> {
        let left = self.left.get(&key)?;
        let forgotten = |component: &ComponentId| {
            let component = *component;
            occasion.event(EventKind::BindingForgotten { key, component })
        };
        Some(Change {
            fact: Fact::LeftDropped(key),
            events: left.components.keys().map(forgotten).collect(),
        })
    }

    /// The seat with its components resolved that have a conflict or an identity that waits; nothing where none has.
    fn resolve_seat(&self, occasion: Occasion, key: SeatKey) -> Option<Change> {
        let mut seat = self.seats.get(&key)?.clone();
        let mut events = Vec::new();
        for (component, binding) in seat.components.iter_mut() {
            if let Some((resolved, event)) = resolve(binding, key, *component) {
                *binding = resolved;
                events.push(occasion.event(event));
            }
        }
        (!events.is_empty()).then(|| Change {
            fact: Fact::SeatPut(key, Arc::new(seat)),
            events,
        })
    }
}

/// Binds the identity that waits, and none where there is a conflict and nobody waits; nothing where there is neither.
fn resolve(binding: &Binding, key: SeatKey, component: ComponentId) -> Option<(Binding, EventKind)> {
    let Binding::Identity(bound) = binding else {
        return None;
    };
    if let Some(waiting) = &bound.others.waiting {
        let approved = EventKind::IdentityApproved {
            key,
            component,
            from: bound.identity,
            to: waiting.identity,
        };
        return Some((Binding::Identity(binding::approved(waiting.identity)), approved));
    }
    bound.others.conflict?;
    Some((Binding::Unbound, EventKind::BindingForgotten { key, component }))
}

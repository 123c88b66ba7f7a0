//! An administrator has bindings forgotten: after a copy was found out, or to let a new identity in (rule I7).

use super::{Decided, Ledger, Occasion};
use crate::domain::change::{Change, EventKind, Fact};
use crate::domain::command::ProductName;
use crate::domain::denial::Subject;
use crate::domain::ids::{Mac, ProductKey};
use crate::domain::reply::Reply;
use crate::domain::seat::{Binding, SeatKey};

impl Ledger {
    pub(super) fn resolve_bindings(&self, occasion: Occasion, mac: Mac, product: Option<ProductName>) -> Decided {
        let products: Vec<ProductKey> = match product.map(|name| (name, self.resolve(name))) {
            None => self.index.products().collect(),
            Some((_, Ok(key))) => vec![key],
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
        let forgotten: Vec<Change> = keys.filter_map(|key| self.forget_bindings(occasion, key)).collect();
        let components: usize = forgotten.iter().map(|change| change.events.len()).sum();
        Decided {
            reply: Reply::Resolved {
                components: u32::try_from(components).unwrap_or(u32::MAX),
            },
            changes: forgotten,
        }
    }

    /// The seat without the bindings that have a conflict or an identity that waits; nothing where there is none.
    fn forget_bindings(&self, occasion: Occasion, key: SeatKey) -> Option<Change> {
        let mut seat = self.seats.get(&key)?.clone();
        let mut events = Vec::new();
        for (component, binding) in &mut seat.components {
            if matches!(binding, Binding::Identity(bound) if bound.conflict.is_some() || bound.waiting.is_some()) {
                *binding = Binding::Unbound;
                events.push(occasion.event(EventKind::BindingForgotten {
                    key,
                    component: *component,
                }));
            }
        }
        (!events.is_empty()).then(|| Change {
            fact: Fact::SeatPut(key, Box::new(seat)),
            events,
        })
    }
}

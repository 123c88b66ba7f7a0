//! Catalogues coming in, and what they change for licenses and live seats.

use std::collections::BTreeSet;

use super::{Decided, Ledger, Occasion};
use crate::domain::catalogue::{Catalogue, Component, Offers, OnConflict, Product};
use crate::domain::change::{EventKind, Fact};
use crate::domain::denial::Denial;
use crate::domain::ids::{ComponentId, ProductId, ProductKey};
use crate::domain::license::Usage;
use crate::domain::reply::{Altered, EFFECTS_MAX, Effect, Reply};

impl Ledger {
    pub(super) fn import_catalogue(&self, occasion: Occasion, catalogue: &Catalogue, dry_run: bool) -> Decided {
        let Catalogue { vendor, version, .. } = *catalogue;
        if !self.vendors.contains_key(&vendor) {
            return Decided::refused(Denial::UnknownVendor);
        }
        let held = self.catalogues.get(&vendor);
        let is_here = held.is_some_and(|held| held.signed == catalogue.signed);
        if let Some(held) = held.filter(|held| !is_here && held.version >= version) {
            return Decided::refused(Denial::CatalogueNotNewer { held: held.version });
        }
        let reply = Reply::CatalogueImported {
            products: u32::try_from(catalogue.products.len()).unwrap_or(u32::MAX),
            effects: self.effects(occasion, catalogue),
        };
        if is_here || dry_run {
            return Decided::unchanged(reply);
        }
        let fact = Fact::CataloguePut(Box::new(catalogue.clone()));
        Decided {
            reply,
            changes: vec![occasion.change(fact, EventKind::CatalogueImported { vendor, version })],
        }
    }

    /// What the catalogue changes, product by product.
    fn effects(&self, occasion: Occasion, next: &Catalogue) -> Vec<Effect> {
        let none = std::collections::BTreeMap::new();
        let held = self.catalogues.get(&next.vendor).map_or(&none, |held| &held.products);
        let ids: BTreeSet<ProductId> = held.keys().chain(next.products.keys()).copied().collect();
        ids.into_iter()
            .flat_map(|id| {
                let key = ProductKey {
                    vendor: next.vendor,
                    product: id,
                };
                self.effects_on(occasion, key, held.get(&id), next.products.get(&id))
            })
            .take(EFFECTS_MAX + 1)
            .collect()
    }

    fn effects_on(
        &self,
        occasion: Occasion,
        key: ProductKey,
        before: Option<&Product>,
        after: Option<&Product>,
    ) -> Vec<Effect> {
        let mut told = Vec::new();
        let seats = self.index.seats_of(key, None);
        let licenses = [Usage::Machine, Usage::Deployment]
            .map(|usage| self.index.standing(key, usage, occasion.now).licenses())
            .map(u64::from)
            .iter()
            .sum();
        let mut tell = |component, what, before: String, after: String, seats| {
            if before != after {
                told.push(Effect {
                    product: key.product,
                    component,
                    what,
                    before,
                    after,
                    seats,
                    licenses: (what == Altered::Product).then_some(licenses),
                });
            }
        };
        let name = |product: Option<&Product>| product.map(|one| one.name.clone()).unwrap_or_default();
        let (Some(old), Some(new)) = (before, after) else {
            tell(None, Altered::Product, name(before), name(after), seats);
            return told;
        };
        for (what, of) in PRODUCT_TERMS {
            tell(None, *what, of(old), of(new), seats);
        }
        let components: BTreeSet<ComponentId> = old.components.keys().chain(new.components.keys()).copied().collect();
        for id in components {
            let seats = self.index.seats_of(key, Some(id));
            let flags = |one: Option<&Component>| one.map(|one| described(*one)).unwrap_or_default();
            let (Some(old), Some(new)) = (old.components.get(&id), new.components.get(&id)) else {
                let (old, new) = (old.components.get(&id), new.components.get(&id));
                tell(Some(id), Altered::Component, flags(old), flags(new), seats);
                continue;
            };
            for (what, of) in COMPONENT_FLAGS {
                tell(Some(id), *what, yes_no(of(old)), yes_no(of(new)), seats);
            }
        }
        told
    }
}

/// Something that can change, and how it is told.
type Term<T, V> = (Altered, fn(&T) -> V);

/// What of a product can change.
const PRODUCT_TERMS: &[Term<Product, String>] = &[
    (Altered::Name, |one| one.name.clone()),
    (Altered::IdleDays, |one| one.idle_days.to_string()),
    (Altered::SingleUse, |one| yes_no(one.single_use)),
    (Altered::OfflineDays, |one| one.offline_days.to_string()),
    (Altered::Offers, |one| offered(one.offers).to_owned()),
    (Altered::Required, |one| {
        one.required.map(|id| id.to_string()).unwrap_or_default()
    }),
    (Altered::OnConflict, |one| match one.on_conflict {
        OnConflict::Flag => "flag".to_owned(),
        OnConflict::Refuse => "refuse".to_owned(),
    }),
];

/// What of a component can change.
const COMPONENT_FLAGS: &[Term<Component, bool>] = &[
    (Altered::Counted, |one| one.counted),
    (Altered::Lenient, |one| one.lenient),
    (Altered::Ephemeral, |one| one.ephemeral),
];

fn yes_no(flag: bool) -> String {
    if flag { "yes" } else { "no" }.to_owned()
}

const fn offered(offers: Offers) -> &'static str {
    match offers {
        Offers::DeploymentFirst => "deployment, machine",
        Offers::DeploymentOnly => "deployment",
        Offers::MachineFirst => "machine, deployment",
        Offers::MachineOnly => "machine",
    }
}

fn described(component: Component) -> String {
    let flags = [
        (component.counted, "counted", "not counted"),
        (component.lenient, "lenient", "strict"),
        (component.ephemeral, "ephemeral", ""),
    ];
    let words = flags.map(|(on, yes, no)| if on { yes } else { no });
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join(", ")
}

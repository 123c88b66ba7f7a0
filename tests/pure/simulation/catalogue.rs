//! The model's catalogues in the ledger's words.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use bytes::Bytes;
use seatkeeper::domain::blacklist::{Blacklist, Listed};
use seatkeeper::domain::catalogue::{Catalogue, Component, Offers, OnConflict, Product};
use seatkeeper::domain::time::Timestamp;
use seatkeeper_model as model;
use seatkeeper_model::{Blacklisting, Usage};
use seatkeeper_world::words::serial;

use super::translate::vendor;

pub(super) fn catalogue(whose: model::Vendor, version: u64, products: &[model::Product]) -> Catalogue {
    Catalogue {
        vendor: vendor(whose),
        vendor_name: format!("Vendor {whose}"),
        version,
        issued_at: Timestamp(0),
        products: products
            .iter()
            .map(|one| (one.key.id.parse().unwrap(), product(one)))
            .collect(),
        signed: Bytes::from(format!("{version} {products:?}")),
    }
}

fn product(one: &model::Product) -> Product {
    Product {
        name: "A product".to_owned(),
        idle_days: u16::try_from(one.idle_secs.unwrap_or(0) / model::DAY).unwrap(),
        single_use: one.single_use,
        offline_days: one.offline_days,
        offers: match one.offers[..] {
            [Usage::Machine] => Offers::MachineOnly,
            [Usage::Deployment] => Offers::DeploymentOnly,
            [Usage::Machine, Usage::Deployment] => Offers::MachineFirst,
            [Usage::Deployment, Usage::Machine] => Offers::DeploymentFirst,
            _ => panic!("{one:?}"),
        },
        required: one.required.map(|id| id.parse().unwrap()),
        on_conflict: if one.refuse_conflicts {
            OnConflict::Refuse
        } else {
            OnConflict::Flag
        },
        components: one.components.iter().map(component).collect(),
        signed_entry: Bytes::from_static(b"entry"),
    }
}

fn component(one: &model::Component) -> (seatkeeper::domain::ids::ComponentId, Component) {
    let flags = Component {
        counted: one.counted,
        lenient: one.lenient,
        ephemeral: one.ephemeral,
    };
    (one.id.parse().unwrap(), flags)
}

pub(super) fn blacklist(whose: model::Vendor, version: u64, entries: &[(model::Serial, Blacklisting)]) -> Blacklist {
    let listed = |why| match why {
        Blacklisting::Blacklisted => Listed::Blacklisted,
        Blacklisting::Superseded => Listed::Superseded,
    };
    Blacklist {
        vendor: vendor(whose),
        version,
        issued_at: Timestamp(0),
        contact: "the vendor".to_owned(),
        serials: entries.iter().map(|entry| (serial(entry.0), listed(entry.1))).collect(),
        signed: Bytes::from(format!("{version} {entries:?}")),
    }
}

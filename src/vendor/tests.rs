//! Texts from fixed seeds: nothing here is random.

mod blacklists;
mod catalogues;
mod keys;
mod scanning;
mod vectors;

use std::collections::BTreeMap;

use super::*;
use crate::domain::blacklist::Listed;
use crate::domain::catalogue::{Component, Offers, OnConflict};
use crate::domain::ids::{ComponentId, ProductId, Serial};
use crate::domain::license::{Claims, Kind, Usage, Validity};
use crate::domain::time::Timestamp;

/// The import secret of [`key_text`].
const SECRET: [u8; 16] = *b"sixteen secrets!";

fn signer(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

fn product(id: &str) -> ProductId {
    id.parse().expect("an id")
}

/// Ten commercial seats of BKSRV without end.
fn claims(signer: &SigningKey) -> Claims {
    Claims {
        vendor: signer.vendor_key().id(),
        serial: Serial::from_random([7; 10]),
        product: product("BKSRV"),
        seats: 10,
        kind: Kind::Commercial,
        usage: Usage::Machine,
        issued_at: Timestamp(1_767_225_600),
        validity: Validity::Forever,
        support_until_day: None,
        auto_renew: false,
    }
}

fn key_text(signer: &SigningKey) -> String {
    sign_key(signer, &claims(signer).into(), SECRET).expect("sound claims")
}

fn components(list: &[(&str, Component)]) -> BTreeMap<ComponentId, Component> {
    list.iter()
        .map(|(id, flags)| (id.parse().expect("an id"), *flags))
        .collect()
}

fn product_draft(name: &str) -> ProductDraft {
    let agent = Component {
        counted: true,
        ..Component::default()
    };
    ProductDraft {
        name: name.to_owned(),
        idle_days: 30,
        single_use: false,
        offline_days: 0,
        components: components(&[("agent", agent), ("console", Component::default())]),
        required_product: None,
        on_conflict: OnConflict::Flag,
        offers: Offers::MachineFirst,
    }
}

fn catalogue_draft() -> CatalogueDraft {
    let deploy = ProductDraft {
        single_use: true,
        offline_days: 60,
        idle_days: 0,
        components: components(&[(
            "bootmedia",
            Component {
                counted: true,
                lenient: true,
                ephemeral: true,
            },
        )]),
        ..product_draft("Deployment")
    };
    let imager = ProductDraft {
        required_product: Some(product("BKSRV")),
        on_conflict: OnConflict::Refuse,
        offers: Offers::DeploymentFirst,
        ..product_draft("Imager")
    };
    CatalogueDraft {
        vendor_name: "Example Vendor".to_owned(),
        version: 3,
        issued_at: Timestamp(1_767_225_600),
        products: BTreeMap::from([
            (product("BKSRV"), product_draft("Backup Server")),
            (product("DEPLOY"), deploy),
            (product("IMAGER"), imager),
        ]),
    }
}

fn blacklist_draft() -> BlacklistDraft {
    BlacklistDraft {
        version: 2,
        issued_at: Timestamp(1_767_225_600),
        contact: "Example Vendor, licenses@example.com".to_owned(),
        serials: BTreeMap::from([
            (Serial::from_random([8; 10]), Listed::Superseded),
            (Serial::from_random([9; 10]), Listed::Blacklisted),
        ]),
    }
}

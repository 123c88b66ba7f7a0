//! What a ledger has to sell.

use std::collections::BTreeMap;

use bytes::Bytes;
use seatkeeper::domain::catalogue::{Catalogue, Component, Offers, OnConflict, Product};
use seatkeeper::domain::command::Command;
use seatkeeper::domain::ids::{Serial, VendorId};
use seatkeeper::domain::license::{Claims, Kind, Usage, Validity, VerifiedKey};
use seatkeeper::domain::time::Timestamp;

/// A product that is sold by licenses of both usages, with few seats and units.
///
/// # Panics
/// Never: what it is made of is sound.
#[must_use]
pub fn goods(vendor: VendorId) -> [Command; 2] {
    let component = Component {
        counted: true,
        lenient: false,
        ephemeral: false,
    };
    let product = Product {
        name: "Backup Server".to_owned(),
        idle_days: 1,
        single_use: false,
        offline_days: 3,
        offers: Offers::DeploymentFirst,
        required: None,
        on_conflict: OnConflict::Refuse,
        components: BTreeMap::from([("agent".parse().expect("an id"), component)]),
        signed_entry: Bytes::from_static(b"entry"),
    };
    let catalogue = Catalogue {
        vendor,
        vendor_name: "Vendor".to_owned(),
        version: 1,
        issued_at: Timestamp(1),
        products: BTreeMap::from([("BKSRV".parse().expect("an id"), product)]),
        signed: Bytes::from_static(b"signed"),
    };
    let key = |number: u8, usage| VerifiedKey {
        claims: Claims {
            vendor,
            serial: Serial::from_random([number; 10]),
            product: "BKSRV".parse().expect("an id"),
            seats: 3,
            kind: Kind::Commercial,
            usage,
            issued_at: Timestamp(1),
            validity: Validity::Forever,
            support_until_day: None,
            auto_renew: false,
        },
        certificate: Bytes::copy_from_slice(&[number]),
    };
    [
        Command::ImportCatalogue {
            catalogue: Box::new(catalogue),
            dry_run: false,
        },
        Command::Import(vec![key(1, Usage::Machine), key(2, Usage::Deployment)]),
    ]
}

//! What the vendors of the simulation sell.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use bytes::Bytes;
use seatkeeper::domain::catalogue::{Catalogue, Component, Product};
use seatkeeper::domain::ids::{ProductId, VendorId};
use seatkeeper::domain::time::Timestamp;

use super::START;

/// `FOREVER` never idles out, `WIPE` is single-use, `SERVER` and `WORK` idle out after 30 days and one.
pub(super) fn catalogue(number: u8) -> Catalogue {
    let product = |idle_days, single_use| Product {
        name: "A product".to_owned(),
        idle_days,
        single_use,
        offline_days: 0,
        offers: seatkeeper::domain::catalogue::Offers::default(),
        required: None,
        on_conflict: seatkeeper::domain::catalogue::OnConflict::default(),
        components: [
            ("agent", true, false),
            ("cli", true, false),
            ("console", false, false),
            ("disc", true, true),
        ]
        .map(|(name, counted, ephemeral)| {
            let flags = Component {
                counted,
                lenient: false,
                ephemeral,
            };
            (name.parse().unwrap(), flags)
        })
        .into(),
        signed_entry: Bytes::from_static(b"entry"),
    };
    Catalogue {
        vendor: VendorId([number; 16]),
        vendor_name: format!("Vendor {number}"),
        version: 1,
        issued_at: Timestamp(START),
        products: [
            ("FOREVER", product(0, false)),
            ("SERVER", product(30, false)),
            ("WIPE", product(3, true)),
            ("WORK", product(1, false)),
        ]
        .map(|(name, product)| (name.parse::<ProductId>().unwrap(), product))
        .into(),
        signed: Bytes::from(vec![number]),
    }
}

//! Licenses for machines, a hundred seats each: who has a million seats bought them in many lots, and views show pages of these.

use seatkeeper::domain::ids::Serial;
use seatkeeper::domain::license::{Claims, Kind, Usage, Validity};
use seatkeeper::domain::time::DAY_SECS;
use seatkeeper::vendor::{KeyDraft, SigningKey, sign_key};
use seatkeeper::wire::limits::KEYS_MAX;
use seatkeeper::wire::messages::Request;
use seatkeeper::wire::messages::admin::Import;

use crate::error::SwarmError;
use crate::site::{PRODUCT, SIGNED_AT, Site, random};

/// Seats of each.
const SEATS: u32 = 100;

/// As many come with the first machines: their page is full from the beginning.
const FIRST: u32 = 256;

/// The first of them ends so many days after it was signed, the others on days behind it, ten years long.
const FIRST_DAYS: u64 = 3_650;

/// On how many days they end.
const DAYS: u32 = 3_650;

/// Imports licenses for the machines from one number to another.
pub(crate) async fn import(site: &Site, machines: std::ops::Range<u32>) -> Result<(), SwarmError> {
    let impossible = |error: &dyn std::fmt::Display| SwarmError::because("signing licenses", error.to_string());
    let Some(signer) = &site.signer else {
        return Ok(());
    };
    let licensed = |machines: u32| {
        if machines == 0 {
            0
        } else {
            FIRST + machines.div_ceil(SEATS)
        }
    };
    let numbers = licensed(machines.start)..licensed(machines.end);
    let keys: Vec<String> = numbers
        .map(|number| key(signer, number).map_err(|error| impossible(&error)))
        .collect::<Result<_, _>>()?;
    let request = |keys: &[String]| {
        let keys = keys.to_vec();
        ("importing licenses", Request::Import(Import { keys, dry_run: None }))
    };
    site.have(keys.chunks(KEYS_MAX).map(request)).await
}

fn key(signer: &SigningKey, number: u32) -> Result<String, String> {
    let [a, b, c, d] = number.to_be_bytes();
    let ends_on = SIGNED_AT.0 / DAY_SECS + FIRST_DAYS + u64::from(number % DAYS);
    let claims = Claims {
        vendor: signer.vendor_key().id(),
        serial: Serial::from_random([1, 0, 0, 0, 0, 0, a, b, c, d]),
        product: PRODUCT.parse().map_err(|_| "the product's name".to_owned())?,
        seats: SEATS,
        kind: Kind::Subscription,
        usage: Usage::Machine,
        issued_at: SIGNED_AT,
        validity: Validity::ThroughDay(u32::try_from(ends_on).unwrap_or(u32::MAX)),
        support_until_day: None,
        auto_renew: false,
    };
    let secret = random()?;
    let mut half = [0; 16];
    half.copy_from_slice(secret.first_chunk::<16>().unwrap_or(&[0; 16]));
    sign_key(signer, &KeyDraft::from(claims), half).map_err(|error| error.to_string())
}

//! A key that the vendor signed reads back in any shape that people give it, and damaged it is another key or none.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use seatkeeper::domain::ids::Serial;
use seatkeeper::domain::license::{Claims, Kind, Usage, Validity};
use seatkeeper::domain::time::Timestamp;
use seatkeeper::vendor::{LicenseKey, SigningKey, find_keys, sign_key};

static SIGNER: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_seed([1; 32]));

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    serial: [u8; 10],
    product: &'a str,
    seats: u32,
    kind: u8,
    deployment: bool,
    issued_at: u64,
    validity: Option<(bool, u32)>,
    support_until_day: Option<u32>,
    auto_renew: bool,
    must_activate: bool,
    pool: Option<&'a str>,
    secret: [u8; 16],
    /// What is done to the text: where, and which character is put there.
    damage: Vec<(u16, char)>,
    before: &'a str,
    behind: &'a str,
}

fn claims(input: &Input<'_>) -> Option<Claims> {
    Some(Claims {
        vendor: SIGNER.vendor_key().id(),
        serial: Serial::from_random(input.serial),
        product: input.product.parse().ok()?,
        seats: input.seats,
        kind: [Kind::Commercial, Kind::Subscription, Kind::Trial][usize::from(input.kind % 3)],
        usage: if input.deployment {
            Usage::Deployment
        } else {
            Usage::Machine
        },
        issued_at: Timestamp(input.issued_at),
        validity: match input.validity {
            None => Validity::Forever,
            Some((true, days)) => Validity::Days(days),
            Some((false, day)) => Validity::ThroughDay(day),
        },
        support_until_day: input.support_until_day,
        auto_renew: input.auto_renew,
    })
}

fuzz_target!(|input: Input<'_>| {
    let Some(claims) = claims(&input) else { return };
    let mut draft = seatkeeper::vendor::KeyDraft::from(claims.clone());
    draft.must_activate = input.must_activate;
    draft.pool = input.pool.map(str::to_owned);
    let Ok(text) = sign_key(&SIGNER, &draft, input.secret) else {
        return;
    };
    let key = LicenseKey::parse(&text).expect("what was signed reads back");
    assert_eq!(key.to_text(), text);
    let verified = key.verify(&SIGNER.vendor_key());
    if input.must_activate || input.pool.is_some() {
        assert!(verified.is_err(), "this version cannot honour it");
    } else {
        assert_eq!(verified.expect("what was signed is genuine").claims, claims);
    }
    for shape in [text.to_lowercase(), text.replace('-', ""), text.replace('-', "\r\n ")] {
        assert_eq!(LicenseKey::parse(&shape).as_ref(), Ok(&key));
    }

    // Between words it is found, unless those before or behind belong to what begins like a key.
    let found = find_keys(&format!("\n{text}\n")).expect("within the bounds");
    assert!(found.len() == 1 && found[0].line == 2 && found[0].text == text);
    let around = format!("{}\n{text}\n{}", input.before, input.behind);
    let ends = around.chars().filter(|c| matches!(c, '\n' | '\r')).count();
    for key in find_keys(&around).into_iter().flatten() {
        assert!((1..=ends + 1).contains(&usize::try_from(key.line).expect("a line")));
    }

    let mut damaged: Vec<char> = text.chars().collect();
    for (place, other) in &input.damage {
        let place = usize::from(*place) % damaged.len();
        damaged[place] = *other;
    }
    let damaged: String = damaged.into_iter().collect();
    if let Ok(read) = LicenseKey::parse(&damaged) {
        assert!(
            read == key || read.verify(&SIGNER.vendor_key()).is_err(),
            "{damaged} was never signed"
        );
    }
});

//! The files in `proto-spec/vectors/v1/texts`, checked in both directions: the specification's bytes are the judge.

use super::catalogues::{bytes_of, entry_with};
use super::*;
use crate::vendor::armor;

const VENDOR_KEY: &str = include_str!("../../../proto-spec/vectors/v1/texts/vendor.key");
const VENDOR_PUB: &str = include_str!("../../../proto-spec/vectors/v1/texts/vendor.pub");
const KEY: &str = include_str!("../../../proto-spec/vectors/v1/texts/key.txt");
const KEY_TRIAL: &str = include_str!("../../../proto-spec/vectors/v1/texts/key-trial.txt");
const CERTIFICATE: &str = include_str!("../../../proto-spec/vectors/v1/texts/certificate.hex");
const CATALOGUE: &str = include_str!("../../../proto-spec/vectors/v1/texts/catalogue.txt");
const BLACKLIST: &str = include_str!("../../../proto-spec/vectors/v1/texts/blacklist.txt");
const BLACKLIST_BYTES: &str = include_str!("../../../proto-spec/vectors/v1/texts/blacklist.hex");
const ENTRY: &str = include_str!("../../../proto-spec/vectors/v1/texts/entry.hex");
const ENTRY_POLICIES: &str = include_str!("../../../proto-spec/vectors/v1/texts/entry-policies.hex");
const REJECT_CIRCLE: &str = include_str!("../../../proto-spec/vectors/v1/texts/reject-required-circle.txt");
const REJECT_OFFERS: &str = include_str!("../../../proto-spec/vectors/v1/texts/reject-unknown-offers.txt");
const REJECT_DAMAGED: &str = include_str!("../../../proto-spec/vectors/v1/texts/reject-damaged.txt");
const REJECT_FORGED: &str = include_str!("../../../proto-spec/vectors/v1/texts/reject-forged.txt");
const REJECT_NEWER: &str = include_str!("../../../proto-spec/vectors/v1/texts/reject-must-activate.txt");
const REJECT_FOREIGN: &str = include_str!("../../../proto-spec/vectors/v1/texts/reject-unknown-vendor.txt");

/// The bytes of a commented hex file: `#` and what is behind it on its line does not count.
fn hex(text: &str) -> Vec<u8> {
    let digits: String = text
        .lines()
        .filter_map(|line| line.split('#').next())
        .flat_map(str::chars)
        .filter(|c| !c.is_whitespace())
        .collect();
    data_encoding::HEXLOWER.decode(digits.as_bytes()).expect("hexadecimal")
}

fn trial(signer: &SigningKey) -> Claims {
    Claims {
        serial: Serial::from_random([8; 10]),
        product: product("BKWKS"),
        seats: 3,
        kind: Kind::Trial,
        validity: Validity::Days(30),
        support_until_day: Some(20_818),
        auto_renew: true,
        ..claims(signer)
    }
}

/// The text of a catalogue of A and B, each with these fields more.
fn catalogue_text(a: &[(u16, &[u8])], b: &[(u16, &[u8])]) -> String {
    let entry = |id: &[u8], more: &[(u16, &[u8])]| entry_with(3, &[&[(0x10, id), (0x11, id)], more].concat());
    armor::CATALOGUE.close(&bytes_of(&[&entry(b"A", a), &entry(b"B", b)], &[]))
}

fn texts() -> Vec<(&'static str, String, &'static str)> {
    let ours = signer(1);
    let activated = KeyDraft {
        must_activate: true,
        ..claims(&ours).into()
    };
    let key = key_text(&ours);
    // The same certificate around another secret, as one who was only granted a seat could make it.
    let certificate = LicenseKey::parse(&key).and_then(|key| key.verify(&ours.vendor_key()));
    let forged = license_key::text_of(&certificate.expect("genuine").certificate, &[0; 16]);
    let line = |text: String| text + "\n";
    vec![
        ("vendor.key", ours.to_pem().to_string(), VENDOR_KEY),
        ("vendor.pub", ours.vendor_key().to_pem(), VENDOR_PUB),
        ("key.txt", line(key.clone()), KEY),
        (
            "key-trial.txt",
            line(sign_key(&ours, &trial(&ours).into(), SECRET).expect("sound")),
            KEY_TRIAL,
        ),
        (
            "catalogue.txt",
            sign_catalogue(&ours, &catalogue_draft()).expect("sound"),
            CATALOGUE,
        ),
        (
            "blacklist.txt",
            sign_blacklist(&ours, &blacklist_draft()).expect("sound"),
            BLACKLIST,
        ),
        (
            "reject-required-circle.txt",
            catalogue_text(&[(0x16, b"B")], &[(0x16, b"A")]),
            REJECT_CIRCLE,
        ),
        (
            "reject-unknown-offers.txt",
            catalogue_text(&[], &[(0x18, &[5])]),
            REJECT_OFFERS,
        ),
        (
            "reject-damaged.txt",
            line(key.replacen("-00400-", "-00401-", 1)),
            REJECT_DAMAGED,
        ),
        ("reject-forged.txt", line(forged), REJECT_FORGED),
        (
            "reject-must-activate.txt",
            line(sign_key(&ours, &activated, SECRET).expect("sound")),
            REJECT_NEWER,
        ),
        ("reject-unknown-vendor.txt", line(key_text(&signer(2))), REJECT_FOREIGN),
    ]
}

#[test]
fn what_is_signed_here_is_what_the_vectors_say() {
    for (name, made, vector) in texts() {
        assert_eq!(made, vector, "{name}");
    }
}

#[test]
fn the_vectors_keys_are_accepted_with_these_claims() {
    let key = VendorKey::from_pem(VENDOR_PUB).expect("a public key");
    let signer = SigningKey::from_pem(VENDOR_KEY).expect("a private key");
    let verify = |text| LicenseKey::parse(text).and_then(|parsed| parsed.verify(&key));
    assert_eq!(verify(KEY).map(|verified| verified.claims), Ok(claims(&signer)));
    assert_eq!(verify(KEY_TRIAL).map(|verified| verified.claims), Ok(trial(&signer)));
    assert_eq!(
        verify(KEY).map(|verified| verified.certificate.to_vec()),
        Ok(hex(CERTIFICATE))
    );
    assert_eq!(verify_certificate(&hex(CERTIFICATE), &key), Ok(claims(&signer)));
}

#[test]
fn the_vectors_catalogue_and_entry_are_accepted() {
    let key = VendorKey::from_pem(VENDOR_PUB).expect("a public key");
    let catalogue = SignedCatalogue::parse(CATALOGUE)
        .and_then(|signed| signed.verify(&key))
        .expect("genuine");
    let drafted = catalogue_draft().products.into_keys();
    assert!(catalogue.products.keys().copied().eq(drafted));
    for (id, bytes) in [("DEPLOY", ENTRY), ("IMAGER", ENTRY_POLICIES)] {
        let entry = verify_entry(&hex(bytes), &key).expect("genuine");
        assert_eq!(catalogue.products[&product(id)], entry.entry);
    }
    let imager = &catalogue.products[&product("IMAGER")];
    assert_eq!(
        (imager.required, imager.on_conflict, imager.offers),
        (Some(product("BKSRV")), OnConflict::Refuse, Offers::DeploymentFirst)
    );
}

#[test]
fn the_vectors_blacklist_is_accepted() {
    let key = VendorKey::from_pem(VENDOR_PUB).expect("a public key");
    let signed = SignedBlacklist::parse(BLACKLIST).expect("whole");
    assert_eq!(signed.bytes().to_vec(), hex(BLACKLIST_BYTES));
    let blacklist = signed.verify(&key).expect("genuine");
    let draft = blacklist_draft();
    assert_eq!(
        (
            blacklist.version,
            blacklist.issued_at,
            blacklist.contact,
            blacklist.serials
        ),
        (draft.version, draft.issued_at, draft.contact, draft.serials)
    );
}

#[test]
fn the_vectors_to_reject_are_each_refused_for_their_own_reason() {
    let key = VendorKey::from_pem(VENDOR_PUB).expect("a public key");
    let verify = |text| {
        LicenseKey::parse(text)
            .and_then(|parsed| parsed.verify(&key))
            .expect_err("to reject")
    };
    assert!(matches!(verify(REJECT_DAMAGED), KeyError::Damaged { .. }));
    assert_eq!(verify(REJECT_FORGED), KeyError::BadSignature);
    assert_eq!(verify(REJECT_NEWER), KeyError::NeedsNewer(Unsupported::MustActivate));
    let vendor = signer(2).vendor_key().id();
    assert_eq!(verify(REJECT_FOREIGN), KeyError::UnknownVendor { vendor });
    let verify = |text| SignedCatalogue::parse(text).and_then(|list| list.verify(&key));
    assert!(matches!(verify(REJECT_CIRCLE), Err(ListError::Impossible(_))));
    assert_eq!(
        verify(REJECT_OFFERS),
        Err(ListError::NeedsNewer(Unsupported::Offers(5)))
    );
}

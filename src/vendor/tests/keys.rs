use proptest::prelude::*;

use super::*;
use crate::codec::{Writer, tlv};
use crate::session::{LeaseError, lease};
use crate::vendor::license_key::{OVERHEAD, text_of};
use crate::vendor::mint::signed;
use crate::vendor::signed::{Purpose, Signed};
use crate::vendor::{base32, certificate as claim};

fn damaged(result: &Result<LicenseKey, KeyError>) -> bool {
    matches!(result, Err(KeyError::Damaged { .. }))
}

// proves K1
#[test]
fn a_key_reads_back_with_every_claim() {
    let signer = signer(1);
    let draft = Claims {
        kind: Kind::Trial,
        usage: Usage::Deployment,
        validity: Validity::Days(30),
        support_until_day: Some(21_000),
        auto_renew: true,
        ..claims(&signer)
    };
    let text = sign_key(&signer, &draft.clone().into(), SECRET).expect("sound");
    assert!(text.starts_with("SK1-") && text.len() <= KEY_LEN_MAX);
    assert!(text.split('-').skip(1).all(|group| (1..=5).contains(&group.len())));
    let key = LicenseKey::parse(&text).expect("whole");
    assert_eq!((key.vendor(), key.serial()), (draft.vendor, draft.serial));
    assert_eq!(key.to_text(), text);
    let verified = key.verify(&signer.vendor_key()).expect("genuine");
    assert_eq!(verified.claims, draft);
    assert_eq!(
        verify_certificate(&verified.certificate, &signer.vendor_key()),
        Ok(draft)
    );
}

// proves K1
#[test]
fn case_and_separators_do_not_count_and_look_alikes_are_read() {
    let text = key_text(&signer(1));
    let key = LicenseKey::parse(&text).expect("whole");
    let wrapped: String = text.chars().flat_map(|c| [c, '\n']).collect();
    for variant in [
        text.to_lowercase(),
        text.replace('-', ""),
        text.replace('-', " \r\n\t"),
        text.replace('-', "\u{2011}"),
        text.replace('1', "I"),
        text.replace('1', "l").replace('0', "o"),
        format!("\u{feff}  {text}\r\n"),
        wrapped,
    ] {
        assert_eq!(LicenseKey::parse(&variant), Ok(key.clone()), "{variant}");
    }
}

// proves K4
#[test]
fn every_single_character_that_is_changed_lost_doubled_or_swapped_is_noticed() {
    let text: Vec<char> = key_text(&signer(1)).replace('-', "").chars().collect();
    let read = |chars: &[char]| LicenseKey::parse(&chars.iter().collect::<String>());
    assert!(read(&text).is_ok());
    for place in 0..text.len() {
        for other in "0123456789ABCDEFGHJKMNPQRSTVWXYZU!ß"
            .chars()
            .filter(|c| *c != text[place])
        {
            let mut changed = text.clone();
            changed[place] = other;
            assert!(read(&changed).is_err(), "{other} at {place}");
            // A change to the prefix may make another format of it; anywhere else the text is called damaged.
            assert!(place < 3 || damaged(&read(&changed)), "{other} at {place}");
        }
        let mut lost = text.clone();
        lost.remove(place);
        assert!(damaged(&read(&lost)), "lost {place}");
        let mut doubled = text.clone();
        doubled.insert(place, text[place]);
        assert!(damaged(&read(&doubled)), "doubled {place}");
        assert!(damaged(&read(&text[..place])), "cut at {place}");
        if place > 0 && text[place] != text[place - 1] {
            let mut swapped = text.clone();
            swapped.swap(place, place - 1);
            assert!(damaged(&read(&swapped)), "swapped {place}");
        }
    }
}

#[test]
fn a_key_has_one_payload_only() {
    let text = key_text(&signer(1));
    // Unused bits behind the last byte that are not 0.
    let digits = text.replace('-', "").split_off(3);
    assert_ne!(
        digits.len() * 5 % 8,
        0,
        "this key must have unused bits for the test to mean something"
    );
    let last = digits.chars().last().expect("digits");
    let symbols = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let next = symbols
        .chars()
        .nth(symbols.find(last).expect("a digit") + 1)
        .expect("an even digit has a next");
    assert!(damaged(&LicenseKey::parse(&format!(
        "SK1{}{next}",
        &digits[..digits.len() - 1]
    ))));
}

#[test]
fn what_is_no_key_is_called_damaged_and_a_later_format_is_not() {
    for text in ["", "SK1-", "SK1", "hello", "SK1-UUUUU", &"0".repeat(5000)] {
        assert!(damaged(&LicenseKey::parse(text)), "{text}");
    }
    assert_eq!(
        LicenseKey::parse("SK2-ABCDE"),
        Err(KeyError::NeedsNewer(Unsupported::Format('2')))
    );
}

// proves K4, K9
#[test]
fn every_flipped_bit_and_every_truncation_of_a_certificate_is_refused() {
    let signer = signer(1);
    let key = LicenseKey::parse(&key_text(&signer)).expect("whole");
    let certificate = key.verify(&signer.vendor_key()).expect("genuine").certificate;
    for bit in 0..certificate.len() * 8 {
        let mut flipped = certificate.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(verify_certificate(&flipped, &signer.vendor_key()).is_err(), "bit {bit}");
    }
    for len in 0..certificate.len() {
        assert!(
            verify_certificate(&certificate[..len], &signer.vendor_key()).is_err(),
            "cut at {len}"
        );
    }
    let longer = [&certificate[..], &[0]].concat();
    assert!(verify_certificate(&longer, &signer.vendor_key()).is_err());
}

// proves K2, K4, K9
#[test]
fn another_vendors_key_is_unknown_and_a_forged_one_is_not_genuine() {
    let (ours, theirs) = (signer(1), signer(2));
    let text = key_text(&theirs);
    let key = LicenseKey::parse(&text).expect("whole");
    let vendor = theirs.vendor_key().id();
    assert_eq!(key.verify(&ours.vendor_key()), Err(KeyError::UnknownVendor { vendor }));
    // They sign, but claim to be us.
    let mut forged = Writer::new();
    tlv::put(&mut forged, 1, &ours.vendor_key().id().0).expect("short");
    tlv::put(&mut forged, 2, b"0000000000000000").expect("short");
    let certificate = signed(&theirs, Purpose::Certificate, forged);
    assert_eq!(
        verify_certificate(&certificate, &ours.vendor_key()),
        Err(KeyError::BadSignature)
    );
    let key = LicenseKey::parse(&text_of(&certificate, &SECRET)).expect("whole");
    assert_eq!(key.verify(&ours.vendor_key()), Err(KeyError::BadSignature));
}

// proves K9
#[test]
fn a_certificate_does_not_hold_the_import_secret_and_makes_no_key() {
    let signer = signer(1);
    let key = LicenseKey::parse(&key_text(&signer)).expect("whole");
    let certificate = key.verify(&signer.vendor_key()).expect("genuine").certificate;
    assert!(!certificate.windows(SECRET.len()).any(|part| part == SECRET));
    // Whoever was granted a seat has the certificate; a key around it needs the secret.
    let guessed = LicenseKey::parse(&text_of(&certificate, &[0; 16])).expect("whole");
    assert_eq!(guessed.verify(&signer.vendor_key()), Err(KeyError::BadSignature));
    assert!(!format!("{key:?}").contains("secret"));
}

/// Everything that is signed with Ed25519, with what is signed before the fields; no prefix is any of them.
fn purposes(body: &[u8]) -> [(&'static str, Vec<u8>); 7] {
    let with = |prefix: &[u8]| [prefix, body].concat();
    [
        ("certificate", Purpose::Certificate.message(body)),
        ("catalogue", Purpose::Catalogue.message(body)),
        ("entry", Purpose::CatalogueEntry.message(body)),
        ("blacklist", Purpose::Blacklist.message(body)),
        ("lease", with(lease::PREFIX)),
        // Signed with another algorithm, and in no such shape; if somebody did, it would not count either.
        ("succession", with(b"seatkeeper/1 succession\0")),
        ("nothing", with(b"")),
    ]
}

/// As what signed bytes can be read, and whether the signature is what they are refused for.
fn readings(bytes: &[u8], key: &VendorKey) -> [(&'static str, bool); 5] {
    let certificate = verify_certificate(bytes, key).expect_err("it has no claims");
    let catalogue = SignedCatalogue::from_bytes(bytes)
        .expect("it names a vendor")
        .verify(key);
    let entry = verify_entry(bytes, key).expect_err("it has no product");
    let blacklist = SignedBlacklist::from_bytes(bytes)
        .expect("it names a vendor")
        .verify(key);
    let lease = lease::verify(bytes, &key.bytes()).expect_err("it has no days");
    [
        ("certificate", certificate == KeyError::BadSignature),
        (
            "catalogue",
            catalogue.expect_err("it has no products") == ListError::BadSignature,
        ),
        ("entry", entry == ListError::BadSignature),
        (
            "blacklist",
            blacklist.expect_err("it has no version") == ListError::BadSignature,
        ),
        ("lease", lease == LeaseError::BadSignature),
    ]
}

#[test]
fn a_signature_for_one_purpose_counts_for_no_other() {
    // One key for all of it, as nobody should have.
    let signer = signer(1);
    let mut body = Writer::new();
    tlv::put(&mut body, 1, &signer.vendor_key().id().0).expect("short");
    let body = body.into_bytes();
    for (purpose, message) in purposes(&body) {
        let bytes = [&body[..], &signer.sign(&message)].concat();
        for (read_as, is_bad) in readings(&bytes, &signer.vendor_key()) {
            assert_eq!(is_bad, read_as != purpose, "signed as {purpose}, read as {read_as}");
        }
    }
}

// proves K1, K4
#[test]
fn claims_that_cannot_be_honoured_need_a_newer_server() {
    let signer = signer(1);
    let refusal = |draft: &KeyDraft| {
        let text = sign_key(&signer, draft, SECRET).expect("may be signed");
        LicenseKey::parse(&text).and_then(|key| key.verify(&signer.vendor_key()))
    };
    let draft = KeyDraft::from(claims(&signer));
    let activated = KeyDraft {
        must_activate: true,
        ..draft.clone()
    };
    assert_eq!(
        refusal(&activated),
        Err(KeyError::NeedsNewer(Unsupported::MustActivate))
    );
    let pooled = KeyDraft {
        pool: Some("north".to_owned()),
        ..draft
    };
    assert_eq!(refusal(&pooled), Err(KeyError::NeedsNewer(Unsupported::Pool)));
}

/// The certificate of [`claims`] with `tag` set to `value`, or without it.
fn certificate_with(tag: u16, value: Option<&[u8]>) -> Vec<u8> {
    let signer = signer(1);
    let key = LicenseKey::parse(&key_text(&signer)).expect("whole");
    let certificate = key.verify(&signer.vendor_key()).expect("genuine").certificate;
    let mut all: BTreeMap<u16, Vec<u8>> = tlv::Fields::of(Signed::split(&certificate).expect("long enough").body)
        .map(|field| field.expect("whole"))
        .map(|field| (field.tag, field.value.to_vec()))
        .collect();
    match value {
        Some(value) => all.insert(tag, value.to_vec()),
        None => all.remove(&tag),
    };
    let mut body = Writer::new();
    for (tag, value) in all {
        tlv::put(&mut body, tag, &value).expect("short");
    }
    signed(&signer, Purpose::Certificate, body)
}

// proves K4
#[test]
fn unknown_claims_are_refused_if_critical_and_skipped_if_not() {
    let key = signer(1).vendor_key();
    let verify = |tag, value: &[u8]| verify_certificate(&certificate_with(tag, Some(value)), &key);
    assert_eq!(
        verify(0x7fff, b"x"),
        Err(KeyError::NeedsNewer(Unsupported::Field(0x7fff)))
    );
    assert_eq!(
        verify(claim::KIND, &[9]),
        Err(KeyError::NeedsNewer(Unsupported::Kind(9)))
    );
    assert_eq!(
        verify(claim::USAGE, &[9]),
        Err(KeyError::NeedsNewer(Unsupported::Usage(9)))
    );
    assert_eq!(verify(0x8fff, b"x"), Ok(claims(&signer(1))));
}

#[test]
fn impossible_claims_are_refused_even_if_signed() {
    let key = signer(1).vendor_key();
    let impossible = |tag, value: Option<&[u8]>| {
        let result = verify_certificate(&certificate_with(tag, value), &key);
        assert!(
            matches!(result, Err(KeyError::Impossible(_))),
            "{tag:#06x} {value:?}: {result:?}"
        );
    };
    for tag in [0x0001, 0x0002, 0x0003, 0x0004, 0x0005, 0x0006, 0x0007, 0x000a] {
        impossible(tag, None);
        impossible(tag, Some(b""));
    }
    impossible(claim::SEATS, Some(&0_u32.to_be_bytes()));
    impossible(claim::SEATS, Some(&10_000_001_u32.to_be_bytes()));
    impossible(claim::DAYS, Some(&0_u32.to_be_bytes()));
    impossible(claim::DAYS, Some(&36_526_u32.to_be_bytes()));
    impossible(claim::THROUGH_DAY, Some(&2_932_897_u32.to_be_bytes()));
    impossible(claim::ISSUED_AT, Some(&u64::MAX.to_be_bytes()));
    impossible(claim::PRODUCT, Some(b"bksrv"));
    impossible(claim::AUTO_RENEW, Some(b"1"));
}

#[test]
fn fields_out_of_order_or_twice_are_refused() {
    let signer = signer(1);
    let vendor = signer.vendor_key().id();
    for tags in [[1, 3, 2], [1, 2, 2]] {
        let mut body = Writer::new();
        for tag in tags {
            let value: &[u8] = if tag == 1 { &vendor.0 } else { b"0000000000000000" };
            tlv::put(&mut body, tag, value).expect("short");
        }
        let certificate = signed(&signer, Purpose::Certificate, body);
        let result = verify_certificate(&certificate, &signer.vendor_key());
        assert!(matches!(result, Err(KeyError::Impossible(_))), "{tags:?}: {result:?}");
    }
}

#[test]
fn the_longest_certificate_fits_the_longest_key() {
    let text = text_of(&[0xff; CERTIFICATE_LEN_MAX], &SECRET);
    assert!(text.len() <= KEY_LEN_MAX);
    assert_eq!(
        base32::digits_of(CERTIFICATE_LEN_MAX + OVERHEAD) + 4,
        text.replace('-', "").len() + 1
    );
}

#[test]
fn key_files_are_read_and_told_apart() {
    let signer = signer(1);
    let pem = signer.to_pem();
    let public = signer.vendor_key().to_pem();
    assert_eq!(VendorKey::from_pem(&public), Ok(signer.vendor_key()));
    assert_eq!(
        VendorKey::from_pem(&public.replace('\n', "\r\n")),
        Ok(signer.vendor_key())
    );
    assert_eq!(
        VendorKey::from_bytes(signer.vendor_key().bytes()),
        Ok(signer.vendor_key())
    );
    assert_eq!(
        SigningKey::from_pem(&pem).map(|key| key.vendor_key()),
        Ok(signer.vendor_key())
    );
    assert_eq!(VendorKey::from_pem(&pem), Err(KeyFileError::Private));
    assert!(SigningKey::from_pem(&public).is_err());
    assert!(VendorKey::from_pem("").is_err());
    // The neutral element: every signature of a certain form is good for it.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    assert_eq!(VendorKey::from_bytes(neutral), Err(KeyFileError::Weak));
    let shown = format!("{signer:?}");
    assert!(pem.lines().all(|line| line.is_empty() || !shown.contains(line)) && !shown.contains("0101"));
}

proptest! {
    #[test]
    fn any_sound_claims_read_back(
        seats in 1_u32..=10_000_000, serial: [u8; 10], secret: [u8; 16], days in 1_u32..=36_525, auto_renew: bool,
        issued_at in 0_u64..=253_402_300_799, id in "[A-Z0-9][A-Z0-9._-]{0,23}",
    ) {
        let signer = signer(1);
        let draft = Claims {
            seats,
            serial: Serial::from_random(serial),
            product: product(&id),
            issued_at: Timestamp(issued_at),
            validity: Validity::Days(days),
            auto_renew,
            ..claims(&signer)
        };
        let text = sign_key(&signer, &draft.clone().into(), secret).expect("sound");
        let verified = LicenseKey::parse(&text).and_then(|key| key.verify(&signer.vendor_key()));
        prop_assert_eq!(verified.map(|verified| verified.claims), Ok(draft));
    }

    #[test]
    fn any_text_and_any_bytes_are_refused_without_a_panic(text in ".{0,200}", bytes: Vec<u8>) {
        prop_assert!(LicenseKey::parse(&text).is_err());
        let digits = format!("SK1-{}", base32::encode(&bytes));
        prop_assert!(LicenseKey::parse(&digits).is_err());
        prop_assert!(verify_certificate(&bytes, &signer(1).vendor_key()).is_err());
        prop_assert!(verify_entry(&bytes, &signer(1).vendor_key()).is_err());
        prop_assert!(SignedCatalogue::parse(&text).is_err());
    }
}

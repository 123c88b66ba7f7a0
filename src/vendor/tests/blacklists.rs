use super::*;
use crate::codec::{Writer, tlv};
use crate::domain::blacklist::LISTED_MAX;
use crate::vendor::armor;
use crate::vendor::mint::signed;
use crate::vendor::signed::Purpose;

fn signed_blacklist() -> SignedBlacklist {
    SignedBlacklist::parse(&sign_blacklist(&signer(1), &blacklist_draft()).expect("sound")).expect("whole")
}

fn serials(count: usize) -> BTreeMap<Serial, Listed> {
    (0..count)
        .map(|number| {
            let serial = format!("{number:0>16}").parse().expect("a serial");
            (serial, Listed::Blacklisted)
        })
        .collect()
}

#[test]
fn a_blacklist_reads_back_with_every_serial_and_whom_to_contact() {
    let key = signer(1).vendor_key();
    let draft = blacklist_draft();
    let whole = signed_blacklist();
    assert_eq!(whole.vendor(), key.id());
    assert_eq!(SignedBlacklist::from_bytes(whole.bytes()), Ok(whole.clone()));
    let blacklist = whole.verify(&key).expect("genuine");
    assert_eq!(whole.unverified(), Ok(blacklist.clone()));
    assert_eq!(
        blacklist,
        crate::domain::blacklist::Blacklist {
            vendor: key.id(),
            version: draft.version,
            issued_at: draft.issued_at,
            contact: draft.contact,
            serials: draft.serials,
            signed: whole.bytes().clone(),
        }
    );
}

#[test]
fn the_longest_blacklist_fits_and_an_empty_one_takes_everything_back() {
    let sign = |serials: BTreeMap<Serial, Listed>| {
        let draft = BlacklistDraft {
            contact: "x".repeat(128),
            serials,
            ..blacklist_draft()
        };
        sign_blacklist(&signer(1), &draft)
    };
    for count in [0, LISTED_MAX] {
        let text = sign(serials(count)).expect("sound");
        let read = SignedBlacklist::parse(&text).and_then(|list| list.verify(&signer(1).vendor_key()));
        assert_eq!(read.map(|list| list.serials), Ok(serials(count)));
    }
    for count in [LISTED_MAX + 1, 3_000] {
        let result = sign(serials(count));
        assert!(matches!(result, Err(ListError::Impossible(_))), "{count}: {result:?}");
    }
}

#[test]
fn every_flipped_bit_and_every_truncation_of_a_blacklist_is_refused() {
    let key = signer(1).vendor_key();
    let bytes = signed_blacklist().bytes().clone();
    let refused = |bytes: &[u8]| {
        SignedBlacklist::from_bytes(bytes)
            .and_then(|list| list.verify(&key))
            .is_err()
    };
    assert!(!refused(&bytes));
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(refused(&flipped), "bit {bit}");
    }
    for len in 0..bytes.len() {
        assert!(refused(&bytes[..len]), "cut at {len}");
    }
}

#[test]
fn a_blacklist_has_an_armour_of_its_own() {
    let text = sign_blacklist(&signer(1), &blacklist_draft()).expect("sound");
    let wrapped = format!("\u{feff}Dear customer,\r\n{}\r\nRegards", text.replace('\n', "\r\n"));
    assert_eq!(SignedBlacklist::parse(&wrapped), Ok(signed_blacklist()));
    let catalogue = sign_catalogue(&signer(1), &catalogue_draft()).expect("sound");
    let both = catalogue.clone() + &text;
    assert_eq!(SignedBlacklist::parse(&both), Ok(signed_blacklist()));
    assert!(SignedCatalogue::parse(&both).is_ok());
    let damaged = |text: &str| matches!(SignedBlacklist::parse(text), Err(ListError::Damaged { .. }));
    assert!(damaged(""));
    assert_eq!(SignedBlacklist::parse(&catalogue), Err(ListError::Catalogue));
    assert_eq!(SignedCatalogue::parse(&text), Err(ListError::Blacklist));
    assert!(damaged(&text.repeat(2)));
    assert!(damaged(&text.replace("-----END", "-----FIN")));
    assert!(damaged(&text.replacen('\n', "\n*", 1)));
    assert!(damaged(&" ".repeat(CATALOGUE_TEXT_LEN_MAX + 1)));
    assert!(damaged(&armor::BLACKLIST.close(&vec![0; BLACKLIST_LEN_MAX + 1])));
}

#[test]
fn another_vendors_blacklist_is_unknown_and_no_list_passes_for_another() {
    let (ours, theirs) = (signer(1).vendor_key(), signer(2).vendor_key());
    let vendor = ours.id();
    assert_eq!(
        signed_blacklist().verify(&theirs),
        Err(ListError::UnknownVendor { vendor })
    );
    let text = sign_catalogue(
        &signer(1),
        &CatalogueDraft {
            products: BTreeMap::new(),
            ..catalogue_draft()
        },
    );
    let catalogue = SignedCatalogue::parse(&text.expect("sound")).expect("whole");
    let as_blacklist = SignedBlacklist::from_bytes(catalogue.bytes()).expect("it names a vendor");
    assert_eq!(as_blacklist.verify(&ours), Err(ListError::BadSignature));
    let as_catalogue = SignedCatalogue::from_bytes(signed_blacklist().bytes()).expect("it names a vendor");
    assert_eq!(as_catalogue.verify(&ours), Err(ListError::BadSignature));
}

/// What becomes of a blacklist with these fields behind the vendor id.
fn verify(more: &[(u16, &[u8])]) -> Result<(), ListError> {
    let mut body = Writer::new();
    tlv::put(&mut body, 1, &signer(1).vendor_key().id().0).expect("short");
    for (tag, value) in more {
        tlv::put(&mut body, *tag, value).expect("short");
    }
    let bytes = signed(&signer(1), Purpose::Blacklist, body);
    SignedBlacklist::from_bytes(&bytes)?
        .verify(&signer(1).vendor_key())
        .map(drop)
}

const VERSION: (u16, &[u8]) = (3, &[0, 0, 0, 0, 0, 0, 0, 1]);
const ISSUED_AT: (u16, &[u8]) = (4, &[0, 0, 0, 0, 0, 0, 0, 1]);
const CONTACT: (u16, &[u8]) = (6, b"Sales");

#[test]
fn a_blacklist_says_only_what_can_be() {
    let (low, high) = (b"\x010000000000000000", b"\x020123456789ABCDEF");
    let with = |more: &[(u16, &'static [u8])]| verify(&[&[VERSION, ISSUED_AT, CONTACT], more].concat());
    assert_eq!(with(&[(7, low), (7, high), (0x9000, b"skipped")]), Ok(()));
    let newer = |more, unsupported| assert_eq!(with(more), Err(ListError::NeedsNewer(unsupported)));
    newer(&[(7, b"\x030000000000000000")], Unsupported::Listed(3));
    newer(&[(7, b"\x000000000000000000")], Unsupported::Listed(0));
    newer(&[(8, b"")], Unsupported::Field(8));
    assert_eq!(
        verify(&[(2, b"Vendor"), VERSION, ISSUED_AT, CONTACT]),
        Err(ListError::NeedsNewer(Unsupported::Field(2))),
        "a blacklist has no vendor name"
    );
    for impossible in [
        &[VERSION, ISSUED_AT][..],
        &[VERSION, CONTACT],
        &[ISSUED_AT, CONTACT],
        &[VERSION, ISSUED_AT, CONTACT, CONTACT],
        &[VERSION, CONTACT, ISSUED_AT],
        &[VERSION, (4, &[0xff; 8]), CONTACT],
        &[(3, b"\x01"), ISSUED_AT, CONTACT],
        &[VERSION, ISSUED_AT, (6, b"")],
        &[VERSION, ISSUED_AT, (6, &[b'x'; 129])],
        &[VERSION, ISSUED_AT, (6, b"line\nbreak")],
        &[VERSION, ISSUED_AT, (6, b"\xff")],
        &[VERSION, ISSUED_AT, CONTACT, (7, b"")],
        &[VERSION, ISSUED_AT, CONTACT, (7, b"\x01000000000000000")],
        &[VERSION, ISSUED_AT, CONTACT, (7, b"\x010123456789abcdef")],
        &[VERSION, ISSUED_AT, CONTACT, (7, high), (7, low)],
        &[VERSION, ISSUED_AT, CONTACT, (7, low), (7, low)],
    ] {
        let result = verify(impossible);
        assert!(
            matches!(result, Err(ListError::Impossible(_))),
            "{impossible:?}: {result:?}"
        );
    }
}

#[test]
fn a_blacklist_that_no_server_would_take_is_not_signed() {
    let refused = |change: fn(&mut BlacklistDraft)| {
        let mut draft = blacklist_draft();
        change(&mut draft);
        let result = sign_blacklist(&signer(1), &draft);
        assert!(matches!(result, Err(ListError::Impossible(_))), "{result:?}");
    };
    refused(|draft| draft.contact.clear());
    refused(|draft| draft.contact = "x".repeat(129));
    refused(|draft| draft.contact = " around ".to_owned());
    refused(|draft| draft.issued_at = Timestamp(u64::MAX));
}

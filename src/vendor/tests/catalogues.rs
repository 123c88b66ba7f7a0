use super::*;
use crate::codec::{Writer, tlv};
use crate::vendor::armor;
use crate::vendor::mint::signed;
use crate::vendor::signed::Purpose;

fn signed_catalogue() -> SignedCatalogue {
    SignedCatalogue::parse(&sign_catalogue(&signer(1), &catalogue_draft()).expect("sound")).expect("whole")
}

#[test]
fn a_catalogue_reads_back_with_every_policy_and_its_entries_stand_alone() {
    let key = signer(1).vendor_key();
    let draft = catalogue_draft();
    let whole = signed_catalogue();
    assert_eq!(whole.vendor(), key.id());
    assert_eq!(SignedCatalogue::from_bytes(whole.bytes()), Ok(whole.clone()));
    let catalogue = whole.verify(&key).expect("genuine");
    assert_eq!(catalogue.signed, *whole.bytes());
    assert_eq!(
        (
            catalogue.vendor,
            &*catalogue.vendor_name,
            catalogue.version,
            catalogue.issued_at
        ),
        (key.id(), "Example Vendor", 3, draft.issued_at)
    );
    assert_eq!(catalogue.products.len(), draft.products.len());
    for (id, product) in &catalogue.products {
        let wanted = &draft.products[id];
        assert_eq!(
            (
                &product.name,
                product.idle_days,
                product.single_use,
                product.offline_days,
                &product.components,
                (product.required, product.on_conflict, product.offers)
            ),
            (
                &wanted.name,
                wanted.idle_days,
                wanted.single_use,
                wanted.offline_days,
                &wanted.components,
                (wanted.required_product, wanted.on_conflict, wanted.offers)
            )
        );
        let entry = verify_entry(&product.signed_entry, &key).expect("genuine");
        assert_eq!((entry.product, entry.version, &entry.entry), (*id, 3, product));
        assert_eq!(
            (entry.vendor, entry.vendor_name),
            (key.id(), "Example Vendor".to_owned())
        );
    }
}

#[test]
fn text_around_the_armour_and_white_space_in_it_do_not_count() {
    let text = sign_catalogue(&signer(1), &catalogue_draft()).expect("sound");
    for variant in [
        format!(
            "\u{feff}Dear customer,\r\n\r\n{}\r\nRegards",
            text.replace('\n', "\r\n")
        ),
        text.replace('\n', "  \n  "),
    ] {
        assert_eq!(SignedCatalogue::parse(&variant), Ok(signed_catalogue()));
    }
    let damaged = |text: &str| matches!(SignedCatalogue::parse(text), Err(ListError::Damaged { .. }));
    assert!(damaged(""));
    assert!(damaged(&text.replace("-----END", "-----FIN")));
    assert!(damaged(&text.repeat(2)));
    assert!(damaged(&text.replacen('\n', "\n*", 1)));
    assert!(damaged(&" ".repeat(CATALOGUE_TEXT_LEN_MAX + 1)));
    assert!(damaged(&armor::CATALOGUE.close(&vec![0; CATALOGUE_LEN_MAX + 1])));
}

#[test]
fn every_flipped_bit_and_every_truncation_of_a_catalogue_is_refused() {
    let key = signer(1).vendor_key();
    let bytes = signed_catalogue().bytes().clone();
    let refused = |bytes: &[u8]| {
        SignedCatalogue::from_bytes(bytes)
            .and_then(|all| all.verify(&key))
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
fn another_vendors_catalogue_and_entry_are_unknown() {
    let theirs = signer(2).vendor_key();
    let vendor = signer(1).vendor_key().id();
    let whole = signed_catalogue();
    assert_eq!(whole.verify(&theirs), Err(ListError::UnknownVendor { vendor }));
    let catalogue = whole.verify(&signer(1).vendor_key()).expect("genuine");
    for product in catalogue.products.values() {
        assert_eq!(
            verify_entry(&product.signed_entry, &theirs),
            Err(ListError::UnknownVendor { vendor })
        );
    }
}

#[test]
fn every_choice_of_licenses_and_every_policy_for_conflicts_reads_back() {
    for offers in [
        Offers::DeploymentFirst,
        Offers::DeploymentOnly,
        Offers::MachineFirst,
        Offers::MachineOnly,
    ] {
        for on_conflict in [OnConflict::Flag, OnConflict::Refuse] {
            let mut draft = catalogue_draft();
            draft.products.insert(
                product("BKSRV"),
                ProductDraft {
                    on_conflict,
                    offers,
                    ..product_draft("Backup Server")
                },
            );
            let text = sign_catalogue(&signer(1), &draft).expect("sound");
            let catalogue = SignedCatalogue::parse(&text)
                .and_then(|signed| signed.verify(&signer(1).vendor_key()))
                .expect("genuine");
            let read = &catalogue.products[&product("BKSRV")];
            assert_eq!((read.offers, read.on_conflict), (offers, on_conflict));
        }
    }
}

/// A draft of these products, each with the one that it requires.
fn requiring(list: &[(&str, Option<&str>)]) -> CatalogueDraft {
    let entry = |&(id, required): &(&str, Option<&str>)| {
        let draft = ProductDraft {
            required_product: required.map(product),
            ..product_draft(id)
        };
        (product(id), draft)
    };
    CatalogueDraft {
        products: list.iter().map(entry).collect(),
        ..catalogue_draft()
    }
}

#[test]
fn a_product_requires_another_one_of_its_catalogue_and_never_in_a_circle() {
    let sign = |list: &[_]| sign_catalogue(&signer(1), &requiring(list)).map(drop);
    assert_eq!(sign(&[("A", Some("B")), ("B", Some("C")), ("C", None)]), Ok(()));
    assert_eq!(sign(&[("A", Some("C")), ("B", Some("C")), ("C", None)]), Ok(()));
    for impossible in [
        &[("A", Some("A"))][..],
        &[("A", Some("B"))],
        &[("A", Some("B")), ("B", Some("A"))],
        &[("A", Some("B")), ("B", Some("C")), ("C", Some("B"))],
        &[("A", None), ("B", Some("C")), ("C", Some("D")), ("D", Some("B"))],
    ] {
        let result = sign(impossible);
        assert!(
            matches!(result, Err(ListError::Impossible(_))),
            "{impossible:?}: {result:?}"
        );
    }
    let ids: Vec<String> = (0..128).map(|number| format!("P{number:03}")).collect();
    let mut chain: Vec<_> = ids.windows(2).map(|pair| (&*pair[0], Some(&*pair[1]))).collect();
    chain.push((&ids[127], None));
    assert_eq!(sign(&chain), Ok(()), "a long chain is no circle");
}

#[test]
fn the_longest_entry_of_this_version_is_far_from_the_bound_and_a_longer_one_is_refused() {
    let longest = ProductDraft {
        name: "x".repeat(NAME_LEN_MAX),
        idle_days: 1,
        single_use: true,
        offline_days: OFFLINE_DAYS_MAX,
        components: (0..64)
            .map(|number| {
                let id = format!("{number:0>24}").parse().expect("an id");
                (id, Component::default())
            })
            .collect(),
        required_product: Some(product(&"R".repeat(24))),
        on_conflict: OnConflict::Refuse,
        offers: Offers::DeploymentOnly,
    };
    let draft = CatalogueDraft {
        vendor_name: "x".repeat(NAME_LEN_MAX),
        products: BTreeMap::from([
            (product(&"P".repeat(24)), longest),
            (product(&"R".repeat(24)), product_draft("Required")),
        ]),
        ..catalogue_draft()
    };
    let text = sign_catalogue(&signer(1), &draft).expect("sound");
    let catalogue = SignedCatalogue::parse(&text).and_then(|signed| signed.unverified());
    for product in catalogue.expect("whole").products.values() {
        assert!(product.signed_entry.len() < ENTRY_LEN_MAX / 3);
    }
    let padded = |len: usize| {
        let padding = vec![0; len];
        let entry = entry_with(3, &[(0x10, b"A"), (0x11, b"Name"), (0x9000, &padding)]);
        (
            entry.len(),
            verify_entry(&entry, &signer(1).vendor_key()).map(|read| read.product),
        )
    };
    let without = padded(0).0;
    assert_eq!(
        padded(ENTRY_LEN_MAX - without),
        (ENTRY_LEN_MAX, Ok(product("A"))),
        "skipped fields may fill it up"
    );
    let (_, longer) = padded(ENTRY_LEN_MAX - without + 1);
    assert!(matches!(longer, Err(ListError::Impossible(_))), "{longer:?}");
}

/// A catalogue of the given entries; the heading is that of [`catalogue_draft`].
pub(super) fn bytes_of(entries: &[&[u8]], more: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = heading(3);
    for entry in entries {
        tlv::put(&mut body, 5, entry).expect("short");
    }
    for (tag, value) in more {
        tlv::put(&mut body, *tag, value).expect("short");
    }
    signed(&signer(1), Purpose::Catalogue, body)
}

fn catalogue_of(entries: &[&[u8]], more: &[(u16, &[u8])]) -> Result<(), ListError> {
    SignedCatalogue::from_bytes(&bytes_of(entries, more))?
        .verify(&signer(1).vendor_key())
        .map(|_| ())
}

fn heading(version: u64) -> Writer {
    let mut body = Writer::new();
    tlv::put(&mut body, 1, &signer(1).vendor_key().id().0).expect("short");
    tlv::put(&mut body, 2, b"Example Vendor").expect("short");
    tlv::put(&mut body, 3, &version.to_be_bytes()).expect("short");
    tlv::put(&mut body, 4, &1_767_225_600_u64.to_be_bytes()).expect("short");
    body
}

pub(super) fn entry_with(version: u64, fields: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = heading(version);
    for (tag, value) in fields {
        tlv::put(&mut body, *tag, value).expect("short");
    }
    signed(&signer(1), Purpose::CatalogueEntry, body)
}

#[test]
fn entries_must_be_of_this_catalogue_and_in_order() {
    let entry = |version, id: &[u8]| entry_with(version, &[(0x10, id), (0x11, b"Name")]);
    let (a, b, older) = (entry(3, b"A"), entry(3, b"B"), entry(2, b"B"));
    assert_eq!(catalogue_of(&[&a, &b], &[]), Ok(()));
    for wrong in [[&b, &a], [&a, &a], [&a, &older]] {
        let result = catalogue_of(&[wrong[0], wrong[1]], &[]);
        assert!(matches!(result, Err(ListError::Impossible(_))), "{result:?}");
    }
    let mut forged = b.clone();
    *forged.last_mut().expect("a signature") ^= 1;
    assert_eq!(catalogue_of(&[&a, &forged], &[]), Err(ListError::BadSignature));
    assert_eq!(
        catalogue_of(&[&a], &[(0x7000, b"")]),
        Err(ListError::NeedsNewer(Unsupported::Field(0x7000)))
    );
    assert_eq!(catalogue_of(&[&a], &[(0x9000, b"")]), Ok(()));
}

#[test]
fn entries_say_only_what_can_be() {
    let verify = |fields: &[(u16, &[u8])]| {
        let fields: Vec<_> = [(0x10, &b"A"[..]), (0x11, b"Name")]
            .iter()
            .chain(fields)
            .copied()
            .collect();
        verify_entry(&entry_with(3, &fields), &signer(1).vendor_key()).map(|entry| entry.entry)
    };
    assert_eq!(verify(&[]).map(|entry| entry.idle_days), Ok(30));
    assert_eq!(
        verify(&[(0x15, b"\x08agent")]),
        Err(ListError::NeedsNewer(Unsupported::ComponentFlags(8)))
    );
    assert_eq!(
        verify(&[(0x16, b"B"), (0x17, b"\x01"), (0x18, b"\x01")]).map(|entry| (
            entry.required,
            entry.on_conflict,
            entry.offers
        )),
        Ok((Some(product("B")), OnConflict::Flag, Offers::MachineFirst)),
        "defaults may be spelled out"
    );
    for code in [0, 3, 255] {
        assert_eq!(
            verify(&[(0x17, &[code])]),
            Err(ListError::NeedsNewer(Unsupported::OnConflict(code)))
        );
    }
    for code in [0, 5, 255] {
        assert_eq!(
            verify(&[(0x18, &[code])]),
            Err(ListError::NeedsNewer(Unsupported::Offers(code)))
        );
    }
    assert_eq!(
        verify(&[(0x20, b"")]),
        Err(ListError::NeedsNewer(Unsupported::Field(0x20)))
    );
    assert!(verify(&[(0x9000, b"")]).is_ok());
    for impossible in [
        &[(0x14, &[61][..])][..],
        &[(0x13, b"\x01")],
        &[(0x15, b"\x01Agent")],
        &[(0x15, b"")],
        &[(0x15, b"\x01b"), (0x15, b"\x01a")],
        &[(0x15, b"\x01a"), (0x15, b"\x01a")],
        &[(0x16, b"A")],
        &[(0x16, b"b")],
        &[(0x16, b"B"), (0x16, b"C")],
        &[(0x17, b"")],
        &[(0x18, b"\x01\x01")],
        &[(0x18, b"\x02"), (0x17, b"\x02")],
    ] {
        let result = verify(impossible);
        assert!(
            matches!(result, Err(ListError::Impossible(_))),
            "{impossible:?}: {result:?}"
        );
    }
}

#[test]
fn a_draft_that_no_server_would_take_is_not_signed() {
    let refused = |change: fn(&mut CatalogueDraft)| {
        let mut draft = catalogue_draft();
        change(&mut draft);
        let result = sign_catalogue(&signer(1), &draft);
        assert!(matches!(result, Err(ListError::Impossible(_))), "{result:?}");
    };
    refused(|draft| draft.vendor_name.clear());
    refused(|draft| draft.vendor_name = "x".repeat(65));
    refused(|draft| draft.vendor_name = "line\nbreak".to_owned());
    refused(|draft| draft.issued_at = Timestamp(u64::MAX));
    refused(|draft| {
        for number in 0..256 {
            draft
                .products
                .insert(product(&format!("P{number}")), product_draft(&"x".repeat(64)));
        }
    });
}

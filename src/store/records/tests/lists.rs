//! What vendors sign as lists: catalogues and blacklists.

use bytes::Bytes;

use super::*;
use crate::domain::blacklist::{Blacklist, CONTACT_LEN_MAX, LISTED_MAX, Listed};
use crate::domain::catalogue::{Catalogue, Component, Offers, OnConflict, Product};
use crate::domain::ids::VendorId;

const VENDOR: VendorId = VendorId([0x11; 16]);

pub(super) fn catalogue(offers: Offers, required: Option<&str>, on_conflict: OnConflict) -> Catalogue {
    let product = Product {
        name: "Imager".to_owned(),
        idle_days: 7,
        single_use: true,
        offline_days: 60,
        offers,
        required: required.map(|id| id.parse().unwrap()),
        on_conflict,
        components: [("agent".parse().unwrap(), Component::default())].into(),
        signed_entry: Bytes::from_static(b"entry"),
    };
    Catalogue {
        vendor: VENDOR,
        vendor_name: "Vendor".to_owned(),
        version: 3,
        issued_at: Timestamp(1),
        products: [("IMAGER".parse().unwrap(), product)].into(),
        signed: Bytes::from_static(b"signed"),
    }
}

#[test]
fn a_catalogue_reads_back_with_every_policy() {
    for offers in [
        Offers::DeploymentFirst,
        Offers::DeploymentOnly,
        Offers::MachineFirst,
        Offers::MachineOnly,
    ] {
        for on_conflict in [OnConflict::Flag, OnConflict::Refuse] {
            for required in [None, Some("BKSRV")] {
                let catalogue = catalogue(offers, required, on_conflict);
                let read = reread::<CatalogueV1>(&CatalogueV1::from(&catalogue));
                assert_eq!(read.into_catalogue(VENDOR).unwrap(), catalogue);
            }
        }
    }
}

/// A product with these numbers and this required product.
fn product(offers: u8, required: Option<&str>, on_conflict: u8) -> Result<Catalogue, RecordError> {
    let policies = (30_u16, false, 0_u8, offers, required, on_conflict);
    let product = ("A", "Name", policies, Vec::<()>::new(), b"entry".to_vec());
    reread::<CatalogueV1>(&("Vendor", 1_u64, 2_u64, vec![product], b"signed".to_vec())).into_catalogue(VENDOR)
}

#[test]
fn a_policy_that_stands_for_nothing_is_refused() {
    assert!(product(4, Some("B"), 2).is_ok());
    for code in [0, 5, 255] {
        assert!(product(code, None, 1).is_err(), "offers {code}");
    }
    for code in [0, 3, 255] {
        assert!(product(1, None, code).is_err(), "on conflict {code}");
    }
    for id in ["", "b", "B C"] {
        assert!(product(1, Some(id), 1).is_err(), "requires {id:?}");
    }
}

#[test]
fn the_longest_blacklist_reads_back() {
    let serial = |number: usize| format!("{number:0>16}").parse().unwrap();
    let listed = |number: usize| {
        if number.is_multiple_of(2) {
            Listed::Blacklisted
        } else {
            Listed::Superseded
        }
    };
    let blacklist = Blacklist {
        vendor: VENDOR,
        version: 9,
        issued_at: Timestamp(1),
        contact: "x".repeat(CONTACT_LEN_MAX),
        serials: (0..LISTED_MAX).map(|number| (serial(number), listed(number))).collect(),
        signed: Bytes::from(vec![7; 48 * 1024]),
    };
    let read = reread::<BlacklistV1>(&BlacklistV1::from(&blacklist));
    assert_eq!(read.into_blacklist(VENDOR).unwrap(), blacklist);
}

fn blacklist(contact: &str, serials: &[([u8; 16], u8)]) -> Result<Blacklist, RecordError> {
    reread::<BlacklistV1>(&(1_u64, 2_u64, contact, serials.to_vec(), b"signed".to_vec())).into_blacklist(VENDOR)
}

#[test]
fn a_blacklist_with_a_field_out_of_bounds_is_refused() {
    let (low, high) = (*b"0000000000000000", *b"0123456789ABCDEF");
    assert!(blacklist("Sales", &[]).is_ok());
    assert!(blacklist("Sales", &[(low, 1), (high, 2)]).is_ok());
    for contact in ["", "a\nb", &"x".repeat(CONTACT_LEN_MAX + 1)] {
        assert!(blacklist(contact, &[]).is_err(), "{contact:?}");
    }
    for serials in [
        &[(high, 1), (low, 1)][..],
        &[(low, 1), (low, 2)],
        &[(low, 0)],
        &[(low, 3)],
        &[(*b"0123456789abcdef", 1)],
        &[(*b"0123456789ABCDEU", 1)],
    ] {
        assert!(blacklist("Sales", serials).is_err(), "{serials:?}");
    }
    let many: Vec<_> = (0..=LISTED_MAX)
        .map(|number| {
            let digits = format!("{number:0>16}");
            (digits.as_bytes().try_into().unwrap(), 1)
        })
        .collect();
    assert!(blacklist("Sales", &many).is_err());
}

//! What vendors sign: a vendor of our own, and the checking of a license key and a catalogue.

use std::collections::BTreeMap;
use std::hint::black_box;

use seatkeeper::domain::catalogue::{Component, Offers, OnConflict};
use seatkeeper::domain::command::Command;
use seatkeeper::domain::ids::{ComponentId, ProductId, ProductKey};
use seatkeeper::domain::license::{Claims, Kind, Usage, Validity};
use seatkeeper::domain::time::Timestamp;
use seatkeeper::vendor::{
    CatalogueDraft, KeyDraft, LicenseKey, ProductDraft, SignedCatalogue, SigningKey, VendorKey, sign_catalogue,
    sign_key,
};

use super::Piece;

pub(super) const PIECES: [Piece; 2] = [
    Piece::new("vendor: read and verify a license key", || {
        let vendor = Vendor::new();
        let text = vendor.license(10);
        Box::new(move || {
            let key = LicenseKey::parse(black_box(&text)).unwrap();
            black_box(key.verify(&vendor.key).unwrap());
        })
    }),
    Piece::new("vendor: read and verify a catalogue", || {
        let vendor = Vendor::new();
        let text = vendor.catalogue();
        Box::new(move || {
            let signed = SignedCatalogue::parse(black_box(&text)).unwrap();
            black_box(signed.verify(&vendor.key).unwrap());
        })
    }),
];

const SERIAL: &str = "0000000000000001";

const SIGNED_AT: Timestamp = Timestamp(1_767_225_600);

pub(super) fn component() -> ComponentId {
    "agent".parse().unwrap()
}

fn product() -> ProductId {
    "SWARM".parse().unwrap()
}

pub(super) struct Vendor {
    signing: SigningKey,
    key: VendorKey,
}

impl Vendor {
    pub(super) fn new() -> Self {
        let signing = SigningKey::from_seed([9; 32]);
        Self {
            key: signing.vendor_key(),
            signing,
        }
    }

    pub(super) fn product(&self) -> ProductKey {
        ProductKey {
            vendor: self.key.id(),
            product: product(),
        }
    }

    /// What makes a server hold a license with so many seats.
    pub(super) fn commands(&self, seats: u32) -> [Command; 3] {
        let catalogue = SignedCatalogue::parse(&self.catalogue()).unwrap();
        let license = LicenseKey::parse(&self.license(seats)).unwrap();
        [
            Command::TrustVendor {
                public_key: self.key.bytes(),
                vendor: self.key.id(),
            },
            Command::ImportCatalogue {
                catalogue: Box::new(catalogue.verify(&self.key).unwrap()),
                dry_run: false,
            },
            Command::Import(vec![license.verify(&self.key).unwrap()]),
        ]
    }

    fn license(&self, seats: u32) -> String {
        let claims = Claims {
            vendor: self.key.id(),
            serial: SERIAL.parse().unwrap(),
            product: product(),
            seats,
            kind: Kind::Commercial,
            usage: Usage::Machine,
            issued_at: SIGNED_AT,
            validity: Validity::Forever,
            support_until_day: None,
            auto_renew: false,
        };
        sign_key(&self.signing, &KeyDraft::from(claims), [5; 16]).unwrap()
    }

    /// What makes seats that are engaged or renewed from now on idle out after so many days.
    pub(super) fn idle_days(&self, version: u64, idle_days: u16) -> Command {
        let catalogue = SignedCatalogue::parse(&self.catalogue_of(version, idle_days)).unwrap();
        Command::ImportCatalogue {
            catalogue: Box::new(catalogue.verify(&self.key).unwrap()),
            dry_run: false,
        }
    }

    fn catalogue(&self) -> String {
        self.catalogue_of(1, 30)
    }

    fn catalogue_of(&self, version: u64, idle_days: u16) -> String {
        let counted = Component {
            counted: true,
            lenient: true,
            ephemeral: false,
        };
        let draft = ProductDraft {
            name: "A product to be measured with".to_owned(),
            idle_days,
            single_use: false,
            offline_days: 0,
            components: BTreeMap::from([(component(), counted)]),
            required_product: None,
            offers: Offers::MachineOnly,
            on_conflict: OnConflict::Flag,
        };
        let catalogue = CatalogueDraft {
            vendor_name: "A vendor".to_owned(),
            version,
            issued_at: SIGNED_AT,
            products: BTreeMap::from([(product(), draft)]),
        };
        sign_catalogue(&self.signing, &catalogue).unwrap()
    }
}

//! A vendor: its key pair, its catalogue and the license keys that it sells. Nothing is random.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use seatkeeper::domain::blacklist::Listed;
use seatkeeper::domain::catalogue::{Component, Offers, OnConflict};
use seatkeeper::domain::ids::{ProductId, Serial, VendorId};
use seatkeeper::domain::license::{Claims, Kind, Usage, Validity};
use seatkeeper::domain::time::Timestamp;
use seatkeeper::vendor::{
    BlacklistDraft, CatalogueDraft, KeyDraft, ProductDraft, SigningKey, sign_blacklist, sign_catalogue, sign_key,
};

/// When everything is signed: 2026-01-01.
const SIGNED_AT: Timestamp = Timestamp(1_767_225_600);

/// Whom every blacklist names.
pub(crate) const CONTACT: &str = "licenses@vendor.example";

/// A vendor; the same number gives the same one.
#[derive(Debug)]
pub(crate) struct Vendor {
    key: SigningKey,
    name: String,
}

impl Vendor {
    pub(crate) fn new(number: u8) -> Self {
        Self {
            key: SigningKey::from_seed([number; 32]),
            name: format!("Vendor {number}"),
        }
    }

    pub(crate) fn id(&self) -> VendorId {
        self.key.vendor_key().id()
    }

    pub(crate) fn public_key(&self) -> [u8; 32] {
        self.key.vendor_key().bytes()
    }

    /// Writes the public key into `dir`.
    pub(crate) fn write_public_key(&self, dir: &Path) -> PathBuf {
        write(
            dir,
            &format!("{}.pub", self.name.replace(' ', "-")),
            &self.key.vendor_key().to_pem(),
        )
    }

    /// Writes the catalogue into `dir`.
    pub(crate) fn write_catalogue(&self, dir: &Path, version: u64) -> PathBuf {
        write(
            dir,
            &format!("{}-{version}.catalogue", self.name.replace(' ', "-")),
            &self.catalogue(version),
        )
    }

    /// The signed catalogue: `BKSRV` with the strict `agent` and `console` and the uncounted `gui`, `BKWS` with the
    /// lenient `agent` and `monitor` and the strict `restore`, `PRIV` with `a` and `b`, `DEPLOY` whose seats never come back,
    /// `FIELD`, which may run for 7 days without its server, and `NEVER`, which nobody buys.
    pub(crate) fn catalogue(&self, version: u64) -> String {
        sign_catalogue(&self.key, &self.draft(version)).expect("a catalogue")
    }

    fn draft(&self, version: u64) -> CatalogueDraft {
        let products = [
            product(
                "BKSRV",
                "Backup Server",
                &[("agent", COUNTED), ("console", COUNTED), ("gui", NOT_COUNTED)],
                false,
            ),
            product(
                "BKWS",
                "Backup Workstation",
                &[("agent", LENIENT), ("monitor", LENIENT), ("restore", COUNTED)],
                false,
            ),
            product("PRIV", "Privacy", &[("a", COUNTED), ("b", COUNTED)], false),
            product("DEPLOY", "Deployment", &[("image", COUNTED)], true),
            offline(7, product("FIELD", "Field Service", &[("agent", COUNTED)], false)),
            product("NEVER", "Never Bought", &[("agent", COUNTED)], false),
        ];
        CatalogueDraft {
            vendor_name: self.name.clone(),
            version,
            issued_at: SIGNED_AT,
            products: products.into(),
        }
    }

    /// What the `number`th license claims.
    pub(crate) fn claims(&self, number: u16, product: &str, seats: u32) -> Claims {
        Claims {
            vendor: self.id(),
            serial: serial(number),
            product: product.parse().expect("product id"),
            seats,
            kind: Kind::Commercial,
            usage: Usage::Machine,
            issued_at: SIGNED_AT,
            validity: Validity::Forever,
            support_until_day: None,
            auto_renew: false,
        }
    }

    /// The `number`th license key.
    pub(crate) fn license(&self, number: u16, product: &str, seats: u32) -> String {
        self.sign(self.claims(number, product, seats))
    }

    /// A key of the `number`th license that lasts through `day`, in days since 1970-01-01.
    pub(crate) fn license_through(&self, number: u16, product: &str, seats: u32, day: u32) -> String {
        self.sign(Claims {
            validity: Validity::ThroughDay(day),
            ..self.claims(number, product, seats)
        })
    }

    /// The `number`th license key, for deployments.
    pub(crate) fn deployment_license(&self, number: u16, product: &str, units: u32) -> String {
        self.sign(Claims {
            usage: Usage::Deployment,
            ..self.claims(number, product, units)
        })
    }

    /// The signed list of these licenses, in armor.
    pub(crate) fn blacklist(&self, version: u64, licenses: &[(u16, Listed)]) -> String {
        let draft = BlacklistDraft {
            version,
            issued_at: SIGNED_AT,
            contact: CONTACT.to_owned(),
            serials: licenses
                .iter()
                .map(|(number, listed)| (serial(*number), *listed))
                .collect(),
        };
        sign_blacklist(&self.key, &draft).expect("a blacklist")
    }

    /// Writes that list into `dir`.
    pub(crate) fn write_blacklist(&self, dir: &Path, version: u64, licenses: &[(u16, Listed)]) -> PathBuf {
        let text = self.blacklist(version, licenses);
        write(
            dir,
            &format!("{}-{version}.blacklist", self.name.replace(' ', "-")),
            &text,
        )
    }

    /// Writes a catalogue with other terms than [`Vendor::catalogue`] into `dir`.
    pub(crate) fn write_changed_catalogue(
        &self,
        dir: &Path,
        version: u64,
        change: impl FnOnce(&mut BTreeMap<ProductId, ProductDraft>),
    ) -> PathBuf {
        let mut draft = self.draft(version);
        change(&mut draft.products);
        let text = sign_catalogue(&self.key, &draft).expect("a catalogue");
        write(
            dir,
            &format!("{}-{version}-changed.catalogue", self.name.replace(' ', "-")),
            &text,
        )
    }

    /// The key of these claims.
    pub(crate) fn sign(&self, claims: impl Into<KeyDraft>) -> String {
        let draft = claims.into();
        let mut secret = [0x5e; 16];
        for (to, from) in secret.iter_mut().zip(draft.claims.serial.bytes()) {
            *to ^= from;
        }
        sign_key(&self.key, &draft, secret).expect("a license key")
    }
}

/// The `number`th serial.
pub(crate) fn serial(number: u16) -> Serial {
    let [high, low] = number.to_be_bytes();
    Serial::from_random([0xc0, 0xff, 0xee, 0, 0, 0, 0, 0, high, low])
}

const COUNTED: Component = Component {
    counted: true,
    lenient: false,
    ephemeral: false,
};
const LENIENT: Component = Component {
    counted: true,
    lenient: true,
    ephemeral: false,
};
const NOT_COUNTED: Component = Component {
    counted: false,
    lenient: false,
    ephemeral: false,
};

fn product(id: &str, name: &str, components: &[(&str, Component)], single_use: bool) -> (ProductId, ProductDraft) {
    let draft = ProductDraft {
        name: name.to_owned(),
        idle_days: 30,
        single_use,
        offline_days: 0,
        components: components
            .iter()
            .map(|(id, flags)| (id.parse().expect("component id"), *flags))
            .collect(),
        required_product: None,
        on_conflict: OnConflict::Flag,
        offers: Offers::MachineFirst,
    };
    (id.parse().expect("product id"), draft)
}

fn offline(days: u8, (id, draft): (ProductId, ProductDraft)) -> (ProductId, ProductDraft) {
    let draft = ProductDraft {
        offline_days: days,
        ..draft
    };
    (id, draft)
}

fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).expect("write");
    path
}

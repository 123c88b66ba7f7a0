//! A vendor of the demonstration's own: its key pair, a catalogue modelled on a backup suite, license keys.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cli::error::CliError;
use crate::cli::server::random;
use crate::domain::catalogue::{Component, IDLE_DAYS_DEFAULT, Offers, OnConflict};
use crate::domain::ids::{ProductId, Serial};
use crate::domain::license::{Claims, Kind, Usage, Validity};
use crate::domain::time::Timestamp;
use crate::vendor::{
    CatalogueDraft, KeyDraft, ProductDraft, SignedCatalogue, SigningKey, VendorKey, sign_catalogue, sign_key,
};

/// A part of a product: id, counted, lenient.
type Part = (&'static str, bool, bool);

/// The products: id, name, whether seats never come back, parts.
const PRODUCTS: [(&str, &str, bool, &[Part]); 5] = [
    (
        "BKSRV",
        "Backup for Servers",
        false,
        &[("agent", true, false), ("console", true, false)],
    ),
    (
        "BKWKS",
        "Backup for Workstations",
        false,
        &[("agent", true, true), ("console", true, false)],
    ),
    (
        "PRIVACY",
        "Privacy Suite",
        false,
        &[("guard", true, true), ("wipe", true, false)],
    ),
    ("DEPLOY", "Deployment", true, &[("agent", true, false)]),
    ("MGMT", "Management Console", false, &[("console", false, false)]),
];

/// A vendor with a key pair of its own.
pub(super) struct Vendor {
    signer: SigningKey,
    directory: PathBuf,
    at: Timestamp,
}

impl Vendor {
    pub(super) fn new(root: &Path, name: &str, at: Timestamp) -> Result<Self, CliError> {
        let directory = root.join(name);
        let vendor = Self {
            signer: SigningKey::from_seed(random()?),
            directory,
            at,
        };
        std::fs::create_dir_all(&vendor.directory)
            .and_then(|()| std::fs::write(vendor.public_key_file(), vendor.key().to_pem()))
            .map_err(|error| CliError::because("cannot write the vendor's public key", error))?;
        Ok(vendor)
    }

    pub(super) fn key(&self) -> VendorKey {
        self.signer.vendor_key()
    }

    pub(super) fn public_key_file(&self) -> PathBuf {
        self.directory.join("vendor.pub")
    }

    /// Signs the catalogue.
    pub(super) fn catalogue(&self, vendor_name: &str) -> Result<SignedCatalogue, CliError> {
        let mut products = BTreeMap::new();
        for (id, name, single_use, parts) in PRODUCTS {
            products.insert(product(id)?, product_draft(name, single_use, parts)?);
        }
        let draft = CatalogueDraft {
            vendor_name: vendor_name.to_owned(),
            version: 1,
            issued_at: self.at,
            products,
        };
        let text = sign_catalogue(&self.signer, &draft).map_err(|error| CliError::because("cannot sign", error))?;
        SignedCatalogue::parse(&text).map_err(|error| CliError::because("cannot read the catalogue", error))
    }

    /// Signs a license key.
    pub(super) fn license(&self, id: &str, seats: u32, kind: Kind, validity: Validity) -> Result<String, CliError> {
        let claims = Claims {
            vendor: self.key().id(),
            serial: Serial::from_random(random()?),
            product: product(id)?,
            seats,
            kind,
            usage: Usage::Machine,
            issued_at: self.at,
            validity,
            support_until_day: None,
            auto_renew: false,
        };
        sign_key(&self.signer, &KeyDraft::from(claims), random()?)
            .map_err(|error| CliError::because("cannot sign", error))
    }
}

fn product_draft(name: &str, single_use: bool, parts: &[Part]) -> Result<ProductDraft, CliError> {
    let mut components = BTreeMap::new();
    for &(id, counted, lenient) in parts {
        let id = id
            .parse()
            .map_err(|error| CliError::because("a component of the demonstration", error))?;
        components.insert(
            id,
            Component {
                counted,
                lenient,
                ephemeral: false,
            },
        );
    }
    Ok(ProductDraft {
        name: name.to_owned(),
        idle_days: IDLE_DAYS_DEFAULT,
        single_use,
        offline_days: 0,
        components,
        required_product: None,
        on_conflict: OnConflict::Flag,
        offers: Offers::MachineFirst,
    })
}

pub(super) fn product(id: &str) -> Result<ProductId, CliError> {
    id.parse()
        .map_err(|error| CliError::because("a product of the demonstration", error))
}

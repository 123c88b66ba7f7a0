use std::collections::BTreeMap;

use bytes::Bytes;

use super::armor;
use super::entry::{CatalogueEntry, Heading, verify_entry};
use super::error::{ListError, Unsupported};
use super::signed::{Purpose, SKIPPABLE_FROM, Signed, fields, invalid, too_many};
use super::signed_list::{LIST_LEN_MAX, LIST_TEXT_LEN_MAX, SignedList};
use super::vendor_key::VendorKey;
use crate::codec::DecodeError;
use crate::domain::catalogue::{Catalogue, PRODUCTS_MAX, Product};
use crate::domain::ids::{ProductId, VendorId};

/// The longest catalogue in binary, in bytes: it must fit a frame.
pub const CATALOGUE_LEN_MAX: usize = LIST_LEN_MAX;

/// The longest file that is read as a catalogue, in bytes: four times what the longest catalogue needs.
pub const CATALOGUE_TEXT_LEN_MAX: usize = LIST_TEXT_LEN_MAX;

/// Signed entry of a product, as often as there are products.
pub(super) const ENTRY: u16 = 0x0005;

/// A vendor's catalogue whose text is undamaged. What it says is unverified until [`SignedCatalogue::verify`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedCatalogue(SignedList);

impl SignedCatalogue {
    /// Reads a catalogue file: base64 between `-----BEGIN SEATKEEPER CATALOGUE-----` and the END line.
    ///
    /// # Errors
    /// [`ListError::Blacklist`] if it is one, [`ListError::Damaged`] if the text is not whole, else as
    /// [`SignedCatalogue::from_bytes`].
    pub fn parse(text: &str) -> Result<Self, ListError> {
        if armor::BLACKLIST.begins_in(text) && !armor::CATALOGUE.begins_in(text) {
            return Err(ListError::Blacklist);
        }
        SignedList::parse(text, &armor::CATALOGUE).map(Self)
    }

    /// Reads the binary form, as it comes over the wire.
    ///
    /// # Errors
    /// [`ListError::Damaged`] if it is too long, [`ListError::Impossible`] if it names no vendor.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ListError> {
        SignedList::from_bytes(bytes).map(Self)
    }

    /// The binary form, at most [`CATALOGUE_LEN_MAX`] bytes.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.0.bytes
    }

    /// The vendor that the catalogue names, by which its public key is looked up; unverified.
    #[must_use]
    pub const fn vendor(&self) -> VendorId {
        self.0.vendor
    }

    /// Checks the signature of the whole and of every entry, and that all of it can be honoured here.
    ///
    /// # Errors
    /// [`ListError`]: the catalogue is refused as a whole for this reason.
    pub fn verify(&self, key: &VendorKey) -> Result<Catalogue, ListError> {
        let signed = self.0.verified(key, Purpose::Catalogue)?;
        self.read(signed, |entry| verify_entry(entry, key))
    }

    /// What the catalogue says, whoever signed it: for explaining it to people, never to act on.
    ///
    /// # Errors
    /// [`ListError`], but no signature is checked.
    #[cfg(feature = "mint")]
    pub fn unverified(&self) -> Result<Catalogue, ListError> {
        self.read(self.0.unverified()?, |entry| {
            super::entry::read_entry(Signed::split(entry)?, entry)
        })
    }

    fn read(
        &self,
        signed: Signed<'_>,
        read_entry: impl Fn(&[u8]) -> Result<CatalogueEntry, ListError>,
    ) -> Result<Catalogue, ListError> {
        let mut heading = Heading::default();
        let mut entries = Vec::new();
        for field in fields(signed.body, Some(ENTRY)) {
            let field = field?;
            match field.tag {
                ENTRY if entries.len() == PRODUCTS_MAX => return Err(too_many("products", PRODUCTS_MAX).into()),
                ENTRY => entries.push(field.value),
                tag if heading.take(tag, field.value)? => {}
                SKIPPABLE_FROM.. => {}
                unknown => return Err(Unsupported::Field(unknown).into()),
            }
        }
        let (vendor, vendor_name, version, issued_at) = heading.whole()?;
        let mut catalogue = Catalogue {
            vendor,
            vendor_name,
            version,
            issued_at,
            products: BTreeMap::new(),
            signed: self.0.bytes.clone(),
        };
        for entry in entries {
            let (id, product) = belonging(read_entry(entry)?, &catalogue)?;
            catalogue.products.insert(id, product);
        }
        check_required(&catalogue.products)?;
        Ok(catalogue)
    }
}

/// An entry must be of this very catalogue: one of an older catalogue, however genuine, could bring an old policy back.
fn belonging(entry: CatalogueEntry, catalogue: &Catalogue) -> Result<(ProductId, Product), DecodeError> {
    let same = entry.vendor == catalogue.vendor
        && entry.vendor_name == catalogue.vendor_name
        && entry.version == catalogue.version
        && entry.issued_at == catalogue.issued_at;
    if !same {
        return Err(invalid("entry", "of another catalogue"));
    }
    match catalogue.products.last_key_value() {
        Some((last, _)) if *last >= entry.product => Err(invalid("product id", "not behind the one before")),
        _ => Ok((entry.product, entry.entry)),
    }
}

/// What a product requires must be there to be had (rule S15): in this catalogue, and without requiring it in turn.
fn check_required(products: &BTreeMap<ProductId, Product>) -> Result<(), DecodeError> {
    for product in products.values() {
        let mut required = product.required;
        // A chain that is longer than there are products goes round in a circle.
        for _ in 0..products.len() {
            let Some(next) = required else { break };
            let product = products
                .get(&next)
                .ok_or_else(|| invalid("required product", "not in the catalogue"))?;
            required = product.required;
        }
        if required.is_some() {
            return Err(invalid("required product", "requires in turn what requires it"));
        }
    }
    Ok(())
}

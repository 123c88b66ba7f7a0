//! Signing: the vendor's side. Nothing here is random or reads a clock: secrets, serials and dates are handed in.
//!
//! What was signed is verified before it is returned, so that no text leaves here that a server would call impossible.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::armor;
use super::blacklist::{self as list, BLACKLIST_LEN_MAX, SignedBlacklist};
use super::catalogue::{CATALOGUE_LEN_MAX, ENTRY, SignedCatalogue};
use super::certificate as claim;
use super::entry;
use super::error::{KeyError, ListError};
use super::license_key::{LicenseKey, text_of};
use super::signed::{Purpose, VENDOR};
use super::signing_key::SigningKey;
use crate::codec::{DecodeError, Writer, tlv};
use crate::domain::blacklist::Listed;
use crate::domain::catalogue::{Component, IDLE_DAYS_DEFAULT, Offers, OnConflict};
use crate::domain::ids::{ComponentId, ProductId, Serial};
use crate::domain::license::{Claims, Kind, Usage, Validity};
use crate::domain::time::Timestamp;

/// What a license key is to claim.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyDraft {
    /// The claims that this version honours; the vendor must be the signer.
    pub claims: Claims,
    /// Whether the license must be activated. Servers of this version refuse such a key.
    pub must_activate: bool,
    /// The pool that it belongs to, 1 to 64 bytes. Servers of this version refuse such a key.
    pub pool: Option<String>,
}

impl From<Claims> for KeyDraft {
    fn from(claims: Claims) -> Self {
        Self {
            claims,
            must_activate: false,
            pool: None,
        }
    }
}

/// What a catalogue is to say of a product.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProductDraft {
    /// Its name for people, 1 to 64 bytes.
    pub name: String,
    /// Days without renewal after which a seat is free; 0 = never.
    pub idle_days: u16,
    /// Whether its seats never come back.
    pub single_use: bool,
    /// Days that a strict component may run without a server, 0 to 60.
    pub offline_days: u8,
    /// Its components; at most 64.
    pub components: BTreeMap<ComponentId, Component>,
    /// A product of the same catalogue that the machine must hold a seat of (rule S15); not this one, nor in a circle.
    pub required_product: Option<ProductId>,
    /// What becomes of a conflict (rule I7).
    pub on_conflict: OnConflict,
    /// The licenses that it is sold by, and which are used first (rule X5).
    pub offers: Offers,
}

/// What a catalogue is to say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CatalogueDraft {
    /// The vendor's name for people, 1 to 64 bytes.
    pub vendor_name: String,
    /// Larger than that of the vendor's catalogue before.
    pub version: u64,
    /// When it is signed.
    pub issued_at: Timestamp,
    /// The products; at most 256, and no more than fit [`CATALOGUE_LEN_MAX`].
    pub products: BTreeMap<ProductId, ProductDraft>,
}

/// What a blacklist is to say (rule C3).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BlacklistDraft {
    /// Larger than that of the vendor's blacklist before, which this one replaces as a whole.
    pub version: u64,
    /// When it is signed.
    pub issued_at: Timestamp,
    /// Whom the customer of a listed license should contact, 1 to 128 bytes.
    pub contact: String,
    /// The serials that do not serve any more; at most 2,048.
    pub serials: BTreeMap<Serial, Listed>,
}

/// Signs a license key and returns its text. `secret` is random and the key's own: it must not be used twice.
///
/// # Errors
/// The [`KeyError`] with which every server would refuse the key; a claim that only a newer server can honour is none.
pub fn sign_key(signer: &SigningKey, draft: &KeyDraft, secret: [u8; 16]) -> Result<String, KeyError> {
    let body = claims(draft, Sha256::digest(secret).into())?;
    let certificate = signed(signer, Purpose::Certificate, body);
    match claim::verify(&certificate, &signer.vendor_key()) {
        Ok(_) | Err(KeyError::NeedsNewer(_)) => {}
        Err(fault) => return Err(fault),
    }
    let text = text_of(&certificate, &secret);
    LicenseKey::parse(&text).map(|_| text)
}

/// Signs a catalogue and returns its text.
///
/// # Errors
/// The [`ListError`] with which every server would refuse it.
pub fn sign_catalogue(signer: &SigningKey, draft: &CatalogueDraft) -> Result<String, ListError> {
    let mut body = heading(signer, draft)?;
    for (id, product) in &draft.products {
        let entry = signed(signer, Purpose::CatalogueEntry, entry_of(signer, draft, *id, product)?);
        tlv::put(&mut body, ENTRY, &entry)?;
    }
    let bytes = signed(signer, Purpose::Catalogue, body);
    bounded("the catalogue", bytes.len(), CATALOGUE_LEN_MAX)?;
    SignedCatalogue::from_bytes(&bytes)?.verify(&signer.vendor_key())?;
    Ok(armor::CATALOGUE.close(&bytes))
}

/// Signs a blacklist and returns its text.
///
/// # Errors
/// The [`ListError`] with which every server would refuse it.
pub fn sign_blacklist(signer: &SigningKey, draft: &BlacklistDraft) -> Result<String, ListError> {
    let mut body = Writer::new();
    tlv::put(&mut body, VENDOR, &signer.vendor_key().id().0)?;
    tlv::put(&mut body, list::VERSION, &draft.version.to_be_bytes())?;
    tlv::put(&mut body, list::ISSUED_AT, &draft.issued_at.0.to_be_bytes())?;
    tlv::put(&mut body, list::CONTACT, draft.contact.as_bytes())?;
    for (serial, listed) in &draft.serials {
        let code = match listed {
            Listed::Blacklisted => list::BLACKLISTED,
            Listed::Superseded => list::SUPERSEDED,
        };
        tlv::put(&mut body, list::SERIAL, &[&[code], serial.as_str().as_bytes()].concat())?;
    }
    let bytes = signed(signer, Purpose::Blacklist, body);
    bounded("the blacklist", bytes.len(), BLACKLIST_LEN_MAX)?;
    SignedBlacklist::from_bytes(&bytes)?.verify(&signer.vendor_key())?;
    Ok(armor::BLACKLIST.close(&bytes))
}

/// A list that is too long is the vendor's mistake and not damage, as reading it would call it.
const fn bounded(field: &'static str, len: usize, max: usize) -> Result<(), DecodeError> {
    if len > max {
        return Err(DecodeError::TooLong { field, len, max });
    }
    Ok(())
}

pub(super) fn signed(signer: &SigningKey, purpose: Purpose, body: Writer) -> Vec<u8> {
    let mut bytes = body.into_bytes();
    let signature = signer.sign(&purpose.message(&bytes));
    bytes.extend(signature);
    bytes
}

fn claims(draft: &KeyDraft, secret_hash: [u8; 32]) -> Result<Writer, DecodeError> {
    let claims = &draft.claims;
    let mut out = Writer::new();
    tlv::put(&mut out, VENDOR, &claims.vendor.0)?;
    tlv::put(&mut out, claim::SERIAL, claims.serial.as_str().as_bytes())?;
    tlv::put(&mut out, claim::PRODUCT, claims.product.as_str().as_bytes())?;
    tlv::put(&mut out, claim::SEATS, &claims.seats.to_be_bytes())?;
    tlv::put(&mut out, claim::KIND, &[kind_code(claims.kind)])?;
    tlv::put(&mut out, claim::USAGE, &[usage_code(claims.usage)])?;
    tlv::put(&mut out, claim::ISSUED_AT, &claims.issued_at.0.to_be_bytes())?;
    match claims.validity {
        Validity::Days(days) => tlv::put(&mut out, claim::DAYS, &days.to_be_bytes())?,
        Validity::Forever => {}
        Validity::ThroughDay(day) => tlv::put(&mut out, claim::THROUGH_DAY, &day.to_be_bytes())?,
    }
    tlv::put(&mut out, claim::SECRET_HASH, &secret_hash)?;
    if draft.must_activate {
        tlv::put(&mut out, claim::MUST_ACTIVATE, &[])?;
    }
    if let Some(pool) = &draft.pool {
        tlv::put(&mut out, claim::POOL, pool.as_bytes())?;
    }
    if let Some(day) = claims.support_until_day {
        tlv::put(&mut out, claim::SUPPORT_UNTIL_DAY, &day.to_be_bytes())?;
    }
    if claims.auto_renew {
        tlv::put(&mut out, claim::AUTO_RENEW, &[])?;
    }
    Ok(out)
}

const fn kind_code(kind: Kind) -> u8 {
    match kind {
        Kind::Commercial => 1,
        Kind::Subscription => 2,
        Kind::Trial => 3,
    }
}

const fn usage_code(usage: Usage) -> u8 {
    match usage {
        Usage::Machine => 1,
        Usage::Deployment => 2,
    }
}

fn heading(signer: &SigningKey, draft: &CatalogueDraft) -> Result<Writer, DecodeError> {
    let mut out = Writer::new();
    tlv::put(&mut out, VENDOR, &signer.vendor_key().id().0)?;
    tlv::put(&mut out, entry::VENDOR_NAME, draft.vendor_name.as_bytes())?;
    tlv::put(&mut out, entry::VERSION, &draft.version.to_be_bytes())?;
    tlv::put(&mut out, entry::ISSUED_AT, &draft.issued_at.0.to_be_bytes())?;
    Ok(out)
}

fn entry_of(
    signer: &SigningKey,
    draft: &CatalogueDraft,
    id: ProductId,
    product: &ProductDraft,
) -> Result<Writer, DecodeError> {
    let mut out = heading(signer, draft)?;
    tlv::put(&mut out, entry::PRODUCT, id.as_str().as_bytes())?;
    tlv::put(&mut out, entry::NAME, product.name.as_bytes())?;
    if product.idle_days != IDLE_DAYS_DEFAULT {
        tlv::put(&mut out, entry::IDLE_DAYS, &product.idle_days.to_be_bytes())?;
    }
    if product.single_use {
        tlv::put(&mut out, entry::SINGLE_USE, &[])?;
    }
    if product.offline_days != 0 {
        tlv::put(&mut out, entry::OFFLINE_DAYS, &[product.offline_days])?;
    }
    for (id, component) in &product.components {
        let flags = [
            (component.counted, entry::COUNTED),
            (component.lenient, entry::LENIENT),
            (component.ephemeral, entry::EPHEMERAL),
        ];
        let flags = flags
            .into_iter()
            .fold(0, |all, (on, bit)| if on { all | bit } else { all });
        tlv::put(&mut out, entry::COMPONENT, &[&[flags], id.as_str().as_bytes()].concat())?;
    }
    if let Some(required) = product.required_product {
        tlv::put(&mut out, entry::REQUIRED_PRODUCT, required.as_str().as_bytes())?;
    }
    match product.on_conflict {
        OnConflict::Flag => {}
        OnConflict::Refuse => tlv::put(&mut out, entry::ON_CONFLICT, &[2])?,
    }
    match product.offers {
        Offers::MachineFirst => {}
        Offers::DeploymentFirst => tlv::put(&mut out, entry::OFFERS, &[2])?,
        Offers::MachineOnly => tlv::put(&mut out, entry::OFFERS, &[3])?,
        Offers::DeploymentOnly => tlv::put(&mut out, entry::OFFERS, &[4])?,
    }
    Ok(out)
}

//! A product's entry in the catalogue, signed on its own so that agents can keep it (rule O2).

use std::collections::BTreeMap;

use bytes::Bytes;

use super::error::{ListError, Unsupported};
use super::signed::{Purpose, SKIPPABLE_FROM, Signed, VENDOR};
use super::signed::{exact, fields, flag, id, invalid, name, needed, number_u16, number_u64, time, too_many};
use super::vendor_key::VendorKey;
use crate::codec::DecodeError;
use crate::domain::catalogue::{COMPONENTS_MAX, Component, IDLE_DAYS_DEFAULT, Offers, OnConflict, Product};
use crate::domain::ids::{ComponentId, ProductId, VendorId};
use crate::domain::time::Timestamp;

/// The longest name of a vendor or a product, in bytes of UTF-8.
pub const NAME_LEN_MAX: usize = 64;

/// The longest signed entry, in bytes: a grant carries it (rule O2). All that this version knows fits a third of it.
pub const ENTRY_LEN_MAX: usize = 8 * 1024;

/// The most days that a product may let strict components run without a server (rule O3).
pub const OFFLINE_DAYS_MAX: u8 = 60;

// The first four stand in front of a catalogue and of each of its entries, and must be the same.
pub(super) const VENDOR_NAME: u16 = 0x0002;
pub(super) const VERSION: u16 = 0x0003;
pub(super) const ISSUED_AT: u16 = 0x0004;
pub(super) const PRODUCT: u16 = 0x0010;
pub(super) const NAME: u16 = 0x0011;
pub(super) const IDLE_DAYS: u16 = 0x0012;
pub(super) const SINGLE_USE: u16 = 0x0013;
pub(super) const OFFLINE_DAYS: u16 = 0x0014;
pub(super) const COMPONENT: u16 = 0x0015;
pub(super) const REQUIRED_PRODUCT: u16 = 0x0016;
pub(super) const ON_CONFLICT: u16 = 0x0017;
pub(super) const OFFERS: u16 = 0x0018;

pub(super) const COUNTED: u8 = 1;
pub(super) const LENIENT: u8 = 2;
pub(super) const EPHEMERAL: u8 = 4;

/// A checked entry of a catalogue.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CatalogueEntry {
    /// Who signed it.
    pub vendor: VendorId,
    /// The vendor's name, 1 to [`NAME_LEN_MAX`] bytes.
    pub vendor_name: String,
    /// The number of the catalogue that it is of; an entry replaces only one of a smaller number.
    pub version: u64,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// The product that it defines.
    pub product: ProductId,
    /// What it says of the product.
    pub entry: Product,
}

/// Checks that `signed` is an entry of the vendor's catalogue and returns what it says.
///
/// # Errors
/// [`ListError`]: the entry counts for nothing.
pub fn verify_entry(signed: &[u8], key: &VendorKey) -> Result<CatalogueEntry, ListError> {
    let split = Signed::split(signed)?;
    split.check(key, Purpose::CatalogueEntry)?;
    read_entry(split, signed)
}

/// What an entry says, whoever signed it.
pub(super) fn read_entry(split: Signed<'_>, signed: &[u8]) -> Result<CatalogueEntry, ListError> {
    if signed.len() > ENTRY_LEN_MAX {
        return Err(DecodeError::TooLong {
            field: "the entry",
            len: signed.len(),
            max: ENTRY_LEN_MAX,
        }
        .into());
    }
    let mut read = ReadEntry::default();
    for field in fields(split.body, Some(COMPONENT)) {
        let field = field?;
        if !read.heading.take(field.tag, field.value)? {
            read.take(field.tag, field.value)?;
        }
    }
    Ok(read.whole(signed)?)
}

/// What stands in front of a catalogue and of each of its entries.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Heading {
    vendor: Option<VendorId>,
    vendor_name: Option<String>,
    version: Option<u64>,
    issued_at: Option<u64>,
}

impl Heading {
    /// Takes a field if it is one of the heading.
    pub(super) fn take(&mut self, tag: u16, value: &[u8]) -> Result<bool, DecodeError> {
        match tag {
            VENDOR => self.vendor = Some(VendorId(exact(value, "vendor id")?)),
            VENDOR_NAME => self.vendor_name = Some(name(value, "vendor name", NAME_LEN_MAX)?),
            VERSION => self.version = Some(number_u64(value, "version")?),
            ISSUED_AT => self.issued_at = Some(time(value, "issue date")?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Vendor, its name, version and issue date.
    pub(super) fn whole(self) -> Result<(VendorId, String, u64, Timestamp), DecodeError> {
        Ok((
            needed(self.vendor, "vendor id")?,
            needed(self.vendor_name, "vendor name")?,
            needed(self.version, "version")?,
            Timestamp(needed(self.issued_at, "issue date")?),
        ))
    }
}

#[derive(Default)]
struct ReadEntry {
    heading: Heading,
    product: Option<ProductId>,
    name: Option<String>,
    idle_days: Option<u16>,
    single_use: bool,
    offline_days: u8,
    components: BTreeMap<ComponentId, Component>,
    required: Option<ProductId>,
    on_conflict: OnConflict,
    offers: Offers,
}

impl ReadEntry {
    fn take(&mut self, tag: u16, value: &[u8]) -> Result<(), ListError> {
        match tag {
            PRODUCT => self.product = Some(id(ProductId::from_canonical(value))?),
            NAME => self.name = Some(name(value, "product name", NAME_LEN_MAX)?),
            IDLE_DAYS => self.idle_days = Some(number_u16(value, "idle days")?),
            SINGLE_USE => self.single_use = flag(value)?,
            OFFLINE_DAYS => self.offline_days = offline_days(value)?,
            COMPONENT => self.take_component(value)?,
            REQUIRED_PRODUCT => self.required = Some(id(ProductId::from_canonical(value))?),
            ON_CONFLICT => self.on_conflict = on_conflict(value)?,
            OFFERS => self.offers = offers(value)?,
            SKIPPABLE_FROM.. => {}
            unknown => return Err(Unsupported::Field(unknown).into()),
        }
        Ok(())
    }

    /// `flags u8 | id`; the ids ascend, so that none is there twice.
    fn take_component(&mut self, value: &[u8]) -> Result<(), ListError> {
        let (&flags, text) = value
            .split_first()
            .ok_or(DecodeError::Truncated { field: "component" })?;
        if flags & !(COUNTED | LENIENT | EPHEMERAL) != 0 {
            return Err(Unsupported::ComponentFlags(flags).into());
        }
        let id = id(ComponentId::from_canonical(text))?;
        if self.components.last_key_value().is_some_and(|(last, _)| *last >= id) {
            return Err(invalid("component id", "not behind the one before").into());
        }
        if self.components.len() == COMPONENTS_MAX {
            return Err(too_many("components", COMPONENTS_MAX).into());
        }
        let component = Component {
            counted: flags & COUNTED != 0,
            lenient: flags & LENIENT != 0,
            ephemeral: flags & EPHEMERAL != 0,
        };
        self.components.insert(id, component);
        Ok(())
    }

    fn whole(self, signed: &[u8]) -> Result<CatalogueEntry, DecodeError> {
        let (vendor, vendor_name, version, issued_at) = self.heading.whole()?;
        let product = needed(self.product, "product id")?;
        if self.required == Some(product) {
            return Err(invalid("required product", "the product itself"));
        }
        Ok(CatalogueEntry {
            vendor,
            vendor_name,
            version,
            issued_at,
            product,
            entry: Product {
                name: needed(self.name, "product name")?,
                idle_days: self.idle_days.unwrap_or(IDLE_DAYS_DEFAULT),
                single_use: self.single_use,
                offline_days: self.offline_days,
                offers: self.offers,
                required: self.required,
                on_conflict: self.on_conflict,
                components: self.components,
                signed_entry: Bytes::copy_from_slice(signed),
            },
        })
    }
}

fn offline_days(value: &[u8]) -> Result<u8, DecodeError> {
    match exact(value, "offline days")? {
        [days] if days <= OFFLINE_DAYS_MAX => Ok(days),
        _ => Err(invalid("offline days", "more than 60")),
    }
}

fn on_conflict(value: &[u8]) -> Result<OnConflict, ListError> {
    match exact(value, "on conflict")? {
        [1] => Ok(OnConflict::Flag),
        [2] => Ok(OnConflict::Refuse),
        [other] => Err(Unsupported::OnConflict(other).into()),
    }
}

fn offers(value: &[u8]) -> Result<Offers, ListError> {
    match exact(value, "offers")? {
        [1] => Ok(Offers::MachineFirst),
        [2] => Ok(Offers::DeploymentFirst),
        [3] => Ok(Offers::MachineOnly),
        [4] => Ok(Offers::DeploymentOnly),
        [other] => Err(Unsupported::Offers(other).into()),
    }
}

//! The TOML file that a catalogue is made of.

use std::collections::BTreeMap;

use seatkeeper::domain::catalogue::{Component, IDLE_DAYS_DEFAULT, Offers, OnConflict};
use seatkeeper::domain::ids::{ComponentId, ProductId};
use seatkeeper::domain::time::Timestamp;
use seatkeeper::vendor::{CatalogueDraft, NAME_LEN_MAX, OFFLINE_DAYS_MAX, ProductDraft};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    vendor: Name,
    version: Option<u64>,
    products: BTreeMap<Product, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: Name,
    idle_days: Option<u16>,
    #[serde(default)]
    single_use: bool,
    #[serde(default)]
    offline_days: OfflineDays,
    components: BTreeMap<Part, Flags>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Flags {
    counted: bool,
    #[serde(default)]
    lenient: bool,
    #[serde(default)]
    ephemeral: bool,
}

/// A product id in its canonical form: `a` and `A` would be one product.
#[derive(Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(try_from = "String")]
struct Product(ProductId);

impl TryFrom<String> for Product {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        ProductId::from_canonical(text.as_bytes())
            .map(Self)
            .map_err(|fault| format!("{fault}; `{text}` must be in upper case"))
    }
}

#[derive(Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(try_from = "String")]
struct Part(ComponentId);

impl TryFrom<String> for Part {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        ComponentId::from_canonical(text.as_bytes())
            .map(Self)
            .map_err(|fault| format!("{fault}; `{text}` must be in lower case"))
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Name(String);

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let fits = (1..=NAME_LEN_MAX).contains(&text.len());
        if fits && text.trim() == text && !text.chars().any(char::is_control) {
            Ok(Self(text))
        } else {
            Err(format!(
                "a name is 1 to {NAME_LEN_MAX} bytes without spaces around it and without control characters"
            ))
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(try_from = "u8")]
struct OfflineDays(u8);

impl TryFrom<u8> for OfflineDays {
    type Error = String;

    fn try_from(days: u8) -> Result<Self, String> {
        if days <= OFFLINE_DAYS_MAX {
            Ok(Self(days))
        } else {
            Err(format!("offline_days is 0 to {OFFLINE_DAYS_MAX}"))
        }
    }
}

/// Reads the file; errors name line and field.
pub(super) fn parse(text: &str, now: Timestamp) -> Result<CatalogueDraft, String> {
    let file: File = toml::from_str(text).map_err(|fault| fault.to_string())?;
    if file.products.is_empty() {
        return Err("there is no product in it; add a table [products.ID]".to_owned());
    }
    let mut products = BTreeMap::new();
    for (Product(id), entry) in file.products {
        if entry.components.is_empty() {
            return Err(format!(
                "product {id} has no component; add one to [products.{id}.components]"
            ));
        }
        products.insert(id, entry.into());
    }
    Ok(CatalogueDraft {
        vendor_name: file.vendor.0,
        version: file.version.unwrap_or(now.0),
        issued_at: now,
        products,
    })
}

impl From<Entry> for ProductDraft {
    fn from(entry: Entry) -> Self {
        let component = |flags: Flags| Component {
            counted: flags.counted,
            lenient: flags.lenient,
            ephemeral: flags.ephemeral,
        };
        Self {
            name: entry.name.0,
            idle_days: entry.idle_days.unwrap_or(IDLE_DAYS_DEFAULT),
            single_use: entry.single_use,
            offline_days: entry.offline_days.0,
            components: entry
                .components
                .into_iter()
                .map(|(part, flags)| (part.0, component(flags)))
                .collect(),
            required_product: None,
            on_conflict: OnConflict::Flag,
            offers: Offers::MachineFirst,
        }
    }
}

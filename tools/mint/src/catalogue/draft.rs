//! The TOML file that a catalogue is made of.

use std::collections::BTreeMap;

use seatkeeper::domain::catalogue::{Component, IDLE_DAYS_DEFAULT, Offers, OnConflict};
use seatkeeper::domain::ids::{ComponentId, ProductId};
use seatkeeper::domain::time::Timestamp;
use seatkeeper::vendor::{CatalogueDraft, NAME_LEN_MAX, OFFLINE_DAYS_MAX, ProductDraft};
use serde::Deserialize;

use crate::one_line;

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
    #[serde(default)]
    licenses: Licenses,
    requires: Option<Product>,
    #[serde(default)]
    on_conflict: Policy,
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
        one_line::check(text, "name", NAME_LEN_MAX).map(Self)
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

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Usage {
    Deployment,
    Machine,
}

/// The order says which licenses are used first.
#[derive(Default, Deserialize)]
#[serde(try_from = "Vec<Usage>")]
struct Licenses(Offers);

impl TryFrom<Vec<Usage>> for Licenses {
    type Error = String;

    fn try_from(usages: Vec<Usage>) -> Result<Self, String> {
        match usages.as_slice() {
            [Usage::Machine] => Ok(Self(Offers::MachineOnly)),
            [Usage::Deployment] => Ok(Self(Offers::DeploymentOnly)),
            [Usage::Machine, Usage::Deployment] => Ok(Self(Offers::MachineFirst)),
            [Usage::Deployment, Usage::Machine] => Ok(Self(Offers::DeploymentFirst)),
            _ => Err("licenses are \"machine\", \"deployment\" or both, the preferred one first".to_owned()),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Policy {
    #[default]
    Flag,
    Refuse,
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
    check_required(&products)?;
    Ok(CatalogueDraft {
        vendor_name: file.vendor.0,
        version: file.version.unwrap_or(now.0),
        issued_at: now,
        products,
    })
}

/// The library refuses these too, but cannot say which product it is. It lets pass what no machine can ever have.
fn check_required(products: &BTreeMap<ProductId, ProductDraft>) -> Result<(), String> {
    for (&id, product) in products {
        let mut required = product.required_product;
        // A circle without this product is found from one of its own.
        for _ in 0..products.len() {
            let Some(next) = required else { break };
            if next == id {
                return Err(format!("product {id} requires itself, directly or by way of others"));
            }
            let Some(product) = products.get(&next) else {
                return Err(format!("product {next} is required but not in the file"));
            };
            let has_seats = product.offers != Offers::DeploymentOnly
                && product.components.values().any(|component| component.counted);
            if !has_seats {
                return Err(format!(
                    "product {next} is required, but no machine can hold a seat of it: it needs a counted component and \
                     machine licenses"
                ));
            }
            required = product.required_product;
        }
    }
    Ok(())
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
            required_product: entry.requires.map(|required| required.0),
            on_conflict: match entry.on_conflict {
                Policy::Flag => OnConflict::Flag,
                Policy::Refuse => OnConflict::Refuse,
            },
            offers: entry.licenses.0,
        }
    }
}

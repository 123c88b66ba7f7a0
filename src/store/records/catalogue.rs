//! Catalogues at rest: the signed text and what was read from it. Its signature was checked when it came; it is not
//! checked again when the store is loaded, so the parsed form is kept too.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::domain::catalogue::{COMPONENTS_MAX, Catalogue, Component, Offers, OnConflict, PRODUCTS_MAX, Product};
use crate::domain::ids::{ComponentId, ProductId, VendorId};
use crate::domain::time::Timestamp;
use crate::store::envelope::RecordError;

use super::check;

/// The longest name of a vendor or a product, in bytes.
const NAME_LEN_MAX: usize = 64;

/// The most days that a strict component may run without a server.
const OFFLINE_DAYS_MAX: u8 = 60;

/// The vendor stands in the key.
#[derive(Debug, Deserialize, Serialize)]
pub(in crate::store) struct CatalogueV1 {
    vendor_name: String,
    version: u64,
    issued_at: u64,
    products: Vec<ProductV1>,
    signed: Vec<u8>,
}

#[derive(Debug, Deserialize, Serialize)]
struct ProductV1 {
    product: String,
    name: String,
    idle_days: u16,
    single_use: bool,
    offline_days: u8,
    offers: u8,
    required: Option<String>,
    on_conflict: u8,
    components: Vec<ComponentV1>,
    signed_entry: Vec<u8>,
}

#[derive(Debug, Deserialize, Serialize)]
struct ComponentV1 {
    component: String,
    counted: bool,
    lenient: bool,
    ephemeral: bool,
}

impl From<&Catalogue> for CatalogueV1 {
    fn from(catalogue: &Catalogue) -> Self {
        Self {
            vendor_name: catalogue.vendor_name.clone(),
            version: catalogue.version,
            issued_at: catalogue.issued_at.0,
            products: catalogue.products.iter().map(ProductV1::from).collect(),
            signed: catalogue.signed.to_vec(),
        }
    }
}

impl CatalogueV1 {
    /// The catalogue of this vendor.
    pub(in crate::store) fn into_catalogue(self, vendor: VendorId) -> Result<Catalogue, RecordError> {
        check("vendor_name", name_fits(&self.vendor_name))?;
        check("products", self.products.len() <= PRODUCTS_MAX)?;
        check("products", self.products.is_sorted_by(|a, b| a.product < b.product))?;
        let mut products = BTreeMap::new();
        for record in self.products {
            let id = ProductId::from_canonical(record.product.as_bytes())?;
            products.insert(id, record.try_into()?);
        }
        Ok(Catalogue {
            vendor,
            vendor_name: self.vendor_name,
            version: self.version,
            issued_at: Timestamp(self.issued_at),
            products,
            signed: Bytes::from(self.signed),
        })
    }
}

impl From<(&ProductId, &Product)> for ProductV1 {
    fn from((id, product): (&ProductId, &Product)) -> Self {
        Self {
            product: id.as_str().to_owned(),
            name: product.name.clone(),
            idle_days: product.idle_days,
            single_use: product.single_use,
            offline_days: product.offline_days,
            offers: match product.offers {
                Offers::MachineFirst => 1,
                Offers::DeploymentFirst => 2,
                Offers::MachineOnly => 3,
                Offers::DeploymentOnly => 4,
            },
            required: product.required.map(|id| id.as_str().to_owned()),
            on_conflict: match product.on_conflict {
                OnConflict::Flag => 1,
                OnConflict::Refuse => 2,
            },
            components: product.components.iter().map(ComponentV1::from).collect(),
            signed_entry: product.signed_entry.to_vec(),
        }
    }
}

impl TryFrom<ProductV1> for Product {
    type Error = RecordError;

    fn try_from(record: ProductV1) -> Result<Self, RecordError> {
        check("name", name_fits(&record.name))?;
        check("offline_days", record.offline_days <= OFFLINE_DAYS_MAX)?;
        check("components", record.components.len() <= COMPONENTS_MAX)?;
        check(
            "components",
            record.components.is_sorted_by(|a, b| a.component < b.component),
        )?;
        let components = record
            .components
            .iter()
            .map(|entry| Ok((ComponentId::from_canonical(entry.component.as_bytes())?, entry.into())))
            .collect::<Result<_, RecordError>>()?;
        Ok(Self {
            name: record.name,
            idle_days: record.idle_days,
            single_use: record.single_use,
            offline_days: record.offline_days,
            offers: match record.offers {
                1 => Offers::MachineFirst,
                2 => Offers::DeploymentFirst,
                3 => Offers::MachineOnly,
                4 => Offers::DeploymentOnly,
                _ => return Err(RecordError::Field("offers")),
            },
            required: record
                .required
                .map(|id| ProductId::from_canonical(id.as_bytes()))
                .transpose()?,
            on_conflict: match record.on_conflict {
                1 => OnConflict::Flag,
                2 => OnConflict::Refuse,
                _ => return Err(RecordError::Field("on_conflict")),
            },
            components,
            signed_entry: Bytes::from(record.signed_entry),
        })
    }
}

impl From<(&ComponentId, &Component)> for ComponentV1 {
    fn from((id, component): (&ComponentId, &Component)) -> Self {
        Self {
            component: id.as_str().to_owned(),
            counted: component.counted,
            lenient: component.lenient,
            ephemeral: component.ephemeral,
        }
    }
}

impl From<&ComponentV1> for Component {
    fn from(record: &ComponentV1) -> Self {
        Self {
            counted: record.counted,
            lenient: record.lenient,
            ephemeral: record.ephemeral,
        }
    }
}

fn name_fits(name: &str) -> bool {
    (1..=NAME_LEN_MAX).contains(&name.len())
}

//! What a text says, for people and as JSON.

use std::fmt::Write;

use seatkeeper::domain::catalogue::{self, OnConflict, Product};
use seatkeeper::domain::ids::ProductId;
use seatkeeper::domain::license::{Claims, Kind, Usage, Validity};
use seatkeeper::vendor::{FoundKey, KeyError, LicenseKey, ListError, SignedCatalogue, VendorKey};
use serde::Serialize;

use super::blacklist::ShownBlacklist;
use crate::dates;

/// One explained text. `genuine` is nothing where no public key was given to check it with.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Explained {
    Blacklist(Box<ShownBlacklist>),
    Catalogue(Box<ShownCatalogue>),
    Damaged {
        what: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        line: Option<u32>,
        error: String,
    },
    LicenseKey(Box<ShownKey>),
    PrivateKey {},
    PublicKey {
        vendor: String,
    },
}

#[derive(Serialize)]
pub(super) struct ShownKey {
    line: u32,
    genuine: Option<bool>,
    error: Option<String>,
    vendor: String,
    serial: String,
    claims: Option<ShownClaims>,
}

#[derive(Serialize)]
struct ShownClaims {
    product: String,
    seats: u32,
    kind: &'static str,
    usage: &'static str,
    issued_at: String,
    expires: Option<String>,
    days: Option<u32>,
    support_until: Option<String>,
    auto_renew: bool,
    #[serde(skip)]
    validity: String,
}

#[derive(Serialize)]
pub(super) struct ShownCatalogue {
    genuine: Option<bool>,
    error: Option<String>,
    vendor: String,
    vendor_name: Option<String>,
    version: Option<u64>,
    issued_at: Option<String>,
    products: Vec<ShownProduct>,
}

#[derive(Serialize)]
struct ShownProduct {
    id: String,
    name: String,
    idle_days: u16,
    single_use: bool,
    offline_days: u8,
    licenses: Vec<&'static str>,
    requires: Option<String>,
    on_conflict: &'static str,
    components: Vec<ShownComponent>,
}

#[derive(Serialize)]
struct ShownComponent {
    id: String,
    counted: bool,
    lenient: bool,
    ephemeral: bool,
}

pub(super) fn public_key(key: &VendorKey) -> Explained {
    Explained::PublicKey {
        vendor: key.id().to_string(),
    }
}

pub(super) fn license_key(found: &FoundKey, key: Option<&VendorKey>) -> Explained {
    let parsed = match LicenseKey::parse(&found.text) {
        Ok(parsed) => parsed,
        Err(fault) => {
            return Explained::Damaged {
                what: "license key",
                line: Some(found.line),
                error: fault.to_string(),
            };
        }
    };
    let unverified = parsed.unverified();
    let checked = key.map(|key| parsed.verify(key).map(|_| ()));
    let genuine = checked.as_ref().map(|result| match result {
        // The signature is checked before the claims are read.
        Ok(()) | Err(KeyError::NeedsNewer(_) | KeyError::Impossible(_)) => true,
        Err(_) => false,
    });
    let fault = checked
        .and_then(Result::err)
        .or_else(|| unverified.as_ref().err().cloned());
    Explained::LicenseKey(Box::new(ShownKey {
        line: found.line,
        genuine,
        error: fault.map(|fault| fault.to_string()),
        vendor: parsed.vendor().to_string(),
        serial: parsed.serial().to_string(),
        claims: unverified.as_ref().ok().map(shown_claims),
    }))
}

fn shown_claims(claims: &Claims) -> ShownClaims {
    ShownClaims {
        product: claims.product.to_string(),
        seats: claims.seats,
        kind: match claims.kind {
            Kind::Commercial => "commercial",
            Kind::Subscription => "subscription",
            Kind::Trial => "trial",
        },
        usage: usage_name(claims.usage),
        issued_at: dates::show_time(claims.issued_at),
        expires: match claims.validity {
            Validity::ThroughDay(day) => Some(dates::show_day(day)),
            Validity::Days(_) | Validity::Forever => None,
        },
        days: match claims.validity {
            Validity::Days(days) => Some(days),
            Validity::ThroughDay(_) | Validity::Forever => None,
        },
        support_until: claims.support_until_day.map(dates::show_day),
        auto_renew: claims.auto_renew,
        validity: dates::show_validity(claims.validity),
    }
}

const fn usage_name(usage: Usage) -> &'static str {
    match usage {
        Usage::Machine => "machine",
        Usage::Deployment => "deployment",
    }
}

/// Whether the vendor signed a list, whatever else is wrong with it: the signature is checked before the content is read.
pub(super) const fn genuine(checked: &Result<(), ListError>) -> bool {
    matches!(
        checked,
        Ok(()) | Err(ListError::NeedsNewer(_) | ListError::Impossible(_))
    )
}

pub(super) fn catalogue(text: &str, key: Option<&VendorKey>) -> Explained {
    let signed = match SignedCatalogue::parse(text) {
        Ok(signed) => signed,
        Err(fault) => {
            return Explained::Damaged {
                what: "catalogue",
                line: None,
                error: fault.to_string(),
            };
        }
    };
    let unverified = signed.unverified();
    let checked = key.map(|key| signed.verify(key).map(|_| ()));
    let genuine = checked.as_ref().map(genuine);
    let fault = checked
        .and_then(Result::err)
        .or_else(|| unverified.as_ref().err().cloned());
    let content = unverified.ok();
    Explained::Catalogue(Box::new(ShownCatalogue {
        genuine,
        error: fault.map(|fault| fault.to_string()),
        vendor: signed.vendor().to_string(),
        vendor_name: content.as_ref().map(|content| content.vendor_name.clone()),
        version: content.as_ref().map(|content| content.version),
        issued_at: content.as_ref().map(|content| dates::show_time(content.issued_at)),
        products: content.as_ref().map(shown_products).unwrap_or_default(),
    }))
}

fn shown_products(content: &catalogue::Catalogue) -> Vec<ShownProduct> {
    let shown = |(id, product): (&ProductId, &Product)| ShownProduct {
        id: id.to_string(),
        name: product.name.clone(),
        idle_days: product.idle_days,
        single_use: product.single_use,
        offline_days: product.offline_days,
        licenses: product.offers.usages().iter().copied().map(usage_name).collect(),
        requires: product.required.map(|required| required.to_string()),
        on_conflict: match product.on_conflict {
            OnConflict::Flag => "flag",
            OnConflict::Refuse => "refuse",
        },
        components: product
            .components
            .iter()
            .map(|(id, flags)| ShownComponent {
                id: id.to_string(),
                counted: flags.counted,
                lenient: flags.lenient,
                ephemeral: flags.ephemeral,
            })
            .collect(),
    };
    content.products.iter().map(shown).collect()
}

impl Explained {
    /// Whether a server would refuse it for what can be seen here.
    pub(super) fn is_bad(&self) -> bool {
        match self {
            Self::Blacklist(shown) => shown.error.is_some(),
            Self::Catalogue(shown) => shown.error.is_some(),
            Self::Damaged { .. } => true,
            Self::LicenseKey(shown) => shown.error.is_some(),
            Self::PrivateKey {} | Self::PublicKey { .. } => false,
        }
    }

    /// Lines for people, the last one ended.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Blacklist(shown) => shown.to_text(),
            Self::Catalogue(shown) => shown.to_text(),
            Self::Damaged { what, line, error } => {
                let place = line.map(|line| format!(" on line {line}")).unwrap_or_default();
                format!("Damaged {what}{place}: {error}\n")
            }
            Self::LicenseKey(shown) => shown.to_text(),
            Self::PrivateKey {} => "Private key: not shown; keep it safe and to yourself\n".to_owned(),
            Self::PublicKey { vendor } => format!("Public key of vendor {vendor}\n"),
        }
    }
}

impl ShownKey {
    fn to_text(&self) -> String {
        let mut rows = Rows::new(
            &format!("License key on line {}", self.line),
            self.genuine,
            self.error.as_ref(),
        );
        rows.add("serial", &self.serial);
        rows.add("vendor", &self.vendor);
        if let Some(claims) = &self.claims {
            rows.add("product", &claims.product);
            rows.add("seats", &claims.seats.to_string());
            rows.add("kind", claims.kind);
            rows.add("usage", claims.usage);
            rows.add("issued", &claims.issued_at);
            rows.add("serves", &claims.validity);
            if let Some(day) = &claims.support_until {
                rows.add("support until", day);
            }
            if claims.auto_renew {
                rows.add("auto-renew", "yes");
            }
        }
        rows.text
    }
}

impl ShownCatalogue {
    fn to_text(&self) -> String {
        let mut rows = Rows::new("Catalogue", self.genuine, self.error.as_ref());
        rows.add("vendor", &self.vendor);
        if let (Some(name), Some(version), Some(issued_at)) = (&self.vendor_name, self.version, &self.issued_at) {
            rows.add("name", name);
            rows.add("version", &version.to_string());
            rows.add("issued", issued_at);
        }
        for product in &self.products {
            product.add_to(&mut rows);
        }
        rows.text
    }
}

impl ShownProduct {
    fn add_to(&self, rows: &mut Rows) {
        let idle = match self.idle_days {
            0 => "never idle".to_owned(),
            days => format!("idle after {days} days"),
        };
        let single_use = if self.single_use { ", single use" } else { "" };
        let offline = match self.offline_days {
            0 => String::new(),
            days => format!(", {days} days offline"),
        };
        rows.add(&self.id, &format!("{} ({idle}{single_use}{offline})", self.name));
        rows.add("", &format!("- licenses: {}", self.licenses.join(", then ")));
        if let Some(required) = &self.requires {
            rows.add("", &format!("- requires a seat of {required}"));
        }
        if self.on_conflict == "refuse" {
            rows.add("", "- refuses copies of a machine");
        }
        for component in &self.components {
            let flags = [
                (component.counted, "counted", "not counted"),
                (component.lenient, "lenient", "strict"),
                (component.ephemeral, "ephemeral", ""),
            ];
            let flags: Vec<&str> = flags.iter().map(|&(on, yes, no)| if on { yes } else { no }).collect();
            let flags = flags.join(", ");
            rows.add("", &format!("- {}: {}", component.id, flags.trim_end_matches(", ")));
        }
    }
}

/// A heading and rows of names and values.
pub(super) struct Rows {
    pub(super) text: String,
}

impl Rows {
    pub(super) fn new(heading: &str, genuine: Option<bool>, error: Option<&String>) -> Self {
        let genuine = match genuine {
            None => "not checked; give --vendor-key",
            Some(false) => "NO",
            Some(true) => "yes",
        };
        let mut rows = Self {
            text: format!("{heading}\n"),
        };
        rows.add("genuine", genuine);
        if let Some(error) = error {
            rows.add("refused", error);
        }
        rows
    }

    pub(super) fn add(&mut self, name: &str, value: &str) {
        writeln!(self.text, "  {name:<14} {value}").expect("writing to a string cannot fail");
    }
}

//! What a blacklist says.

use seatkeeper::domain::blacklist::{Blacklist, Listed};
use seatkeeper::vendor::{SignedBlacklist, VendorKey};
use serde::Serialize;

use super::explain::{Explained, Rows, genuine};
use crate::dates;

#[derive(Serialize)]
pub(super) struct ShownBlacklist {
    genuine: Option<bool>,
    pub(super) error: Option<String>,
    vendor: String,
    version: Option<u64>,
    issued_at: Option<String>,
    contact: Option<String>,
    blacklisted: Vec<String>,
    superseded: Vec<String>,
}

pub(super) fn explain(text: &str, key: Option<&VendorKey>) -> Explained {
    let signed = match SignedBlacklist::parse(text) {
        Ok(signed) => signed,
        Err(fault) => {
            return Explained::Damaged {
                what: "blacklist",
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
    let content = unverified.as_ref().ok();
    let listed_as = |wanted| content.map(|content| listed_as(content, wanted)).unwrap_or_default();
    Explained::Blacklist(Box::new(ShownBlacklist {
        genuine,
        error: fault.map(|fault| fault.to_string()),
        vendor: signed.vendor().to_string(),
        version: content.map(|content| content.version),
        issued_at: content.map(|content| dates::show_time(content.issued_at)),
        contact: content.map(|content| content.contact.clone()),
        blacklisted: listed_as(Listed::Blacklisted),
        superseded: listed_as(Listed::Superseded),
    }))
}

fn listed_as(content: &Blacklist, wanted: Listed) -> Vec<String> {
    let serials = content.serials.iter().filter(|&(_, &listed)| listed == wanted);
    serials.map(|(serial, _)| serial.to_string()).collect()
}

impl ShownBlacklist {
    pub(super) fn to_text(&self) -> String {
        let mut rows = Rows::new("Blacklist", self.genuine, self.error.as_ref());
        rows.add("vendor", &self.vendor);
        if let (Some(version), Some(issued_at), Some(contact)) = (self.version, &self.issued_at, &self.contact) {
            rows.add("version", &version.to_string());
            rows.add("issued", issued_at);
            rows.add("contact", contact);
            if self.blacklisted.is_empty() && self.superseded.is_empty() {
                rows.add("serials", "none: nothing is listed any more");
            }
        }
        for serial in &self.blacklisted {
            rows.add("blacklisted", serial);
        }
        for serial in &self.superseded {
            rows.add("superseded", serial);
        }
        rows.text
    }
}

//! Blacklists at rest: the signed text and what was read from it, as of catalogues.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::domain::blacklist::{Blacklist, CONTACT_LEN_MAX, LISTED_MAX, Listed};
use crate::domain::ids::{Serial, VendorId};
use crate::domain::time::Timestamp;
use crate::store::envelope::RecordError;

use super::check;

/// The vendor stands in the key.
#[derive(Debug, Deserialize, Serialize)]
pub(in crate::store) struct BlacklistV1 {
    version: u64,
    issued_at: u64,
    contact: String,
    serials: Vec<ListedV1>,
    signed: Vec<u8>,
}

#[derive(Debug, Deserialize, Serialize)]
struct ListedV1 {
    serial: [u8; 16],
    listed: u8,
}

impl From<&Blacklist> for BlacklistV1 {
    fn from(blacklist: &Blacklist) -> Self {
        Self {
            version: blacklist.version,
            issued_at: blacklist.issued_at.0,
            contact: blacklist.contact.clone(),
            serials: blacklist.serials.iter().map(ListedV1::from).collect(),
            signed: blacklist.signed.to_vec(),
        }
    }
}

impl BlacklistV1 {
    /// The blacklist of this vendor.
    pub(in crate::store) fn into_blacklist(self, vendor: VendorId) -> Result<Blacklist, RecordError> {
        check("contact", (1..=CONTACT_LEN_MAX).contains(&self.contact.len()))?;
        check("contact", !self.contact.chars().any(char::is_control))?;
        check("serials", self.serials.len() <= LISTED_MAX)?;
        check("serials", self.serials.is_sorted_by(|a, b| a.serial < b.serial))?;
        let mut serials = BTreeMap::new();
        for record in self.serials {
            serials.insert(Serial::from_canonical(&record.serial)?, listed_of(record.listed)?);
        }
        Ok(Blacklist {
            vendor,
            version: self.version,
            issued_at: Timestamp(self.issued_at),
            contact: self.contact,
            serials,
            signed: Bytes::from(self.signed),
        })
    }
}

impl From<(&Serial, &Listed)> for ListedV1 {
    fn from((serial, listed): (&Serial, &Listed)) -> Self {
        Self {
            serial: serial.bytes(),
            listed: listed_number(*listed),
        }
    }
}

pub(super) const fn listed_number(listed: Listed) -> u8 {
    match listed {
        Listed::Blacklisted => 1,
        Listed::Superseded => 2,
    }
}

pub(super) fn listed_of(code: u8) -> Result<Listed, RecordError> {
    match code {
        1 => Ok(Listed::Blacklisted),
        2 => Ok(Listed::Superseded),
        _ => Err(RecordError::Field("listed")),
    }
}

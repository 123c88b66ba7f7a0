use std::collections::BTreeMap;

use bytes::Bytes;

use super::armor;
use super::error::{ListError, Unsupported};
use super::signed::{Purpose, SKIPPABLE_FROM, Signed, VENDOR};
use super::signed::{fields, id, invalid, name, needed, number_u64, time, too_many};
use super::signed_list::{LIST_LEN_MAX, SignedList};
use super::vendor_key::VendorKey;
use crate::codec::DecodeError;
use crate::domain::blacklist::{Blacklist, CONTACT_LEN_MAX, LISTED_MAX, Listed};
use crate::domain::ids::{Serial, VendorId};
use crate::domain::time::Timestamp;

/// The longest blacklist in binary, in bytes: it must fit a frame.
pub const BLACKLIST_LEN_MAX: usize = LIST_LEN_MAX;

// Version and issue date have the tags that they have in a catalogue.
pub(super) const VERSION: u16 = 0x0003;
pub(super) const ISSUED_AT: u16 = 0x0004;
pub(super) const CONTACT: u16 = 0x0006;
/// A serial and why it is listed, as often as there are serials.
pub(super) const SERIAL: u16 = 0x0007;

pub(super) const BLACKLISTED: u8 = 1;
pub(super) const SUPERSEDED: u8 = 2;

/// A vendor's blacklist whose text is undamaged (rule C3). What it says is unverified until [`SignedBlacklist::verify`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedBlacklist(SignedList);

impl SignedBlacklist {
    /// Reads a blacklist file: base64 between `-----BEGIN SEATKEEPER BLACKLIST-----` and the END line; at most 256 KiB.
    ///
    /// # Errors
    /// [`ListError::Catalogue`] if it is one, [`ListError::Damaged`] if the text is not whole, else as
    /// [`SignedBlacklist::from_bytes`].
    pub fn parse(text: &str) -> Result<Self, ListError> {
        if armor::CATALOGUE.begins_in(text) && !armor::BLACKLIST.begins_in(text) {
            return Err(ListError::Catalogue);
        }
        SignedList::parse(text, &armor::BLACKLIST).map(Self)
    }

    /// Reads the binary form, as it comes over the wire.
    ///
    /// # Errors
    /// [`ListError::Damaged`] if it is too long, [`ListError::Impossible`] if it names no vendor.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ListError> {
        SignedList::from_bytes(bytes).map(Self)
    }

    /// The binary form, at most [`BLACKLIST_LEN_MAX`] bytes.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.0.bytes
    }

    /// The vendor that the blacklist names, by which its public key is looked up; unverified.
    #[must_use]
    pub const fn vendor(&self) -> VendorId {
        self.0.vendor
    }

    /// Checks the signature, and that all of it can be honoured here.
    ///
    /// # Errors
    /// [`ListError`]: the blacklist is refused as a whole for this reason.
    pub fn verify(&self, key: &VendorKey) -> Result<Blacklist, ListError> {
        self.read(self.0.verified(key, Purpose::Blacklist)?)
    }

    /// What the blacklist says, whoever signed it: for explaining it to people, never to act on.
    ///
    /// # Errors
    /// [`ListError`], but no signature is checked.
    #[cfg(feature = "mint")]
    pub fn unverified(&self) -> Result<Blacklist, ListError> {
        self.read(self.0.unverified()?)
    }

    fn read(&self, signed: Signed<'_>) -> Result<Blacklist, ListError> {
        let (mut version, mut issued_at, mut contact) = (None, None, None);
        let mut serials = BTreeMap::new();
        for field in fields(signed.body, Some(SERIAL)) {
            let field = field?;
            match field.tag {
                VERSION => version = Some(number_u64(field.value, "version")?),
                ISSUED_AT => issued_at = Some(time(field.value, "issue date")?),
                CONTACT => contact = Some(name(field.value, "contact", CONTACT_LEN_MAX)?),
                SERIAL => take_serial(&mut serials, field.value)?,
                // The vendor was read when the text was taken apart: it is the first field, and none comes twice.
                VENDOR | SKIPPABLE_FROM.. => {}
                unknown => return Err(Unsupported::Field(unknown).into()),
            }
        }
        Ok(Blacklist {
            vendor: self.0.vendor,
            version: needed(version, "version")?,
            issued_at: Timestamp(needed(issued_at, "issue date")?),
            contact: needed(contact, "contact")?,
            serials,
            signed: self.0.bytes.clone(),
        })
    }
}

/// `listed u8 | serial`; the serials ascend, so that none is there twice.
fn take_serial(serials: &mut BTreeMap<Serial, Listed>, value: &[u8]) -> Result<(), ListError> {
    let (&code, text) = value
        .split_first()
        .ok_or(DecodeError::Truncated { field: "a serial" })?;
    let listed = match code {
        BLACKLISTED => Listed::Blacklisted,
        SUPERSEDED => Listed::Superseded,
        other => return Err(Unsupported::Listed(other).into()),
    };
    let serial = id(Serial::from_canonical(text))?;
    if serials.last_key_value().is_some_and(|(last, _)| *last >= serial) {
        return Err(invalid("serial", "not behind the one before").into());
    }
    if serials.len() == LISTED_MAX {
        return Err(too_many("serials", LISTED_MAX).into());
    }
    serials.insert(serial, listed);
    Ok(())
}

//! What catalogues and blacklists have in common: a list that the vendor signs and customers get as a file.

use bytes::Bytes;

use super::armor::Armor;
use super::error::ListError;
use super::signed::{Purpose, Signed};
use super::vendor_key::VendorKey;
use crate::domain::ids::VendorId;

/// The longest list in binary, in bytes: it must fit a frame.
pub(super) const LIST_LEN_MAX: usize = 48 * 1024;

/// The longest file that is read as a list, in bytes: four times what the longest list needs.
pub(super) const LIST_TEXT_LEN_MAX: usize = 256 * 1024;

/// A list whose text is undamaged; what it says is unverified.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct SignedList {
    pub(super) vendor: VendorId,
    pub(super) bytes: Bytes,
}

impl SignedList {
    pub(super) fn parse(text: &str, armor: &Armor) -> Result<Self, ListError> {
        if text.len() > LIST_TEXT_LEN_MAX {
            return Err(damaged("the file is longer than such a list can be"));
        }
        Self::from_bytes(&armor.open(text).map_err(damaged)?)
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, ListError> {
        if bytes.len() > LIST_LEN_MAX {
            return Err(damaged("it is longer than such a list can be"));
        }
        let vendor = Signed::split(bytes)?.vendor()?;
        Ok(Self {
            vendor,
            bytes: Bytes::copy_from_slice(bytes),
        })
    }

    /// The fields, once the vendor has been found to have signed them for this purpose.
    pub(super) fn verified(&self, key: &VendorKey, purpose: Purpose) -> Result<Signed<'_>, ListError> {
        let signed = Signed::split(&self.bytes)?;
        signed.check(key, purpose)?;
        Ok(signed)
    }

    /// The fields, whoever signed them.
    #[cfg(feature = "mint")]
    pub(super) fn unverified(&self) -> Result<Signed<'_>, ListError> {
        Ok(Signed::split(&self.bytes)?)
    }
}

const fn damaged(reason: &'static str) -> ListError {
    ListError::Damaged { reason }
}

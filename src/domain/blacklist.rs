//! What a vendor does not stand by any more: its signed list of serials (rule C3).

use std::collections::BTreeMap;

use bytes::Bytes;

use super::ids::{Serial, VendorId};
use super::time::Timestamp;

/// Serials on one list, at most: so many fit a frame.
pub const LISTED_MAX: usize = 2_048;

/// The longest text that says whom to contact, in bytes.
pub const CONTACT_LEN_MAX: usize = 128;

/// A vendor's list of serials that do not serve. Its signature was checked before it came here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Blacklist {
    /// Who signed it; it names this vendor's serials only.
    pub vendor: VendorId,
    /// Grows with each list of the vendor: a list replaces only one with a smaller number, and as a whole.
    pub version: u64,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// Whom the customer of a listed license should contact, 1 to [`CONTACT_LEN_MAX`] bytes.
    pub contact: String,
    /// The serials; at most [`LISTED_MAX`].
    pub serials: BTreeMap<Serial, Listed>,
    /// The list as it was signed.
    pub signed: Bytes,
}

/// Why a serial is on its vendor's list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Listed {
    /// The vendor has taken the license back.
    Blacklisted,
    /// Another license has taken its place.
    Superseded,
}

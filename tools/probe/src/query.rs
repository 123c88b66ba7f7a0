//! What questions about a product have in common.

use std::path::Path;

use seatkeeper::vendor::VendorKey;

use crate::output::Failure;

/// A product that nobody has: that it is not known is an answer too.
pub(crate) const NO_PRODUCT: &str = "SEATPROBE-NO-PRODUCT";

/// The longest vendor key file that is read, in bytes.
const KEY_FILE_LEN_MAX: u64 = 65_536;

/// The vendor's public key in this file.
pub(crate) fn vendor_key(path: &Path) -> Result<VendorKey, Failure> {
    let wrong = |cause: String| Failure::Failed(format!("{} is not a vendor's public key: {cause}", path.display()));
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| std::io::Read::read_to_string(&mut std::io::Read::take(file, KEY_FILE_LEN_MAX), &mut text))
        .map_err(|error| wrong(error.to_string()))?;
    VendorKey::from_pem(&text).map_err(|error| wrong(error.to_string()))
}

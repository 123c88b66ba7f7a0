//! License keys, catalogues and blacklists: their texts, certificates and signatures (rules K1 to K4, K9, C3).
//!
//! Reading needs no feature; signing is behind feature `mint`. Every signature covers a prefix that names what was
//! signed, so that no signed text can be passed off as another kind. `proto-spec/texts.md` draws every byte.

mod armor;
pub(crate) mod base32;
mod blacklist;
mod catalogue;
mod certificate;
mod entry;
mod error;
mod license_key;
#[cfg(feature = "mint")]
mod mint;
mod scan;
mod signed;
mod signed_list;
#[cfg(feature = "mint")]
mod signing_key;
mod vendor_key;

#[cfg(all(test, feature = "mint"))]
mod tests;

pub use blacklist::{BLACKLIST_LEN_MAX, SignedBlacklist};
pub use catalogue::{CATALOGUE_LEN_MAX, CATALOGUE_TEXT_LEN_MAX, SignedCatalogue};
pub use certificate::{CERTIFICATE_LEN_MAX, verify_certificate};
pub use entry::{CatalogueEntry, ENTRY_LEN_MAX, NAME_LEN_MAX, OFFLINE_DAYS_MAX, verify_entry};
pub use error::{KeyError, KeyFileError, ListError, Unsupported};
pub use license_key::{KEY_INPUT_LEN_MAX, KEY_LEN_MAX, LicenseKey};
#[cfg(feature = "mint")]
pub use mint::{BlacklistDraft, CatalogueDraft, KeyDraft, ProductDraft, sign_blacklist, sign_catalogue, sign_key};
pub use scan::{FoundKey, KEYS_MAX, SCAN_LEN_MAX, ScanError, find_keys};
#[cfg(feature = "mint")]
pub use signing_key::SigningKey;
pub use vendor_key::VendorKey;

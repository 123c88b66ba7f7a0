//! Bytes and texts from anywhere are read as keys, certificates, catalogues, entries and blacklists, or refused; never more.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use seatkeeper::vendor::{
    KEY_LEN_MAX, LicenseKey, SignedBlacklist, SignedCatalogue, SigningKey, VendorKey, find_keys, verify_certificate,
    verify_entry,
};

/// The vendor of the seeds.
static KEY: LazyLock<VendorKey> = LazyLock::new(|| SigningKey::from_seed([1; 32]).vendor_key());

fuzz_target!(|bytes: &[u8]| {
    drop(verify_certificate(bytes, &KEY));
    drop(verify_entry(bytes, &KEY));
    if let Ok(catalogue) = SignedCatalogue::from_bytes(bytes) {
        assert_eq!(catalogue.bytes().as_ref(), bytes);
        if let Ok(verified) = catalogue.verify(&KEY) {
            for product in verified.products.values() {
                verify_entry(&product.signed_entry, &KEY).expect("an entry of a genuine catalogue is genuine");
            }
        }
    }
    if let Ok(blacklist) = SignedBlacklist::from_bytes(bytes) {
        assert_eq!(blacklist.bytes().as_ref(), bytes);
        if let Ok(verified) = blacklist.verify(&KEY) {
            assert_eq!(blacklist.unverified(), Ok(verified), "a good signature changes nothing");
        }
    }
    let text = String::from_utf8_lossy(bytes);
    if let Ok(catalogue) = SignedCatalogue::parse(&text) {
        assert_eq!(SignedCatalogue::from_bytes(catalogue.bytes()), Ok(catalogue.clone()));
    }
    if let Ok(blacklist) = SignedBlacklist::parse(&text) {
        assert_eq!(SignedBlacklist::from_bytes(blacklist.bytes()), Ok(blacklist.clone()));
        // Most of what is found has no good signature; what it says is still read by who explains it.
        drop(blacklist.unverified());
    }
    if let Ok(key) = LicenseKey::parse(&text) {
        let canonical = key.to_text();
        assert!(canonical.len() <= KEY_LEN_MAX);
        assert_eq!(LicenseKey::parse(&canonical), Ok(key));
    }
    if let Ok(found) = find_keys(&text) {
        let mut line = 1;
        for key in found {
            assert!(key.line >= line, "in the order of the text");
            line = key.line;
        }
    }
    VendorKey::from_pem(&text).ok();
    drop(SigningKey::from_pem(&text));
});

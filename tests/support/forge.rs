//! License keys as a thief would make them.

use data_encoding::Specification;
use sha2::{Digest, Sha256};

/// The key with the last byte of its import secret changed and its checksum mended.
pub(crate) fn with_another_secret(key: &str) -> String {
    let mut base32 = Specification::new();
    base32.symbols.push_str("0123456789ABCDEFGHJKMNPQRSTVWXYZ");
    let base32 = base32.encoding().expect("32 symbols");
    let digits: String = key
        .strip_prefix("SK1")
        .expect("a key")
        .chars()
        .filter(|c| *c != '-')
        .collect();
    let mut payload = base32.decode(digits.as_bytes()).expect("canonical digits");
    let covered = payload.len() - 4;
    payload[covered - 1] ^= 1;
    let checksum = Sha256::digest(&payload[..covered]);
    payload[covered..].copy_from_slice(&checksum[..4]);
    format!("SK1-{}", base32.encode(&payload))
}

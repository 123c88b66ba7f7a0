use std::fmt;

use ed25519_dalek::Signer;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::spki::der::zeroize::Zeroizing;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes};

use super::error::KeyFileError;
use super::vendor_key::VendorKey;

/// A vendor's private key. It never belongs on a server; its memory is wiped when it is dropped.
pub struct SigningKey {
    key: ed25519_dalek::SigningKey,
}

impl SigningKey {
    /// The key of 32 secret random bytes.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        Self {
            key: ed25519_dalek::SigningKey::from_bytes(&seed),
        }
    }

    /// Reads a file that begins with `-----BEGIN PRIVATE KEY-----`.
    ///
    /// # Errors
    /// [`KeyFileError::Unreadable`]: give the file as `seatmint keygen` wrote it.
    pub fn from_pem(pem: &str) -> Result<Self, KeyFileError> {
        ed25519_dalek::SigningKey::from_pkcs8_pem(pem.trim())
            .map(|key| Self { key })
            .map_err(|_| KeyFileError::Unreadable { expected: "private" })
    }

    /// The key as a PEM file (PKCS#8 of RFC 8410, without the public key, which older OpenSSL cannot read).
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "cannot happen")]
    pub fn to_pem(&self) -> Zeroizing<String> {
        let bytes = KeypairBytes {
            secret_key: self.key.to_bytes(),
            public_key: None,
        };
        bytes
            .to_pkcs8_pem(LineEnding::LF)
            .expect("32 bytes have a short DER form")
    }

    /// The public key that belongs to it.
    #[must_use]
    pub fn vendor_key(&self) -> VendorKey {
        VendorKey::of(self.key.verifying_key())
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("vendor", &self.vendor_key().id())
            .finish_non_exhaustive()
    }
}

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePublicKey, EncodePublicKey};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

use super::error::KeyFileError;
use crate::domain::ids::VendorId;

/// A vendor's public key (Ed25519): what its license keys and catalogues are checked with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct VendorKey {
    key: VerifyingKey,
}

impl VendorKey {
    /// The key of its 32 bytes.
    ///
    /// # Errors
    /// [`KeyFileError::Unreadable`] if they are no point of the curve, [`KeyFileError::Weak`] if it has a small order.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, KeyFileError> {
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyFileError::Unreadable { expected: "public" })?;
        Self::checked(key)
    }

    /// Reads a file that begins with `-----BEGIN PUBLIC KEY-----`.
    ///
    /// # Errors
    /// [`KeyFileError`]: give the vendor's public key file.
    pub fn from_pem(pem: &str) -> Result<Self, KeyFileError> {
        if pem.contains("PRIVATE KEY-----") {
            return Err(KeyFileError::Private);
        }
        let pem = pem.trim_start_matches('\u{feff}').trim();
        let key =
            VerifyingKey::from_public_key_pem(pem).map_err(|_| KeyFileError::Unreadable { expected: "public" })?;
        Self::checked(key)
    }

    /// The public key of a private one, which cannot be weak.
    #[cfg(feature = "mint")]
    pub(super) const fn of(key: VerifyingKey) -> Self {
        Self { key }
    }

    fn checked(key: VerifyingKey) -> Result<Self, KeyFileError> {
        if key.is_weak() {
            return Err(KeyFileError::Weak);
        }
        Ok(Self { key })
    }

    /// The key as a PEM file (`SubjectPublicKeyInfo`, RFC 8410).
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "cannot happen")]
    pub fn to_pem(&self) -> String {
        self.key
            .to_public_key_pem(LineEnding::LF)
            .expect("32 bytes have a short DER form")
    }

    /// The key's 32 bytes.
    #[must_use]
    pub fn bytes(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// The vendor's id: the first 16 bytes of the key's SHA-256.
    #[must_use]
    pub fn id(&self) -> VendorId {
        let digest: [u8; 32] = Sha256::digest(self.key.as_bytes()).into();
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(digest) {
            *to = from;
        }
        VendorId(id)
    }

    /// Whether the vendor signed `message`. Strict: a signature has one form only.
    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.key
            .verify_strict(message, &Signature::from_bytes(signature))
            .is_ok()
    }
}

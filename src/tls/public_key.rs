use std::sync::LazyLock;

use rustls::SignatureScheme;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use rustls::server::ParsedCertificate;
use sha2::{Digest, Sha256};

use super::TlsError;

/// What stands in front of the point in the DER `SubjectPublicKeyInfo` of every ECDSA P-256 key.
const SPKI_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The length of an uncompressed point of P-256.
const POINT_LEN: usize = 65;

/// The length of the DER `SubjectPublicKeyInfo` of an identity, in bytes.
pub const SPKI_LEN: usize = SPKI_PREFIX.len() + POINT_LEN;

/// The only signature scheme that either side takes.
pub(super) const SCHEME: SignatureScheme = SignatureScheme::ECDSA_NISTP256_SHA256;

static PROVIDER: LazyLock<std::sync::Arc<CryptoProvider>> =
    LazyLock::new(|| std::sync::Arc::new(rustls::crypto::ring::default_provider()));

/// ring, as rustls uses it. Handed to each configuration, so that no other crate's choice of a default matters.
pub(super) fn provider() -> std::sync::Arc<CryptoProvider> {
    std::sync::Arc::clone(&PROVIDER)
}

/// What checks handshake signatures.
pub(super) fn algorithms() -> &'static WebPkiSupportedAlgorithms {
    &PROVIDER.signature_verification_algorithms
}

/// The public key of an identity: the DER `SubjectPublicKeyInfo` of an ECDSA P-256 key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PublicKey([u8; SPKI_LEN]);

impl PublicKey {
    /// Takes the DER `SubjectPublicKeyInfo` of an ECDSA P-256 key in its one canonical form, and nothing else.
    #[must_use]
    pub fn from_spki(der: &[u8]) -> Option<Self> {
        let bytes: [u8; SPKI_LEN] = der.try_into().ok()?;
        let point = bytes.strip_prefix(&SPKI_PREFIX)?;
        (point.first() == Some(&4)).then_some(Self(bytes))
    }

    /// The key of a certificate.
    pub(super) fn of_certificate(certificate: &CertificateDer<'_>) -> Result<Self, TlsError> {
        let parsed = ParsedCertificate::try_from(certificate).map_err(|_| TlsError::NoPeerIdentity)?;
        Self::from_spki(parsed.subject_public_key_info().as_ref()).ok_or(TlsError::NoPeerIdentity)
    }

    /// The DER `SubjectPublicKeyInfo`, 91 bytes.
    #[must_use]
    pub const fn spki(&self) -> &[u8; SPKI_LEN] {
        &self.0
    }

    /// The SHA-256 of the DER `SubjectPublicKeyInfo`: who the owner of the key is to its peers.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }

    /// Whether this key signed `message` (ECDSA with SHA-256, the signature in DER).
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let (Some(algorithm), Some(point)) = (p256_sha256(), self.0.strip_prefix(&SPKI_PREFIX)) else {
            return false;
        };
        algorithm.verify_signature(point, message, signature).is_ok()
    }
}

fn p256_sha256() -> Option<&'static dyn SignatureVerificationAlgorithm> {
    let (_, algorithms) = algorithms().mapping.iter().find(|(scheme, _)| *scheme == SCHEME)?;
    // The first one is the one that TLS 1.3 means by this scheme.
    algorithms.first().copied()
}

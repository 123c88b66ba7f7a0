use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use zeroize::{Zeroize, Zeroizing};

use super::public_key::{PublicKey, SCHEME};
use super::{SUCCESSIONS_MAX, Succession, TlsError, key_file, pem};

/// The PEM sections of an identity.
const KEY_LABEL: &str = "PRIVATE KEY";
const CERTIFICATE_LABEL: &str = "CERTIFICATE";
/// The statements by which others named it their successor, the newest first.
const SUCCESSION_LABEL: &str = "SEATKEEPER SUCCESSION";

/// The name in every certificate; nobody looks at it.
const COMMON_NAME: &str = "seatkeeper identity";

/// A key pair and the certificate that it signed itself. What stands in PEM is wiped from memory when it is dropped;
/// the copy that ring signs with lives as long as the configurations made from it.
#[derive(Clone)]
pub struct Identity {
    pem: Zeroizing<String>,
    certificate: CertificateDer<'static>,
    key: Arc<dyn SigningKey>,
    public_key: PublicKey,
    succession: Vec<Succession>,
}

impl Identity {
    /// Makes a new identity: an ECDSA P-256 key pair and its certificate.
    ///
    /// # Errors
    /// The operating system has no randomness to give.
    pub fn generate() -> Result<Self, TlsError> {
        let mut key_pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(TlsError::Generate)?;
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, COMMON_NAME);
        let certificate = params.self_signed(&key_pair).map_err(TlsError::Generate)?;
        let key_pem = pem::encode(KEY_LABEL, key_pair.serialized_der());
        key_pair.zeroize();
        let mut pem = Zeroizing::new(String::with_capacity(2_048));
        pem.push_str(&key_pem);
        pem.push_str(&certificate.pem());
        Self::from_pem(&pem)
    }

    /// Takes an identity from PEM: a `PRIVATE KEY` (PKCS#8) and the `CERTIFICATE` that belongs to it.
    ///
    /// # Errors
    /// [`TlsError::Identity`] if one of them is missing or damaged, they do not belong together, or the key is not
    /// ECDSA P-256.
    pub fn from_pem(pem: &str) -> Result<Self, TlsError> {
        let fault = |reason| TlsError::Identity { reason };
        let certificate =
            pem::decode(pem, CERTIFICATE_LABEL).ok_or_else(|| fault("it has no readable CERTIFICATE section"))?;
        let certificate = CertificateDer::from(certificate.to_vec());
        let key_der = pem::decode(pem, KEY_LABEL).ok_or_else(|| fault("it has no readable PRIVATE KEY section"))?;
        let key_der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key_der.as_slice()));
        let key = rustls::crypto::ring::sign::any_ecdsa_type(&key_der)
            .map_err(|_| fault("its private key is not an ECDSA key"))?;
        let public_key = PublicKey::of_certificate(&certificate)
            .map_err(|_| fault("its certificate is damaged or not for an ECDSA P-256 key"))?;
        let belongs = key
            .public_key()
            .is_some_and(|spki| spki.as_ref() == public_key.spki().as_slice());
        if !belongs {
            return Err(fault("its certificate is for another key"));
        }
        let succession = pem::decode_all(pem, SUCCESSION_LABEL)
            .and_then(|all| all.iter().map(|bytes| Succession::from_bytes(bytes)).collect())
            .ok_or_else(|| fault("a SEATKEEPER SUCCESSION section of it cannot be read"))?;
        let succession: Vec<Succession> = succession;
        if Succession::follow(succession.iter().cloned(), public_key).len() != succession.len() {
            return Err(fault("a SEATKEEPER SUCCESSION section of it does not hold"));
        }
        Ok(Self {
            succession,
            pem: Zeroizing::new(pem.to_owned()),
            certificate,
            key,
            public_key,
        })
    }

    /// Makes a new identity that takes the place of this one, which says so: with the statement of it, and those that this
    /// one has, of which the oldest goes where there are too many.
    ///
    /// # Errors
    /// The operating system has no randomness to give.
    pub fn successor(&self) -> Result<Self, TlsError> {
        let new = Self::generate()?;
        let statement = Succession::sign(self, &new.public_key)?;
        let statements = std::iter::once(&statement)
            .chain(&self.succession)
            .take(SUCCESSIONS_MAX);
        let mut pem = Zeroizing::new(String::with_capacity(16_384));
        pem.push_str(&new.pem);
        for statement in statements {
            pem.push_str(&pem::encode(SUCCESSION_LABEL, &statement.to_bytes()));
        }
        Self::from_pem(&pem)
    }

    /// That it took the place of others, the newest statement first.
    #[must_use]
    pub fn succession(&self) -> &[Succession] {
        &self.succession
    }

    /// The identity in `path`, or a new one written there (mode 0600, on stable storage before this returns).
    ///
    /// # Errors
    /// [`TlsError::FileExposed`] if others may read the file, [`TlsError::FileDamaged`] if it holds something else (it
    /// is left alone), [`TlsError::File`] if it cannot be read or written.
    pub fn load_or_create(path: &Path) -> Result<Self, TlsError> {
        if let Some(pem) = key_file::read(path)? {
            return Self::from_file(path, &pem);
        }
        let identity = Self::generate()?;
        if key_file::create(path, &identity.pem)? {
            return Ok(identity);
        }
        // Another process was quicker: its identity is the one.
        Self::load(path)
    }

    /// The identity in `path`.
    ///
    /// # Errors
    /// As [`Identity::load_or_create`]; [`TlsError::File`] also if there is no such file.
    pub fn load(path: &Path) -> Result<Self, TlsError> {
        let pem = key_file::read(path)?.ok_or_else(|| TlsError::File {
            path: path.to_owned(),
            action: "found",
            source: std::io::ErrorKind::NotFound.into(),
        })?;
        Self::from_file(path, &pem)
    }

    fn from_file(path: &Path, pem: &str) -> Result<Self, TlsError> {
        Self::from_pem(pem).map_err(|error| match error {
            TlsError::Identity { reason } => TlsError::FileDamaged {
                path: path.to_owned(),
                reason,
            },
            other => other,
        })
    }

    /// Private key and certificate in PEM. Secret: whoever has it is this identity.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        self.pem.clone()
    }

    /// Who this is to its peers: the SHA-256 of the DER `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        self.public_key.fingerprint()
    }

    /// The public key.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    pub(super) fn certified_key(&self) -> CertifiedKey {
        CertifiedKey::new(vec![self.certificate.clone()], Arc::clone(&self.key))
    }

    /// Signs `message` (ECDSA with SHA-256); the signature in DER.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, TlsError> {
        let signer = self.key.choose_scheme(&[SCHEME]).ok_or(TlsError::Identity {
            reason: "its private key is not an ECDSA P-256 key",
        })?;
        signer.sign(message).map_err(TlsError::Setup)
    }
}

impl fmt::Debug for Identity {
    /// The fingerprint only, never the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", data_encoding::HEXLOWER.encode(&self.fingerprint()))
    }
}

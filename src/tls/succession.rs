use super::public_key::{PublicKey, SPKI_LEN};
use super::{Identity, TlsError};

/// What is signed begins with this, so that the signature means nothing anywhere else.
const PREFIX: &[u8] = b"seatkeeper/1 succession\0";

/// Statements that are kept, at most; the oldest go.
pub const SUCCESSIONS_MAX: usize = 8;

/// An identity named its successor: whoever pinned the old one may pin the new one in its place.
///
/// The old key signs `"seatkeeper/1 succession" | 0x00 | new SPKI` with ECDSA P-256 and SHA-256. The new SPKI does not
/// travel in the statement: it is the key that the peer of this session proved to own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Succession {
    /// The DER `SubjectPublicKeyInfo` of the old identity.
    pub old_spki: Vec<u8>,
    /// Its signature, in DER.
    pub signature: Vec<u8>,
}

impl Succession {
    /// The statement by which `old` names `new` its successor.
    ///
    /// # Errors
    /// The operating system has no randomness to sign with.
    pub fn sign(old: &Identity, new: &PublicKey) -> Result<Self, TlsError> {
        Ok(Self {
            old_spki: old.public_key().spki().to_vec(),
            signature: old.sign(&signed_text(new))?,
        })
    }

    /// The identities in whose place the owner of `key` stands, the newest first: each named the next one. What follows a
    /// statement that does not hold counts for nothing.
    pub fn follow(statements: impl IntoIterator<Item = Self>, mut key: PublicKey) -> Vec<[u8; 32]> {
        let mut before = Vec::new();
        for statement in statements.into_iter().take(SUCCESSIONS_MAX) {
            let Ok(fingerprint) = statement.verify(&key) else { break };
            let Some(old) = PublicKey::from_spki(&statement.old_spki) else {
                break;
            };
            before.push(fingerprint);
            key = old;
        }
        before
    }

    /// The statement as the bytes of a file: the old SPKI, whose length is always the same, then the signature.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        [self.old_spki.as_slice(), &self.signature].concat()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (old_spki, signature) = bytes.split_at_checked(SPKI_LEN)?;
        Some(Self {
            old_spki: old_spki.to_vec(),
            signature: signature.to_vec(),
        })
    }

    /// Checks that the old identity named `new`, and returns the old one's fingerprint. Whether that one is pinned is
    /// for the caller to check.
    ///
    /// # Errors
    /// [`TlsError::Succession`] with what is wrong: go on as if there were no statement.
    pub fn verify(&self, new: &PublicKey) -> Result<[u8; 32], TlsError> {
        let fault = |reason| TlsError::Succession { reason };
        let old = PublicKey::from_spki(&self.old_spki).ok_or_else(|| fault("it names no ECDSA P-256 key"))?;
        if !old.verifies(&signed_text(new), &self.signature) {
            return Err(fault("the old identity did not sign it for this one"));
        }
        Ok(old.fingerprint())
    }
}

fn signed_text(new: &PublicKey) -> Vec<u8> {
    [PREFIX, new.spki().as_slice()].concat()
}

use super::public_key::{PublicKey, SPKI_LEN};
use super::{Identity, TlsError};

/// What is signed begins with this, so that the signature means nothing anywhere else.
const PREFIX: &[u8] = b"seatkeeper/1 succession\0";

/// The longest DER signature of ECDSA P-256, in bytes.
const SIGNATURE_LEN_MAX: usize = 72;

/// The longest statement, in bytes.
pub const STATEMENT_LEN_MAX: usize = 2 * SPKI_LEN + SIGNATURE_LEN_MAX;

/// An identity named its successor: whoever pinned `from` may pin `to` in its place.
///
/// The statement is `old SPKI (91 bytes) | new SPKI (91 bytes) | signature (DER, up to 72 bytes)`. The old key signs
/// `"seatkeeper/1 succession" | 0x00 | old SPKI | new SPKI` with ECDSA P-256 and SHA-256.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Succession {
    /// The fingerprint of the identity that signed.
    pub from: [u8; 32],
    /// The fingerprint of its successor.
    pub to: [u8; 32],
}

impl Succession {
    /// The statement by which `old` names `new` its successor.
    ///
    /// # Errors
    /// The operating system has no randomness to sign with.
    pub fn sign(old: &Identity, new: &Identity) -> Result<Vec<u8>, TlsError> {
        let mut statement = Vec::with_capacity(STATEMENT_LEN_MAX);
        statement.extend_from_slice(old.public_key().spki());
        statement.extend_from_slice(new.public_key().spki());
        let signature = old.sign(&signed_text(&statement))?;
        statement.extend_from_slice(&signature);
        Ok(statement)
    }

    /// Reads a statement and checks that the old identity signed it. Whether it is pinned is for the caller to check.
    ///
    /// # Errors
    /// [`TlsError::Succession`] with what is wrong: go on as if there were no statement.
    pub fn verify(statement: &[u8]) -> Result<Self, TlsError> {
        let fault = |reason| TlsError::Succession { reason };
        let (keys, signature) = statement
            .split_at_checked(2 * SPKI_LEN)
            .ok_or_else(|| fault("it is too short"))?;
        if signature.len() > SIGNATURE_LEN_MAX {
            return Err(fault("it is too long"));
        }
        let (old, new) = keys.split_at(SPKI_LEN);
        let not_a_key = || fault("it names something else than ECDSA P-256 keys");
        let old = PublicKey::from_spki(old).ok_or_else(not_a_key)?;
        let new = PublicKey::from_spki(new).ok_or_else(not_a_key)?;
        if !old.verifies(&signed_text(keys), signature) {
            return Err(fault("the old identity did not sign it"));
        }
        Ok(Self {
            from: old.fingerprint(),
            to: new.fingerprint(),
        })
    }
}

fn signed_text(keys: &[u8]) -> Vec<u8> {
    [PREFIX, keys].concat()
}

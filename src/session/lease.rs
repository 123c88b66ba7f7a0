//! Leases: what lets a strict component run for some days without its server (rule O3).
//!
//! A signed lease is its fields and, behind them, 64 bytes: the Ed25519 signature of the server's lease key over
//! [`PREFIX`] and the fields. Section 9.1 of `proto-spec/protocol.md` says who checks what.

use std::fmt;

use bytes::Bytes;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::spki::der::zeroize::Zeroizing;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes, PublicKeyBytes};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use thiserror::Error;

use super::server::Peer;
use crate::codec::DecodeError;
use crate::wire::limits::{LEASE_DAYS_MAX, LEASE_LEN_MAX};
use crate::wire::messages::Message;
use crate::wire::messages::seat::{Checkout, Lease};

/// Signed with the fields, so that no other signed text can stand in for a lease.
pub const PREFIX: &[u8] = b"seatkeeper v1 lease\0";

/// Bytes of the signature behind the fields.
const SIGNATURE_LEN: usize = 64;

/// Why a lease counts for nothing.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum LeaseError {
    /// The signature is not by this key, or the key is none.
    #[error("the license server did not sign it")]
    BadSignature,
    /// The fields cannot be read.
    #[error("it cannot be read: {0}")]
    Malformed(#[from] DecodeError),
    /// It is longer than a lease can be, or too short to hold a signature.
    #[error("it has {len} bytes, which no lease has")]
    Size {
        /// Its length in bytes.
        len: usize,
    },
}

/// The text is no Ed25519 private key in PEM (PKCS#8), or one with another public key than its own.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("it is no Ed25519 private key in PEM (PKCS#8), or its public key is another one's")]
pub struct LeaseKeyError;

/// A server's private key for leases. It lives in the server's data directory alone; its memory is wiped when it is
/// dropped.
#[derive(Eq, PartialEq)]
pub struct LeaseKey {
    key: SigningKey,
}

impl LeaseKey {
    /// The key of 32 secret random bytes.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        Self {
            key: SigningKey::from_bytes(&seed),
        }
    }

    /// Reads a text that begins with `-----BEGIN PRIVATE KEY-----` (PKCS#8, RFC 8410). Where the public key is in it, as in
    /// all that [`LeaseKey::to_pem`] writes, it is compared: any 32 bytes alone are a key, also those with a changed bit.
    ///
    /// # Errors
    /// The text is something else: restore the file that it came from.
    pub fn from_pem(pem: &str) -> Result<Self, LeaseKeyError> {
        SigningKey::from_pkcs8_pem(pem.trim())
            .map(|key| Self { key })
            .map_err(|_| LeaseKeyError)
    }

    /// Whether a text that [`LeaseKey::from_pem`] takes has the public key in it: earlier versions wrote none.
    #[must_use]
    pub fn tells_public(pem: &str) -> bool {
        KeypairBytes::from_pkcs8_pem(pem.trim()).is_ok_and(|pair| pair.public_key.is_some())
    }

    /// The key in PEM (PKCS#8, RFC 8410) with its public key (RFC 5958, version 2). Secret: whoever has it makes leases of this server.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "cannot happen")]
    pub fn to_pem(&self) -> Zeroizing<String> {
        let bytes = KeypairBytes {
            secret_key: self.key.to_bytes(),
            public_key: Some(PublicKeyBytes(self.public())),
        };
        bytes
            .to_pkcs8_pem(LineEnding::LF)
            .expect("32 bytes have a short DER form")
    }

    /// The public key that belongs to it, as `HELLO_OK` tells it.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// Signs a lease: what [`verify`] reads.
    ///
    /// # Errors
    /// A text of it is over its bound.
    pub fn sign(&self, lease: &Lease) -> Result<Bytes, DecodeError> {
        let fields = lease.to_body()?;
        let signature = self.key.sign(&message(&fields)).to_bytes();
        Ok([&fields[..], &signature].concat().into())
    }
}

impl fmt::Debug for LeaseKey {
    /// The public key only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let public = data_encoding::HEXLOWER.encode(&self.public());
        f.debug_struct("LeaseKey")
            .field("public", &public)
            .finish_non_exhaustive()
    }
}

/// Reads a signed lease. Strict: a signature has one form only, and a weak key has signed nothing.
///
/// # Errors
/// [`LeaseError`]: it counts for nothing.
pub fn verify(signed: &[u8], public_key: &[u8; 32]) -> Result<Lease, LeaseError> {
    let size = LeaseError::Size { len: signed.len() };
    if signed.len() > LEASE_LEN_MAX {
        return Err(size);
    }
    let (fields, signature) = signed.split_last_chunk::<SIGNATURE_LEN>().ok_or(size)?;
    let key = VerifyingKey::from_bytes(public_key).map_err(|_| LeaseError::BadSignature)?;
    // `verify_strict` refuses a key of small order by itself; it stands here so that nobody has to know that.
    if key.is_weak() {
        return Err(LeaseError::BadSignature);
    }
    key.verify_strict(&message(fields), &Signature::from_bytes(signature))
        .map_err(|_| LeaseError::BadSignature)?;
    Ok(Lease::decode(fields)?)
}

fn message(fields: &[u8]) -> Vec<u8> {
    [PREFIX, fields].concat()
}

/// The lease that a checkout asks for, without what only its grant and the server know: days, server and time. Nothing
/// where the agent told no time of its own.
pub(super) fn asked_by(ask: &Checkout, peer: Peer) -> Option<Lease> {
    let client_time = ask.client_time?;
    Some(Lease {
        vendor: ask.vendor,
        product: ask.product.clone(),
        component: ask.component.clone(),
        mac: ask.mac,
        identity: peer.identity.0,
        client_time,
        ..Lease::default()
    })
}

/// The signed lease of a grant that allows `days` without a server; nothing where it allows none.
pub(super) fn granted(key: &LeaseKey, asked: &Lease, days: u8, server_time: u64) -> Option<Bytes> {
    let lease = Lease {
        days: days.min(LEASE_DAYS_MAX),
        server_time,
        ..asked.clone()
    };
    // Ids that the ledger knows are within their bounds.
    if days == 0 { None } else { key.sign(&lease).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease() -> Lease {
        Lease {
            vendor: [0x11; 16],
            product: "BKSRV".to_owned(),
            component: "agent".to_owned(),
            mac: [0, 0x1a, 0x2b, 0x3c, 0x4d, 0x5e],
            identity: [0x77; 32],
            server: [0x22; 16],
            days: 7,
            client_time: 1_800_000_000,
            server_time: 1_800_000_005,
        }
    }

    fn key(seed: u8) -> LeaseKey {
        LeaseKey::from_seed([seed; 32])
    }

    // proves O3
    #[test]
    fn a_lease_is_read_as_it_was_signed_and_with_no_other_servers_key() {
        let signed = key(1).sign(&lease()).expect("in bounds");
        assert_eq!(verify(&signed, &key(1).public()), Ok(lease()));
        assert_eq!(verify(&signed, &key(2).public()), Err(LeaseError::BadSignature));
        // The neutral point, which has "signed" many a message with a signature of zeros.
        let mut weak = [0; 32];
        weak[0] = 1;
        assert_eq!(verify(&signed, &weak), Err(LeaseError::BadSignature));
        let mut forged = signed[..signed.len() - SIGNATURE_LEN].to_vec();
        forged.extend_from_slice(&weak);
        forged.extend_from_slice(&[0; 32]);
        assert_eq!(verify(&forged, &weak), Err(LeaseError::BadSignature));
    }

    // proves O3
    #[test]
    fn no_flipped_bit_and_no_truncation_is_a_lease() {
        let signed = key(1).sign(&lease()).expect("in bounds");
        for len in 0..signed.len() {
            assert!(verify(&signed[..len], &key(1).public()).is_err(), "cut at {len}");
        }
        for bit in 0..signed.len() * 8 {
            let mut flipped = signed.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(verify(&flipped, &key(1).public()).is_err(), "bit {bit}");
        }
        let mut long = signed.to_vec();
        long.resize(LEASE_LEN_MAX + 1, 0);
        let size = LeaseError::Size { len: long.len() };
        assert_eq!(verify(&long, &key(1).public()), Err(size));
    }

    #[test]
    fn a_signature_over_something_else_than_a_lease_is_none() {
        let fields = lease().to_body().expect("in bounds");
        let signature = key(1).key.sign(&fields).to_bytes();
        let without_prefix = [&fields[..], &signature].concat();
        assert_eq!(verify(&without_prefix, &key(1).public()), Err(LeaseError::BadSignature));
    }

    #[test]
    fn a_key_is_read_as_it_was_written_and_keeps_its_secret() {
        let pem = key(1).to_pem();
        assert_eq!(LeaseKey::from_pem(&pem), Ok(key(1)));
        assert_eq!(LeaseKey::from_pem(&pem[1..]), Err(LeaseKeyError));
        let secret = data_encoding::HEXLOWER.encode(&[1; 32]);
        let shown = format!("{:?}", key(1));
        assert!(!shown.contains(&secret) && !shown.contains("1, 1, 1"), "{shown}");
    }

    #[test]
    fn no_flipped_bit_and_no_cut_of_its_text_is_another_key() {
        let good = key(1).to_pem();
        for bit in 0..good.len() * 8 {
            let mut bytes = good.as_bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            // What is no text is refused before.
            let read = String::from_utf8(bytes).ok().map(|text| LeaseKey::from_pem(&text));
            // A line end may be another one.
            assert!(
                matches!(read, None | Some(Err(_))) || read == Some(Ok(key(1))),
                "bit {bit}"
            );
        }
        for len in 0..good.trim_end().len() {
            assert_eq!(LeaseKey::from_pem(&good[..len]), Err(LeaseKeyError), "cut at {len}");
        }
    }

    #[test]
    fn a_key_without_its_public_one_is_read_as_it_was_written_by_versions_before() {
        let old = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\n\
                   -----END PRIVATE KEY-----\n";
        assert_eq!(LeaseKey::from_pem(old), Ok(key(1)));
        assert!(!LeaseKey::tells_public(old) && LeaseKey::tells_public(&key(1).to_pem()));
        assert!(!LeaseKey::tells_public("none"));
    }

    #[test]
    fn days_are_never_more_than_sixty_and_none_make_no_lease() {
        let signed = granted(&key(1), &lease(), 200, 9).expect("a lease");
        let read = verify(&signed, &key(1).public()).expect("genuine");
        assert_eq!((read.days, read.server_time), (60, 9));
        assert_eq!(granted(&key(1), &lease(), 0, 9), None);
    }
}

//! The text of a license key (rule K1): `SK1-`, then groups of five digits of base32.

use std::fmt;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::base32;
use super::certificate::{self, CERTIFICATE_LEN_MAX};
use super::error::{KeyError, Unsupported};
use super::vendor_key::VendorKey;
use crate::codec::{DecodeError, Reader};
use crate::domain::ids::{Serial, VendorId};
use crate::domain::license::VerifiedKey;

/// The longest license key in its canonical form, in characters.
pub const KEY_LEN_MAX: usize = 1024;

/// The longest text that is read as a license key, in bytes: separators may be anywhere and are not counted above.
pub const KEY_INPUT_LEN_MAX: usize = 4096;

/// What every key begins with, without the hyphen.
pub(super) const PREFIX: &str = "SK1";

/// Bytes of the length in front of the payload.
pub(super) const LENGTH_LEN: usize = 2;

const SECRET_LEN: usize = 16;
const CHECKSUM_LEN: usize = 4;

/// Bytes of a payload besides its certificate.
pub(super) const OVERHEAD: usize = LENGTH_LEN + SECRET_LEN + CHECKSUM_LEN;

/// The longest payload, in bytes; its text has 1,021 characters.
pub(super) const PAYLOAD_LEN_MAX: usize = CERTIFICATE_LEN_MAX + OVERHEAD;

/// A license key whose text is undamaged. What it says is unverified until [`LicenseKey::verify`].
#[derive(Clone, Eq, PartialEq)]
pub struct LicenseKey {
    vendor: VendorId,
    serial: Serial,
    certificate: Bytes,
    secret: [u8; SECRET_LEN],
}

impl LicenseKey {
    /// Reads the text of one key: case, spaces, line breaks and hyphens are ignored, I and L are 1, O is 0.
    ///
    /// # Errors
    /// [`KeyError::Damaged`] if it is no whole key, [`KeyError::NeedsNewer`] if it is a key of a later format,
    /// [`KeyError::Impossible`] if it is whole and names no vendor or no serial.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if text.len() > KEY_INPUT_LEN_MAX {
            return Err(damaged("it is longer than a key can be"));
        }
        let mut digits = String::with_capacity(text.len());
        for c in text.chars().filter(|&c| !base32::is_separator(c)) {
            digits.push(base32::digit(c).ok_or_else(|| damaged("it has a character that no key has"))?);
        }
        let Some(digits) = digits.strip_prefix(PREFIX) else {
            return Err(not_a_key(&digits));
        };
        Self::from_digits(digits)
    }

    /// The key of canonical digits, without the prefix.
    pub(super) fn from_digits(digits: &str) -> Result<Self, KeyError> {
        let payload = base32::decode(digits).ok_or_else(|| damaged("characters are missing, added or mistyped"))?;
        let (covered, checksum) = payload
            .split_last_chunk::<CHECKSUM_LEN>()
            .ok_or_else(|| damaged("characters are missing"))?;
        if *checksum != checksum_of(covered) {
            return Err(damaged("characters are missing, added or mistyped"));
        }
        let (certificate, secret) = Reader::all(covered, |reader| split(reader, payload.len()))?;
        let (vendor, serial) = certificate::peek(certificate)?;
        Ok(Self {
            vendor,
            serial,
            certificate: Bytes::copy_from_slice(certificate),
            secret,
        })
    }

    /// The vendor that the key names, by which its public key is looked up; unverified.
    #[must_use]
    pub const fn vendor(&self) -> VendorId {
        self.vendor
    }

    /// The serial that the key names, for telling keys apart; unverified.
    #[must_use]
    pub const fn serial(&self) -> Serial {
        self.serial
    }

    /// Checks signature and import secret, and that every claim can be honoured here.
    ///
    /// # Errors
    /// [`KeyError`]: the key is refused for this reason (rule K4).
    pub fn verify(&self, key: &VendorKey) -> Result<VerifiedKey, KeyError> {
        let checked = certificate::verify(&self.certificate, key)?;
        let hash: [u8; 32] = Sha256::digest(self.secret).into();
        // Everyone who was granted a seat has the certificate; only the customer has the secret.
        if hash != checked.secret_hash {
            return Err(KeyError::BadSignature);
        }
        Ok(VerifiedKey {
            claims: checked.claims,
            certificate: self.certificate.clone(),
        })
    }

    /// What the key claims, whoever signed it: for explaining it to people, never to act on.
    ///
    /// # Errors
    /// [`KeyError`], but no signature is checked.
    pub fn unverified(&self) -> Result<crate::domain::license::Claims, KeyError> {
        certificate::unverified(&self.certificate)
    }

    /// The canonical text: upper case, in groups of five. It holds the import secret.
    #[must_use]
    pub fn to_text(&self) -> String {
        text_of(&self.certificate, &self.secret)
    }
}

impl fmt::Debug for LicenseKey {
    /// Without the import secret: logs are read by many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LicenseKey")
            .field("vendor", &self.vendor)
            .field("serial", &self.serial)
            .finish_non_exhaustive()
    }
}

/// The text of a key; the certificate is at most [`CERTIFICATE_LEN_MAX`] long.
pub(super) fn text_of(certificate: &[u8], secret: &[u8; SECRET_LEN]) -> String {
    let len = u16::try_from(certificate.len() + OVERHEAD).unwrap_or(u16::MAX);
    let mut payload = [&len.to_be_bytes(), certificate, secret].concat();
    payload.extend(checksum_of(&payload));
    let mut text = PREFIX.to_owned();
    for (place, digit) in base32::encode(&payload).chars().enumerate() {
        if place % 5 == 0 {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

fn split<'a>(reader: &mut Reader<'a>, payload_len: usize) -> Result<(&'a [u8], [u8; SECRET_LEN]), DecodeError> {
    let len = usize::from(reader.u16("length")?);
    if len != payload_len || len > PAYLOAD_LEN_MAX {
        return Err(DecodeError::Invalid {
            field: "length",
            reason: "not the key's own",
        });
    }
    let certificate = reader.bytes(len.saturating_sub(OVERHEAD), "the certificate")?;
    Ok((certificate, reader.array("import secret")?))
}

fn checksum_of(covered: &[u8]) -> [u8; CHECKSUM_LEN] {
    let digest: [u8; 32] = Sha256::digest(covered).into();
    let mut checksum = [0; CHECKSUM_LEN];
    for (to, from) in checksum.iter_mut().zip(digest) {
        *to = from;
    }
    checksum
}

const fn damaged(reason: &'static str) -> KeyError {
    KeyError::Damaged { reason }
}

/// A later format must not be called damaged: the remedy is another one.
fn not_a_key(digits: &str) -> KeyError {
    match digits.strip_prefix("SK").and_then(|rest| rest.chars().next()) {
        Some(format @ '2'..='9') => Unsupported::Format(format).into(),
        _ => damaged("it does not begin with SK1-"),
    }
}

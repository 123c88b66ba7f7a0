//! What certificates, catalogues, their entries and blacklists have in common: fields, then a signature over a prefix and the fields.

use super::error::ListError;
use super::vendor_key::VendorKey;
use crate::codec::{
    DecodeError, Reader,
    tlv::{Field, Fields},
};
use crate::domain::ids::{IdError, VendorId};

/// Bytes of a signature, behind the fields.
pub(super) const SIGNATURE_LEN: usize = 64;

/// Fields with tags from here on may be skipped by who does not know them; the others must be understood.
pub(super) const SKIPPABLE_FROM: u16 = 0x8000;

/// The vendor's id: the same tag in every signed text, so that its key can be looked up first.
pub(super) const VENDOR: u16 = 0x0001;

/// The last second of the year 9999: no date of a signed text is later.
pub(super) const TIME_MAX: u64 = 253_402_300_799;

/// What a signature is for. The prefix is signed with the fields, so that none can stand in for another.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Blacklist,
    Catalogue,
    CatalogueEntry,
    Certificate,
}

impl Purpose {
    const fn prefix(self) -> &'static [u8] {
        match self {
            Self::Blacklist => b"seatkeeper v1 blacklist\0",
            Self::Catalogue => b"seatkeeper v1 catalogue\0",
            Self::CatalogueEntry => b"seatkeeper v1 catalogue entry\0",
            Self::Certificate => b"seatkeeper v1 license certificate\0",
        }
    }

    pub(super) fn message(self, body: &[u8]) -> Vec<u8> {
        [self.prefix(), body].concat()
    }
}

/// Fields and the signature behind them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signed<'a> {
    pub(super) body: &'a [u8],
    signature: &'a [u8; SIGNATURE_LEN],
}

impl<'a> Signed<'a> {
    pub(super) fn split(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let (body, signature) = bytes
            .split_last_chunk()
            .ok_or(DecodeError::Truncated { field: "the signature" })?;
        Ok(Self { body, signature })
    }

    pub(super) fn is_by(&self, key: &VendorKey, purpose: Purpose) -> bool {
        key.has_signed(&purpose.message(self.body), self.signature)
    }

    /// Refuses what names another vendor than the one of `key`, or what that one has not signed.
    pub(super) fn check(&self, key: &VendorKey, purpose: Purpose) -> Result<(), ListError> {
        let vendor = self.vendor()?;
        if vendor != key.id() {
            return Err(ListError::UnknownVendor { vendor });
        }
        if !self.is_by(key, purpose) {
            return Err(ListError::BadSignature);
        }
        Ok(())
    }

    /// The vendor that the text names; it may be a lie until the signature is checked.
    pub(super) fn vendor(&self) -> Result<VendorId, DecodeError> {
        match Fields::of(self.body).next() {
            Some(Ok(Field { tag: VENDOR, value })) => Ok(VendorId(exact(value, "vendor id")?)),
            Some(Err(fault)) => Err(fault),
            _ => Err(DecodeError::Missing { field: "vendor id" }),
        }
    }
}

/// The fields of a signed text: their tags ascend, and only `repeatable` may come more than once in a row.
pub(super) fn fields(
    body: &[u8],
    repeatable: Option<u16>,
) -> impl Iterator<Item = Result<Field<'_>, DecodeError>> + use<'_> {
    let mut before = None;
    Fields::of(body).map(move |field| {
        let field = field?;
        match before.replace(field.tag) {
            Some(tag) if tag > field.tag => Err(invalid("a field's tag", "smaller than the one before")),
            Some(tag) if tag == field.tag && repeatable != Some(tag) => Err(DecodeError::Repeated { field: "a tag" }),
            _ => Ok(field),
        }
    })
}

pub(super) const fn invalid(field: &'static str, reason: &'static str) -> DecodeError {
    DecodeError::Invalid { field, reason }
}

/// One more than `max` of something.
pub(super) const fn too_many(field: &'static str, max: usize) -> DecodeError {
    DecodeError::TooLong {
        field,
        len: max + 1,
        max,
    }
}

pub(super) fn exact<const N: usize>(value: &[u8], field: &'static str) -> Result<[u8; N], DecodeError> {
    Reader::all(value, |reader| reader.array(field))
}

/// An empty value: the field's presence says it all.
pub(super) fn flag(value: &[u8]) -> Result<bool, DecodeError> {
    Reader::new(value).finish().map(|()| true)
}

pub(super) fn number_u16(value: &[u8], field: &'static str) -> Result<u16, DecodeError> {
    exact(value, field).map(u16::from_be_bytes)
}

pub(super) fn number_u32(value: &[u8], field: &'static str) -> Result<u32, DecodeError> {
    exact(value, field).map(u32::from_be_bytes)
}

pub(super) fn number_u64(value: &[u8], field: &'static str) -> Result<u64, DecodeError> {
    exact(value, field).map(u64::from_be_bytes)
}

pub(super) fn time(value: &[u8], field: &'static str) -> Result<u64, DecodeError> {
    match number_u64(value, field)? {
        secs if secs <= TIME_MAX => Ok(secs),
        _ => Err(invalid(field, "later than the year 9999")),
    }
}

pub(super) fn name(value: &[u8], field: &'static str, max: usize) -> Result<String, DecodeError> {
    if value.len() > max {
        return Err(DecodeError::TooLong {
            field,
            len: value.len(),
            max,
        });
    }
    let text = std::str::from_utf8(value).map_err(|_| invalid(field, "not UTF-8"))?;
    if text.trim() != text || text.is_empty() || text.chars().any(char::is_control) {
        return Err(invalid(
            field,
            "empty, with spaces around it or with control characters",
        ));
    }
    Ok(text.to_owned())
}

pub(super) fn id<T>(parsed: Result<T, IdError>) -> Result<T, DecodeError> {
    parsed.map_err(|fault| invalid(fault.what, fault.reason))
}

pub(super) fn needed<T>(value: Option<T>, field: &'static str) -> Result<T, DecodeError> {
    value.ok_or(DecodeError::Missing { field })
}

//! The values that fields may have, and how one field is read and written. The `message!` macro calls these.

use std::net::IpAddr;

use bytes::Bytes;

use super::super::codes::{
    Altered, Check, ConfigEffect, ConflictKind, EndCause, EventKind, Finding, ImportOutcome, Kind, LicenseStatus,
    Offers, OnConflict, Outcome, ReleaseOutcome, Reserved, Role, Settled, Usage, Warning,
};
use super::super::limits::BODY_LEN_MAX;
use super::super::status::Status;
use crate::codec::{DecodeError, Reader, Writer, tlv};

/// Whether a field must be there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Presence {
    /// Once, or not at all.
    Optional,
    /// Any number of times, up to its bound.
    Repeated,
    /// Exactly once.
    Required,
}

impl Presence {
    /// The word for it in the registry.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Optional => "optional",
            Self::Repeated => "repeated",
            Self::Required => "required",
        }
    }
}

/// A row of a message's table of fields.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FieldRow {
    /// The field's tag.
    pub tag: u16,
    /// Its name.
    pub name: &'static str,
    /// The name of its type.
    pub kind: &'static str,
    /// Whether it must be there.
    pub presence: Presence,
    /// The longest value, in bytes.
    pub len_max: usize,
    /// How often it may be there.
    pub count_max: usize,
}

/// A value that a field can have.
pub(crate) trait Value: Sized {
    /// The name of the type in the registry.
    const KIND: &'static str;
    /// The longest value where the message names no bound, in bytes.
    const LEN_MAX: usize;

    fn write(&self, out: &mut Writer) -> Result<(), DecodeError>;
    fn read(value: &[u8], field: &'static str) -> Result<Self, DecodeError>;

    /// A value made from random numbers, at most `max` bytes.
    #[cfg(test)]
    fn sample(random: &mut crate::wire::tests::Random, max: usize) -> Self;
}

/// What a field is, for reading and writing it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    pub(crate) field: &'static str,
    pub(crate) len_max: usize,
    pub(crate) count_max: usize,
}

pub(crate) fn take_one<T: Value>(slot: &mut Option<T>, value: &[u8], bound: Bound) -> Result<(), DecodeError> {
    if slot.is_some() {
        return Err(DecodeError::Repeated { field: bound.field });
    }
    check_len(value.len(), bound)?;
    *slot = Some(T::read(value, bound.field)?);
    Ok(())
}

pub(crate) fn take_next<T: Value>(slot: &mut Vec<T>, value: &[u8], bound: Bound) -> Result<(), DecodeError> {
    check_count(slot.len() + 1, bound)?;
    check_len(value.len(), bound)?;
    slot.push(T::read(value, bound.field)?);
    Ok(())
}

pub(crate) fn put<T: Value>(out: &mut Writer, tag: u16, value: &T, bound: Bound) -> Result<(), DecodeError> {
    // Its own bound is told before that of every field.
    tlv::put_with(out, tag, |out| {
        let begin = out.len();
        value.write(out)?;
        check_len(out.len() - begin, bound)
    })
    .map(drop)
}

#[expect(clippy::ref_option, reason = "the macro hands in the field itself")]
pub(crate) fn put_some<T: Value>(
    out: &mut Writer,
    tag: u16,
    value: &Option<T>,
    bound: Bound,
) -> Result<(), DecodeError> {
    value.iter().try_for_each(|value| put(out, tag, value, bound))
}

pub(crate) fn put_all<T: Value>(out: &mut Writer, tag: u16, values: &[T], bound: Bound) -> Result<(), DecodeError> {
    check_count(values.len(), bound)?;
    values.iter().try_for_each(|value| put(out, tag, value, bound))
}

/// A field of a later revision: nothing of it is read.
#[expect(clippy::unnecessary_wraps, reason = "an arm beside those that read")]
pub(crate) const fn skip(_value: &[u8]) -> Result<(), DecodeError> {
    Ok(())
}

/// Looks at what a message put behind the first `begin` bytes.
pub(crate) const fn check_body(out: &Writer, begin: usize, message: &'static str) -> Result<(), DecodeError> {
    let len = out.len() - begin;
    if len > BODY_LEN_MAX {
        return Err(DecodeError::TooLong {
            field: message,
            len,
            max: BODY_LEN_MAX,
        });
    }
    Ok(())
}

const fn check_len(len: usize, bound: Bound) -> Result<(), DecodeError> {
    let (field, max) = (bound.field, bound.len_max);
    if len > max {
        return Err(DecodeError::TooLong { field, len, max });
    }
    Ok(())
}

const fn check_count(len: usize, bound: Bound) -> Result<(), DecodeError> {
    let (field, max) = (bound.field, bound.count_max);
    if len > max {
        return Err(DecodeError::TooLong { field, len, max });
    }
    Ok(())
}

/// Text of the protocol: UTF-8 without control characters, so that it can be shown and logged as it is.
pub(crate) fn text_of(bytes: &[u8], field: &'static str) -> Result<String, DecodeError> {
    let text = std::str::from_utf8(bytes).map_err(|_| DecodeError::Invalid {
        field,
        reason: "not UTF-8",
    })?;
    if text.chars().any(char::is_control) {
        return Err(DecodeError::Invalid {
            field,
            reason: "has control characters",
        });
    }
    Ok(text.to_owned())
}

macro_rules! numbers {
    ($($raw:ident, $len:literal;)*) => { $(
        impl Value for $raw {
            const KIND: &'static str = stringify!($raw);
            const LEN_MAX: usize = $len;

            fn write(&self, out: &mut Writer) -> Result<(), DecodeError> {
                out.$raw(*self);
                Ok(())
            }

            fn read(value: &[u8], field: &'static str) -> Result<Self, DecodeError> {
                Reader::all(value, |r| r.$raw(field))
            }

            #[cfg(test)]
            fn sample(random: &mut crate::wire::tests::Random, _max: usize) -> Self {
                Self::from_be_bytes(random.array())
            }
        }
    )* };
}

numbers! { u8, 1; u16, 2; u32, 4; u64, 8; }

macro_rules! code_values {
    ($($code:ident, $raw:ident, $len:literal;)*) => { $(
        impl Value for $code {
            const KIND: &'static str = stringify!($code);
            const LEN_MAX: usize = $len;

            fn write(&self, out: &mut Writer) -> Result<(), DecodeError> {
                out.$raw(self.0);
                Ok(())
            }

            fn read(value: &[u8], field: &'static str) -> Result<Self, DecodeError> {
                Reader::all(value, |r| r.$raw(field)).map(Self)
            }

            #[cfg(test)]
            fn sample(random: &mut crate::wire::tests::Random, _max: usize) -> Self {
                Self($raw::from_be_bytes(random.array()))
            }
        }
    )* };
}

code_values! {
    Altered, u8, 1; Check, u8, 1; ConfigEffect, u8, 1; ConflictKind, u8, 1; EndCause, u8, 1; EventKind, u8, 1; Finding, u8, 1;
    ImportOutcome, u8, 1; Kind, u8, 1; LicenseStatus, u8, 1; Offers, u8, 1; OnConflict, u8, 1; Outcome, u8, 1;
    ReleaseOutcome, u8, 1; Reserved, u8, 1; Role, u8, 1; Settled, u8, 1; Status, u16, 2; Usage, u8, 1; Warning, u8, 1;
}

macro_rules! byte_arrays {
    ($($len:literal, $kind:literal;)*) => { $(
        impl Value for [u8; $len] {
            const KIND: &'static str = $kind;
            const LEN_MAX: usize = $len;

            fn write(&self, out: &mut Writer) -> Result<(), DecodeError> {
                out.bytes(self);
                Ok(())
            }

            fn read(value: &[u8], field: &'static str) -> Result<Self, DecodeError> {
                Reader::all(value, |r| r.array(field))
            }

            #[cfg(test)]
            fn sample(random: &mut crate::wire::tests::Random, _max: usize) -> Self {
                random.array()
            }
        }
    )* };
}

byte_arrays! { 6, "bytes6"; 8, "bytes8"; 16, "bytes16"; 32, "bytes32"; }

impl Value for bool {
    const KIND: &'static str = "flag";
    const LEN_MAX: usize = 1;

    fn write(&self, out: &mut Writer) -> Result<(), DecodeError> {
        out.u8(u8::from(*self));
        Ok(())
    }

    fn read(value: &[u8], field: &'static str) -> Result<Self, DecodeError> {
        match Reader::all(value, |r| r.u8(field))? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeError::Invalid {
                field,
                reason: "neither 0 nor 1",
            }),
        }
    }

    #[cfg(test)]
    fn sample(random: &mut crate::wire::tests::Random, _max: usize) -> Self {
        random.flag()
    }
}

impl Value for String {
    const KIND: &'static str = "text";
    const LEN_MAX: usize = tlv::VALUE_LEN_MAX;

    fn write(&self, out: &mut Writer) -> Result<(), DecodeError> {
        // Read back what is written: a text that the peer would refuse must not leave.
        text_of(self.as_bytes(), "a text")?;
        out.bytes(self.as_bytes());
        Ok(())
    }

    fn read(value: &[u8], field: &'static str) -> Result<Self, DecodeError> {
        text_of(value, field)
    }

    #[cfg(test)]
    fn sample(random: &mut crate::wire::tests::Random, max: usize) -> Self {
        random.text(max)
    }
}

impl Value for Bytes {
    const KIND: &'static str = "bytes";
    const LEN_MAX: usize = tlv::VALUE_LEN_MAX;

    fn write(&self, out: &mut Writer) -> Result<(), DecodeError> {
        out.bytes(self);
        Ok(())
    }

    fn read(value: &[u8], _field: &'static str) -> Result<Self, DecodeError> {
        Ok(Self::copy_from_slice(value))
    }

    #[cfg(test)]
    fn sample(random: &mut crate::wire::tests::Random, max: usize) -> Self {
        random.bytes(max).into()
    }
}

impl Value for IpAddr {
    const KIND: &'static str = "address";
    const LEN_MAX: usize = 16;

    fn write(&self, out: &mut Writer) -> Result<(), DecodeError> {
        match self {
            Self::V4(address) => out.bytes(&address.octets()),
            Self::V6(address) => out.bytes(&address.octets()),
        }
        Ok(())
    }

    fn read(value: &[u8], field: &'static str) -> Result<Self, DecodeError> {
        match value.len() {
            4 => Reader::all(value, |r| r.array::<4>(field)).map(Self::from),
            16 => Reader::all(value, |r| r.array::<16>(field)).map(Self::from),
            _ => Err(DecodeError::Invalid {
                field,
                reason: "neither 4 nor 16 bytes",
            }),
        }
    }

    #[cfg(test)]
    fn sample(random: &mut crate::wire::tests::Random, _max: usize) -> Self {
        if random.flag() {
            Self::from(random.array::<4>())
        } else {
            Self::from(random.array::<16>())
        }
    }
}

//! The names of things: MAC addresses, product and component ids, vendors, serials, identities.
//!
//! All are small values of a fixed size. Each has one canonical form: `FromStr` takes what people write and
//! normalises it, `from_canonical` takes bytes off the wire or the disk and refuses any other form.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A name that is not one.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("{what}: {reason}")]
pub struct IdError {
    /// What it should have been.
    pub what: &'static str,
    /// What it must look like.
    pub reason: &'static str,
}

/// The MAC address (EUI-48) that names a machine: unicast and not zero.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Mac([u8; 6]);

impl Mac {
    /// Not above any address; for ranges.
    pub(in crate::domain) const FIRST: Self = Self([0; 6]);
    /// Not below any address; for ranges.
    pub(in crate::domain) const LAST: Self = Self([0xff; 6]);

    /// A machine's address.
    ///
    /// # Errors
    /// The address is zero, or the group bit is set: no adapter has such an address.
    pub fn new(bytes: [u8; 6]) -> Result<Self, IdError> {
        let fault = |reason| IdError {
            what: "MAC address",
            reason,
        };
        match bytes {
            [0, 0, 0, 0, 0, 0] => Err(fault("all zero; give the address of an adapter")),
            [first, ..] if first & 1 == 1 => Err(fault("a group address; give the address of an adapter")),
            _ => Ok(Self(bytes)),
        }
    }

    /// The six bytes, in the order in which they are written.
    #[must_use]
    pub const fn bytes(self) -> [u8; 6] {
        self.0
    }

    /// Whether the address was assigned locally (randomised, virtual) and not by a manufacturer.
    #[must_use]
    pub const fn is_locally_administered(self) -> bool {
        self.0[0] & 2 == 2
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02x}", if place == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Mac {
    type Err = IdError;

    /// Takes `00:1a:2b:3c:4d:5e`, `00-1A-2B-3C-4D-5E`, `001a.2b3c.4d5e` and `001a2b3c4d5e`.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let fault = IdError {
            what: "MAC address",
            reason: "write six bytes in hexadecimal, as 00:1a:2b:3c:4d:5e",
        };
        let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-' | '.')).collect();
        let bytes = data_encoding::HEXLOWER_PERMISSIVE
            .decode(digits.as_bytes())
            .map_err(|_| fault)?;
        Self::new(bytes.try_into().map_err(|_| fault)?)
    }
}

/// The longest product or component id, in bytes.
pub const ID_LEN_MAX: usize = 24;

/// The bytes of an id, zero-padded, so that it is small, needs no memory of its own and sorts as its text does.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
struct Id([u8; ID_LEN_MAX]);

impl Id {
    fn checked(text: &[u8], what: &'static str, allowed: fn(u8) -> bool) -> Result<Self, IdError> {
        let mut bytes = [0; ID_LEN_MAX];
        let (true, Some(room)) = (
            text.first().is_some_and(u8::is_ascii_alphanumeric),
            bytes.get_mut(..text.len()),
        ) else {
            return Err(IdError {
                what,
                reason: "1 to 24 characters, the first a letter or digit",
            });
        };
        if !text
            .iter()
            .all(|&byte| allowed(byte) || matches!(byte, b'-' | b'_' | b'.'))
        {
            return Err(IdError {
                what,
                reason: "letters, digits, '-', '_' and '.' only",
            });
        }
        room.copy_from_slice(text);
        Ok(Self(bytes))
    }

    fn as_str(&self) -> &str {
        let len = self.0.iter().position(|&byte| byte == 0).unwrap_or(ID_LEN_MAX);
        self.0
            .get(..len)
            .and_then(|text| std::str::from_utf8(text).ok())
            .unwrap_or_default()
    }
}

/// What a vendor licenses, e.g. `BKSRV`: 1 to 24 characters `A-Z 0-9 - _ .`, the first a letter or digit.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ProductId(Id);

/// An installable part of a product, e.g. `agent`: 1 to 24 characters `a-z 0-9 - _ .`, the first a letter or digit.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ComponentId(Id);

impl ComponentId {
    /// An id where any will do.
    pub(in crate::domain) const ANY: Self = {
        let mut bytes = [0; ID_LEN_MAX];
        bytes[0] = b'x';
        Self(Id(bytes))
    };
}

macro_rules! id {
    ($name:ident, $what:literal, $case:ident, $allowed:expr) => {
        impl $name {
            /// Takes the canonical form only, as it comes off the wire or the disk.
            ///
            /// # Errors
            /// `text` is not the canonical form of an id.
            pub fn from_canonical(text: &[u8]) -> Result<Self, IdError> {
                Id::checked(text, $what, $allowed).map(Self)
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::from_canonical(text.$case().as_bytes())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

id!(ProductId, "product id", to_ascii_uppercase, |byte| byte
    .is_ascii_uppercase()
    || byte.is_ascii_digit());
id!(ComponentId, "component id", to_ascii_lowercase, |byte| byte
    .is_ascii_lowercase()
    || byte.is_ascii_digit());

/// The digits of a serial: Crockford's base32, without I, L, O and U.
const SERIAL_DIGITS: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The short name of a license key: 16 characters of Crockford's base32 (rule K1).
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Serial([u8; 16]);

impl Serial {
    /// Not above any serial; for ranges.
    pub(in crate::domain) const FIRST: Self = Self([0; 16]);
    /// Not below any serial; for ranges.
    pub(in crate::domain) const LAST: Self = Self([0xff; 16]);

    /// Takes the canonical form only: upper case, no separators.
    ///
    /// # Errors
    /// `text` is not 16 characters of Crockford's base32.
    pub fn from_canonical(text: &[u8]) -> Result<Self, IdError> {
        let fault = IdError {
            what: "serial",
            reason: "16 letters and digits, as shown by `seatkeeper licenses`",
        };
        let bytes: [u8; 16] = text.try_into().map_err(|_| fault)?;
        if bytes.iter().all(|byte| SERIAL_DIGITS.contains(byte)) {
            Ok(Self(bytes))
        } else {
            Err(fault)
        }
    }

    /// The 16 characters as they are stored and signed.
    #[must_use]
    pub const fn bytes(&self) -> [u8; 16] {
        self.0
    }

    /// The serial of 10 random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 10]) -> Self {
        let mut number = bytes
            .iter()
            .fold(0_u128, |number, &byte| number << 8 | u128::from(byte));
        let mut text = [0; 16];
        for place in text.iter_mut().rev() {
            let digit = usize::try_from(number & 31).unwrap_or_default();
            *place = SERIAL_DIGITS.get(digit).copied().unwrap_or_default();
            number >>= 5;
        }
        Self(text)
    }

    /// The 16 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Serial {
    type Err = IdError;

    /// Ignores case, spaces and hyphens, and reads I and L as 1, O as 0, as Crockford's base32 asks.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let canonical: String = text
            .chars()
            .filter(|c| !matches!(c, '-' | ' '))
            .map(|c| match c.to_ascii_uppercase() {
                'I' | 'L' => '1',
                'O' => '0',
                other => other,
            })
            .collect();
        Self::from_canonical(canonical.as_bytes())
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! hex_name {
    ($name:ident, $len:literal, $what:literal, $reason:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&data_encoding::HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let fault = IdError {
                    what: $what,
                    reason: $reason,
                };
                let digits: String = text.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
                let bytes = data_encoding::HEXLOWER_PERMISSIVE
                    .decode(digits.as_bytes())
                    .map_err(|_| fault)?;
                bytes.try_into().map(Self).map_err(|_| fault)
            }
        }
    };
}

/// A vendor: the first 16 bytes of the SHA-256 of its Ed25519 public key. Also called the vendor key id.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct VendorId(pub [u8; 16]);

/// Who a peer is: the SHA-256 of the DER `SubjectPublicKeyInfo` of the certificate it proved to own.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Fingerprint(pub [u8; 32]);

/// A server's name for itself in offers: 16 random bytes made at its first start, kept for life.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ServerId(pub [u8; 16]);

/// A reservation: 16 bytes that whoever reserves makes at random, so that asking again reserves nothing more (rule X2).
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ReservationId(pub [u8; 16]);

/// What a server knows an enrolment token by: the SHA-256 of its 20 secret bytes.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TokenHash(pub [u8; 32]);

impl TokenHash {
    /// The token's short name.
    #[must_use]
    pub fn id(&self) -> TokenId {
        TokenId(self.0.first_chunk().copied().unwrap_or_default())
    }

    /// Not above any token of this short name; for ranges.
    pub(in crate::domain) fn first_of(id: TokenId) -> Self {
        let mut bytes = [0; 32];
        for (place, byte) in bytes.iter_mut().zip(id.0) {
            *place = byte;
        }
        Self(bytes)
    }
}

/// An enrolment token's short name, which is no secret: the first 8 bytes of its [`TokenHash`].
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TokenId(pub [u8; 8]);

hex_name!(TokenHash, 32, "token hash", "64 hexadecimal digits");
hex_name!(
    TokenId,
    8,
    "enrolment token",
    "16 hexadecimal digits, as shown by `seatkeeper enrol list`; not the token itself"
);
hex_name!(
    ReservationId,
    16,
    "reservation",
    "32 hexadecimal digits, as shown by `seatkeeper reservations`"
);
hex_name!(VendorId, 16, "vendor id", "32 hexadecimal digits");
hex_name!(
    Fingerprint,
    32,
    "fingerprint",
    "64 hexadecimal digits, as shown by `seatkeeper identity show`"
);
hex_name!(ServerId, 16, "server id", "32 hexadecimal digits");

/// What is licensed: a product id counts only for its vendor (rule K2).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ProductKey {
    /// Whose product it is.
    pub vendor: VendorId,
    /// Its id.
    pub product: ProductId,
}

#[cfg(test)]
mod tests;

//! Where a record stands: one tree, a prefix byte for each kind, then bytes that sort as the values do.

use std::fmt;

use crate::codec::Reader;
use crate::domain::change::FactKey;
use crate::domain::ids::{Fingerprint, ID_LEN_MAX, Mac, ProductId, ReservationId, Serial, TokenHash, VendorId};
use crate::domain::seat::SeatKey;

use super::envelope::RecordError;

/// The key of a row: of a fact, or of what the ledger says of itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Key {
    Meta,
    Fact(FactKey),
}

/// No key is longer, in bytes.
pub(super) const LEN_MAX: usize = 64;

const META: u8 = 0x00;
const SERVER: u8 = 0x01;
const ADMIN: u8 = 0x02;
const VENDOR: u8 = 0x03;
const CATALOGUE: u8 = 0x04;
const LICENSE: u8 = 0x05;
const TOMBSTONE: u8 = 0x06;
const SPENT: u8 = 0x07;
const SEAT: u8 = 0x08;
const FORMER: u8 = 0x09;
const BLACKLIST: u8 = 0x0a;
const RESERVATION: u8 = 0x0b;
const CLOCK: u8 = 0x0c;
const LEFT: u8 = 0x0d;
const TOKEN: u8 = 0x0e;
const ENROLLED: u8 = 0x0f;

impl Key {
    /// The key's bytes; numbers are big-endian, product ids are filled up with zeros, so that bytes sort as values do.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LEN_MAX);
        self.encode_into(&mut bytes);
        bytes
    }

    /// Appends [`Key::encode`].
    pub(super) fn encode_into(&self, bytes: &mut Vec<u8>) {
        let key = match self {
            Self::Meta => return bytes.push(META),
            Self::Fact(key) => key,
        };
        let (prefix, parts): (u8, [&[u8]; 3]) = match key {
            FactKey::Server => (SERVER, [&[], &[], &[]]),
            FactKey::Admin(fingerprint) => (ADMIN, [&fingerprint.0, &[], &[]]),
            FactKey::Vendor(vendor) => (VENDOR, [&vendor.0, &[], &[]]),
            FactKey::Catalogue(vendor) => (CATALOGUE, [&vendor.0, &[], &[]]),
            FactKey::License(serial) => (LICENSE, [serial.as_str().as_bytes(), &[], &[]]),
            FactKey::Tombstone(serial) => (TOMBSTONE, [serial.as_str().as_bytes(), &[], &[]]),
            FactKey::Spent(serial, unit) => (SPENT, [serial.as_str().as_bytes(), &unit.to_be_bytes(), &[]]),
            FactKey::Seat(seat) => (SEAT, [&seat.vendor.0, &padded(seat.product), &seat.mac.bytes()]),
            FactKey::Blacklist(vendor) => (BLACKLIST, [&vendor.0, &[], &[]]),
            FactKey::Reservation(id) => (RESERVATION, [&id.0, &[], &[]]),
            FactKey::Clock => (CLOCK, [&[], &[], &[]]),
            FactKey::Left(seat) => (LEFT, [&seat.vendor.0, &padded(seat.product), &seat.mac.bytes()]),
            FactKey::Token(hash) => (TOKEN, [&hash.0, &[], &[]]),
            FactKey::Enrolled(identity) => (ENROLLED, [&identity.0, &[], &[]]),
            FactKey::Former(seat) => (FORMER, [&seat.vendor.0, &padded(seat.product), &seat.mac.bytes()]),
        };
        bytes.push(prefix);
        for part in parts {
            bytes.extend_from_slice(part);
        }
    }

    /// The key that has these bytes.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let mut reader = Reader::new(bytes);
        let key = Self::read(&mut reader)?;
        match reader.remaining() {
            0 => Ok(key),
            _ => Err(RecordError::Key),
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        Ok(Self::Fact(match reader.u8("prefix").map_err(|_| RecordError::Key)? {
            META => return Ok(Self::Meta),
            SERVER => FactKey::Server,
            ADMIN => FactKey::Admin(Fingerprint(part(reader)?)),
            VENDOR => FactKey::Vendor(VendorId(part(reader)?)),
            CATALOGUE => FactKey::Catalogue(VendorId(part(reader)?)),
            LICENSE => FactKey::License(serial(reader)?),
            TOMBSTONE => FactKey::Tombstone(serial(reader)?),
            SPENT => FactKey::Spent(serial(reader)?, u32::from_be_bytes(part(reader)?)),
            SEAT => FactKey::Seat(seat(reader)?),
            FORMER => FactKey::Former(seat(reader)?),
            BLACKLIST => FactKey::Blacklist(VendorId(part(reader)?)),
            RESERVATION => FactKey::Reservation(ReservationId(part(reader)?)),
            CLOCK => FactKey::Clock,
            LEFT => FactKey::Left(seat(reader)?),
            TOKEN => FactKey::Token(TokenHash(part(reader)?)),
            ENROLLED => FactKey::Enrolled(Fingerprint(part(reader)?)),
            _ => return Err(RecordError::Key),
        }))
    }
}

fn part<const N: usize>(reader: &mut Reader<'_>) -> Result<[u8; N], RecordError> {
    reader.array("key").map_err(|_| RecordError::Key)
}

fn serial(reader: &mut Reader<'_>) -> Result<Serial, RecordError> {
    Ok(Serial::from_canonical(&part::<16>(reader)?)?)
}

fn seat(reader: &mut Reader<'_>) -> Result<SeatKey, RecordError> {
    let vendor = VendorId(part(reader)?);
    let product: [u8; ID_LEN_MAX] = part(reader)?;
    let len = product.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    let product = ProductId::from_canonical(product.get(..len).unwrap_or_default())?;
    let mac = Mac::new(part(reader)?)?;
    Ok(SeatKey { vendor, product, mac })
}

fn padded(product: ProductId) -> [u8; ID_LEN_MAX] {
    let mut bytes = [0; ID_LEN_MAX];
    for (place, byte) in bytes.iter_mut().zip(product.as_str().bytes()) {
        *place = byte;
    }
    bytes
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = match self {
            Self::Meta => return f.write_str("the last round"),
            Self::Fact(key) => key,
        };
        match key {
            FactKey::Server => f.write_str("the server itself"),
            FactKey::Admin(fingerprint) => write!(f, "administrator {fingerprint}"),
            FactKey::Vendor(vendor) => write!(f, "vendor {vendor}"),
            FactKey::Catalogue(vendor) => write!(f, "the catalogue of vendor {vendor}"),
            FactKey::Blacklist(vendor) => write!(f, "the blacklist of vendor {vendor}"),
            FactKey::Reservation(id) => write!(f, "reservation {id}"),
            FactKey::Clock => f.write_str("the highest accepted time"),
            FactKey::Left(seat) => write!(
                f,
                "what components left behind on {} of {} (vendor {})",
                seat.mac, seat.product, seat.vendor
            ),
            FactKey::Token(hash) => write!(f, "enrolment token {}", hash.id()),
            FactKey::Enrolled(identity) => write!(f, "enrolled identity {identity}"),
            FactKey::License(serial) => write!(f, "license {serial}"),
            FactKey::Tombstone(serial) => write!(f, "removed license {serial}"),
            FactKey::Spent(serial, unit) => write!(f, "spent unit {unit} of license {serial}"),
            FactKey::Seat(seat) => write!(f, "seat {} of {} (vendor {})", seat.mac, seat.product, seat.vendor),
            FactKey::Former(seat) => {
                write!(
                    f,
                    "former seat {} of {} (vendor {})",
                    seat.mac, seat.product, seat.vendor
                )
            }
        }
    }
}

/// What a key is about, for people; its bytes where no kind of record has such a key.
pub(super) fn describe(bytes: &[u8]) -> String {
    Key::decode(bytes).map_or_else(
        |_| format!("unknown key {}", data_encoding::HEXLOWER.encode(bytes)),
        |key| key.to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seat_key(product: &str, mac: u8) -> SeatKey {
        SeatKey {
            vendor: VendorId([9; 16]),
            product: product.parse().unwrap(),
            mac: Mac::new([0, 0x1a, 0, 0, 0, mac]).unwrap(),
        }
    }

    fn samples() -> Vec<Key> {
        let serial = Serial::from_random([0xa5; 10]);
        vec![
            Key::Meta,
            Key::Fact(FactKey::Server),
            Key::Fact(FactKey::Admin(Fingerprint([1; 32]))),
            Key::Fact(FactKey::Vendor(VendorId([2; 16]))),
            Key::Fact(FactKey::Catalogue(VendorId([2; 16]))),
            Key::Fact(FactKey::License(serial)),
            Key::Fact(FactKey::Tombstone(serial)),
            Key::Fact(FactKey::Spent(serial, 255)),
            Key::Fact(FactKey::Spent(serial, 256)),
            Key::Fact(FactKey::Seat(seat_key("BKSRV", 1))),
            Key::Fact(FactKey::Seat(seat_key("BKSRV", 2))),
            Key::Fact(FactKey::Seat(seat_key("BKSRV-2", 1))),
            Key::Fact(FactKey::Former(seat_key("BKSRV", 1))),
            Key::Fact(FactKey::Blacklist(VendorId([2; 16]))),
            Key::Fact(FactKey::Reservation(ReservationId([3; 16]))),
            Key::Fact(FactKey::Clock),
            Key::Fact(FactKey::Left(seat_key("BKSRV", 1))),
            Key::Fact(FactKey::Token(TokenHash([4; 32]))),
            Key::Fact(FactKey::Enrolled(Fingerprint([1; 32]))),
        ]
    }

    #[test]
    fn keys_come_back_and_sort_as_their_values_do() {
        let encoded: Vec<_> = samples().iter().map(Key::encode).collect();
        assert!(encoded.is_sorted());
        for (key, bytes) in samples().iter().zip(&encoded) {
            assert_eq!(Key::decode(bytes).unwrap(), *key);
        }
    }

    #[test]
    fn a_key_that_is_cut_or_longer_is_unknown() {
        for bytes in samples().iter().map(Key::encode) {
            assert!(Key::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
            for len in 0..bytes.len() {
                assert!(Key::decode(&bytes[..len]).is_err(), "{bytes:?} cut at {len}");
            }
        }
    }

    #[test]
    fn every_other_prefix_is_unknown() {
        for prefix in ENROLLED + 1..=u8::MAX {
            assert!(matches!(Key::decode(&[prefix]), Err(RecordError::Key)));
        }
        assert_eq!(describe(&[0xf0, 0x0d]), "unknown key f00d");
    }

    #[test]
    fn a_seat_is_named_by_machine_and_product() {
        let key = Key::Fact(FactKey::Seat(seat_key("BKSRV", 1))).encode();
        assert!(describe(&key).starts_with("seat 00:1a:00:00:00:01 of BKSRV"));
    }

    #[test]
    fn a_group_address_in_a_key_is_refused() {
        let mut key = Key::Fact(FactKey::Seat(seat_key("BKSRV", 1))).encode();
        key[41] |= 1;
        assert!(matches!(Key::decode(&key), Err(RecordError::Id(_))));
    }
}

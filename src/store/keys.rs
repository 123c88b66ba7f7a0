//! Where a record stands: one tree, a prefix byte for each kind, then bytes that sort as the values do.

use std::fmt;

use crate::codec::Reader;
use crate::domain::ids::{Fingerprint, ID_LEN_MAX, Mac, ProductId, ReservationId, Serial, VendorId};
use crate::domain::seat::SeatKey;

use super::envelope::RecordError;

/// The key of a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Key {
    Meta,
    Server,
    Admin(Fingerprint),
    Vendor(VendorId),
    Catalogue(VendorId),
    License(Serial),
    Tombstone(Serial),
    Spent(Serial, u32),
    Seat(SeatKey),
    Former(SeatKey),
    Blacklist(VendorId),
    Reservation(ReservationId),
    Clock,
    Left(SeatKey),
}

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

impl Key {
    /// The key's bytes; numbers are big-endian, product ids are filled up with zeros, so that bytes sort as values do.
    pub(super) fn encode(&self) -> Vec<u8> {
        let (prefix, parts): (u8, [&[u8]; 3]) = match self {
            Self::Meta => (META, [&[], &[], &[]]),
            Self::Server => (SERVER, [&[], &[], &[]]),
            Self::Admin(fingerprint) => (ADMIN, [&fingerprint.0, &[], &[]]),
            Self::Vendor(vendor) => (VENDOR, [&vendor.0, &[], &[]]),
            Self::Catalogue(vendor) => (CATALOGUE, [&vendor.0, &[], &[]]),
            Self::License(serial) => (LICENSE, [serial.as_str().as_bytes(), &[], &[]]),
            Self::Tombstone(serial) => (TOMBSTONE, [serial.as_str().as_bytes(), &[], &[]]),
            Self::Spent(serial, unit) => (SPENT, [serial.as_str().as_bytes(), &unit.to_be_bytes(), &[]]),
            Self::Seat(seat) => (SEAT, [&seat.vendor.0, &padded(seat.product), &seat.mac.bytes()]),
            Self::Blacklist(vendor) => (BLACKLIST, [&vendor.0, &[], &[]]),
            Self::Reservation(id) => (RESERVATION, [&id.0, &[], &[]]),
            Self::Clock => (CLOCK, [&[], &[], &[]]),
            Self::Left(seat) => (LEFT, [&seat.vendor.0, &padded(seat.product), &seat.mac.bytes()]),
            Self::Former(seat) => (FORMER, [&seat.vendor.0, &padded(seat.product), &seat.mac.bytes()]),
        };
        [&[prefix], parts.concat().as_slice()].concat()
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
        Ok(match reader.u8("prefix").map_err(|_| RecordError::Key)? {
            META => Self::Meta,
            SERVER => Self::Server,
            ADMIN => Self::Admin(Fingerprint(part(reader)?)),
            VENDOR => Self::Vendor(VendorId(part(reader)?)),
            CATALOGUE => Self::Catalogue(VendorId(part(reader)?)),
            LICENSE => Self::License(serial(reader)?),
            TOMBSTONE => Self::Tombstone(serial(reader)?),
            SPENT => Self::Spent(serial(reader)?, u32::from_be_bytes(part(reader)?)),
            SEAT => Self::Seat(seat(reader)?),
            FORMER => Self::Former(seat(reader)?),
            BLACKLIST => Self::Blacklist(VendorId(part(reader)?)),
            RESERVATION => Self::Reservation(ReservationId(part(reader)?)),
            CLOCK => Self::Clock,
            LEFT => Self::Left(seat(reader)?),
            _ => return Err(RecordError::Key),
        })
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
        match self {
            Self::Meta => f.write_str("the last round"),
            Self::Server => f.write_str("the server itself"),
            Self::Admin(fingerprint) => write!(f, "administrator {fingerprint}"),
            Self::Vendor(vendor) => write!(f, "vendor {vendor}"),
            Self::Catalogue(vendor) => write!(f, "the catalogue of vendor {vendor}"),
            Self::Blacklist(vendor) => write!(f, "the blacklist of vendor {vendor}"),
            Self::Reservation(id) => write!(f, "reservation {id}"),
            Self::Clock => f.write_str("the highest accepted time"),
            Self::Left(seat) => write!(
                f,
                "what components left behind on {} of {} (vendor {})",
                seat.mac, seat.product, seat.vendor
            ),
            Self::License(serial) => write!(f, "license {serial}"),
            Self::Tombstone(serial) => write!(f, "removed license {serial}"),
            Self::Spent(serial, unit) => write!(f, "spent unit {unit} of license {serial}"),
            Self::Seat(seat) => write!(f, "seat {} of {} (vendor {})", seat.mac, seat.product, seat.vendor),
            Self::Former(seat) => {
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
            Key::Server,
            Key::Admin(Fingerprint([1; 32])),
            Key::Vendor(VendorId([2; 16])),
            Key::Catalogue(VendorId([2; 16])),
            Key::License(serial),
            Key::Tombstone(serial),
            Key::Spent(serial, 255),
            Key::Spent(serial, 256),
            Key::Seat(seat_key("BKSRV", 1)),
            Key::Seat(seat_key("BKSRV", 2)),
            Key::Seat(seat_key("BKSRV-2", 1)),
            Key::Former(seat_key("BKSRV", 1)),
            Key::Blacklist(VendorId([2; 16])),
            Key::Reservation(ReservationId([3; 16])),
            Key::Clock,
            Key::Left(seat_key("BKSRV", 1)),
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
        for prefix in LEFT + 1..=u8::MAX {
            assert!(matches!(Key::decode(&[prefix]), Err(RecordError::Key)));
        }
        assert_eq!(describe(&[0xf0, 0x0d]), "unknown key f00d");
    }

    #[test]
    fn a_seat_is_named_by_machine_and_product() {
        let key = Key::Seat(seat_key("BKSRV", 1)).encode();
        assert!(describe(&key).starts_with("seat 00:1a:00:00:00:01 of BKSRV"));
    }

    #[test]
    fn a_group_address_in_a_key_is_refused() {
        let mut key = Key::Seat(seat_key("BKSRV", 1)).encode();
        key[41] |= 1;
        assert!(matches!(Key::decode(&key), Err(RecordError::Id(_))));
    }
}

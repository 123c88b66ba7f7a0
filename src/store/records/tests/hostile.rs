//! Records of every kind whose checksum holds and whose fields were changed by somebody: cut anywhere, and with any
//! number anywhere.

use std::collections::BTreeSet;

use super::facts::{VENDOR, facts, mac, row};
use super::*;
use crate::domain::catalogue::{Offers, OnConflict};
use crate::domain::change::Fact;
use crate::domain::ids::Fingerprint;
use crate::domain::seat::{EndCause, LastNumbers, SeatKey};
use crate::store::envelope::seal_payload;
use crate::store::rows::stored;

/// Facts of every kind that has a record.
fn every_kind() -> Vec<Fact> {
    let seat = SeatKey {
        vendor: VENDOR,
        product: "BKSRV".parse().unwrap(),
        mac: mac(),
    };
    let server = Server {
        id: ServerId([1; 16]),
        epoch: 1,
        founded_at: Timestamp(2),
        last_backup: None,
    };
    let admin = Admin {
        role: Role::Viewer,
        label: "Ada".to_owned(),
        added_at: Timestamp(3),
    };
    let vendor = Vendor {
        public_key: [4; 32],
        trusted_at: Timestamp(5),
    };
    let former = FormerSeat {
        ended_at: Timestamp(6),
        cause: EndCause::Idle,
    };
    let numbers = LastNumbers {
        identity: Fingerprint([7; 32]),
        continuation: 8,
        continuation_before: 9,
    };
    let left = LeftBehind {
        left_at: Timestamp(10),
        components: [("agent".parse().unwrap(), numbers)].into(),
    };
    let catalogue = lists::catalogue(Offers::MachineOnly, Some("BKSRV"), OnConflict::Refuse);
    let mut all = facts();
    all.extend([
        Fact::ServerPut(server),
        Fact::AdminPut(Fingerprint([1; 32]), admin),
        Fact::VendorPut(VENDOR, vendor),
        Fact::FormerPut(seat, former),
        Fact::LeftPut(seat, Box::new(left)),
        Fact::CataloguePut(Box::new(catalogue)),
    ]);
    all
}

/// The key, the version and the fields of each.
fn payloads() -> Vec<(Vec<u8>, u8, Vec<u8>)> {
    let payload = |fact| {
        let (key, record) = row(fact);
        let (version, payload) = unseal(&key, record.as_ref().unwrap()).unwrap();
        (key.clone(), version, payload.to_vec())
    };
    every_kind().into_iter().map(payload).collect()
}

fn read(key: &[u8], version: u8, payload: &[u8]) -> Result<Option<Fact>, RecordError> {
    stored(key, &seal_payload(key, version, payload).unwrap())
}

#[test]
fn every_kind_of_record_is_among_them() {
    let kinds: BTreeSet<_> = payloads().iter().map(|(key, ..)| key[0]).collect();
    assert_eq!(kinds, (0x01..=0x0f).collect());
    for (key, version, payload) in payloads() {
        assert!(read(&key, version, &payload).unwrap().is_some());
    }
}

#[test]
fn a_record_that_is_cut_anywhere_or_longer_is_refused_though_its_checksum_holds() {
    for (key, version, payload) in payloads() {
        for len in 0..payload.len() {
            assert!(
                read(&key, version, &payload[..len]).is_err(),
                "kind {} cut at {len}",
                key[0]
            );
        }
        let longer = [payload.as_slice(), &[0]].concat();
        assert!(matches!(read(&key, version, &longer), Err(RecordError::Trailing)));
    }
}

#[test]
fn whatever_number_stands_anywhere_a_record_is_refused_or_written_as_it_was_read() {
    // Every bit of a byte, which comes to every byte, and the edges of every width.
    let powers = (0..8).chain([15, 16, 31, 32, 62, 63]).map(|power| 1_u64 << power);
    let numbers: BTreeSet<_> = powers.flat_map(|number| [number - 1, number, !number]).collect();
    for (key, version, payload) in payloads() {
        for at in 0..payload.len() {
            for &number in &numbers {
                let mut changed = payload.clone();
                for (place, byte) in changed[at..].iter_mut().zip(number.to_le_bytes()) {
                    *place = byte;
                }
                if let Ok(fact) = read(&key, version, &changed) {
                    let record = seal_payload(&key, version, &changed).unwrap();
                    assert_eq!(row(fact.unwrap()), (key.clone(), Some(record)), "{number} at {at}");
                }
            }
        }
    }
}

//! Facts as rows: each comes back, and no bit of it changes unseen.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::*;
use crate::domain::blacklist::{Blacklist, Listed};
use crate::domain::change::{Change, Fact};
use crate::domain::ids::{Fingerprint, Mac, ProductKey, ReservationId, VendorId};
use crate::domain::license::{Claims, Kind};
use crate::domain::reservation::{Hold, Reservation, Reserved};
use crate::domain::seat::{Binding, Bound, MachineNote, SeatKey, Waiting};
use crate::store::keys::Key;
use crate::store::rows::{fact, rows};

pub(super) const VENDOR: VendorId = VendorId([0x11; 16]);

fn serial() -> Serial {
    Serial::from_random([1; 10])
}

pub(super) fn mac() -> Mac {
    Mac::new([0, 0x1a, 0, 0, 0, 1]).unwrap()
}

fn license(listed: Option<Listed>) -> Fact {
    let license = License {
        claims: Claims {
            vendor: VENDOR,
            serial: serial(),
            product: "BKSRV".parse().unwrap(),
            seats: 10,
            kind: Kind::Trial,
            usage: Usage::Deployment,
            issued_at: Timestamp(1),
            validity: Validity::Days(30),
            support_until_day: Some(20_500),
            auto_renew: true,
        },
        imported_at: Timestamp(2),
        certificate: Bytes::from_static(b"certificate"),
        listed,
    };
    Fact::LicensePut(Box::new(license))
}

fn seat(waiting: Option<Waiting>, approved: bool) -> Fact {
    let key = SeatKey {
        vendor: VENDOR,
        product: "BKSRV".parse().unwrap(),
        mac: mac(),
    };
    let bound = Bound {
        identity: Fingerprint([1; 32]),
        rebound_at: Some(Timestamp(4)),
        displaced: Vec::new(),
        continuation: if approved { 0 } else { 3 },
        continuation_before: (!approved).then_some(2),
        conflict: None,
        waiting,
    };
    let seat = Seat {
        serial: serial(),
        acquired_at: Timestamp(1),
        renewed_at: Timestamp(2),
        renew_by: None,
        single_use: false,
        machine: MachineNote::default(),
        components: BTreeMap::from([("agent".parse().unwrap(), Binding::Identity(bound))]),
    };
    Fact::SeatPut(key, Box::new(seat))
}

fn spent(reservation: Option<ReservationId>) -> Fact {
    let unit = SpentUnit {
        mac: mac(),
        spent_at: Timestamp(3),
        reservation,
    };
    Fact::SpentPut(serial(), 7, unit)
}

fn reservation() -> Fact {
    let reservation = Reservation {
        product: ProductKey {
            vendor: VENDOR,
            product: "BKSRV".parse().unwrap(),
        },
        reserved_at: Timestamp(1),
        lapses_at: Timestamp(2),
        by: Some(Fingerprint([2; 32])),
        hold: Hold::Machines(BTreeMap::from([(mac(), Reserved::Unit(serial()))])),
    };
    Fact::ReservationPut(ReservationId([5; 16]), Box::new(reservation))
}

/// What came with deployment, blacklists and the time, in every shape.
pub(super) fn facts() -> Vec<Fact> {
    let waiting = Waiting {
        identity: Fingerprint([9; 32]),
        since: Timestamp(5),
    };
    let tombstone = Tombstone {
        vendor: VENDOR,
        product: "BKSRV".parse().unwrap(),
        usage: Usage::Machine,
        seats: 5,
        validity: Validity::Forever,
        imported_at: Timestamp(1),
        removed_at: Timestamp(2),
    };
    let blacklist = Blacklist {
        vendor: VENDOR,
        version: 3,
        issued_at: Timestamp(1),
        contact: "Sales".to_owned(),
        serials: BTreeMap::from([(serial(), Listed::Superseded)]),
        signed: Bytes::from_static(b"signed"),
    };
    let clock = ClockState {
        mark: Timestamp(7),
        jump: Some(Jump {
            size_secs: 172_800,
            began_at: Timestamp(6),
        }),
    };
    vec![
        license(None),
        license(Some(Listed::Blacklisted)),
        license(Some(Listed::Superseded)),
        seat(None, false),
        seat(Some(waiting), false),
        seat(Some(waiting), true),
        spent(None),
        spent(Some(ReservationId([5; 16]))),
        reservation(),
        Fact::TombstonePut(serial(), tombstone),
        Fact::BlacklistPut(Box::new(blacklist)),
        Fact::ClockPut(clock),
    ]
}

/// The one row that a fact is written as: its key and its record, nothing where it is deleted.
pub(super) fn row(fact: Fact) -> (Vec<u8>, Option<Vec<u8>>) {
    let change = Change::from(fact);
    rows(&[change]).unwrap().pop_first().unwrap()
}

#[test]
fn every_fact_comes_back_and_every_flipped_bit_is_found() {
    for written in facts() {
        let (key, record) = row(written.clone());
        let record = record.unwrap();
        let place = Key::decode(&key).unwrap();
        assert_eq!(fact(place, &key, &record).unwrap(), Some(written.clone()));
        for bit in 0..record.len() * 8 {
            let mut flipped = record.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(fact(place, &key, &flipped).is_err(), "{written:?}: bit {bit}");
        }
    }
}

#[test]
fn what_is_over_deletes_the_row_that_it_had() {
    let (put, _) = row(reservation());
    assert_eq!(row(Fact::ReservationEnded(ReservationId([5; 16]))), (put, None));
}

//! Facts as rows: each comes back, and no bit of it changes unseen.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::*;
use crate::domain::backup::Backup;
use crate::domain::blacklist::{Blacklist, Listed};
use crate::domain::change::{Change, Fact, Server};
use crate::domain::enrolment::{Enrolled, Token};
use crate::domain::ids::{Fingerprint, Mac, ProductKey, ReservationId, ServerId, TokenHash, TokenId, VendorId};
use crate::domain::license::{Claims, Kind};
use crate::domain::reservation::{Hold, Reservation, Reserved};
use crate::domain::seat::{Binding, Bound, MachineNote, SeatKey, Seen, Waiting};
use crate::store::keys::Key;
use crate::store::rows::{fact, rows};

pub(super) const VENDOR: VendorId = VendorId([0x11; 16]);

fn serial() -> Serial {
    Serial::from_random([1; 10])
}

pub(super) fn mac() -> Mac {
    Mac::new([0, 0x1a, 0, 0, 0, 1]).unwrap()
}

fn server(backed_up: bool) -> Fact {
    Fact::ServerPut(Server {
        id: ServerId([0x22; 16]),
        epoch: 3,
        founded_at: Timestamp(5),
        last_backup: backed_up.then_some(Backup {
            made_at: Timestamp(9),
            round: 513,
            bytes: 7,
            has_identities: true,
        }),
    })
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
    let others = Seen {
        rebound_at: Some(Timestamp(4)),
        waiting,
        ..Seen::default()
    };
    let bound = Bound {
        identity: Fingerprint([1; 32]),
        continuation: if approved { 0 } else { 3 },
        continuation_before: (!approved).then_some(2),
        others: others.into(),
    };
    let seat = Seat {
        serial: serial(),
        acquired_at: Timestamp(1),
        renewed_at: Timestamp(2),
        renew_by: None,
        single_use: false,
        machine: MachineNote::default(),
        components: [("agent".parse().unwrap(), Binding::Identity(bound))].into(),
    };
    Fact::SeatPut(key, Arc::new(seat))
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

fn token(enrolled: u32) -> Fact {
    let token = Token {
        label: "office".to_owned(),
        created_at: Timestamp(1),
        expires_at: Timestamp(2),
        uses_left: 5,
        enrolled,
        last_used_at: (enrolled > 0).then_some(Timestamp(3)),
        revoked_at: (enrolled > 0).then_some(Timestamp(4)),
    };
    Fact::TokenPut(TokenHash([0xc1; 32]), token)
}

fn enrolled(revoked_at: Option<Timestamp>) -> Fact {
    let enrolled = Enrolled {
        token: TokenId([0xc1; 8]),
        at: Timestamp(8),
        revoked_at,
    };
    Fact::EnrolledPut(Fingerprint([0xa1; 32]), enrolled)
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
        server(false),
        server(true),
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
        token(0),
        token(2),
        enrolled(None),
        enrolled(Some(Timestamp(9))),
    ]
}

/// The one row that a fact is written as: its key and its record, nothing where it is deleted.
pub(super) fn row(fact: Fact) -> (Vec<u8>, Option<Vec<u8>>) {
    let change = Change::from(fact);
    let rows = rows(&[change]).unwrap();
    let (key, record) = rows.iter().next().unwrap();
    (key.to_vec(), record.map(<[u8]>::to_vec))
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
    let (put, _) = row(token(0));
    assert_eq!(row(Fact::TokenDropped(TokenHash([0xc1; 32]))), (put, None));
}

/// The bytes of `FORMAT.md`, by hand.
#[test]
fn a_server_has_frozen_bytes_before_its_first_backup_and_behind_it() {
    let sealed = |fact| {
        let (key, record) = row(fact);
        let record = record.unwrap();
        let (version, payload) = unseal(&key, &record).unwrap();
        (version, payload.to_vec())
    };
    let plain = [&[0x22; 16][..], &[3, 0, 0, 0], &[5, 0, 0, 0, 0, 0, 0, 0]].concat();
    assert_eq!(sealed(server(false)), (1, plain.clone()));
    let backup = [
        &[9, 0, 0, 0, 0, 0, 0, 0][..],
        &[1, 2, 0, 0, 0, 0, 0, 0],
        &[7, 0, 0, 0, 0, 0, 0, 0],
        &[1],
    ]
    .concat();
    assert_eq!(sealed(server(true)), (2, [plain, backup].concat()));
}

/// The bytes of `FORMAT.md`, by hand.
#[test]
fn a_token_and_who_it_enrolled_have_frozen_bytes() {
    let payload = |fact| {
        let (key, record) = row(fact);
        let record = record.unwrap();
        let (_, payload) = unseal(&key, &record).unwrap();
        (key.clone(), payload.to_vec())
    };
    let (key, bytes) = payload(token(2));
    assert_eq!(key, [&[0x0e][..], &[0xc1; 32]].concat());
    let expected: [&[u8]; 7] = [
        b"\x06\0\0\0\0\0\0\0office",
        &[1, 0, 0, 0, 0, 0, 0, 0],
        &[2, 0, 0, 0, 0, 0, 0, 0],
        &[5, 0, 0, 0],
        &[2, 0, 0, 0],
        &[1, 3, 0, 0, 0, 0, 0, 0, 0],
        &[1, 4, 0, 0, 0, 0, 0, 0, 0],
    ];
    assert_eq!(bytes, expected.concat());
    let (key, bytes) = payload(enrolled(None));
    assert_eq!(key, [&[0x0f][..], &[0xa1; 32]].concat());
    assert_eq!(bytes, [&[0xc1; 8][..], &[8, 0, 0, 0, 0, 0, 0, 0], &[0]].concat());
}

#[test]
fn a_token_out_of_bounds_is_refused() {
    let read = |label: &str, uses_left: u32, enrolled: u32, last: Option<u64>| {
        Token::try_from(reread::<TokenV1>(&(
            label,
            1_u64,
            2_u64,
            uses_left,
            enrolled,
            last,
            None::<u64>,
        )))
    };
    assert!(read(&"x".repeat(64), 100_000, 100_000, Some(3)).is_ok());
    assert!(read("", 0, 0, None).is_ok());
    assert!(read(&"x".repeat(65), 5, 0, None).is_err());
    assert!(read("two\nlines", 5, 0, None).is_err());
    assert!(read("x", 100_001, 0, None).is_err());
    assert!(read("x", 5, 100_001, Some(3)).is_err());
    assert!(read("x", 5, 1, None).is_err(), "it enrolled one, and never");
    assert!(read("x", 5, 0, Some(3)).is_err(), "it enrolled none, and some time");
}

//! The first page of every list costs the rows that it shows, however many there are (rule V1): rows are counted, not time.

use std::sync::Arc;

use bytes::Bytes;

use super::fixture::*;
use crate::domain::change::{Admin, Fact};
use crate::domain::command::{Actor, Command, PAGE_ROWS_MAX, Page, Role, SeatsPage};
use crate::domain::enrolment::{Enrolled, Token};
use crate::domain::ids::{Fingerprint, Mac, ReservationId, Serial, TokenHash, TokenId};
use crate::domain::ledger::visits;
use crate::domain::license::License;
use crate::domain::reply::Reply;
use crate::domain::reservation::{Hold, Reservation};
use crate::domain::seat::{Binding, MachineNote, Seat, SeatKey};
use crate::domain::time::{Now, Timestamp};

/// Bytes that are in order as their numbers are, and name something.
fn bytes<const N: usize>(number: u32) -> [u8; N] {
    let mut bytes = [0; N];
    if let Some(end) = bytes.last_chunk_mut() {
        *end = number.to_be_bytes();
    }
    bytes
}

fn seat_key(number: u32) -> SeatKey {
    let [a, b, c, d] = number.to_be_bytes();
    product_of(1, "SERVER").seat(Mac::new([2, 0, a, b, c, d]).unwrap())
}

fn license(number: u32) -> Fact {
    let mut claims = key(1, "SERVER", 1).claims;
    claims.serial = Serial::from_random(bytes(number));
    claims.seats = 5;
    Fact::LicensePut(Box::new(License {
        claims,
        imported_at: Timestamp(START),
        certificate: Bytes::from_static(b"certificate"),
        listed: None,
    }))
}

fn seat(number: u32) -> Fact {
    let seat = Seat {
        serial: Serial::from_random(bytes(number)),
        acquired_at: Timestamp(START),
        renewed_at: Timestamp(START),
        renew_by: Some(Timestamp(START + IDLE)),
        single_use: false,
        machine: MachineNote::default(),
        components: [(component("agent"), Binding::Unbound)].into(),
    };
    Fact::SeatPut(seat_key(number), Arc::new(seat))
}

fn reservation(number: u32) -> Fact {
    let reservation = Reservation {
        product: product_of(1, "SERVER"),
        reserved_at: Timestamp(START),
        lapses_at: Timestamp(START + DAY),
        by: None,
        hold: Hold::Seats([(Serial::from_random(bytes(number)), 1)].into()),
    };
    Fact::ReservationPut(ReservationId(bytes(number)), Box::new(reservation))
}

/// One of everything that is listed.
fn row_of_each(number: u32) -> [Fact; 6] {
    let admin = Admin {
        role: Role::Viewer,
        label: "one of many".to_owned(),
        added_at: Timestamp(START),
    };
    let token = Token {
        label: "one of many".to_owned(),
        created_at: Timestamp(START),
        expires_at: Timestamp(START + DAY),
        uses_left: 1,
        enrolled: 0,
        last_used_at: None,
        revoked_at: None,
    };
    let enrolled = Enrolled {
        token: TokenId(bytes(number)),
        at: Timestamp(START),
        revoked_at: None,
    };
    [
        Fact::AdminPut(Fingerprint(bytes(number)), admin),
        Fact::TokenPut(TokenHash(bytes(number)), token),
        Fact::EnrolledPut(Fingerprint(bytes(number)), enrolled),
        license(number),
        seat(number),
        reservation(number),
    ]
}

fn page<K>(after: Option<K>) -> Page<K> {
    Page {
        after,
        limit: PAGE_ROWS_MAX,
    }
}

/// Every list that is in the order of its keys, from its beginning or behind a row in its middle.
fn lists(after: Option<u32>) -> Vec<(&'static str, Command)> {
    let seats = |mac, after| Command::Seats(SeatsPage { mac, page: page(after) });
    let fingerprint = after.map(|number| Fingerprint(bytes(number)));
    let first = after.is_none();
    let mut lists = vec![
        ("administrators", Command::Admins(page(fingerprint))),
        (
            "tokens",
            Command::Tokens(page(after.map(|number| TokenHash(bytes(number))))),
        ),
        ("enrolled identities", Command::EnrolledIdentities(page(fingerprint))),
        (
            "licenses",
            Command::Licenses(page(after.map(|number| Serial::from_random(bytes(number))))),
        ),
        ("seats", seats(None, after.map(seat_key))),
        (
            "reservations",
            Command::Reservations(page(after.map(|number| ReservationId(bytes(number))))),
        ),
    ];
    if first {
        lists.push(("seats of a machine", seats(Some(seat_key(7).mac), None)));
        lists.push(("products", Command::Products(page(None))));
    }
    lists
}

fn rows(reply: &Reply) -> usize {
    match reply {
        Reply::Admins(list) => list.rows.len(),
        Reply::Tokens(list) => list.rows.len(),
        Reply::EnrolledIdentities(list) => list.rows.len(),
        Reply::Licenses(list) => list.rows.len(),
        Reply::Seats(list) => list.rows.len(),
        Reply::Reservations(list) => list.rows.len(),
        Reply::Products(list) => list.rows.len(),
        other => panic!("{other:?}"),
    }
}

// proves V1
#[test]
fn a_page_of_any_list_looks_at_its_own_rows_whether_there_are_a_thousand_or_twenty_thousand() {
    const FEW: u32 = 1_000;
    const MANY: u32 = 20_000;
    let mut site = Site::with(&[]);
    let mut looked_at = Vec::new();
    for (from, to) in [(0, FEW), (FEW, MANY)] {
        for fact in (from..to).flat_map(row_of_each) {
            site.ledger.record(&fact);
        }
        let lists = lists(None).into_iter().chain(lists(Some(to / 2)));
        let costs = lists.map(|(list, command)| {
            let before = visits::so_far();
            let (reply, _) = site.ledger.apply(Actor::Server, &command, Now::at(START));
            let (shown, cost) = (rows(&reply), visits::so_far() - before);
            assert!(shown > 0, "{list} is empty");
            // One more tells whether there is more; reservations are measured before they are told.
            let most = 2 * (shown as u64 + 1) + 8;
            assert!(
                (1..=most).contains(&cost),
                "{list} of {to}: {shown} rows shown, {cost} looked at"
            );
            (list, cost)
        });
        looked_at.push(costs.collect::<Vec<_>>());
    }
    assert_eq!(looked_at[0], looked_at[1]);
}

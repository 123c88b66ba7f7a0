//! The first page of every list costs the rows that it shows, however many there are (rule V1): rows are counted, not time.

use std::sync::Arc;

use bytes::Bytes;

use super::fixture::*;
use crate::domain::change::{Admin, Fact};
use crate::domain::command::{Actor, Command, PAGE_ROWS_MAX, Page, ProductName, Role, SeatsPage};
use crate::domain::enrolment::{Enrolled, Token};
use crate::domain::ids::{Fingerprint, Mac, ReservationId, Serial, TokenHash, TokenId};
use crate::domain::ledger::{ends, visits};
use crate::domain::license::{License, Usage, Validity};
use crate::domain::reply::Reply;
use crate::domain::reservation::{Hold, Reservation};
use crate::domain::seat::{Binding, EndCause, FormerSeat, MachineNote, Seat, SeatKey};
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

fn license(number: u32) -> License {
    let mut claims = key(1, "SERVER", 1).claims;
    claims.serial = Serial::from_random(bytes(number));
    claims.seats = 5;
    License {
        claims,
        imported_at: Timestamp(START),
        certificate: Bytes::from_static(b"certificate"),
        listed: None,
    }
}

/// Two licenses that have ended, each at a moment of its own, and a seat that has: of a number, others than those of
/// [`row_of_each`].
fn what_has_ended(number: u32) -> [Fact; 3] {
    const BEHIND: u32 = 1 << 31;
    let trial = |number: u32, usage| {
        let mut trial = license(number);
        trial.claims.usage = usage;
        trial.claims.validity = Validity::Days(1);
        trial.imported_at = Timestamp(START - DAY - 37 * u64::from(number % (BEHIND / 2)));
        Fact::LicensePut(Box::new(trial))
    };
    let former = FormerSeat {
        ended_at: Timestamp(START - u64::from(number)),
        cause: EndCause::Idle,
    };
    [
        trial(number + BEHIND, Usage::Machine),
        trial(number + BEHIND + BEHIND / 2, Usage::Deployment),
        Fact::FormerPut(seat_key(number + BEHIND), former),
    ]
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
        Fact::LicensePut(Box::new(license(number))),
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
    let seats = |mac, product, after| {
        Command::Seats(SeatsPage {
            mac,
            product,
            page: page(after),
        })
    };
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
        ("seats", seats(None, None, after.map(seat_key))),
        (
            "reservations",
            Command::Reservations(page(after.map(|number| ReservationId(bytes(number))))),
        ),
    ];
    if first {
        lists.push(("seats of a machine", seats(Some(seat_key(7).mac), None, None)));
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

/// What each of these lists shows, and the rows and sums that it looks at.
fn costs(site: &mut Site, lists: impl Iterator<Item = (&'static str, Command)>) -> Vec<(&'static str, u64, u64)> {
    let cost = |(list, command)| {
        let before = visits::so_far();
        let (reply, _) = site.ledger.apply(Actor::Server, &command, Now::at(START));
        (list, rows(&reply) as u64, visits::so_far() - before)
    };
    lists.map(cost).collect()
}

/// The most that a page of so many rows looks at. One more tells whether there is more; reservations are measured before
/// they are told.
const fn most(shown: u64) -> u64 {
    2 * (shown + 1) + 8
}

// proves V1
#[test]
fn a_page_of_any_list_looks_at_its_own_rows_whether_there_are_a_thousand_or_twenty_thousand() {
    const FEW: u32 = 1_000;
    const MANY: u32 = 20_000;
    let mut site = Site::with(&[]);
    // Of a product whose seats stand behind all the others.
    let work = product_of(1, "WORK");
    let Fact::SeatPut(key, seat) = seat(7) else {
        panic!("no seat")
    };
    site.ledger.record(&Fact::SeatPut(work.seat(key.mac), seat));
    let of_work = SeatsPage {
        mac: None,
        product: Some(work.product),
        page: page(None),
    };
    let mut looked_at = Vec::new();
    for (from, to) in [(0, FEW), (FEW, MANY)] {
        for fact in (from..to).flat_map(row_of_each) {
            site.ledger.record(&fact);
        }
        let of_work = [("seats of a product", Command::Seats(of_work))];
        let lists = lists(None).into_iter().chain(lists(Some(to / 2))).chain(of_work);
        let costs = costs(&mut site, lists);
        for (list, shown, cost) in &costs {
            assert!(*shown > 0, "{list} is empty");
            assert!(
                (1..=most(*shown)).contains(cost),
                "{list} of {to}: {shown} rows shown, {cost} looked at"
            );
        }
        looked_at.push(costs);
    }
    assert_eq!(looked_at[0], looked_at[1]);
}

// proves V1
#[test]
fn what_has_ended_costs_no_page_and_no_sum_more_whether_a_thousand_licenses_have_or_twenty_thousand() {
    const ENDED: [(u32, u32); 2] = [(0, 1_000), (1_000, 20_000)];
    let mut site = Site::with(&[]);
    for fact in (0..1_000).flat_map(row_of_each) {
        site.ledger.record(&fact);
    }
    let name = ProductName {
        vendor: None,
        product: product_of(1, "SERVER").product,
    };
    for (from, to) in ENDED {
        for fact in (from..to).flat_map(what_has_ended) {
            site.ledger.record(&fact);
        }
        for (list, shown, cost) in costs(&mut site, lists(None).into_iter()) {
            // A product shows two sums of what has ended: of its seats, and of its units.
            let sums = if list == "products" { 2 * shown } else { 0 };
            assert!(
                (1..=most(shown) + sums * ends::LOOKS_MAX).contains(&cost),
                "{list} with {to} ended: {shown} rows shown, {cost} looked at"
            );
        }
        // Sums alone. Of each usage the status has three: how licenses stand, and of scarce ones that and how many are free.
        for (command, sums) in [(Command::Availability(name), 2), (Command::Status, 6)] {
            let before = visits::so_far();
            let (reply, _) = site.ledger.apply(Actor::Server, &command, Now::at(START));
            let cost = visits::so_far() - before;
            assert!(
                (1..=sums * ends::LOOKS_MAX).contains(&cost),
                "{command:?} with {to} ended: {cost} looked at"
            );
            match reply {
                Reply::Status(status) => assert_eq!(status.licenses_expired, 2 * to),
                Reply::Availability { seats, units } => {
                    assert_eq!(
                        (seats.free - seats.available, units.free),
                        (5 * u64::from(to), 5 * u64::from(to))
                    );
                    assert_eq!(units.available, 0);
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

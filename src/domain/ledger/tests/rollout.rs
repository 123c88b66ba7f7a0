//! Seats held for machines that are yet to check out, and what becomes of reservations when a license goes (rules X4,
//! S12).

use super::deploying::{ask, lacked, machines, reserved};
use super::fixture::*;
use crate::domain::change::{EventKind, SetAside};
use crate::domain::command::{Command, Settle, Wanted};
use crate::domain::denial::Denial;
use crate::domain::ids::ReservationId;
use crate::domain::reply::{GrantKind, Reply};
use crate::domain::reservation::Hold;

const ID: ReservationId = ReservationId([7; 16]);

impl Site {
    fn hold(&mut self, id: ReservationId, count: u32) -> Reply {
        self.serve(&Command::Reserve(ask(id, Wanted::Seats(count))))
    }

    /// The seats that a reservation still holds: license and how many.
    fn held(&mut self, id: ReservationId) -> Vec<(u8, u32)> {
        let reply = self.hold(id, 1);
        let Hold::Seats(held) = &reserved(&reply).reservation.hold else {
            panic!("{reply:?}");
        };
        let number = |wanted| (0..=255).find(|number| serial(*number) == wanted).unwrap();
        held.iter().map(|(serial, count)| (number(*serial), *count)).collect()
    }

    fn give_back(&mut self, id: ReservationId) {
        self.serve(&Command::Abort(Settle {
            id,
            product: named("SERVER"),
            macs: [].into(),
            preferred_only: false,
        }));
    }
}

// proves X4
// proves S2
#[test]
fn held_seats_are_used_and_bind_as_machines_check_out() {
    let mut site = Site::with(&[key_for(1, "SERVER", 1, 10), key(2, "SERVER", 3)]);
    site.hold(ID, 2);
    assert_eq!(site.held(ID), [(1, 1), (2, 1)], "in the order in which licenses serve");
    let counts = site.counts("SERVER");
    assert_eq!((counts.used, counts.free, counts.available), (2, 2, 2));
    let first = site.grant(agent(1));
    assert_eq!((first.kind, first.serial), (GrantKind::Granted, serial(1)));
    assert_eq!(site.held(ID), [(2, 1)], "a held seat binds before a free one");
    assert_eq!(site.counts("SERVER").used, 2, "and takes nothing more");
    // A renewal binds none.
    site.grant(agent(1));
    assert_eq!(site.held(ID), [(2, 1)]);
    site.grant(agent(2));
    assert!(matches!(
        site.serve(&Command::Status),
        Reply::Status(status) if status.reservations == 0
    ));
}

// proves X4
#[test]
fn what_is_left_lapses_or_is_given_back() {
    let mut site = Site::with(&[key(1, "SERVER", 2)]);
    site.hold(ID, 2);
    site.grant(agent(1));
    assert_eq!(site.available("SERVER"), 0);
    site.at(2 * DAY - 1).serve(&Command::Status);
    assert_eq!(site.available("SERVER"), 0);
    site.at(2 * DAY).serve(&Command::Status);
    assert_eq!(site.available("SERVER"), 1);
    site.hold(ID, 1);
    assert_eq!(site.available("SERVER"), 0);
    site.give_back(ID);
    assert_eq!(site.available("SERVER"), 1);
}

// proves X4
#[test]
fn of_two_rollouts_the_one_that_lapses_first_binds_first() {
    let mut site = Site::with(&[key(1, "SERVER", 2)]);
    let (early, late) = (ReservationId([9; 16]), ReservationId([1; 16]));
    site.hold(early, 1);
    site.at(5).hold(late, 1);
    site.grant(agent(1));
    assert_eq!(site.held(late), [(1, 1)]);
}

// proves X4
#[test]
fn a_held_seat_of_a_license_that_ended_binds_nobody() {
    let mut site = Site::with(&[key_for(1, "SERVER", 1, 1)]);
    site.hold(ID, 1);
    site.at(DAY);
    assert_eq!(site.denied(agent(1)).denial, Denial::LicenseExpired);
    site.import(&key(2, "SERVER", 1));
    assert_eq!(site.grant(agent(1)).serial, serial(2));
}

// proves X4
#[test]
fn more_than_is_available_is_not_held_at_all() {
    let mut site = Site::with(&[key(1, "SERVER", 2), deployment_key(2, "SERVER", 9)]);
    let before = site.ledger.clone();
    assert_eq!(denial(&site.hold(ID, 3)), Denial::SeatsExhausted);
    assert_eq!(lacked(&site.hold(ID, 5)), Some(3));
    assert_eq!(site.ledger, before);
}

// proves S12
// proves X4
#[test]
fn what_is_reserved_of_a_removed_license_moves_or_is_dropped() {
    let mut site = Site::with(&[key(1, "SERVER", 3), key(2, "SERVER", 2)]);
    site.grant(agent(1));
    site.hold(ID, 2);
    assert_eq!(site.held(ID), [(1, 2)]);
    // One seat and one held seat find room, one held seat does not.
    assert_eq!(denial(&site.remove(1, false)), Denial::LicenseInUse { seats: 1 });
    let Reply::LicenseRemoved(removed) = site.remove(1, true) else {
        panic!("not removed");
    };
    assert_eq!((removed.seats_moved, removed.seats_ended, removed.dropped), (1, 0, 1));
    assert_eq!(site.held(ID), [(2, 1)]);
    assert_eq!(site.counts("SERVER").free, 0);
}

// proves V3
#[test]
fn the_event_of_a_reservation_tells_machines_units_and_held_seats_apart() {
    let keys = [key(1, "SERVER", 4), deployment_key(2, "SERVER", 9)];
    let mut site = Site::with(&keys);
    let told = |site: &Site| {
        site.events(|event| match event {
            EventKind::Reserved { what, count, .. } => Some((*what, *count)),
            _ => None,
        })
    };
    // One holds a seat already, two get one, and none is left of the machine license for the others.
    site.grant(agent(1));
    site.hold(ID, 1);
    let of_machines = Command::Reserve(ask(ReservationId([8; 16]), machines(&[1, 2, 3, 4, 5])));
    assert!(matches!(site.serve(&of_machines), Reply::Reserved(_)));
    let expected = [(SetAside::HeldSeats, 1), (SetAside::Machines, 5), (SetAside::Units, 2)];
    assert_eq!(told(&site), expected);
    // Again, and nothing is told anew; for machines with seats, of no units.
    site.serve(&of_machines);
    site.serve(&Command::Reserve(ask(ReservationId([9; 16]), machines(&[1, 2]))));
    let all = [&expected[..], &[(SetAside::Machines, 2)]].concat();
    assert_eq!(told(&site), all);
}

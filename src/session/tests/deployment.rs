//! What deployers ask and are answered.

use super::*;
use crate::domain::command::{Page, ProductName, Reserve, Settle, Wanted};
use crate::domain::ids::ReservationId;
use crate::domain::reply::{ReservationRow, Settled};
use crate::domain::reservation::{HELD_LICENSES_MAX, Hold, MACHINES_MAX, Reservation, Reserved};
use crate::wire::messages::deploy;
use crate::wire::{self, limits::RESERVED_MAX};

const ID: [u8; 16] = [8; 16];

fn mac(number: usize) -> Mac {
    let [.., high, low] = number.to_be_bytes();
    Mac::new([0, 0x1a, 0, 0, high, low]).expect("unicast")
}

fn serial_number(number: usize) -> Serial {
    format!("{number:0>16}").parse().expect("a serial")
}

fn product(vendor: Option<[u8; 16]>) -> ProductName {
    ProductName {
        vendor: vendor.map(VendorId),
        product: key().product,
    }
}

fn bare() -> deploy::Reserve {
    deploy::Reserve {
        reservation: ID,
        product: "BKSRV".into(),
        ..Default::default()
    }
}

fn row(hold: Hold, seats: Vec<(Mac, Serial)>) -> ReservationRow {
    ReservationRow {
        id: ReservationId(ID),
        reservation: Reservation {
            product: key().product_key(),
            reserved_at: Timestamp(1),
            lapses_at: Timestamp(2),
            by: Some(peer().identity),
            hold,
        },
        product_name: "Backup Server".into(),
        seats,
    }
}

fn settling(rows: Vec<(Mac, Settled)>) -> Reply {
    Reply::Settled {
        product: "BKSRV".parse().expect("good"),
        rows,
    }
}

/// The largest reservation of machines: each has a unit.
fn largest() -> ReservationRow {
    let machines = (0..MACHINES_MAX).map(|number| (mac(number), Reserved::Unit(serial_number(number))));
    row(Hold::Machines(machines.collect()), Vec::new())
}

#[test]
fn a_reservation_arrives_as_it_was_asked() {
    let machines = deploy::Reserve {
        vendor: Some([1; 16]),
        secs: Some(60),
        // The same machine twice is one machine.
        macs: vec![mac(2).bytes(), mac(1).bytes(), mac(2).bytes()],
        preferred_only: Some(true),
        ..bare()
    };
    let seats = deploy::Reserve {
        count: Some(25),
        ..bare()
    };
    let asked = [
        (
            machines,
            Reserve {
                id: ReservationId(ID),
                product: product(Some([1; 16])),
                secs: 60,
                wanted: Wanted::Machines([mac(1), mac(2)].into()),
                preferred_only: true,
            },
        ),
        (
            seats,
            Reserve {
                id: ReservationId(ID),
                product: product(None),
                secs: 172_800,
                wanted: Wanted::Seats(25),
                preferred_only: false,
            },
        ),
    ];
    for (ask, command) in asked {
        let mut pair = Pair::greeted(Role::Deployer);
        let reply = Reply::Reserved(Box::new(largest()));
        let (work, response) = pair.exchange(&Request::Reserve(ask), reply);
        assert_eq!(work, Work::Command(Command::Reserve(command)));
        assert!(matches!(response, Response::Reserve(_)), "{response:?}");
    }
}

#[test]
fn neither_machines_nor_a_count_or_both_are_malformed() {
    let both = deploy::Reserve {
        macs: vec![mac(1).bytes()],
        count: Some(1),
        ..bare()
    };
    let none = deploy::Reserve {
        count: Some(0),
        ..bare()
    };
    let group = deploy::Reserve {
        macs: vec![[1, 0, 0, 0, 0, 1]],
        ..bare()
    };
    for ask in [bare(), both, none, group] {
        let mut pair = Pair::greeted(Role::Deployer);
        pair.ask(&Request::Reserve(ask));
        assert!(pair.submitted.is_empty());
        let answers = pair.answers();
        assert!(
            matches!(&answers[..], [Response::Refused(Status::MALFORMED, _)]),
            "{answers:?}"
        );
        assert!(pair.closed.is_some());
    }
}

#[test]
fn commit_and_abort_arrive_as_they_were_asked() {
    let commit = Request::Commit(deploy::Commit {
        reservation: ID,
        vendor: None,
        product: "BKSRV".into(),
        macs: vec![mac(3).bytes()],
        preferred_only: Some(true),
    });
    let abort = Request::Abort(deploy::Abort {
        reservation: ID,
        vendor: Some([1; 16]),
        product: "BKSRV".into(),
        macs: Vec::new(),
    });
    let settle = |vendor, macs: &[Mac], preferred_only| Settle {
        id: ReservationId(ID),
        product: product(vendor),
        macs: macs.iter().copied().collect(),
        preferred_only,
    };
    for (request, command) in [
        (commit, Command::Commit(settle(None, &[mac(3)], true))),
        (abort, Command::Abort(settle(Some([1; 16]), &[], false))),
    ] {
        let mut pair = Pair::greeted(Role::Deployer);
        let (work, response) = pair.exchange(&request, settling(Vec::new()));
        assert_eq!(work, Work::Command(command));
        assert!(matches!(response, Response::Settle(_)), "{response:?}");
    }
}

#[test]
fn every_outcome_of_a_machine_is_told_with_its_license() {
    let license = serial();
    let settled = [
        (Settled::AlreadyCommitted(license), wire::Settled::ALREADY_COMMITTED),
        (Settled::Committed(license), wire::Settled::COMMITTED),
        (Settled::Covered(license), wire::Settled::COVERED),
        (Settled::Engaged(license), wire::Settled::ENGAGED),
        (Settled::GivenBack(license), wire::Settled::GIVEN_BACK),
        (Settled::NothingReserved, wire::Settled::NOTHING_RESERVED),
        (Settled::Refused(Denial::SeatsExhausted), wire::Settled::REFUSED),
        (Settled::Refused(Denial::NoLicense), wire::Settled::REFUSED),
    ];
    let rows = settled.iter().enumerate().map(|(number, (one, _))| (mac(number), *one));
    let mut pair = Pair::greeted(Role::Deployer);
    let request = Request::Commit(deploy::Commit {
        reservation: ID,
        product: "BKSRV".into(),
        ..Default::default()
    });
    let (_, Response::Settle(reply)) = pair.exchange(&request, settling(rows.collect())) else {
        panic!("not a settlement");
    };
    for (number, (row, (one, code))) in reply.rows.iter().zip(settled).enumerate() {
        assert_eq!((row.mac, row.outcome), (mac(number).bytes(), code));
        let has_license = !matches!(one, Settled::NothingReserved | Settled::Refused(_));
        assert_eq!(
            row.serial.as_deref(),
            has_license.then_some(license.as_str()),
            "{one:?}"
        );
        assert_eq!(row.status.is_some(), code == wire::Settled::REFUSED, "{one:?}");
    }
    assert_eq!(reply.rows[6].status, Some(Status::SEATS_EXHAUSTED));
    assert_eq!(reply.rows[7].status, Some(Status::NO_LICENSE));
    let text = reply.text.expect("the first refusal in words");
    assert!(text.contains("is available"), "{text}");
}

#[test]
fn the_largest_settlement_fits_a_frame() {
    let refused = Settled::Refused(Denial::SeatsExhausted);
    let rows = (0..RESERVED_MAX).map(|number| {
        let settled = if number == 0 {
            refused
        } else {
            Settled::Committed(serial())
        };
        (mac(number), settled)
    });
    let mut pair = Pair::greeted(Role::Deployer);
    let request = Request::Abort(deploy::Abort {
        reservation: ID,
        product: "BKSRV".into(),
        ..Default::default()
    });
    let (_, response) = pair.exchange(&request, settling(rows.collect()));
    assert!(
        matches!(&response, Response::Settle(reply) if reply.rows.len() == RESERVED_MAX && reply.text.is_some()),
        "{response:?}"
    );
}

#[test]
fn what_a_reservation_has_is_told_machine_by_machine_and_license_by_license() {
    let unit = serial_number(1);
    let machines = BTreeMap::from([
        (mac(1), Reserved::Covered),
        (mac(2), Reserved::Seat),
        (mac(3), Reserved::Seat),
        (mac(4), Reserved::Unit(unit)),
    ]);
    let seats = vec![(mac(1), serial()), (mac(3), serial())];
    let mut pair = Pair::greeted(Role::Viewer);
    let listing = Listing {
        rows: vec![
            row(Hold::Machines(machines), seats),
            row(Hold::Seats(BTreeMap::from([(unit, 20)])), Vec::new()),
        ],
        more: false,
    };
    let request = Request::Reservations(deploy::Reservations {
        after: Some([7; 16]),
        limit: Some(2),
    });
    let (work, response) = pair.exchange(&request, Reply::Reservations(listing));
    let page = Page {
        after: Some(ReservationId([7; 16])),
        limit: 2,
    };
    assert_eq!(work, Work::Command(Command::Reservations(page)));
    let Response::Reservations(reply) = response else {
        panic!("{response:?}");
    };
    let [of_machines, of_seats] = &reply.rows[..] else {
        panic!("not two rows");
    };
    let told: Vec<_> = of_machines
        .machines
        .iter()
        .map(|one| (one.reserved, one.serial.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            (wire::Reserved::COVERED, Some(serial().as_str())),
            (wire::Reserved::SEAT, None),
            (wire::Reserved::SEAT, Some(serial().as_str())),
            (wire::Reserved::UNIT, Some(unit.as_str())),
        ]
    );
    assert_eq!((of_machines.held.len(), of_seats.machines.len()), (0, 0));
    assert_eq!(
        (of_seats.held[0].serial.as_str(), of_seats.held[0].count),
        (unit.as_str(), 20)
    );
    assert_eq!(of_seats.by, Some(peer().identity.0));
    assert_eq!((of_seats.reserved_at, of_seats.lapses_at), (1, 2));
}

#[test]
fn the_largest_reservations_come_one_by_one_where_two_do_not_fit_the_frame() {
    let held = (0..HELD_LICENSES_MAX).map(|number| (serial_number(number), u32::MAX));
    let held = row(Hold::Seats(held.collect()), Vec::new());
    for first in [largest(), held] {
        let listing = Listing {
            rows: vec![first, largest()],
            more: false,
        };
        let mut pair = Pair::greeted(Role::Deployer);
        let request = Request::Reservations(deploy::Reservations::default());
        let (_, response) = pair.exchange(&request, Reply::Reservations(listing));
        assert!(
            matches!(&response, Response::Reservations(page) if page.more && page.rows.len() == 1),
            "{response:?}"
        );
    }
}

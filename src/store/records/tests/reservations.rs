//! Reservations, and the time that goes on.

use super::*;
use crate::domain::ids::{Fingerprint, Mac, ProductKey, VendorId};
use crate::domain::reservation::{HELD_LICENSES_MAX, Hold, MACHINES_MAX, Reservation, Reserved};

type Machine = ([u8; 6], u8, Option<[u8; 16]>);
type Held = ([u8; 16], u32);

const LOW: [u8; 16] = *b"0000000000000000";
const HIGH: [u8; 16] = *b"0123456789ABCDEF";

fn mac(number: usize) -> [u8; 6] {
    let [.., high, low] = number.to_be_bytes();
    [0, 0x1a, 0, 0, high, low]
}

fn serial(number: usize) -> [u8; 16] {
    format!("{number:0>16}").as_bytes().try_into().unwrap()
}

fn reservation(product: &str, machines: &[Machine], held: &[Held]) -> Result<Reservation, RecordError> {
    let start = ([0x11_u8; 16], product, 1_u64, 2_u64, None::<[u8; 32]>);
    reread::<ReservationV1>(&(start, machines.to_vec(), held.to_vec())).try_into()
}

#[test]
fn the_largest_reservations_read_back() {
    let reservation = |hold, by| Reservation {
        product: ProductKey {
            vendor: VendorId([0x11; 16]),
            product: "BKSRV".parse().unwrap(),
        },
        reserved_at: Timestamp(1),
        lapses_at: Timestamp(2),
        by,
        hold,
    };
    let unit = Reserved::Unit(Serial::from_canonical(&HIGH).unwrap());
    let kinds = [Reserved::Covered, Reserved::Seat, unit];
    let machines = (0..MACHINES_MAX).map(|number| (Mac::new(mac(number)).unwrap(), kinds[number % 3]));
    let held = (0..HELD_LICENSES_MAX).map(|number| (Serial::from_canonical(&serial(number)).unwrap(), 7));
    for one in [
        reservation(Hold::Machines(machines.collect()), Some(Fingerprint([1; 32]))),
        reservation(Hold::Seats(held.collect()), None),
    ] {
        let read = reread::<ReservationV1>(&ReservationV1::from(&one));
        assert_eq!(Reservation::try_from(read).unwrap(), one);
    }
}

#[test]
fn a_reservation_with_a_field_out_of_bounds_is_refused() {
    let machine = (mac(1), 1, None);
    assert!(reservation("BKSRV", &[machine], &[]).is_ok());
    assert!(reservation("BKSRV", &[], &[(LOW, 1)]).is_ok());
    assert!(reservation("bksrv", &[machine], &[]).is_err());
    assert!(reservation("BKSRV", &[], &[]).is_err(), "it has nothing");
    assert!(reservation("BKSRV", &[machine], &[(LOW, 1)]).is_err(), "it has both");
    for machines in [
        &[(mac(2), 1, None), (mac(1), 1, None)][..],
        &[(mac(1), 1, None), (mac(1), 2, None)],
        &[([1, 0, 0, 0, 0, 0], 1, None)],
        &[(mac(1), 0, None)],
        &[(mac(1), 4, None)],
        &[(mac(1), 1, Some(LOW))],
        &[(mac(1), 2, Some(LOW))],
        &[(mac(1), 3, None)],
        &[(mac(1), 3, Some(*b"0123456789abcdef"))],
    ] {
        assert!(reservation("BKSRV", machines, &[]).is_err(), "{machines:?}");
    }
    for held in [
        &[(HIGH, 1), (LOW, 1)][..],
        &[(LOW, 1), (LOW, 2)],
        &[(LOW, 0)],
        &[(*b"0123456789ABCDEU", 1)],
    ] {
        assert!(reservation("BKSRV", &[], held).is_err(), "{held:?}");
    }
    let machines: Vec<_> = (0..=MACHINES_MAX).map(|number| (mac(number), 1, None)).collect();
    assert!(reservation("BKSRV", &machines, &[]).is_err());
    let held: Vec<_> = (0..=HELD_LICENSES_MAX).map(|number| (serial(number), 1)).collect();
    assert!(reservation("BKSRV", &[], &held).is_err());
}

#[test]
fn the_clock_reads_back_with_and_without_a_jump() {
    let jump = Jump {
        size_secs: 172_800,
        began_at: Timestamp(u64::MAX),
    };
    for jump in [None, Some(jump)] {
        let clock = ClockState {
            mark: Timestamp(7),
            jump,
        };
        assert_eq!(ClockState::from(reread::<ClockV1>(&ClockV1::from(&clock))), clock);
    }
}

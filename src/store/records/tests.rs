mod events;
mod facts;
mod hostile;
mod lists;
mod reservations;

use super::*;
use crate::domain::ids::Serial;
use crate::domain::license::{License, Tombstone, Usage, Validity};
use crate::domain::seat::{FormerSeat, LeftBehind, Seat, SpentUnit};
use crate::store::envelope::{fields, seal, unseal};

/// Reads `V` back from the bytes of a look-alike whose fields a test may set as it likes.
fn reread<V: serde::de::DeserializeOwned>(look_alike: &impl Serialize) -> V {
    let record = seal(b"", 1, look_alike).unwrap();
    fields(unseal(b"", &record).unwrap().1).unwrap()
}

/// The seat in the bytes of a look-alike, likewise.
fn reread_seat(look_alike: &impl Serialize) -> Result<Seat, RecordError> {
    let record = seal(b"", 1, look_alike).unwrap();
    fields::<SeatV1<'_>>(unseal(b"", &record).unwrap().1)
        .unwrap()
        .try_into()
}

type SeatTail<'a> = (&'a str, Vec<u8>, Vec<[u8; 6]>, Vec<(&'a str, Option<()>)>);

fn seat(tail: SeatTail<'_>) -> Result<Seat, RecordError> {
    let head = (*b"0123456789ABCDEF", 1_u64, 2_u64, Some(3_u64), false);
    reread_seat(&(head, tail))
}

#[test]
fn a_seat_with_canonical_fields_is_read() {
    let seat = seat((
        "host",
        vec![192, 0, 2, 1],
        vec![[0, 1, 2, 3, 4, 5]],
        vec![("agent", None), ("console", None)],
    ));
    assert_eq!(seat.unwrap().components.len(), 2);
}

#[test]
fn a_seat_with_a_field_out_of_bounds_is_refused() {
    let long = "x".repeat(254);
    let refused: [SeatTail<'_>; 8] = [
        ("a\nb", vec![], vec![], vec![]),
        (&long, vec![], vec![], vec![]),
        ("", vec![1, 2, 3], vec![], vec![]),
        ("", vec![], vec![[0, 0, 0, 0, 0, 0]], vec![]),
        ("", vec![], vec![[2, 0, 0, 0, 0, 1]; 17], vec![]),
        ("", vec![], vec![], vec![("Agent", None)]),
        ("", vec![], vec![], vec![("b", None), ("a", None)]),
        ("", vec![], vec![], vec![("a", None), ("a", None)]),
    ];
    for tail in refused {
        assert!(seat(tail.clone()).is_err(), "{tail:?}");
    }
}

#[test]
fn what_was_left_behind_names_its_components_in_order_and_at_least_one() {
    let read = |components: &[&str]| {
        let component = |id: &&str| ((*id).to_owned(), [1_u8; 32], 7_u64, 6_u64);
        let components: Vec<_> = components.iter().map(component).collect();
        LeftBehind::try_from(reread::<LeftV1>(&(1_u64, components)))
    };
    assert_eq!(read(&["agent", "cli"]).unwrap().components.len(), 2);
    for refused in [&[][..], &["b", "a"], &["a", "a"], &["Agent"], &["a"; 65]] {
        assert!(read(refused).is_err(), "{refused:?}");
    }
}

#[test]
fn a_number_that_stands_for_nothing_is_refused() {
    for code in [0, 5, 255_u8] {
        assert!(Admin::try_from(reread::<AdminV1>(&(code, "Ada", 1_u64))).is_err());
        assert!(FormerSeat::try_from(reread::<FormerV1>(&(1_u64, code))).is_err());
    }
    assert!(Admin::try_from(reread::<AdminV1>(&(4_u8, "x".repeat(65), 1_u64))).is_err());
    let group_address = ([1_u8, 0, 0, 0, 0, 0], 1_u64, None::<[u8; 16]>);
    assert!(SpentUnit::try_from(reread::<SpentV1>(&group_address)).is_err());
}

fn binding(displaced: Vec<([u8; 32], u64)>, numbers: (u64, Option<u64>)) -> Result<Seat, RecordError> {
    let head = (*b"0123456789ABCDEF", 1_u64, 2_u64, Some(3_u64), false);
    let bound = (
        [1_u8; 32],
        Some(9_u64),
        displaced,
        numbers,
        None::<()>,
        Some(([3_u8; 32], 8_u64)),
    );
    let tail = (
        "host",
        Vec::<u8>::new(),
        Vec::<[u8; 6]>::new(),
        vec![("agent", Some(bound))],
    );
    reread_seat(&(head, tail))
}

#[test]
fn a_binding_with_too_many_displaced_identities_or_in_no_order_is_refused() {
    let displaced = |times: &[u64]| times.iter().map(|&at| ([2_u8; 32], at)).collect();
    for times in [&[][..], &[5], &[5, 5, 7, 9]] {
        assert!(binding(displaced(times), (7, Some(6))).is_ok(), "{times:?}");
    }
    for times in [&[5, 6, 7, 8, 9][..], &[6, 5]] {
        assert!(binding(displaced(times), (7, Some(6))).is_err(), "{times:?}");
    }
}

#[test]
fn a_binding_has_both_numbers_or_none() {
    for numbers in [(7, Some(6)), (1, Some(0)), (0, None)] {
        assert!(binding(Vec::new(), numbers).is_ok(), "{numbers:?}");
    }
    for numbers in [(7, None), (0, Some(6))] {
        assert!(binding(Vec::new(), numbers).is_err(), "{numbers:?}");
    }
}

fn license(
    product: &str,
    seats: u32,
    [kind, usage, validity]: [u8; 3],
    days: u32,
    listed: Option<u8>,
) -> Result<License, RecordError> {
    let head = ([0x11_u8; 16], product, seats, kind, usage, 1_u64);
    let tail = (
        (validity, days),
        None::<u32>,
        true,
        2_u64,
        b"certificate".to_vec(),
        listed,
    );
    reread::<LicenseV1>(&(head, tail)).into_license(Serial::from_random([1; 10]))
}

#[test]
fn a_license_with_a_field_out_of_bounds_is_refused() {
    for listed in [None, Some(1), Some(2)] {
        assert!(license("BKSRV", 1, [1, 1, 2], 30, listed).is_ok(), "{listed:?}");
    }
    for listed in [0, 3, 255] {
        assert!(license("BKSRV", 1, [1, 1, 2], 30, Some(listed)).is_err(), "{listed}");
    }
    assert!(license("bksrv", 1, [1, 1, 2], 30, None).is_err());
    assert!(license("BKSRV", 0, [1, 1, 2], 30, None).is_err());
    assert!(license("BKSRV", 10_000_001, [1, 1, 2], 30, None).is_err());
    assert!(license("BKSRV", 1, [4, 1, 2], 30, None).is_err());
    assert!(license("BKSRV", 1, [1, 3, 2], 30, None).is_err());
    assert!(license("BKSRV", 1, [1, 1, 0], 30, None).is_err());
    assert!(
        license("BKSRV", 1, [1, 1, 1], 30, None).is_err(),
        "without end, but with days"
    );
}

fn tombstone(product: &str, usage: u8, seats: u32, validity: (u8, u32)) -> Result<Tombstone, RecordError> {
    let record = ([0x11_u8; 16], product, usage, seats, validity, 1_u64, 2_u64);
    reread::<TombstoneV1>(&record).try_into()
}

#[test]
fn a_tombstone_with_a_field_out_of_bounds_is_refused() {
    let read = tombstone("BKSRV", 2, 10_000_000, (3, 20_500)).unwrap();
    assert_eq!(
        (read.usage, read.validity),
        (Usage::Deployment, Validity::ThroughDay(20_500))
    );
    assert!(tombstone("bksrv", 2, 1, (1, 0)).is_err());
    for usage in [0, 3, 255] {
        assert!(tombstone("BKSRV", usage, 1, (1, 0)).is_err(), "{usage}");
    }
    for seats in [0, 10_000_001] {
        assert!(tombstone("BKSRV", 1, seats, (1, 0)).is_err(), "{seats}");
    }
    for validity in [(0, 0), (1, 1), (4, 0)] {
        assert!(tombstone("BKSRV", 1, 1, validity).is_err(), "{validity:?}");
    }
}

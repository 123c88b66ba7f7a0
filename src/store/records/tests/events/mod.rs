//! Events: each kind is the bytes of the format page, and nothing else is an event.

mod frozen;

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::*;
use crate::domain::change::{ClockEvent, Event, EventKind};
use crate::domain::command::Actor;
use crate::domain::ids::Fingerprint;
use crate::domain::seat::EndCause;
use crate::store::envelope::{RECORD_LEN_MAX, payload_of};
use frozen::{AT, MAC, SERIAL, VENDOR, frozen};

/// Reads an event of the server's from the bytes of a look-alike of its kind's fields.
fn read(number: u8, fields: &impl Serialize) -> Result<Event, RecordError> {
    event(&payload_of(&(1_u8, number, AT, (2_u8, None::<()>), fields)).unwrap())
}

#[test]
fn each_kind_that_there_is_has_frozen_bytes_under_its_number() {
    let numbers: BTreeSet<_> = frozen().iter().map(|(_, bytes)| bytes[1]).collect();
    for kind in 1..=u8::MAX {
        let is_known = !matches!(event(&[1, kind]), Err(RecordError::EventKind(newer)) if newer == kind);
        assert_eq!(is_known, numbers.contains(&kind), "kind {kind}");
    }
    for (event, bytes) in frozen() {
        // One that has a field more at rest is searched for as those that have none.
        let number = match bytes[1] {
            42 => 24,
            43 => 33,
            number => number,
        };
        assert_eq!(number, event.kind.number(), "{event:?}");
    }
}

#[test]
fn an_event_is_its_frozen_bytes_in_both_directions() {
    for (written, bytes) in frozen() {
        assert_eq!(event_bytes(&written).unwrap(), bytes, "{written:?}");
        assert_eq!(event(&bytes).unwrap(), written);
    }
}

#[test]
fn an_event_that_is_cut_or_longer_is_refused() {
    for (written, bytes) in frozen() {
        for len in 0..bytes.len() {
            let fault = event(&bytes[..len]).unwrap_err();
            assert!(
                matches!(fault, RecordError::Truncated | RecordError::Decode(_)),
                "{written:?} cut at {len}: {fault:?}"
            );
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert!(matches!(event(&longer), Err(RecordError::Trailing)), "{written:?}");
    }
    let endless = vec![1; RECORD_LEN_MAX + 1];
    assert!(matches!(event(&endless), Err(RecordError::TooLong(_))));
}

#[test]
fn no_two_sequences_of_bytes_are_one_event() {
    for (_, bytes) in frozen() {
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok(event) = event(&flipped) {
                assert_eq!(event_bytes(&event).unwrap(), flipped, "{event:?}");
            }
        }
    }
}

#[test]
fn what_a_newer_release_wrote_is_told_apart_from_damage() {
    let fault = event(&[1, u8::MAX, 0xff, 0xff]).unwrap_err();
    let text = "it tells of an event of kind 255, which only a newer seatkeeper knows";
    assert_eq!(fault.to_string(), text);
    assert!(matches!(event(&[2, 1]), Err(RecordError::Version(2))));
    assert!(matches!(event(&[2]), Err(RecordError::Version(2))));
    let (_, bytes) = frozen().remove(0);
    let without_kind = [&[1, 0], &bytes[2..]].concat();
    assert!(matches!(event(&without_kind), Err(RecordError::Field("kind"))));
}

#[test]
fn an_actor_that_is_none_is_refused() {
    let read = |kind: u8, address: Option<&[u8]>| {
        let peer = address.map(|address| ([7_u8; 32], address));
        let bytes = payload_of(&(1_u8, 28_u8, AT, (kind, peer), VENDOR)).unwrap();
        event(&bytes).map(|event| event.actor)
    };
    let v4: &[u8] = &[192, 0, 2, 1];
    let peer = Actor::Peer {
        identity: Fingerprint([7; 32]),
        address: [192, 0, 2, 1].into(),
    };
    assert_eq!(read(1, Some(v4)).unwrap(), peer);
    assert_eq!(read(2, None).unwrap(), Actor::Server);
    for kind in [0, 3, u8::MAX] {
        assert!(read(kind, None).is_err(), "{kind}");
        assert!(read(kind, Some(v4)).is_err(), "{kind}");
    }
    assert!(read(1, None).is_err(), "a peer without identity");
    assert!(read(2, Some(v4)).is_err(), "the server with one");
    for len in [0, 3, 5, 15, 17] {
        assert!(read(1, Some(&vec![9; len])).is_err(), "an address of {len} bytes");
    }
}

#[test]
fn a_name_that_is_none_is_refused() {
    for (product, mac, is_one) in [
        ("BKSRV", MAC, true),
        ("bksrv", MAC, false),
        ("", MAC, false),
        ("BKSRV", [0; 6], false),
        ("BKSRV", [1, 0, 0, 0, 0, 0], false),
    ] {
        let key = (VENDOR, product, mac);
        assert_eq!(read(26, &key).is_ok(), is_one, "{key:?}");
    }
    let key = (VENDOR, "BKSRV", MAC);
    for (component, is_one) in [("agent", true), ("Agent", false), ("", false), (&"a".repeat(25), false)] {
        assert_eq!(read(7, &(key, component)).is_ok(), is_one, "{component:?}");
    }
    let lower = *b"0123456789abcdef";
    for (serial, is_one) in [(SERIAL, true), (lower, false)] {
        assert_eq!(read(19, &(serial, 7_u32)).is_ok(), is_one);
        assert_eq!(read(25, &(key, serial, SERIAL)).is_ok(), is_one);
        assert_eq!(read(25, &(key, SERIAL, serial)).is_ok(), is_one);
    }
    for mac in [[0; 6], [1, 0, 0, 0, 0, 0]] {
        assert!(read(11, &([5_u8; 16], mac, SERIAL)).is_err(), "{mac:?}");
    }
}

#[test]
fn a_number_in_an_event_that_stands_for_nothing_is_refused() {
    let key = (VENDOR, "BKSRV", MAC);
    for (number, is_one) in [(0_u8, false), (1, true), (2, true), (3, false), (4, false), (5, false)] {
        assert_eq!(read(9, &(key, "agent", number)).is_ok(), is_one, "conflict {number}");
        assert_eq!(read(18, &(SERIAL, Some(number))).is_ok(), is_one, "listed {number}");
    }
    for (number, is_one) in [(0_u8, false), (1, true), (2, true), (3, true), (4, true), (5, false)] {
        assert_eq!(read(1, &([7_u8; 32], number)).is_ok(), is_one, "role {number}");
        let ended = (key, SERIAL, number, None::<&str>, false);
        assert_eq!(read(23, &ended).is_ok(), is_one, "cause {number}");
    }
    assert!(read(24, &(key, SERIAL, 2_u8)).is_err(), "neither yes nor no");
    assert!(read(18, &(SERIAL, 2_u8, 1_u8)).is_err(), "neither there nor not");
}

#[test]
fn a_text_or_a_count_out_of_bounds_is_refused() {
    let key = (VENDOR, "BKSRV", MAC);
    let longest = "x".repeat(256);
    for (reason, fits) in [("x", true), (&longest, true), ("", false), (&"x".repeat(257), false)] {
        let released = (key, "agent", Some(reason));
        assert_eq!(read(8, &released).is_ok(), fits, "{} bytes", reason.len());
        let ended = (key, SERIAL, 1_u8, Some(reason), false);
        assert_eq!(read(23, &ended).is_ok(), fits, "{} bytes", reason.len());
    }
    let name_of = |name: &str| read(42, &(key, SERIAL, true, name));
    for (name, fits) in [
        ("x", true),
        (&"x".repeat(253), true),
        ("", false),
        (&"x".repeat(254), false),
        ("a\nb", false),
    ] {
        assert_eq!(name_of(name).is_ok(), fits, "{name:?}");
    }
    let not_utf8 = (key, "agent", Some(vec![0xff_u8]));
    assert!(matches!(read(8, &not_utf8), Err(RecordError::Decode(_))));
    let beyond_memory = (key, "agent", Some(u64::MAX));
    assert!(matches!(read(8, &beyond_memory), Err(RecordError::Decode(_))));
    for (seats, fits) in [(0_u32, false), (1, true), (10_000_000, true), (10_000_001, false)] {
        let imported = (SERIAL, (VENDOR, "BKSRV"), seats);
        assert_eq!(read(17, &imported).is_ok(), fits, "{seats}");
    }
}

#[test]
fn what_could_not_be_read_back_is_not_written() {
    for reason in [String::new(), "x".repeat(257)] {
        let (mut ended, _) = frozen()
            .into_iter()
            .find(|(event, _)| matches!(event.kind, EventKind::SeatEnded { .. }))
            .unwrap();
        if let EventKind::SeatEnded { reason: place, .. } = &mut ended.kind {
            *place = Some(reason);
        }
        assert!(matches!(event_bytes(&ended), Err(RecordError::Field("reason"))));
    }
}

use super::*;
use crate::codec::{Writer, tlv};
use crate::wire::discovery::{Question, Wanted};
use crate::wire::messages::{self, Presence};

#[test]
fn every_type_of_every_field_is_shown_as_what_it_is() {
    for message in messages::TABLE {
        for field in message.fields {
            let is_field = |other: &&messages::MessageRow| other.place == messages::Place::Field;
            let is_message = messages::TABLE
                .iter()
                .filter(is_field)
                .any(|other| other.name == field.kind);
            // Nothing but texts and bytes can be of any length: what is read as something else refuses this one.
            let read = value::shown(field.kind, &[0xff; 63]);
            let is_free = field.kind == "bytes";
            assert!(
                is_message || is_free || read.is_err(),
                "{}.{}: {read:?}",
                message.name,
                field.name
            );
        }
    }
}

#[test]
fn every_message_that_can_be_written_is_shown_without_a_fault_and_loses_no_byte() {
    let mut random = crate::wire::tests::Random::new(7);
    for row in messages::TABLE {
        let body = (row.sample)(&mut random);
        let pieces = frame::fields(&body, 0, Some(row), 0);
        let mut at = 0;
        for piece in &pieces {
            assert_eq!((piece.offset, &piece.fault), (at, &None), "{}: {piece:#?}", row.name);
            at += piece.len;
        }
        assert_eq!(at, body.len(), "{}", row.name);
    }
}

#[test]
fn a_field_that_is_missing_repeated_or_too_long_is_marked() {
    let row = messages::TABLE
        .iter()
        .find(|row| row.name == "Release")
        .expect("a message");
    let long = [b'x'; 25];
    let mut out = Writer::new();
    for value in [&b"BKSRV"[..], b"BKSRV", &long] {
        tlv::put(&mut out, 2, value).expect("short");
    }
    tlv::put(&mut out, 99, b"later").expect("short");
    let mut body = out.into_bytes();
    body.extend([0, 4, 0, 6, 1]);
    let pieces = frame::fields(&body, 100, Some(row), 0);
    let told: Vec<_> = pieces
        .iter()
        .map(|piece| (piece.name, piece.fault.as_deref().unwrap_or_default()))
        .collect();
    assert_eq!(
        told,
        [
            ("product", ""),
            ("product", "it is there 2 times, more than its bound of 1"),
            ("product", "25 bytes, more than its bound of 24"),
            ("unknown", ""),
            ("rest", "the bytes end inside a field's value"),
            ("vendor", "it is missing"),
            ("component", "it is missing"),
            ("mac", "it is missing"),
        ]
    );
    let required = row.fields.iter().filter(|field| field.presence == Presence::Required);
    assert_eq!(required.count(), 4);
    assert_eq!(pieces[3].value, "6c61746572");
    assert_eq!(pieces[4].offset, 100 + body.len() - 5);
}

#[test]
fn a_tokens_secret_is_not_shown_whole_or_not() {
    for len in [20, 19, 21] {
        let shown = Piece::read(0, "secret", "bytes20", &vec![0xab; len]);
        assert_eq!((shown.value.contains("ab"), shown.fault.is_some()), (false, len != 20));
    }
}

#[test]
fn a_question_is_shown_with_what_it_wants_and_its_padding() {
    let question = Question {
        nonce: [1; 16],
        wanted: Some(Wanted {
            vendor: [2; 16],
            product: "BKSRV".to_owned(),
        }),
    };
    let shown = datagram(&question.encode().expect("in bounds"));
    assert_eq!((shown.what, &shown.fault), ("question", &None));
    let values: Vec<_> = shown
        .pieces
        .iter()
        .map(|piece| (piece.name, piece.value.as_str()))
        .collect();
    assert_eq!(values[0], ("magic", "SEATKEEP"));
    assert_eq!(
        values[3..],
        [
            ("flags", "1"),
            ("nonce", "01010101010101010101010101010101"),
            ("vendor", "02020202020202020202020202020202"),
            ("product", "BKSRV"),
            ("padding", "444 zeros"),
        ]
    );
}

#[test]
fn any_bytes_are_shown_whole_without_a_panic() {
    let mut random = crate::wire::tests::Random::new(11);
    for len in 0..600 {
        let bytes = random.bytes(len);
        let shown = datagram(&bytes);
        assert_eq!(shown.pieces.iter().map(|piece| piece.len).sum::<usize>(), bytes.len());
        let all: usize = frames(&bytes).iter().map(|frame| frame.len).sum();
        assert_eq!(all, bytes.len());
    }
}

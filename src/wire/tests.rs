mod lengths;

use std::collections::BTreeSet;

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::discovery::{Offer, Question, Wanted};
use super::limits::{
    BODY_LEN_MAX, HEADER_LEN, HOST_NAME_LEN_MAX, IN_FLIGHT_MAX, KEY_LEN_MAX, KEYS_MAX, NAME_LEN_MAX, OFFER_LEN_MAX,
    PAGE_ROWS_MAX, QUESTION_LEN, RESERVED_MAX,
};
use super::messages::{self, Message, Place, Presence, Request, Response, admin, deploy, hello, seat, views};
use super::{Frame, FrameError, Opcode, Status, decode_frame};
use crate::codec::{DecodeError, Writer, tlv};

/// Numbers that follow from a seed (splitmix64).
#[derive(Debug)]
pub(crate) struct Random {
    state: u64,
    samples: usize,
}

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self {
            state: seed,
            samples: 0,
        }
    }

    pub(crate) const fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.number() % end as u64).expect("below a usize")
    }

    pub(crate) const fn flag(&mut self) -> bool {
        self.number() & 1 == 1
    }

    pub(crate) const fn count(&mut self) {
        self.samples += 1;
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.number().to_be_bytes()[0])
    }

    pub(crate) fn bytes(&mut self, max: usize) -> Vec<u8> {
        let len = self.below(max.min(4_096) + 1);
        (0..len).map(|_| self.number().to_be_bytes()[0]).collect()
    }

    pub(crate) fn text(&mut self, max: usize) -> String {
        let letters = ['a', 'Z', '0', ' ', '-', 'ä', '漢'];
        let len = self.below(max.min(200) + 1);
        let mut text = String::new();
        while text.len() + 3 <= len {
            text.push(letters[self.below(letters.len())]);
        }
        text
    }
}

proptest! {
    #[test]
    fn every_message_reads_back_as_it_was_written(seed: u64) {
        let mut random = Random::new(seed);
        for row in messages::TABLE {
            let body = (row.sample)(&mut random);
            prop_assert_eq!((row.recode)(&body), Ok(body));
        }
    }

    #[test]
    fn a_cut_body_is_refused_or_lacks_only_optional_fields(seed: u64) {
        let mut random = Random::new(seed);
        for row in messages::TABLE {
            let body = (row.sample)(&mut random);
            let mut ends = vec![0];
            for field in tlv::Fields::of(&body) {
                ends.push(ends[ends.len() - 1] + tlv::HEADER_LEN + field.expect("encoded").value.len());
            }
            // Inside a field every cut is the same; a few of each field are enough.
            let near = ends.iter().flat_map(|&end| [end, end + 1, end + 3, end + 5, end.saturating_sub(1)]);
            for len in near.filter(|&len| len < body.len()) {
                if let Ok(again) = (row.recode)(&body[..len]) {
                        prop_assert!(ends.contains(&len), "{} cut at {}", row.name, len);
                        prop_assert_eq!(&again[..], &body[..len]);
                    }
            }
        }
    }

    #[test]
    fn arbitrary_bytes_are_read_or_refused_and_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        for row in messages::TABLE {
            drop((row.recode)(&bytes));
        }
        drop(Question::decode(&bytes));
        drop(Offer::decode(&bytes));
        drop(decode_frame(&mut BytesMut::from(&bytes[..])));
    }

    #[test]
    fn frames_read_back_wherever_the_stream_is_cut(seed: u64, cut in 0_usize..3_000) {
        let mut random = Random::new(seed);
        let frame = Frame {
            opcode: Opcode(u16::from_be_bytes(random.array())),
            status: Status(u16::from_be_bytes(random.array())),
            request: u32::from_be_bytes(random.array()),
            body: random.bytes(2_000).into(),
        };
        let bytes = frame.encode().expect("short");
        let cut = cut.min(bytes.len());
        let mut input = BytesMut::from(&bytes[..cut]);
        if cut < bytes.len() {
            prop_assert_eq!(decode_frame(&mut input), Ok(None));
            input.extend_from_slice(&bytes[cut..]);
        }
        prop_assert_eq!(decode_frame(&mut input), Ok(Some(frame)));
        prop_assert!(input.is_empty());
    }

    #[test]
    fn offers_and_questions_read_back_and_every_truncation_is_refused(seed: u64) {
        let mut random = Random::new(seed);
        let wanted = random.flag().then(|| Wanted { vendor: random.array(), product: format!("P{}", random.below(99)) });
        let question = Question { nonce: random.array(), wanted };
        let bytes = question.encode().expect("short");
        prop_assert_eq!(Question::decode(&bytes), Ok(question));
        for len in 0..bytes.len() {
            prop_assert!(Question::decode(&bytes[..len]).is_err());
        }
        let offer = Offer {
            nonce: random.array(),
            server: random.array(),
            fingerprint: random.array(),
            port: u16::from_be_bytes(random.array()),
            epoch: u32::from_be_bytes(random.array()),
            priority: u16::from_be_bytes(random.array()),
            server_time: random.number(),
            version_min: 1,
            version_max: u16::from_be_bytes(random.array()),
            holds: random.flag().then(|| random.flag()),
            name: random.text(NAME_LEN_MAX),
            server_version: random.text(NAME_LEN_MAX),
        };
        let mut bytes = offer.encode().expect("short");
        for len in 0..bytes.len() {
            prop_assert!(Offer::decode(&bytes[..len]).is_err());
        }
        bytes.extend([1, 2, 3]);
        prop_assert_eq!(Offer::decode(&bytes), Ok(offer));
    }
}

/// An offer without texts, in which no two numbers are the same.
fn offer() -> Offer {
    Offer {
        nonce: [1; 16],
        server: [2; 16],
        fingerprint: [3; 32],
        port: 4,
        epoch: 5,
        priority: 6,
        server_time: 7,
        version_min: 8,
        version_max: 9,
        holds: None,
        name: String::new(),
        server_version: String::new(),
    }
}

#[test]
fn the_longest_offer_is_no_longer_than_its_bound() {
    let offer = Offer {
        name: "n".repeat(NAME_LEN_MAX),
        server_version: "v".repeat(NAME_LEN_MAX),
        ..offer()
    };
    let bytes = offer.encode().expect("at its bounds");
    assert_eq!(bytes.len(), OFFER_LEN_MAX);
    assert!(bytes.len() <= QUESTION_LEN);
    let longer = Offer {
        name: "n".repeat(NAME_LEN_MAX + 1),
        ..offer
    };
    assert!(matches!(longer.encode(), Err(DecodeError::TooLong { .. })));
}

#[test]
fn padding_that_is_not_zero_is_malformed() {
    for wanted in [
        None,
        Some(Wanted {
            vendor: [7; 16],
            product: "BKSRV".into(),
        }),
    ] {
        let good = Question { nonce: [1; 16], wanted }.encode().expect("short");
        for place in [28, 51, 52, 67, 68, 511] {
            let mut bytes = good;
            if bytes[place] != 0 {
                continue;
            }
            bytes[place] = 1;
            assert!(
                matches!(Question::decode(&bytes), Err(DecodeError::Invalid { .. })),
                "{place}"
            );
        }
    }
}

#[test]
fn tables_ascend_and_agree_with_each_other() {
    assert!(Opcode::TABLE.windows(2).all(|pair| pair[0].opcode < pair[1].opcode));
    assert!(Opcode::TABLE.iter().all(|row| !row.roles.is_empty()));
    assert!(Status::TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
    let mut asked = BTreeSet::new();
    let mut answered = BTreeSet::new();
    for row in messages::TABLE {
        assert!(
            row.fields.windows(2).all(|pair| pair[0].tag < pair[1].tag),
            "{}",
            row.name
        );
        match row.place {
            Place::Request(opcodes) => asked.extend(opcodes),
            Place::Reply(opcodes) => answered.extend(opcodes),
            Place::Refusal | Place::Field => {}
        }
    }
    let known: BTreeSet<_> = Opcode::TABLE.iter().map(|row| row.opcode).collect();
    assert_eq!(asked, known);
    assert_eq!(answered, known);
    for opcode in known {
        // An empty body is read or lacks a field, but is never unknown.
        assert_ne!(Request::decode(opcode, &[]), Ok(None), "{opcode:?}");
        assert_ne!(Response::decode(opcode, Status::OK, &[]), Ok(None), "{opcode:?}");
    }
    assert_eq!(Request::decode(Opcode(0x7777), &[]), Ok(None));
}

#[test]
fn a_missing_required_field_is_named() {
    for row in messages::TABLE {
        let required = row.fields.iter().find(|field| field.presence == Presence::Required);
        match (required, (row.recode)(&[])) {
            (Some(field), Err(DecodeError::Missing { field: named })) => {
                assert_eq!(named, format!("{}.{}", row.name, field.name));
            }
            (None, Ok(body)) => assert!(body.is_empty()),
            (_, other) => panic!("{}: {other:?}", row.name),
        }
    }
}

#[test]
fn unknown_fields_are_skipped_and_repeated_ones_refused() {
    let release = seat::Release {
        vendor: [1; 16],
        product: "BKSRV".into(),
        component: "agent".into(),
        mac: [0, 1, 2, 3, 4, 5],
    };
    let mut out = Writer::new();
    tlv::put(&mut out, 0x7fff, b"a later revision").expect("short");
    release.encode(&mut out).expect("in bounds");
    tlv::put(&mut out, 0xffff, b"").expect("short");
    let bytes = out.clone().into_bytes();
    assert_eq!(seat::Release::decode(&bytes), Ok(release));
    tlv::put(&mut out, 0x0002, b"BKSRV").expect("short");
    assert_eq!(
        seat::Release::decode(&out.into_bytes()),
        Err(DecodeError::Repeated {
            field: "Release.product"
        })
    );
}

#[test]
fn bounds_hold_in_both_directions() {
    let long = seat::Availability {
        vendor: None,
        product: "P".repeat(25),
    };
    let refused = DecodeError::TooLong {
        field: "Availability.product",
        len: 25,
        max: 24,
    };
    assert_eq!(long.to_body(), Err(refused.clone()));
    let mut out = Writer::new();
    tlv::put(&mut out, 2, long.product.as_bytes()).expect("short");
    assert_eq!(seat::Availability::decode(&out.into_bytes()), Err(refused));

    let keys = |count| admin::Import {
        keys: vec!["K".repeat(KEY_LEN_MAX); count],
        dry_run: None,
    };
    assert!(keys(KEYS_MAX).to_body().is_ok_and(|body| body.len() <= BODY_LEN_MAX));
    assert!(matches!(keys(KEYS_MAX + 1).to_body(), Err(DecodeError::TooLong { .. })));

    let bell = views::LicenseRow {
        product_name: "\u{7}".into(),
        ..Default::default()
    };
    assert!(matches!(bell.to_body(), Err(DecodeError::Invalid { .. })));
    let flag = [0, 2, 0, 1, 2];
    assert!(matches!(
        views::LicensesOk::decode(&flag),
        Err(DecodeError::Invalid {
            field: "LicensesOk.more",
            ..
        })
    ));
}

#[test]
fn a_page_over_the_frames_bound_is_not_encoded() {
    let row = views::SeatRow {
        host_name: Some("h".repeat(HOST_NAME_LEN_MAX)),
        ..Default::default()
    };
    let page = views::SeatsOk {
        rows: vec![row; PAGE_ROWS_MAX],
        ..Default::default()
    };
    assert!(matches!(
        page.to_body(),
        Err(DecodeError::TooLong { field: "SeatsOk", .. })
    ));
}

#[test]
fn a_body_that_is_too_long_is_refused_by_its_header() {
    let mut input = BytesMut::from(&[0, 1, 0, 1, 0, 0x10, 0, 0, 0, 0, 0, 1][..]);
    assert_eq!(decode_frame(&mut input), Err(FrameError::BodyTooLong { len: 65_537 }));
    assert!(input.capacity() < BODY_LEN_MAX, "no room is made for it");
    let frame = Frame {
        opcode: Opcode::IMPORT,
        status: Status::OK,
        request: 1,
        body: Bytes::from(vec![0; BODY_LEN_MAX]),
    };
    let mut bytes = BytesMut::from(&frame.encode().expect("at its bound")[..]);
    assert_eq!(bytes.len(), HEADER_LEN + BODY_LEN_MAX);
    assert_eq!(decode_frame(&mut bytes), Ok(Some(frame)));
}

#[test]
fn codes_of_newer_peers_decode_and_print() {
    assert_eq!(format!("{:?}", Opcode(0x0999)), "Opcode(0x0999)");
    assert_eq!(format!("{:?}", Opcode::CHECKOUT.reply()), "CHECKOUT reply");
    assert_eq!(format!("{:?}", Status(0x0777)), "Status(0x0777)");
    assert_eq!(format!("{:?}", Status::SEATS_EXHAUSTED), "SEATS_EXHAUSTED");
    let refusal = hello::Refusal {
        text: "later".into(),
        ..Default::default()
    };
    let body = refusal.to_body().expect("short");
    assert_eq!(
        Response::decode(Opcode::CHECKOUT, Status(0x0777), &body),
        Ok(Some(Response::Refused(Status(0x0777), refusal)))
    );
    assert_eq!(IN_FLIGHT_MAX, 64);
}

// proves T3
#[test]
fn no_request_of_an_agent_but_the_checkout_that_asks_for_a_lease_tells_a_time_and_every_reply_carries_the_servers() {
    for row in messages::TABLE {
        let names: Vec<_> = row.fields.iter().map(|field| field.name).collect();
        let has_time = |name: &str| name.contains("time") || name.ends_with("_at");
        // What a checkout tells goes back in the lease and nowhere else: session/tests/answers.rs shows it. When a backup was
        // made is an administrator's to tell, and no rule uses it.
        let is_repeated =
            |name: &str| [("Checkout", "client_time"), ("BackedUp", "made_at")].contains(&(row.name, name));
        match row.place {
            Place::Request(_) => {
                let has_room = names.iter().any(|name| has_time(name) && !is_repeated(name));
                assert!(!has_room, "{}", row.name);
            }
            Place::Reply(_) | Place::Refusal => assert!(names.contains(&"server_time"), "{}", row.name),
            Place::Field => {}
        }
    }
}

#[test]
fn a_reservation_of_the_most_machines_fits_a_frame_and_one_more_is_refused() {
    let reserve = |count| deploy::Reserve {
        reservation: [8; 16],
        product: "BKSRV".into(),
        macs: vec![[0, 1, 2, 3, 4, 5]; count],
        ..Default::default()
    };
    let body = reserve(RESERVED_MAX).to_body().expect("at its bound");
    assert_eq!(deploy::Reserve::decode(&body), Ok(reserve(RESERVED_MAX)));
    let refused = DecodeError::TooLong {
        field: "Reserve.macs",
        len: RESERVED_MAX + 1,
        max: RESERVED_MAX,
    };
    assert_eq!(reserve(RESERVED_MAX + 1).to_body(), Err(refused.clone()));
    let mut out = Writer::new();
    tlv::put(&mut out, 5, &[0, 1, 2, 3, 4, 5]).expect("short");
    let longer = [&body[..], &out.into_bytes()].concat();
    assert_eq!(deploy::Reserve::decode(&longer), Err(refused));
}

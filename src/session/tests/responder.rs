//! Questions of discovery and their offers.

use proptest::prelude::*;

use super::*;
use crate::session::OfferLimits;
use crate::session::responder::{self, Addressed, Facts, Responder};

fn facts() -> Facts {
    Facts {
        server: ServerId([1; 16]),
        fingerprint: Fingerprint([2; 32]),
        name: "name".into(),
        server_version: "1.2.3".into(),
        port: 17_328,
        epoch: 1,
        priority: 100,
        products: BTreeSet::from([ProductKey {
            vendor: VendorId([1; 16]),
            product: key().product,
        }]),
    }
}

fn question(product: Option<&str>) -> [u8; 512] {
    let wanted = product.map(|product| Wanted {
        vendor: [1; 16],
        product: product.into(),
    });
    Question { nonce: [8; 16], wanted }.encode().expect("short")
}

#[test]
fn a_question_gets_an_offer_with_its_nonce_and_whether_the_product_is_held() {
    let mut responder = Responder::new([0; 16], Monotonic(0));
    let from = SocketAddr::from(([10, 0, 0, 9], 40_000));
    for (product, holds) in [(None, None), (Some("BKSRV"), Some(true)), (Some("OTHER"), Some(false))] {
        let times = (Timestamp(77), Monotonic(0));
        let action = responder.handle(&question(product), (from, Addressed::Direct), &facts(), times, 55);
        let responder::Action::Respond { offer, delay_ms: 0 } = action else {
            panic!("{action:?}");
        };
        let offer = Offer::decode(&offer).expect("an offer");
        assert_eq!((offer.nonce, offer.holds, offer.server_time), ([8; 16], holds, 77));
    }
}

#[test]
fn only_group_questions_are_answered_late_and_never_by_more_than_the_bound() {
    let mut responder = Responder::new([0; 16], Monotonic(0));
    let from = SocketAddr::from(([10, 0, 0, 9], 40_000));
    let mut delays = BTreeSet::new();
    for random in 0..300 {
        let times = (Timestamp(0), Monotonic(0));
        let action = responder.handle(&question(None), (from, Addressed::Group), &facts(), times, random);
        let responder::Action::Respond { delay_ms, .. } = action else {
            panic!("{action:?}");
        };
        delays.insert(delay_ms);
    }
    assert_eq!(delays, (0..=OFFER_DELAY_MS_MAX).collect());
}

#[test]
fn a_source_that_asks_too_often_is_ignored_and_others_are_not() {
    let mut responder = Responder::new([5; 16], Monotonic(0));
    let mut ask = |address: [u8; 4], at| {
        let from = SocketAddr::from((address, 40_000));
        responder.handle(
            &question(None),
            (from, Addressed::Direct),
            &facts(),
            (Timestamp(0), Monotonic(at)),
            0,
        )
    };
    let limited = responder::Action::Ignore(responder::Reason::RateLimited);
    for _ in 0..2 * OFFERS_PER_SOURCE_PER_SEC {
        assert_ne!(ask([10, 0, 0, 1], 0), limited);
    }
    assert_eq!(ask([10, 0, 0, 2], 0), limited, "one /24 is one source");
    assert_ne!(ask([10, 0, 1, 1], 0), limited);
    assert_eq!(ask([10, 0, 0, 1], 4), limited);
    assert_ne!(ask([10, 0, 0, 1], 5), limited, "200 a second are one in 5 ms");
}

#[test]
fn all_sources_together_get_no_more_than_the_total() {
    let mut responder = Responder::new([5; 16], Monotonic(0));
    let mut answered = 0_u32;
    for number in 0..5_000_u32 {
        let from = SocketAddr::from((Ipv4Addr::from(0x0b00_0000 + (number << 8)), 40_000));
        let times = (Timestamp(0), Monotonic(0));
        let action = responder.handle(&question(None), (from, Addressed::Direct), &facts(), times, 0);
        answered += u32::from(matches!(action, responder::Action::Respond { .. }));
    }
    assert_eq!(answered, limits::OFFERS_PER_SEC);
}

#[test]
fn other_limits_count_from_then_on_and_buckets_hold_no_more_than_they_say() {
    let mut responder = Responder::new([5; 16], Monotonic(0));
    let mut answered = |limits: OfferLimits, networks: u8, at| {
        responder.set_limits(limits);
        let mut answered = 0_u32;
        for number in 0..3_000_u32 {
            let network = u8::try_from(number % u32::from(networks)).expect("small");
            let from = SocketAddr::from(([10, 0, network, 1], 40_000));
            let times = (Timestamp(0), Monotonic(at));
            let action = responder.handle(&question(None), (from, Addressed::Direct), &facts(), times, 0);
            answered += u32::from(matches!(action, responder::Action::Respond { .. }));
        }
        answered
    };
    let limits = |per_sec, per_source_per_sec| OfferLimits {
        per_sec,
        per_source_per_sec,
    };
    assert_eq!(
        answered(limits(1_000, 3), 1, 0),
        6,
        "a source has twice its rate at once"
    );
    assert_eq!(answered(limits(1_000, 3), 1, 1_000), 3);
    assert_eq!(answered(limits(7, 500), 3, 10_000), 7, "all together");
    assert_eq!(
        answered(limits(900, 900), 1, 20_000),
        900,
        "what may hold more fills up"
    );
}

#[test]
fn what_cannot_or_must_not_be_answered_is_ignored_for_a_reason() {
    let mut responder = Responder::new([0; 16], Monotonic(0));
    let mut ask = |bytes: &[u8], from: &str| {
        let from = (from.parse().expect("an address"), Addressed::Group);
        responder.handle(bytes, from, &facts(), (Timestamp(0), Monotonic(0)), 0)
    };
    let malformed = responder::Action::Ignore(responder::Reason::Malformed);
    let bad_source = responder::Action::Ignore(responder::Reason::BadSource);
    assert_eq!(ask(&question(None)[..511], "10.0.0.1:9"), malformed);
    assert_eq!(ask(&question(Some("lower")), "10.0.0.1:9"), malformed);
    for from in [
        "10.0.0.1:0",
        "239.1.1.1:9",
        "255.255.255.255:9",
        "0.0.0.0:9",
        "[ff02::1]:9",
    ] {
        assert_eq!(ask(&question(None), from), bad_source, "{from}");
    }
    assert!(matches!(
        ask(&question(None), "[fe80::1]:9"),
        responder::Action::Respond { .. }
    ));
}

/// Datagrams of every length: questions that were damaged here and there, and anything else.
fn datagrams() -> impl Strategy<Value = Vec<u8>> {
    let damaged = (
        prop::option::of("[A-Z0-9]{1,24}"),
        0_usize..=1_500,
        prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    )
        .prop_map(|(product, len, damage)| {
            let mut datagram = question(product.as_deref()).to_vec();
            // Every other one keeps the length of a question.
            if len % 2 == 1 {
                datagram.resize(len, 0);
            }
            for (place, byte) in damage {
                if !datagram.is_empty() {
                    let place = place.index(datagram.len());
                    datagram[place] = byte;
                }
            }
            datagram
        });
    prop_oneof![
        4 => damaged,
        1 => prop::collection::vec(any::<u8>(), 0..1_500),
        1 => prop::collection::vec(any::<u8>(), 512),
    ]
}

/// Any address that there is, forged or not.
fn addresses() -> impl Strategy<Value = SocketAddr> {
    prop_oneof![
        any::<([u8; 4], u16)>().prop_map(|(address, port)| SocketAddr::from((address, port))),
        any::<([u8; 16], u16)>().prop_map(|(address, port)| SocketAddr::from((address, port))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn forged_sources_take_no_memory_and_get_no_more_answers_in_all_than_so_many_a_second(
        asks in prop::collection::vec((addresses(), prop_oneof![9 => Just(0_u64), 1 => 0_u64..3]), 1..6_000),
        secret: [u8; 16],
    ) {
        let mut responder = Responder::new(secret, Monotonic(0));
        let memory = responder.memory();
        let (mut at, mut answered) = (0, 0_u64);
        for (from, wait) in asks {
            at += wait;
            let times = (Timestamp(1), Monotonic(at));
            let action = responder.handle(&question(None), (from, Addressed::Direct), &facts(), times, 0);
            answered += u64::from(matches!(action, responder::Action::Respond { .. }));
            // A second's worth at once after a pause, and then so many a second.
            let most = u64::from(limits::OFFERS_PER_SEC) * (1_000 + at) / 1_000;
            prop_assert!(answered <= most, "{} answers in {} ms", answered, at);
        }
        prop_assert_eq!(responder.memory(), memory);
        prop_assert!(memory <= limits::LIMITER_SLOTS * 16 + 64, "{} bytes", memory);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_answer_is_longer_than_its_datagram_and_only_questions_of_512_bytes_are_answered(
        datagram in datagrams(),
        from in addresses(),
        name_len in 0_usize..=limits::NAME_LEN_MAX,
        group: bool,
        random: u32,
    ) {
        let facts = Facts {
            name: "n".repeat(name_len),
            server_version: "9".repeat(limits::NAME_LEN_MAX),
            ..facts()
        };
        let addressed = if group { Addressed::Group } else { Addressed::Direct };
        let mut responder = Responder::new([5; 16], Monotonic(0));
        let times = (Timestamp(1), Monotonic(1));
        if let responder::Action::Respond { offer, delay_ms } =
            responder.handle(&datagram, (from, addressed), &facts, times, random)
        {
            prop_assert_eq!(datagram.len(), limits::QUESTION_LEN);
            prop_assert!(offer.len() <= datagram.len().min(limits::OFFER_LEN_MAX));
            prop_assert!(delay_ms <= OFFER_DELAY_MS_MAX);
            prop_assert!(from.port() != 0 && !from.ip().is_multicast());
        }
    }
}

#[test]
fn a_responder_under_a_flood_of_sources_answers_some_and_grows_by_nothing() {
    let mut responder = Responder::new([6; 16], Monotonic(0));
    let memory = responder.memory();
    let asked = question(None);
    let mut answered = 0_u64;
    for number in 0..200_000_u32 {
        // Twenty a millisecond, each from another network.
        let at = u64::from(number / 20);
        let from = SocketAddr::from((Ipv4Addr::from(0x0100_0000 + (number << 8)), 40_000));
        let times = (Timestamp(1), Monotonic(at));
        let action = responder.handle(&asked, (from, Addressed::Direct), &facts(), times, 0);
        answered += u64::from(matches!(action, responder::Action::Respond { .. }));
    }
    let bound = u64::from(limits::OFFERS_PER_SEC) * 11;
    assert!((bound / 2..=bound).contains(&answered), "{answered} in 10 s");
    assert_eq!(responder.memory(), memory);
}

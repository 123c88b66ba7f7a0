//! Questions of discovery and their offers.

use super::*;
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
    for _ in 0..OFFERS_PER_SOURCE_BURST {
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

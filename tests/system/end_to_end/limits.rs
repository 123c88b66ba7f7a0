//! Bounds that an administrator can set.

use seatkeeper::tls::Identity;
use seatkeeper::wire::Status;
use seatkeeper::wire::messages::Response;

use crate::site::Site;
use crate::wire::{Wire, answer, checkout, mac};

#[track_caller]
fn slowed_down(response: &Response) {
    match response {
        Response::Refused(Status::SLOW_DOWN, refusal) => assert!(refusal.retry_secs.is_some_and(|secs| secs > 0)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_identity_engages_seats_for_four_machines_a_day() {
    let site = Site::open();
    site.buy(1, "BKSRV", 100);
    let (mut wire, _) = Wire::hello(site.server().address(), &Identity::generate().unwrap())
        .await
        .unwrap();
    for number in 1..=4 {
        let granted = wire
            .ask(&checkout(site.vendor.id(), "BKSRV", "agent", mac(number)))
            .await
            .unwrap();
        assert!(matches!(granted, Response::Checkout(_)), "{granted:?}");
    }
    slowed_down(
        &wire
            .ask(&checkout(site.vendor.id(), "BKSRV", "agent", mac(5)))
            .await
            .unwrap(),
    );
    // What it holds it renews all the same.
    let renewed = wire
        .ask(&checkout(site.vendor.id(), "BKSRV", "console", mac(4)))
        .await
        .unwrap();
    assert!(matches!(renewed, Response::Checkout(_)), "{renewed:?}");
    assert_eq!(site.audit()[0]["used"], 4);
}

#[tokio::test]
async fn a_source_engages_as_many_seats_a_minute_as_configured() {
    let site = Site::open_with("[limits]\nnew_seats_per_source_and_minute = 3\n");
    site.buy(1, "BKSRV", 100);
    for number in 1..=4 {
        let (mut wire, _) = Wire::hello(site.server().address(), &Identity::generate().unwrap())
            .await
            .unwrap();
        let response = wire
            .ask(&checkout(site.vendor.id(), "BKSRV", "agent", mac(number)))
            .await
            .unwrap();
        if number <= 3 {
            assert!(matches!(response, Response::Checkout(_)), "{response:?}");
        } else {
            slowed_down(&response);
        }
    }
    assert_eq!(site.audit()[0]["used"], 3);
}

#[tokio::test]
async fn a_source_has_as_many_connections_as_configured() {
    let site = Site::open_with("[limits]\nconnections_per_source = 3\n");
    let identity = Identity::generate().unwrap();
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(Wire::hello(site.server().address(), &identity).await.unwrap());
    }
    Wire::hello(site.server().address(), &identity)
        .await
        .expect_err("one too many");
    site.server().await_line("too many connections of one source");
    let (mut first, _) = open.swap_remove(0);
    let still = first
        .ask(&checkout(site.vendor.id(), "NEVER", "agent", mac(1)))
        .await
        .unwrap();
    assert!(matches!(still, Response::Refused(Status::NO_LICENSE, _)), "{still:?}");
}

#[tokio::test]
async fn a_silent_connection_is_told_and_closed() {
    let site = Site::open_with("[limits]\nagent_silence_secs = 1\n");
    let (mut wire, hello) = Wire::hello(site.server().address(), &Identity::generate().unwrap())
        .await
        .unwrap();
    assert_eq!(hello.silence_ms, 1_000);
    let parting = wire.receive().await.unwrap().expect("a parting");
    assert_eq!(parting.status, Status::SILENCE_LIMIT);
    assert!(matches!(answer_of_parting(&parting), Response::Refused(..)));
    assert!(matches!(wire.receive().await, Ok(None) | Err(_)));
}

#[tokio::test]
async fn a_connection_that_never_says_hello_is_closed() {
    let site = Site::bare("");
    let mut wire = Wire::connect(site.server().address(), &Identity::generate().unwrap())
        .await
        .unwrap();
    // After 5 s, as the protocol says; the watchdog of `receive` is longer.
    while let Ok(Some(frame)) = wire.receive().await {
        assert_eq!(frame.request, 0, "a parting at most");
    }
}

fn answer_of_parting(frame: &seatkeeper::wire::Frame) -> Response {
    assert_eq!((frame.opcode, frame.request), (seatkeeper::wire::Opcode::PARTING, 0));
    answer(frame).expect("readable")
}

//! Bounds that an administrator can set.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use seatkeeper::clock::monotonic;
use seatkeeper::domain::time::Monotonic;
use seatkeeper::tls::Identity;
use seatkeeper::wire::discovery::Question;
use seatkeeper::wire::messages::{Request, Response, enrol};
use seatkeeper::wire::{Frame, Opcode, Status};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

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

/// Three connections to a server that takes no more of one source.
async fn three_and_no_more(site: &Site) -> Vec<Wire> {
    let identity = Identity::generate().unwrap();
    let mut open = Vec::new();
    for _ in 0..3 {
        let (wire, _) = Wire::hello(site.server().address(), &identity).await.unwrap();
        open.push(wire);
    }
    Wire::hello(site.server().address(), &identity)
        .await
        .expect_err("one too many");
    site.server().await_line("too many connections of one source");
    open
}

#[tokio::test]
async fn a_source_has_as_many_connections_as_configured() {
    let site = Site::open_with("[limits]\nconnections_per_source = 3\n");
    let mut first = three_and_no_more(&site).await.swap_remove(0);
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

/// That what began at `since` ended when one second was over, long before the five of the default.
#[track_caller]
fn took_a_second(since: Monotonic) {
    let taken = monotonic().millis_since(since);
    assert!((900..4_500).contains(&taken), "{taken} ms");
}

#[tokio::test]
async fn handshakes_hello_and_frames_have_the_time_that_is_configured() {
    let site = Site::bare("[limits]\nhello_secs = 1\nframe_secs = 1\n");
    let (server, identity) = (site.server().address(), Identity::generate().unwrap());
    // No byte of a handshake.
    let since = monotonic();
    let mut tcp = TcpStream::connect(server).await.unwrap();
    drop(tcp.read(&mut [0; 64]).await);
    took_a_second(since);
    // No HELLO behind it.
    let mut wire = Wire::connect(server, &identity).await.unwrap();
    let since = monotonic();
    while let Ok(Some(frame)) = wire.receive().await {
        assert_eq!(frame.request, 0, "a parting at most");
    }
    took_a_second(since);
    // A request that stops in its midst.
    let (mut wire, _) = Wire::hello(server, &identity).await.unwrap();
    let frame = Frame {
        opcode: Opcode::CHECKOUT,
        status: Status::OK,
        request: 9,
        body: vec![0; 1_000].into(),
    };
    let since = monotonic();
    wire.send_bytes(&frame.encode().unwrap()[..500]).await.unwrap();
    let parting = wire.receive().await.unwrap().expect("a parting");
    assert_eq!(parting.status, Status::SILENCE_LIMIT);
    took_a_second(since);
}

#[tokio::test]
async fn a_source_brings_as_many_wrong_tokens_a_minute_as_configured() {
    let site = Site::bare("[limits]\nwrong_tokens_per_source_and_minute = 2\n");
    let (mut wire, _) = Wire::hello(site.server().address(), &Identity::generate().unwrap())
        .await
        .unwrap();
    let mut statuses = Vec::new();
    for byte in 0..3 {
        let secret = enrol::Secret([byte; 20]);
        let ask = Request::Enrol(enrol::Enrol { secret });
        statuses.push(wire.ask(&ask).await.unwrap().status());
    }
    let refused = Status::TOKEN_REFUSED;
    assert_eq!(statuses, [refused, refused, Status::SLOW_DOWN]);
}

/// Offers that so many questions get, asked as fast as they go out from each of some networks; and the seconds that took.
fn offers(server: SocketAddr, networks: u8, questions: usize) -> (usize, f64) {
    let question = Question {
        nonce: [7; 16],
        wanted: None,
    };
    let question = question.encode().unwrap();
    let since = monotonic();
    let mut offers = 0;
    for network in 1..=networks {
        let socket = UdpSocket::bind((Ipv4Addr::new(127, 66, network, 1), 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        for _ in 0..questions {
            socket.send_to(&question, server).unwrap();
        }
        while socket.recv(&mut [0; 512]).is_ok() {
            offers += 1;
        }
    }
    (
        offers,
        Duration::from_millis(monotonic().millis_since(since)).as_secs_f64(),
    )
}

/// As many offers as there may be of so many at once and so many a second.
fn most(at_once: f64, per_sec: f64, secs: f64) -> f64 {
    at_once + per_sec * (secs + 1.0)
}

#[test]
fn a_network_and_all_together_get_as_many_offers_as_configured_and_others_after_a_reload() {
    let limits = |all: u32, network: u32| {
        format!("[limits]\noffers_per_second = {all}\noffers_per_network_and_second = {network}\n")
    };
    let site = Site::bare(&limits(1_000, 5));
    let server = site.server().address();
    let bounded = |(count, secs): (usize, f64), at_once, per_sec| {
        let count = f64::from(u32::try_from(count).unwrap());
        assert!(count >= at_once / 2.0, "{count} offers");
        assert!(count <= most(at_once, per_sec, secs), "{count} offers in {secs} s");
    };
    // By default it would be all of them.
    bounded(offers(server, 1, 100), 10.0, 5.0);
    std::fs::write(site.dir.path().join("seatkeeper.toml"), limits(6, 1_000)).unwrap();
    site.admin(["reload"]).ok();
    bounded(offers(server, 3, 50), 6.0, 6.0);
    std::fs::write(site.dir.path().join("seatkeeper.toml"), limits(1_000, 1_000)).unwrap();
    site.admin(["reload"]).ok();
    // Buckets fill within a second of the new rate.
    let since = monotonic();
    while offers(server, 1, 40).0 < 40 {
        assert!(monotonic().millis_since(since) < 20_000, "never all of them");
    }
    site.stop_is_clean();
}

#[tokio::test]
async fn there_are_as_many_connections_as_configured() {
    let site = Site::open_with("[limits]\nconnections = 3\n");
    three_and_no_more(&site).await;
}

fn answer_of_parting(frame: &Frame) -> Response {
    assert_eq!((frame.opcode, frame.request), (Opcode::PARTING, 0));
    answer(frame).expect("readable")
}

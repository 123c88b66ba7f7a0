//! TLS sessions that are resumed, with the real server.

use std::net::SocketAddr;

use seatkeeper::tls::{self, Identity, PinRule, Sessions};
use seatkeeper::wire::messages::hello::HelloOk;
use seatkeeper::wire::messages::{Request, Response, views};
use seatkeeper::wire::{Role, Status};

use crate::site::Site;
use crate::wire::{Wire, hello};

/// Somebody who connects again and again.
struct Visitor {
    identity: Identity,
    pins: PinRule,
    sessions: Sessions,
}

impl Visitor {
    fn of(site: &Site) -> Self {
        let pin = data_encoding::HEXLOWER.decode(site.server().fingerprint.as_bytes());
        let pin = pin.unwrap().try_into().unwrap();
        Self {
            identity: Identity::generate().unwrap(),
            pins: PinRule::OneOf(vec![pin]),
            sessions: Sessions::default(),
        }
    }

    async fn connect(&self, site: &Site) -> std::io::Result<Wire> {
        // The port is another one after a start, which must not be what keeps a ticket back.
        let place = SocketAddr::from(([127, 0, 0, 1], 17_328));
        let config = self.sessions.config(place, &self.identity, self.pins.clone());
        Wire::connect_with(site.server().address(), config.unwrap()).await
    }

    /// Whether the session was resumed, and what HELLO was answered.
    async fn greet(&self, site: &Site) -> (bool, HelloOk) {
        let mut wire = self.connect(site).await.unwrap();
        let resumed = tls::is_resumed(wire.stream.get_ref().1);
        match wire.ask(&hello()).await.unwrap() {
            Response::Hello(hello) => (resumed, hello),
            other => panic!("{other:?}"),
        }
    }

    async fn resumed(&self, site: &Site) -> bool {
        self.greet(site).await.0
    }
}

#[tokio::test]
async fn a_server_resumes_until_it_is_started_anew_and_shows_another_identity_then() {
    let mut site = Site::bare("");
    let visitor = Visitor::of(&site);
    for expected in [false, false, true, true] {
        assert_eq!(visitor.resumed(&site).await, expected);
    }
    site.stop();
    site.start();
    for expected in [false, true] {
        assert_eq!(visitor.resumed(&site).await, expected, "after a start");
    }
    site.admin(["identity", "rotate"]).ok();
    assert!(visitor.resumed(&site).await, "nothing changes before the next start");
    site.stop();
    site.start();
    let error = visitor.connect(&site).await.expect_err("another identity");
    let shown = tls::wrong_pin(&error).expect("the pin is what is wrong").fingerprint;
    assert_eq!(data_encoding::HEXLOWER.encode(&shown), site.server().fingerprint);
}

#[tokio::test]
async fn who_resumes_has_the_role_that_it_has_now() {
    let site = Site::bare("");
    let visitor = Visitor::of(&site);
    let fingerprint = data_encoding::HEXLOWER.encode(&visitor.identity.fingerprint());
    for _ in 0..2 {
        visitor.resumed(&site).await;
    }
    site.admin(["admin", "add", &fingerprint, "--role", "viewer"]).ok();
    let (resumed, hello) = visitor.greet(&site).await;
    assert_eq!((resumed, hello.role), (true, Role::VIEWER));
    site.admin(["admin", "remove", &fingerprint]).ok();
    let mut wire = visitor.connect(&site).await.unwrap();
    assert!(tls::is_resumed(wire.stream.get_ref().1));
    let Response::Hello(hello) = wire.ask(&crate::wire::hello()).await.unwrap() else {
        panic!("no HELLO");
    };
    assert_eq!(hello.role, Role::AGENT);
    let licenses = Request::Licenses(views::Licenses::default());
    let Response::Refused(status, _) = wire.ask(&licenses).await.unwrap() else {
        panic!("it is no viewer any more");
    };
    assert_eq!(status, Status::NOT_AUTHORIZED);
}

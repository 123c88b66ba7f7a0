//! Peers that do not keep the protocol.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ServerConfig};
use seatkeeper::session::lease;
use seatkeeper::tls::{self, Identity, PinRule};
use seatkeeper::wire::messages::hello::Hello;
use seatkeeper::wire::messages::{self, Place, Request, Response, seat, views};
use seatkeeper::wire::{Opcode, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::site::Site;
use crate::wire::{Wire, checkout, hello, mac};

/// The certificate of one identity with the key of another.
fn stolen(victim: &Identity, thief: &Identity) -> Arc<SingleCertAndKey> {
    let certificate = CertificateDer::from_pem_slice(victim.to_pem().as_bytes()).expect("a certificate");
    let key = PrivatePkcs8KeyDer::from_pem_slice(thief.to_pem().as_bytes()).expect("a key");
    let key = rustls::crypto::ring::sign::any_ecdsa_type(&PrivateKeyDer::Pkcs8(key)).expect("an ECDSA key");
    Arc::new(SingleCertAndKey::from(CertifiedKey::new(vec![certificate], key)))
}

async fn still_serves(site: &Site) {
    let (mut wire, _) = Wire::hello(site.server().address(), &Identity::generate().unwrap())
        .await
        .expect("HELLO");
    wire.ask(&Request::Status(views::Status {})).await.expect("an answer");
}

#[tokio::test]
async fn an_administrators_certificate_with_another_key_is_refused() {
    let site = Site::bare("");
    let administrator = Identity::load(&site.data().join("admin.pem")).unwrap();
    let thief = Identity::generate().unwrap();
    let mut config = ClientConfig::clone(&tls::client_config(&thief, PinRule::Any).unwrap());
    config.client_auth_cert_resolver = stolen(&administrator, &thief);
    // In TLS 1.3 the client's handshake is over before the server has judged it: the refusal shows at the first answer.
    let refused = async {
        let mut wire = Wire::connect_with(site.server().address(), Arc::new(config)).await?;
        wire.ask(&hello()).await
    };
    let error = refused.await.expect_err("a stolen certificate");
    assert_ne!(error.kind(), std::io::ErrorKind::TimedOut, "{error}");
    still_serves(&site).await;
}

// proves K9
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_servers_certificate_with_another_key_is_refused_by_its_agents() {
    let mut site = Site::open();
    site.buy(1, "BKSRV", 1);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    site.stop();
    // The thief shows the certificate that the agent pinned, which is no secret.
    let victim = Identity::load(&site.data().join("identity.pem")).unwrap();
    let thief = Identity::generate().unwrap();
    let mut config = ServerConfig::clone(&tls::server_config(&thief).unwrap());
    config.cert_resolver = stolen(&victim, &thief);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = listener.local_addr().unwrap().to_string();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let shaken = tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.expect("a connection");
        acceptor.accept(tcp).await.is_ok()
    });
    let machine = site.machine(1);
    let asked = tokio::task::spawn_blocking(move || machine.agent("checkout", "BKSRV", "agent", &["--server", &there]));
    asked.await.unwrap().failed_with(3);
    assert!(!shaken.await.unwrap(), "the agent ended the handshake");
}

#[tokio::test]
async fn a_server_that_is_not_the_pinned_one_is_not_talked_to() {
    let site = Site::bare("");
    let identity = Identity::generate().unwrap();
    let config = tls::client_config(&identity, PinRule::OneOf(vec![[9; 32]])).unwrap();
    let error = Wire::connect_with(site.server().address(), config)
        .await
        .expect_err("not the pinned one");
    let wrong = tls::wrong_pin(&error).expect("the pin is what is wrong");
    assert_eq!(
        data_encoding::HEXLOWER.encode(&wrong.fingerprint),
        site.server().fingerprint
    );
}

#[tokio::test]
async fn bytes_that_are_no_handshake_close_the_connection_and_nothing_else() {
    let site = Site::bare("");
    for bytes in [b"GET / HTTP/1.1\r\n\r\n".as_slice(), &[0; 4_096], &[0xff; 64]] {
        let mut tcp = TcpStream::connect(site.server().address()).await.unwrap();
        // The server may close before all of it is written.
        drop(tcp.write_all(bytes).await);
        let mut rest = Vec::new();
        drop(
            tokio::time::timeout(std::time::Duration::from_secs(20), tcp.read_to_end(&mut rest))
                .await
                .expect("closed"),
        );
    }
    still_serves(&site).await;
}

/// What a page in a browser could send to a server in its network: requests of HTTP, also one of DNS rebinding, with
/// headers that try to smuggle a second one.
const FROM_A_BROWSER: [&str; 4] = [
    "GET /status HTTP/1.1\r\nHost: license.example:17328\r\nOrigin: http://evil.example\r\n\r\n",
    "POST /import HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nSK1-",
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\nGET http://169.254.169.254/ HTTP/1.1\r\nHost: a\r\n\r\n",
];

#[tokio::test]
async fn a_browser_gets_nothing_that_it_understands() {
    let site = Site::bare("");
    for request in FROM_A_BROWSER {
        let mut tcp = TcpStream::connect(site.server().address()).await.unwrap();
        drop(tcp.write_all(request.as_bytes()).await); // the server may close before all of it is written
        let mut answer = Vec::new();
        let reading = tokio::time::timeout(std::time::Duration::from_secs(20), tcp.read_to_end(&mut answer));
        drop(reading.await.expect("closed"));
        // An alert of TLS at the most: that is no answer to a page, and allows it nothing.
        assert!(answer.len() <= 7, "{answer:?}");
        assert!(answer.first().is_none_or(|first| *first == 0x15), "{answer:?}");
    }
    // Over TLS: without an identity, and for its own protocol.
    let identity = Identity::generate().unwrap();
    for protocols in [vec![b"h2".to_vec(), b"http/1.1".to_vec()], Vec::new()] {
        let mut config = ClientConfig::clone(&tls::client_config(&identity, PinRule::Any).unwrap());
        config.alpn_protocols = protocols;
        for resolver in [Arc::clone(&config.client_auth_cert_resolver), Arc::new(Nobody)] {
            config.client_auth_cert_resolver = resolver;
            let asked = async {
                let mut wire = Wire::connect_with(site.server().address(), Arc::new(config.clone())).await?;
                wire.send_bytes(FROM_A_BROWSER[0].as_bytes()).await?;
                wire.receive().await
            };
            assert!(matches!(asked.await, Ok(None) | Err(_)));
        }
    }
    still_serves(&site).await;
}

/// Whoever has no identity to show.
#[derive(Debug)]
struct Nobody;

impl rustls::client::ResolvesClientCert for Nobody {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

#[tokio::test]
async fn a_frame_that_is_too_long_and_a_body_that_is_malformed_end_the_connection() {
    let site = Site::bare("");
    for before_hello in [true, false] {
        let mut wire = Wire::connect(site.server().address(), &Identity::generate().unwrap())
            .await
            .unwrap();
        if !before_hello {
            wire.ask(&hello()).await.unwrap();
        }
        // A header that announces a body of 64 KiB and one byte.
        wire.send_bytes(&[0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 9]).await.unwrap();
        let parting = wire.receive().await.unwrap().expect("a parting");
        assert_eq!(parting.status, Status::MALFORMED);
        assert!(matches!(wire.receive().await, Ok(None) | Err(_)));

        let (mut wire, _) = Wire::hello(site.server().address(), &Identity::generate().unwrap())
            .await
            .unwrap();
        wire.send_frame(Opcode::CHECKOUT, bytes::Bytes::from_static(b"\0\x01\xff"))
            .await
            .unwrap();
        let frame = wire.receive().await.unwrap().expect("an answer");
        assert_eq!(frame.status, Status::MALFORMED);
        assert!(matches!(wire.receive().await, Ok(None) | Err(_)));
    }
    still_serves(&site).await;
}

#[tokio::test]
async fn a_client_of_another_version_is_told_which_ones_are_spoken() {
    let site = Site::bare("");
    let mut wire = Wire::connect(site.server().address(), &Identity::generate().unwrap())
        .await
        .unwrap();
    let newer = Request::Hello(Hello {
        version_min: 7,
        version_max: 9,
        client: "later".into(),
        in_flight_max: 1,
    });
    match wire.ask(&newer).await.unwrap() {
        Response::Refused(Status::VERSION_MISMATCH, refusal) => {
            assert_eq!((refusal.version_min, refusal.version_max), (Some(1), Some(1)));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn sixty_four_requests_in_flight_are_answered_in_order() {
    let site = Site::open();
    let (mut wire, said) = Wire::hello(site.server().address(), &Identity::generate().unwrap())
        .await
        .unwrap();
    assert_eq!(said.in_flight_max, 64);
    let mut numbers = Vec::new();
    for _ in 0..64 {
        numbers.push(wire.send(&Request::Status(views::Status {})).await.unwrap());
    }
    for number in numbers {
        assert_eq!(wire.receive().await.unwrap().expect("an answer").request, number);
    }
}

// proves T3
#[test]
fn no_request_of_an_agent_but_the_checkout_that_asks_for_a_lease_carries_a_date_and_every_reply_carries_the_servers() {
    for row in messages::TABLE {
        let names: Vec<&str> = row.fields.iter().map(|field| field.name).collect();
        match row.place {
            Place::Request(_) => {
                // What that one is for is shown below.
                let is_date = |name: &str| name.contains("time") || name.ends_with("_at");
                let found: Vec<&str> = names.iter().copied().filter(|name| is_date(name)).collect();
                let expected: &[&str] = match row.name {
                    "BackedUp" => &["made_at"], // an administrator's, and no rule uses it
                    "Checkout" => &["client_time"],
                    _ => &[],
                };
                assert_eq!(found, expected, "{}", row.name);
            }
            Place::Reply(_) => assert_eq!(names.first(), Some(&"server_time"), "{}", row.name),
            Place::Refusal => assert!(names.contains(&"server_time")),
            Place::Field => {}
        }
    }
}

// proves O3, T3
#[tokio::test]
async fn the_server_repeats_an_agents_clock_in_the_lease_and_goes_by_its_own() {
    let site = Site::open();
    site.buy(1, "FIELD", 2);
    site.buy(2, "BKSRV", 2);
    let identity = Identity::generate().unwrap();
    let (mut wire, said) = Wire::hello(site.server().address(), &identity).await.unwrap();
    let key = said.lease_key.expect("every server has one");
    for (number, client_time) in [(1, 0), (2, u64::MAX)] {
        for product in ["FIELD", "BKSRV"] {
            let Request::Checkout(ask) = checkout(site.vendor.id(), product, "agent", mac(number)) else {
                unreachable!()
            };
            let ask = seat::Checkout {
                client_time: Some(client_time),
                ..ask
            };
            let Response::Checkout(told) = wire.ask(&Request::Checkout(ask)).await.unwrap() else {
                panic!("{product} is not granted")
            };
            let acquired_at = told.acquired_at.expect("granted");
            assert!(acquired_at.abs_diff(said.server_time) < 60, "{told:?}");
            assert_eq!(told.renew_by, Some(acquired_at + 30 * 86_400));
            assert_eq!(told.lease.is_some(), product == "FIELD", "{told:?}");
            let Some(signed) = told.lease else { continue };
            let lease = lease::verify(&signed, &key).expect("signed with the key of HELLO");
            assert_eq!((lease.client_time, lease.days), (client_time, 7));
            assert_eq!((lease.identity, lease.server), (identity.fingerprint(), said.server));
            assert_eq!((lease.mac, lease.vendor), (mac(number), site.vendor.id().0));
        }
    }
}

//! What a machine does that is not served at once, against a server that puts some off.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use seatkeeper::domain::ids::VendorId;
use seatkeeper::tls;
use seatkeeper::wire::messages::Response;
use seatkeeper::wire::messages::hello::{HelloOk, Refusal};
use seatkeeper::wire::messages::seat::CheckoutOk;
use seatkeeper::wire::{Frame, Opcode, Role, Status, decode_frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::crowd::{Crowd, Pace};
use super::start::Aim;
use crate::site::identity;

/// What takes longer than this hangs.
const WATCHDOG: Duration = Duration::from_secs(30);

/// What a connection gets.
#[derive(Clone, Copy)]
enum Gets {
    Busy,
    Nothing,
    Seat,
}

/// Serves connections one behind the other, the first of them so, all others with a seat.
async fn serve(listener: TcpListener, acceptor: TlsAcceptor, first: [Gets; 2]) -> io::Result<()> {
    for gets in first.into_iter().chain(std::iter::repeat(Gets::Seat)) {
        let (tcp, _) = listener.accept().await?;
        // Whoever hangs up early is missed in what the test counts.
        drop(answer(tcp, &acceptor, gets).await);
    }
    Ok(())
}

async fn answer(tcp: TcpStream, acceptor: &TlsAcceptor, gets: Gets) -> io::Result<()> {
    let mut stream = acceptor.accept(tcp).await?;
    let mut input = bytes::BytesMut::new();
    loop {
        if stream.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
        while let Some(asked) = decode_frame(&mut input).map_err(io::Error::other)? {
            let busy = Refusal {
                text: "later".to_owned(),
                retry_secs: Some(1),
                ..Refusal::default()
            };
            let response = match (asked.opcode, gets) {
                (Opcode::HELLO, _) => Response::Hello(greeting()),
                (_, Gets::Nothing) => return Ok(()),
                (_, Gets::Busy) => Response::Refused(Status::BUSY, busy),
                (_, Gets::Seat) => Response::Checkout(CheckoutOk::default()),
            };
            let frame = Frame {
                opcode: asked.opcode.reply(),
                status: response.status(),
                request: asked.request,
                body: response.to_body().map_err(io::Error::other)?,
            };
            stream.write_all(&frame.encode().map_err(io::Error::other)?).await?;
            stream.flush().await?;
        }
    }
}

fn greeting() -> HelloOk {
    HelloOk {
        server_time: 1,
        version: 1,
        server: [7; 16],
        name: "of a test".to_owned(),
        server_version: "1".to_owned(),
        epoch: 0,
        body_len_max: 65_536,
        in_flight_max: 64,
        silence_ms: 30_000,
        role: Role::AGENT,
        succession: Vec::new(),
        lease_key: None,
    }
}

#[tokio::test]
async fn who_is_put_off_waits_as_told_in_nobodys_way_and_all_are_served() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server: SocketAddr = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(tls::server_config(&identity().unwrap()).unwrap());
    tokio::spawn(serve(listener, acceptor, [Gets::Busy, Gets::Nothing]));
    let mut crowd = Crowd::new(2, server).unwrap();
    let pace = Pace { rate: None, open: 1 };
    let aim = Aim::Seat(VendorId([7; 16]));
    let storm = tokio::time::timeout(WATCHDOG, crowd.start(server, aim, pace));
    let stormed = storm.await.expect("in time").unwrap();
    assert_eq!(stormed.lost, 0);
    assert_eq!(
        stormed.put_off.into_iter().collect::<Vec<_>>(),
        [("BUSY".to_owned(), 1)]
    );
    assert_eq!(stormed.failed.values().sum::<u64>(), 1, "{:?}", stormed.failed);
    let took = stormed.waited.summary();
    assert_eq!(took.count, 2);
    // The one place is the other's meanwhile.
    assert!(took.max_us >= 1_000_000 && took.p50_us < 900_000, "{took:?}");
    assert!(stormed.took >= Duration::from_secs(1));
    // They start again with what they were told, and nobody is in their way now.
    let storm = tokio::time::timeout(WATCHDOG, crowd.start(server, aim, pace));
    let again = storm.await.expect("in time").unwrap();
    assert_eq!((again.lost, again.put_off.len(), again.failed.len()), (0, 0, 0));
}

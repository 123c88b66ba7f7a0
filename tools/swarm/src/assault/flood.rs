//! Much of it, fast.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use seatkeeper::wire::Opcode;
use seatkeeper::wire::discovery::Question;
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use super::{Attacker, OTHERS};
use crate::error::SwarmError;
use crate::line::{Line, frame};
use crate::machine::{Machine, filler};

/// TCP connections that are closed at once.
pub(super) fn connect(attacker: &Arc<Attacker>) {
    for source in 1..=8 {
        let way = attacker.way(source);
        tokio::spawn(async move {
            loop {
                // The system may be out of ports for a moment.
                drop(way.tcp().await);
                tokio::task::yield_now().await;
            }
        });
    }
}

/// Handshakes that are broken off once they are complete.
pub(super) fn handshake(attacker: &Arc<Attacker>) {
    for number in 0..64 {
        let way = attacker.way(number % 8 + 1);
        tokio::spawn(async move {
            loop {
                drop(way.open().await);
                tokio::task::yield_now().await;
            }
        });
    }
}

/// Sessions that keep 64 requests in flight.
pub(super) async fn pipeline(attacker: &Arc<Attacker>) -> Result<(), SwarmError> {
    let failed = |error: io::Error| SwarmError::of("opening connections that pipeline")(&error);
    let mut opening = JoinSet::new();
    for number in 0..128 {
        let way = attacker.way(1);
        let request = Machine::new(OTHERS + number).request(attacker.vendor);
        let body = request.to_body().map_err(|error| failed(io::Error::other(error)))?;
        let half = frame(request.opcode(), 5, body).map_err(failed)?.repeat(32);
        opening.spawn(async move {
            let (line, _) = way.greeted().await?;
            tokio::spawn(async move {
                let mut line = Some(line);
                loop {
                    if let Some(open) = line.take() {
                        drop(ask_without_end(open, &half).await);
                    }
                    line = way.greeted().await.ok().map(|(line, _)| line);
                    tokio::task::yield_now().await;
                }
            });
            Ok::<_, io::Error>(())
        });
    }
    for opened in opening.join_all().await {
        opened.map_err(failed)?;
    }
    Ok(())
}

/// Half of the requests are sent while the others are answered.
async fn ask_without_end(mut line: Line, half: &[u8]) -> io::Result<()> {
    line.send_bytes(half).await?;
    loop {
        line.send_bytes(half).await?;
        for _ in 0..32 {
            line.receive().await?;
        }
    }
}

/// Requests before HELLO.
pub(super) fn early(attacker: &Arc<Attacker>) -> Result<(), SwarmError> {
    let bytes = filler(Opcode::CHECKOUT, 88).map_err(|error| SwarmError::of("making a request")(&error))?;
    for number in 0..128 {
        let (way, bytes) = (attacker.way(number % 8 + 1), bytes.clone());
        tokio::spawn(async move {
            loop {
                let asked = async {
                    let mut line = way.open().await?;
                    line.send_bytes(&bytes).await?;
                    line.receive().await
                };
                drop(asked.await);
                tokio::task::yield_now().await;
            }
        });
    }
    Ok(())
}

/// Questions that are answered or not.
pub(super) fn discovery(server: SocketAddr) -> Result<(), SwarmError> {
    let question = Question {
        nonce: [7; 16],
        wanted: None,
    };
    let failed = |error: &(dyn std::error::Error + 'static)| SwarmError::of("asking by UDP")(error);
    let bytes = question.encode().map_err(|error| failed(&error))?;
    let socket = std::net::UdpSocket::bind((Ipv4Addr::new(127, 0, 1, 1), 0)).map_err(|error| failed(&error))?;
    socket.set_nonblocking(true).map_err(|error| failed(&error))?;
    let socket = UdpSocket::from_std(socket).map_err(|error| failed(&error))?;
    tokio::spawn(async move {
        loop {
            // Where it is lost, the next follows.
            drop(socket.send_to(&bytes, server).await);
            tokio::task::yield_now().await;
        }
    });
    Ok(())
}

//! Bytes that come one at a time.

use std::sync::Arc;
use std::time::Duration;

use seatkeeper::wire::Opcode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use super::Attacker;
use crate::error::SwarmError;
use crate::line::{Line, Path};
use crate::machine::filler;

/// The pace of the dripping.
const EVERY: Duration = Duration::from_millis(100);

/// The beginning of a record that holds a `ClientHello`, as long as one may be.
const CLIENT_HELLO: [u8; 9] = [0x16, 3, 1, 0x3f, 0xf0, 1, 0, 0x3f, 0xec];

/// Handshakes that drip, opened again when they are cut.
pub(super) async fn handshake(attacker: &Arc<Attacker>) {
    let mut opening = JoinSet::new();
    for number in 0..500_u32 {
        let way = attacker.way(source(number));
        opening.spawn(async move {
            let first = way.tcp().await;
            tokio::spawn(async move {
                let mut tcp = first.ok();
                loop {
                    if let Some(mut open) = tcp.take() {
                        drip_handshake(&mut open).await;
                    }
                    tokio::time::sleep(EVERY).await;
                    tcp = way.tcp().await.ok();
                }
            });
        });
    }
    drop(opening.join_all().await);
}

async fn drip_handshake(tcp: &mut tokio::net::TcpStream) {
    let mut told = [0; 64];
    for byte in CLIENT_HELLO.into_iter().chain(std::iter::repeat(0)) {
        if tcp.write_all(&[byte]).await.is_err() {
            return;
        }
        if let Ok(Ok(0) | Err(_)) = tokio::time::timeout(EVERY, tcp.read(&mut told)).await {
            return;
        }
    }
}

/// Requests that drip after HELLO.
pub(super) async fn frame(attacker: &Arc<Attacker>) -> Result<(), SwarmError> {
    let failed = |error: std::io::Error| SwarmError::of("opening connections that drip")(&error);
    let bytes = filler(Opcode::CHECKOUT, 4_000).map_err(failed)?;
    let mut opening = JoinSet::new();
    for number in 0..250_u32 {
        let (way, bytes) = (attacker.way(source(number)), bytes.clone());
        opening.spawn(async move {
            let (line, _) = way.greeted().await?;
            tokio::spawn(async move {
                // Half of them have sent their header, and more.
                let sent = if number % 2 == 0 { 0 } else { 100 };
                let mut line = Some(line);
                loop {
                    if let Some(open) = line.take() {
                        drip_frame(open, &bytes, sent).await;
                    }
                    tokio::time::sleep(EVERY).await;
                    line = reopened(&way).await;
                }
            });
            Ok::<_, std::io::Error>(())
        });
    }
    for opened in opening.join_all().await {
        opened.map_err(failed)?;
    }
    Ok(())
}

async fn drip_frame(mut line: Line, bytes: &[u8], sent: usize) {
    let (at_once, later) = bytes.split_at(sent.min(bytes.len()));
    if line.send_bytes(at_once).await.is_err() {
        return;
    }
    for byte in later {
        if line.send_bytes(&[*byte]).await.is_err() {
            return;
        }
        // A parting ends it.
        if tokio::time::timeout(EVERY, line.receive()).await.is_ok() {
            return;
        }
    }
}

async fn reopened(way: &Path) -> Option<Line> {
    way.greeted().await.ok().map(|(line, _)| line)
}

/// The `number`th connection's address: 25 on each.
fn source(number: u32) -> u8 {
    u8::try_from(number / 25 % 200 + 1).unwrap_or(1)
}

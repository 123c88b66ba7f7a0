//! Connections that are held.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncReadExt;
use tokio::task::JoinSet;

use super::{Attacker, OTHERS};
use crate::error::SwarmError;
use crate::line::{Line, frame};
use crate::machine::Machine;

/// How long somebody waits who was cut before it connects again.
const PAUSE: Duration = Duration::from_millis(200);

/// Connections that say nothing.
pub(super) async fn idle(attacker: &Arc<Attacker>) {
    let mut opening = JoinSet::new();
    for source in 1..=50 {
        let way = attacker.way(source);
        opening.spawn(async move {
            for _ in 0..200 {
                let mut tcp = way.tcp().await.ok();
                let way = way.clone();
                tokio::spawn(async move {
                    loop {
                        if let Some(mut open) = tcp.take() {
                            // It ends when the server ends it.
                            drop(open.read(&mut [0; 16]).await);
                        }
                        tokio::time::sleep(PAUSE).await;
                        tcp = way.tcp().await.ok();
                    }
                });
            }
        });
    }
    drop(opening.join_all().await);
}

/// Sessions that ask and never read.
pub(super) async fn unread(attacker: &Arc<Attacker>) -> Result<(), SwarmError> {
    let failed = |error: std::io::Error| SwarmError::of("opening connections that never read")(&error);
    let mut opening = JoinSet::new();
    for number in 0..128 {
        let way = attacker.way(1);
        let request = Machine::new(OTHERS + number).request(attacker.vendor);
        let body = request
            .to_body()
            .map_err(|error| failed(std::io::Error::other(error)))?;
        let bytes: Bytes = frame(request.opcode(), 3, body).map_err(failed)?.repeat(64).into();
        opening.spawn(async move {
            let (line, _) = way.greeted().await?;
            tokio::spawn(async move {
                let mut line = Some(line);
                loop {
                    if let Some(open) = line.take() {
                        ask_and_never_read(open, &bytes).await;
                    }
                    tokio::time::sleep(PAUSE).await;
                    line = way.greeted().await.ok().map(|(line, _)| line);
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

async fn ask_and_never_read(mut line: Line, bytes: &[u8]) {
    while line.send_bytes(bytes).await.is_ok() {}
}

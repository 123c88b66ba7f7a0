//! What systemd is told of the server: that it serves, that it is alive, that it stops. Without systemd, nothing.

use std::net::SocketAddr;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;

use crate::domain::command::{Actor, Command};
use crate::service::{Service, SubmitError};

/// The server takes connections now.
pub(super) fn ready(addresses: &[SocketAddr]) {
    let addresses: Vec<_> = addresses.iter().map(SocketAddr::to_string).collect();
    tell(&[
        NotifyState::Ready,
        NotifyState::Status(&format!("serving on {}", addresses.join(", "))),
    ]);
}

/// The server takes over another configuration.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        // systemd wants both in one message, and takes one without the other for a failure.
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "systemd cannot be told when the configuration is read again"),
    }
}

/// It has done so, and goes on.
pub(super) fn reloaded() {
    tell(&[NotifyState::Ready]);
}

/// The server takes nothing new any more.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// As long as the writer answers, tells so twice in each time after which systemd would start the server anew
/// (`WatchdogSec=` of the unit).
pub(super) async fn keep_alive(service: Service, stop: CancellationToken) {
    let Some(within) = sd_notify::watchdog_enabled() else {
        return;
    };
    let half = within / 2;
    let mut due = tokio::time::interval(half);
    while stop.run_until_cancelled(due.tick()).await.is_some() {
        if is_alive(&service, half).await {
            tell(&[NotifyState::Watchdog]);
        } else {
            tracing::warn!("the writer did not answer within {half:?}; is the disk well?");
        }
    }
}

/// Whether the writer answers in time. A full queue has a place again as soon as it goes on: somebody who floods the server
/// does not make it look dead.
async fn is_alive(service: &Service, within: Duration) -> bool {
    let asking = async {
        loop {
            match service.submit(Actor::Server, Command::Status, 0) {
                Ok(reply) => return reply.await.is_ok(),
                Err(SubmitError::Busy) => service.room().await,
                Err(SubmitError::Stopped) => return false,
            }
        }
    };
    tokio::time::timeout(within, asking).await.unwrap_or(false)
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "systemd cannot be told how the server is");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::domain::time::Timestamp;
    use crate::service::{NewSeatLimits, Writer, rounds};
    use crate::store::MemoryStore;

    #[tokio::test]
    async fn a_writer_that_stands_still_is_not_alive_and_one_that_goes_on_is_also_behind_a_full_queue() {
        let writer = Writer::load(MemoryStore::default(), NewSeatLimits::default()).expect("empty");
        let (service, mut rounds) = rounds(writer, Clock::manual(Timestamp(1)), 4);
        assert!(!is_alive(&service, Duration::from_millis(50)).await, "nobody decides");
        while service.submit(Actor::Server, Command::Status, 0).is_ok() {}
        assert!(
            !is_alive(&service, Duration::from_millis(50)).await,
            "the queue stays full"
        );
        let deciding = tokio::task::spawn_blocking(move || {
            while rounds.take() {
                while rounds.decide().expect("commits") > 0 {}
                std::thread::yield_now();
            }
        });
        assert!(is_alive(&service, Duration::from_secs(20)).await);
        drop(service);
        deciding.await.expect("ends with the last handle");
    }
}

//! One machine's start: connect, prove, renew, hang up; and again, when it is told to wait.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use seatkeeper::domain::ids::VendorId;
use seatkeeper::wire::Status;
use seatkeeper::wire::messages::Response;
use seatkeeper::wire::messages::hello::Refusal;
use tokio::sync::Semaphore;

use crate::clock::Moment;
use crate::line::{Path, hello};
use crate::machine::Machine;
use crate::report::{Counts, count};

/// After this time a start is given up, and the machine counts as lost.
const PATIENCE: Duration = Duration::from_mins(5);

/// What takes longer than this hangs: the next try is another connection.
const TRY_WITHIN: Duration = Duration::from_secs(30);

/// How long a machine waits that was turned away without a word.
const PAUSE: Duration = Duration::from_millis(250);

/// How long one waits that is told to wait but not how long, as agents do.
const UNTOLD_PAUSE: Duration = Duration::from_secs(1);

/// What a start is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Aim {
    /// HELLO and a seat of this vendor's product, which a server gives.
    Seat(VendorId),
    /// The handshake, behind which the floor closes.
    Handshake,
}

/// A machine that starts, and what it starts with.
pub(super) struct Starter {
    pub(super) machine: Machine,
    pub(super) way: Path,
}

/// What came of one start.
#[derive(Debug)]
pub(super) struct Started {
    /// From when it was due until it was done.
    pub(super) waited: Duration,
    /// From when it first connected until it was done.
    pub(super) served: Duration,
    /// How often it was told to ask again later, by the status.
    pub(super) put_off: Counts,
    /// What went wrong meanwhile, by its words.
    pub(super) failed: Counts,
    /// Whether it has what it came for.
    pub(super) is_served: bool,
}

/// How one try ended.
enum Tried {
    Served,
    /// Told to ask again after a time.
    Later(Status, Duration),
    /// Refused by rules: asking again does not help.
    Refused(String),
}

impl Starter {
    /// Starts, with a place among those that may be connected; it gives that up while it waits.
    pub(super) async fn start(&mut self, to: SocketAddr, aim: Aim, places: &Semaphore, due: Moment) -> Started {
        self.way.server = to;
        let (mut put_off, mut failed) = (Counts::new(), Counts::new());
        let mut begun = None;
        let mut is_served = false;
        while !is_served {
            let place = places.acquire().await;
            let first = *begun.get_or_insert_with(Moment::now);
            let tried = match tokio::time::timeout(TRY_WITHIN, self.attempt(aim)).await {
                Ok(tried) => tried,
                Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time")),
            };
            drop(place);
            let pause = match tried {
                Ok(Tried::Served) => {
                    is_served = true;
                    continue;
                }
                Ok(Tried::Later(status, pause)) => {
                    count(&mut put_off, format!("{status:?}"));
                    pause
                }
                Ok(Tried::Refused(said)) => {
                    count(&mut failed, said);
                    break;
                }
                Err(error) => {
                    count(&mut failed, error.to_string());
                    PAUSE
                }
            };
            if first.ago() + pause > PATIENCE {
                break;
            }
            tokio::time::sleep(pause).await;
        }
        Started {
            waited: due.ago(),
            served: begun.map_or(Duration::ZERO, Moment::ago),
            put_off,
            failed,
            is_served,
        }
    }

    async fn attempt(&mut self, aim: Aim) -> io::Result<Tried> {
        let mut line = self.way.open().await?;
        let Aim::Seat(vendor) = aim else {
            line.ended().await?;
            line.close().await;
            return Ok(Tried::Served);
        };
        if let Response::Refused(status, refusal) = line.request(&hello()).await? {
            return Ok(refused(status, &refusal));
        }
        let answer = line.request(&self.machine.request(vendor)).await?;
        let tried = match answer {
            Response::Checkout(granted) => {
                self.machine.told(granted.continuation);
                Tried::Served
            }
            Response::Refused(status, refusal) => refused(status, &refusal),
            other => return Err(io::Error::other(format!("a checkout was answered {other:?}"))),
        };
        line.close().await;
        Ok(tried)
    }
}

fn refused(status: Status, refusal: &Refusal) -> Tried {
    match (status, refusal.retry_secs) {
        (_, Some(secs)) => Tried::Later(status, Duration::from_secs(secs.into())),
        (Status::BUSY | Status::SLOW_DOWN | Status::DISK_FULL | Status::GOING_AWAY, None) => {
            Tried::Later(status, UNTOLD_PAUSE)
        }
        (_, None) => Tried::Refused(format!("{status:?}: {}", refusal.text)),
    }
}

/// So many places for those that may be connected.
pub(super) fn places(count: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_told_when_to_ask_again_asks_again_then_and_who_is_refused_does_not() {
        let with = |retry_secs| Refusal {
            text: "why".to_owned(),
            retry_secs,
            ..Refusal::default()
        };
        for (status, retry_secs, pause) in [
            (Status::SLOW_DOWN, Some(4), Duration::from_secs(4)),
            (Status::BUSY, None, UNTOLD_PAUSE),
        ] {
            match refused(status, &with(retry_secs)) {
                Tried::Later(told, after) => assert_eq!((told, after), (status, pause)),
                Tried::Served | Tried::Refused(_) => panic!("{status:?}"),
            }
        }
        match refused(Status::SEATS_EXHAUSTED, &with(None)) {
            Tried::Refused(said) => assert_eq!(said, "SEATS_EXHAUSTED: why"),
            Tried::Served | Tried::Later(..) => panic!("it would ask forever"),
        }
    }
}

//! The same connections, asked at times that were set beforehand: so many a second in all, whatever is answered. What each
//! request waits is counted from when it was due (no coordinated omission).

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use bytes::BytesMut;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;

use super::{Asked, Drive, Driver, unasked};
use crate::clock::Moment;
use crate::error::SwarmError;
use crate::latency::Latencies;
use crate::mix::Kind;
use crate::report::{Counts, count, sum};

/// Requests that a connection may have under way: what the protocol allows. What is due beyond that waits, and its waiting
/// counts.
const IN_FLIGHT_MAX: usize = 64;

/// What came of it.
#[derive(Debug)]
pub(crate) struct Paced {
    /// When each was due, and how long it waited from then on.
    answered: Vec<(Moment, Duration)>,
    /// What was refused, by its words.
    pub(crate) refused: Counts,
}

impl Paced {
    /// How long those waited that were due from one moment to another.
    pub(crate) fn between(&self, from: Moment, to: Moment) -> Latencies {
        let mut latencies = Latencies::new();
        let is_within = |due: Moment| from.since(due).is_zero() && !to.since(due).is_zero();
        for &(_, took) in self.answered.iter().filter(|(due, _)| is_within(*due)) {
            latencies.note(took);
        }
        latencies
    }
}

impl Drive {
    /// Has them ask `rate` times a second in all, as long as `meanwhile` takes.
    pub(crate) async fn pace_while<T>(
        &mut self,
        rate: u32,
        meanwhile: impl Future<Output = Result<T, SwarmError>>,
    ) -> Result<(Paced, T), SwarmError> {
        let is_over = Arc::new(AtomicBool::new(false));
        let mut asking = JoinSet::new();
        let mut connections = Vec::with_capacity(self.drivers.len());
        for mut driver in self.drivers.drain(..) {
            // What is due while the other side stands still has to wait here, or its waiting would not be counted: as much as the
            // rate makes in that time, and whoever answers at all catches up.
            let (due, dues) = mpsc::unbounded_channel();
            connections.push(due);
            asking.spawn(async move {
                let outcome = driver.ask_when_due(dues).await;
                (driver, outcome)
            });
        }
        let apart = Duration::from_secs(1) / rate.max(1);
        let told = Arc::clone(&is_over);
        let telling = thread::spawn(move || tell_when_due(&connections, apart, &told));
        let ending = async {
            let outcome = meanwhile.await;
            is_over.store(true, Ordering::Release);
            outcome
        };
        let drivers = &mut self.drivers;
        let answering = async {
            let mut paced = Paced {
                answered: Vec::new(),
                refused: Counts::new(),
            };
            while let Some(joined) = asking.join_next().await {
                let doing = "asking at times that were set beforehand";
                let (driver, outcome) = joined.map_err(|error| SwarmError::of(doing)(&error))?;
                let one = outcome.map_err(|error| SwarmError::of(doing)(&error))?;
                paced.answered.extend(one.answered);
                paced.refused = sum([&paced.refused, &one.refused]);
                drivers.push(driver);
            }
            Ok(paced)
        };
        // Whoever cannot ask any more waits for nothing.
        let outcome = tokio::try_join!(answering, ending);
        is_over.store(true, Ordering::Release);
        // It sleeps no longer than from one request to the next.
        drop(telling.join());
        outcome
    }
}

/// Tells one connection after the other that a request of it is due. A thread of its own: timers of the runtime are a
/// millisecond late, which is as long as an answer takes.
fn tell_when_due(connections: &[UnboundedSender<Moment>], apart: Duration, is_over: &AtomicBool) {
    let mut due = Moment::now();
    for connection in connections.iter().cycle() {
        if is_over.load(Ordering::Acquire) {
            return;
        }
        let early = due.since(Moment::now());
        if !early.is_zero() {
            thread::sleep(early);
        }
        // One that broke off is told about by whoever waits for all of them.
        if connection.send(due).is_err() {
            return;
        }
        due = due.after(apart);
    }
}

impl Driver {
    async fn ask_when_due(&mut self, mut dues: UnboundedReceiver<Moment>) -> io::Result<Paced> {
        let depth = IN_FLIGHT_MAX.min(self.seated.len());
        let mut under_way: VecDeque<(Asked, Moment)> = VecDeque::with_capacity(depth);
        let (mut out, mut is_open) = (BytesMut::new(), true);
        let mut paced = Paced {
            answered: Vec::new(),
            refused: Counts::new(),
        };
        loop {
            tokio::select! {
                due = dues.recv(), if is_open && under_way.len() < depth => {
                    let mut next = due;
                    is_open = next.is_some();
                    while let Some(due) = next {
                        // As many as are under way at most have seats: one of them is free.
                        under_way.extend(self.ask(Kind::Renew, &mut out).map(|asked| (asked, due)));
                        next = if under_way.len() < depth { dues.try_recv().ok() } else { None };
                    }
                    self.line.send_bytes(&out).await?;
                    out.clear();
                }
                answer = self.line.receive(), if !under_way.is_empty() => {
                    let mut answer = Some(answer?);
                    while let Some(frame) = answer {
                        let (asked, due) = under_way.pop_front().ok_or_else(|| unasked(&frame))?;
                        paced.answered.push((due, due.ago()));
                        if let Some(said) = self.told(&asked, &frame)? {
                            count(&mut paced.refused, said);
                        }
                        answer = self.line.received()?;
                    }
                }
                else => return Ok(paced),
            }
        }
    }
}

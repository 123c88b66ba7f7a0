//! Connections that always have so many requests under way: each sends the next as soon as one is answered.
//!
//! So what each request waits is counted from when it was sent: a closed loop, which tells what a server can do at most. A
//! server that stands still is asked less meanwhile; `attack` measures what those wait who come at times of their own.

mod paced;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use seatkeeper::tls::Identity;
use seatkeeper::wire::messages::Response;
use seatkeeper::wire::{Frame, Status};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::clock::Moment;
use crate::error::SwarmError;
use crate::latency::Latencies;
use crate::line::{Line, Path, read};
use crate::mold::{Mold, continuation_in};
use crate::report::{Counts, count, sum};
use crate::site::config_of;
use crate::sources::{CONNECTIONS_PER_SOURCE, REQUESTS_PER_SOURCE, source};

/// Connections that are opened at once.
const OPENING: usize = 32;

/// Machines with their connections to one server.
pub(crate) struct Drive {
    drivers: Vec<Driver>,
}

/// A connection and the machines that ask over it.
struct Driver {
    /// Which of the identities it has.
    place: usize,
    line: Line,
    mold: Mold,
    machines: Vec<Driven>,
    next: usize,
    request: u32,
}

/// A machine and the continuation number that it sends next.
#[derive(Clone, Copy)]
struct Driven {
    number: u32,
    continuation: u64,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Driving {
    /// What was answered within the time, and how long each waited.
    pub(crate) answered: Latencies,
    /// How long it was measured.
    pub(crate) took: Duration,
    /// What was refused, by its words.
    pub(crate) refused: Counts,
}

impl Driving {
    fn new() -> Self {
        Self {
            answered: Latencies::new(),
            took: Duration::ZERO,
            refused: Counts::new(),
        }
    }

    /// Answers a second.
    pub(crate) fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^52")]
        let count = self.answered.summary().count as f64;
        count / self.took.as_secs_f64()
    }
}

/// How a run ends.
#[derive(Clone, Debug)]
pub(crate) enum Until {
    /// After so long.
    Time(Duration),
    /// When each machine has asked so often.
    Rounds(usize),
    /// When this says so.
    Told(Arc<AtomicBool>),
}

impl Drive {
    /// Connects as each of the identities, from as many addresses of this host as `depth` requests under way on each take.
    pub(crate) async fn connect(
        server: SocketAddr,
        mold: &Mold,
        identities: &[Identity],
        depth: usize,
    ) -> Result<Self, SwarmError> {
        let each = (REQUESTS_PER_SOURCE / depth.max(1)).clamp(1, CONNECTIONS_PER_SOURCE);
        let mut drivers = Vec::with_capacity(identities.len());
        let mut opening = JoinSet::new();
        let mut places: VecDeque<_> = identities.iter().enumerate().collect();
        while !(places.is_empty() && opening.is_empty()) {
            while opening.len() < OPENING
                && let Some((place, identity)) = places.pop_front()
            {
                let way = Path {
                    server,
                    from: Some(source(place / each)),
                    tls: config_of(identity)?,
                };
                opening.spawn(async move { (place, way.greeted().await) });
            }
            if let Some(opened) = opening.join_next().await {
                let (place, line) = opened.map_err(|error| SwarmError::of("opening a connection")(&error))?;
                let (line, _) = line.map_err(|error| SwarmError::of(format!("connecting to {server}"))(&error))?;
                drivers.push(Driver {
                    place,
                    line,
                    mold: mold.clone(),
                    machines: Vec::new(),
                    next: 0,
                    request: 1,
                });
            }
        }
        Ok(Self { drivers })
    }

    /// Has all of them ask, `depth` at a time, and tells now and then how many were answered.
    pub(crate) async fn run(&mut self, depth: usize, until: Until) -> Result<Driving, SwarmError> {
        let (start, started) = watch::channel(false);
        let mut running = JoinSet::new();
        for mut driver in self.drivers.drain(..) {
            let (mut started, until) = (started.clone(), until.clone());
            running.spawn(async move {
                // All at once: whoever was dropped means that none will start.
                drop(started.wait_for(|started| *started).await);
                let outcome = driver.run(depth, until).await;
                (driver, outcome)
            });
        }
        let begun = Moment::now();
        start.send_replace(true);
        let mut driving = Driving::new();
        for (driver, outcome) in running.join_all().await {
            let one = outcome.map_err(|error| SwarmError::of("asking over an open connection")(&error))?;
            driving.answered.and(&one.answered);
            driving.refused = sum([&driving.refused, &one.refused]);
            self.drivers.push(driver);
        }
        driving.took = match until {
            Until::Time(time) => time,
            Until::Rounds(_) | Until::Told(_) => begun.ago(),
        };
        Ok(driving)
    }

    /// Has all of them ask, `depth` at a time, as long as `meanwhile` takes.
    pub(crate) async fn run_while<T>(
        &mut self,
        depth: usize,
        meanwhile: impl Future<Output = Result<T, SwarmError>>,
    ) -> Result<(Driving, T), SwarmError> {
        let is_over = Arc::new(AtomicBool::new(false));
        let telling = async {
            let outcome = meanwhile.await;
            is_over.store(true, Ordering::Release);
            outcome
        };
        // Whoever cannot ask any more waits for nothing.
        tokio::try_join!(self.run(depth, Until::Told(Arc::clone(&is_over))), telling)
    }

    /// Deals further machines out among the connections; they have no seats yet.
    pub(crate) fn deal(&mut self, numbers: Range<u32>) {
        let count = self.drivers.len();
        for driver in &mut self.drivers {
            let own = numbers.clone().skip(driver.place).step_by(count);
            driver.machines.extend(own.map(|number| Driven {
                number,
                continuation: 0,
            }));
        }
    }

    /// Hangs up.
    pub(crate) async fn close(self) {
        for driver in self.drivers {
            driver.line.close().await;
        }
    }
}

impl Driver {
    async fn run(&mut self, depth: usize, until: Until) -> io::Result<Driving> {
        let begun = Moment::now();
        let (end, mut left) = match until {
            Until::Time(time) => (Some(begun.after(time)), usize::MAX),
            Until::Rounds(rounds) => (None, rounds.saturating_mul(self.machines.len())),
            Until::Told(_) => (None, usize::MAX),
        };
        let is_told = || matches!(&until, Until::Told(told) if told.load(Ordering::Acquire));
        // A machine has one request under way: its next one needs the number in the answer.
        let depth = depth.min(self.machines.len());
        let mut under_way: VecDeque<(usize, Moment)> = VecDeque::with_capacity(depth);
        let (mut out, mut driving) = (BytesMut::new(), Driving::new());
        loop {
            let is_over = is_told() || end.is_some_and(|end| end.ago() > Duration::ZERO);
            while !is_over && left > 0 && under_way.len() < depth {
                left -= 1;
                under_way.push_back((self.ask(&mut out), Moment::now()));
            }
            if under_way.is_empty() {
                return Ok(driving);
            }
            if !out.is_empty() {
                self.line.send_bytes(&out).await?;
                out.clear();
            }
            let mut answer = Some(self.line.receive().await?);
            while let Some(frame) = answer {
                let (place, sent) = under_way.pop_front().ok_or_else(|| unasked(&frame))?;
                // What is answered behind the end counts for nothing: the time that it took is not counted either.
                if end.is_none_or(|end| end.ago() == Duration::ZERO) {
                    driving.answered.note(sent.ago());
                }
                self.told(place, &frame, &mut driving.refused)?;
                answer = self.line.received()?;
            }
        }
    }

    /// Keeps what the machine at this place was told.
    fn told(&mut self, place: usize, frame: &Frame, refused: &mut Counts) -> io::Result<()> {
        if let (Status::OK, Some(number)) = (frame.status, continuation_in(frame.opcode, &frame.body)) {
            if let Some(driven) = self.machines.get_mut(place) {
                driven.continuation = number;
            }
        } else {
            count(refused, said(frame)?);
        }
        Ok(())
    }

    /// Writes the next machine's request; its place.
    fn ask(&mut self, out: &mut BytesMut) -> usize {
        let place = self.next;
        self.next = (place + 1) % self.machines.len().max(1);
        if let Some(&Driven { number, continuation }) = self.machines.get(place) {
            self.mold.cast(self.request, number, continuation, out);
            self.request = self.request.wrapping_add(1).max(1);
        }
        place
    }
}

fn unasked(frame: &Frame) -> io::Error {
    io::Error::other(format!("an answer to nothing: {:?}", read(frame)))
}

/// The words of an answer that is no grant.
fn said(frame: &Frame) -> io::Result<String> {
    Ok(match read(frame)? {
        Response::Refused(status, refusal) => format!("{status:?}: {}", refusal.text),
        other => format!("not a grant: {:?}", other.status()),
    })
}

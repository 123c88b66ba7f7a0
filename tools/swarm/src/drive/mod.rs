//! Connections that always have so many requests under way: each sends the next as soon as one is answered.
//!
//! So what each request waits is counted from when it was sent: a closed loop, which tells what a server can do at most. A
//! server that stands still is asked less meanwhile; `attack` measures what those wait who come at times of their own.

mod paced;

use std::collections::{BTreeMap, VecDeque};
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
use crate::mix::{Kind, Mix};
use crate::mold::{Molds, continuation_in};
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
    molds: Arc<Molds>,
    /// Those that have a seat, or ask for one, but for those that have a request under way; who asked longest ago is first.
    seated: VecDeque<Driven>,
    /// Those that have none, likewise.
    spare: VecDeque<Driven>,
    /// What is asked, again and again.
    order: Vec<Kind>,
    next: usize,
    request: u32,
}

/// A machine and the continuation number that it sends next.
#[derive(Clone, Copy)]
struct Driven {
    number: u32,
    continuation: u64,
}

/// A request under way.
struct Asked {
    kind: Kind,
    /// Whose it is, where it is a machine's own: it has no other one under way, whose answer might tell it another number.
    machine: Option<Driven>,
    sent: Moment,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Driving {
    /// What of each kind was answered within the time, and how long each waited.
    pub(crate) kinds: BTreeMap<Kind, Latencies>,
    /// How long it was measured.
    pub(crate) took: Duration,
    /// What was refused, by its words.
    pub(crate) refused: Counts,
}

impl Driving {
    fn new() -> Self {
        Self {
            kinds: BTreeMap::new(),
            took: Duration::ZERO,
            refused: Counts::new(),
        }
    }

    /// All that was answered within the time, and how long each waited.
    pub(crate) fn answered(&self) -> Latencies {
        Latencies::all(self.kinds.values())
    }

    /// Answers a second.
    pub(crate) fn rate(&self) -> f64 {
        self.kinds.keys().map(|kind| self.rate_of(*kind)).sum()
    }

    /// Answers a second of one kind.
    pub(crate) fn rate_of(&self, kind: Kind) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^52")]
        let count = self.kinds.get(&kind).map_or(0, Latencies::count) as f64;
        count / self.took.as_secs_f64()
    }

    fn note(&mut self, kind: Kind, took: Duration) {
        self.kinds.entry(kind).or_insert_with(Latencies::new).note(took);
    }

    fn and(&mut self, other: &Self) {
        for (kind, answered) in &other.kinds {
            self.kinds.entry(*kind).or_insert_with(Latencies::new).and(answered);
        }
        self.refused = sum([&self.refused, &other.refused]);
    }
}

/// How a run ends.
#[derive(Clone, Debug)]
pub(crate) enum Until {
    /// After so long.
    Time(Duration),
    /// When each machine has asked so often, where all are asked for is renewals.
    Rounds(usize),
    /// When this says so.
    Told(Arc<AtomicBool>),
}

impl Drive {
    /// Connects as each of the identities, from as many addresses of this host as `depth` requests under way on each take.
    pub(crate) async fn connect(
        server: SocketAddr,
        molds: &Arc<Molds>,
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
                    molds: Arc::clone(molds),
                    seated: VecDeque::new(),
                    spare: VecDeque::new(),
                    order: vec![Kind::Renew],
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
            driving.and(&one);
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

    /// Deals further machines out among the connections; they have no seats yet, and ask for one with the first renewal.
    pub(crate) fn deal(&mut self, numbers: Range<u32>) {
        self.deal_to(numbers, |driver| &mut driver.seated);
    }

    /// Has what is mixed asked from now on, in the order of the seed. Machines that have no seat are dealt out for the
    /// checkouts: as many as can be under way at `depth`, and one more, for each connection.
    pub(crate) fn mix(&mut self, mix: &Mix, seed: u64, spares: Range<u32>) {
        self.deal_to(spares, |driver| &mut driver.spare);
        let mut orders = mix.orders(seed, self.drivers.len());
        for driver in &mut self.drivers {
            if let Some(order) = orders.get_mut(driver.place) {
                driver.order = std::mem::take(order);
            }
        }
    }

    fn deal_to(&mut self, numbers: Range<u32>, whose: fn(&mut Driver) -> &mut VecDeque<Driven>) {
        let count = self.drivers.len();
        for driver in &mut self.drivers {
            let own = numbers.clone().skip(driver.place).step_by(count);
            whose(driver).extend(own.map(|number| Driven {
                number,
                continuation: 0,
            }));
        }
    }

    /// Connections.
    pub(crate) const fn connections(&self) -> usize {
        self.drivers.len()
    }

    /// Those that ask next over so many connections from one on, each in its turn; further ones where there are fewer connections.
    pub(crate) fn next_machines(&self, from: usize, count: usize) -> Vec<u32> {
        let connections = self.drivers.len().max(1);
        let at = |place: usize| {
            let driver = self.drivers.get((from + place) % connections)?;
            driver.seated.get(place / connections).map(|driven| driven.number)
        };
        (0..count).filter_map(at).collect()
    }

    /// Has as many ask one after the other, over the same connections, each when the one before it is answered.
    pub(crate) async fn one_by_one(&mut self, kind: Kind, from: usize, count: usize) -> Result<Latencies, SwarmError> {
        let doing = || format!("asking one by one: {}", kind.name());
        let (mut took, connections) = (Latencies::new(), self.drivers.len().max(1));
        for place in from..from + count {
            if let Some(driver) = self.drivers.get_mut(place % connections) {
                let one = driver.once(kind).await;
                took.note(one.map_err(|error| SwarmError::of(doing())(&error))?);
            }
        }
        Ok(took)
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
            Until::Rounds(rounds) => (None, rounds.saturating_mul(self.seated.len())),
            Until::Told(_) => (None, usize::MAX),
        };
        let is_told = || matches!(&until, Until::Told(told) if told.load(Ordering::Acquire));
        let mut under_way: VecDeque<Asked> = VecDeque::with_capacity(depth);
        let (mut out, mut driving) = (BytesMut::new(), Driving::new());
        loop {
            let is_over = is_told() || end.is_some_and(|end| end.ago() > Duration::ZERO);
            while !is_over
                && left > 0
                && under_way.len() < depth
                && let Some(asked) = self.ask_next(&mut out)
            {
                left -= 1;
                under_way.push_back(asked);
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
                let asked = under_way.pop_front().ok_or_else(|| unasked(&frame))?;
                // What is answered behind the end counts for nothing: the time that it took is not counted either.
                if end.is_none_or(|end| end.ago() == Duration::ZERO) {
                    driving.note(asked.kind, asked.sent.ago());
                }
                if let Some(said) = self.told(&asked, &frame)? {
                    count(&mut driving.refused, said);
                }
                answer = self.line.received()?;
            }
        }
    }

    /// Asks, waits until that is answered, and tells how long it took.
    async fn once(&mut self, kind: Kind) -> io::Result<Duration> {
        let mut out = BytesMut::new();
        let no_machine = || io::Error::other("there is no machine for it");
        let asked = self.ask(kind, &mut out).ok_or_else(no_machine)?;
        self.line.send_bytes(&out).await?;
        let answer = self.line.receive().await?;
        let took = asked.sent.ago();
        match self.told(&asked, &answer)? {
            None => Ok(took),
            Some(said) => Err(io::Error::other(said)),
        }
    }

    /// Writes the request that is next in the order; nothing before there is a machine for it.
    fn ask_next(&mut self, out: &mut BytesMut) -> Option<Asked> {
        let asked = self.ask(*self.order.get(self.next)?, out)?;
        self.next = (self.next + 1) % self.order.len();
        Some(asked)
    }

    fn ask(&mut self, kind: Kind, out: &mut BytesMut) -> Option<Asked> {
        // A machine has one request under way: its next one needs the number in the answer.
        let machine = match kind {
            Kind::Renew | Kind::Release => Some(self.seated.pop_front()?),
            Kind::Checkout => Some(self.spare.pop_front()?),
            Kind::Query | Kind::Explain => None,
        };
        let about = machine.or_else(|| self.seated.front().copied());
        let Driven { number, continuation } = about?;
        self.molds.of(kind).cast(self.request, number, continuation, out);
        self.request = self.request.wrapping_add(1).max(1);
        Some(Asked {
            kind,
            machine,
            sent: Moment::now(),
        })
    }

    /// Takes an answer; its words, where it is a refusal. A machine that was refused a seat goes on asking for one.
    fn told(&mut self, asked: &Asked, answer: &Frame) -> io::Result<Option<String>> {
        let mut machine = asked.machine;
        let number = continuation_in(answer.opcode, &answer.body);
        let is_done = match (asked.kind, &mut machine) {
            (Kind::Renew | Kind::Checkout, Some(driven)) => {
                driven.continuation = number
                    .filter(|_| answer.status == Status::OK)
                    .unwrap_or(driven.continuation);
                number.is_some()
            }
            _ => true,
        };
        let queue = match asked.kind {
            Kind::Release => &mut self.spare,
            _ => &mut self.seated,
        };
        queue.extend(machine);
        if answer.status == Status::OK && is_done {
            Ok(None)
        } else {
            said(answer).map(Some)
        }
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

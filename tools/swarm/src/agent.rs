//! An agent that keeps the protocol, and how long it waits.
//!
//! It asks at times that were set beforehand, and what it waits is counted from those: a server that stops answering for a
//! second has kept everybody waiting who would have come within it, not the one who happened to ask (coordinated
//! omission).

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use seatkeeper::domain::ids::VendorId;
use seatkeeper::tls::Identity;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::clock::Moment;
use crate::error::SwarmError;
use crate::latency::Latencies;
use crate::line::{Line, Path};
use crate::machine::{Machine, Taken};
use crate::report::{Counts, count, sum};
use crate::site::config_of;

/// Agents that start, one after the other; more of them would engage more seats than one address may in a minute.
pub(crate) const STARTERS: u32 = 20;

/// How often somebody asks whose connection is open.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// How often somebody starts: connects, proves who it is, renews, hangs up.
const START_EVERY: Duration = Duration::from_millis(100);

/// After this time an answer is no use to anybody.
const PATIENCE: Duration = Duration::from_secs(5);

/// The agents of a run against one server.
pub(crate) struct Agents {
    /// Whose connection stays open.
    standing: Agent,
    starters: Vec<Arc<Mutex<Agent>>>,
}

struct Agent {
    way: Path,
    vendor: VendorId,
    machine: Machine,
}

/// What agents met with.
#[derive(Clone, Debug)]
pub(crate) struct Met {
    /// Requests over a connection that stays open.
    pub(crate) asked: Latencies,
    /// Whole starts.
    pub(crate) started: Latencies,
    /// How often it went wrong, by what was said.
    pub(crate) failed: Counts,
}

impl Met {
    fn new() -> Self {
        Self {
            asked: Latencies::new(),
            started: Latencies::new(),
            failed: Counts::new(),
        }
    }

    fn fail(&mut self, error: &io::Error) {
        count(&mut self.failed, error.to_string());
    }

    /// How often it went wrong.
    pub(crate) fn failures(&self) -> u64 {
        self.failed.values().sum()
    }
}

impl Agents {
    /// Agents with these identities, one more than [`STARTERS`], each of which has its seat at `server` then.
    pub(crate) async fn admitted(
        server: SocketAddr,
        vendor: VendorId,
        identities: &[Identity],
    ) -> Result<Self, SwarmError> {
        let mut agents = Vec::new();
        for (number, identity) in (1..).zip(identities) {
            let way = Path {
                server,
                from: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
                tls: config_of(identity)?,
            };
            let mut agent = Agent {
                way,
                vendor,
                machine: Machine::new(number),
            };
            let started = agent.start().await;
            started.map_err(|error| SwarmError::of(format!("checking out a seat at {server}"))(&error))?;
            agents.push(agent);
        }
        let standing = agents
            .pop()
            .ok_or_else(|| SwarmError::because("checking out seats", "there are no agents"))?;
        Ok(Self {
            standing,
            starters: agents.into_iter().map(|agent| Arc::new(Mutex::new(agent))).collect(),
        })
    }

    /// Waits until every agent has started without waiting for another's attack to be over.
    pub(crate) async fn settle(&mut self) -> Result<(), SwarmError> {
        for starter in &self.starters {
            let mut last = None;
            let settling = async {
                while let Err(error) = starter.lock().await.start().await {
                    last = Some(error);
                    tokio::time::sleep(START_EVERY).await;
                }
            };
            if tokio::time::timeout(PATIENCE * 6, settling).await.is_err() {
                let said = last.map_or_else(|| "no answer".to_owned(), |error| error.to_string());
                return Err(SwarmError::because("being served after an attack", said));
            }
        }
        Ok(())
    }

    /// Lets them ask and start for so long.
    pub(crate) async fn live(&mut self, duration: Duration) -> Met {
        let begun = Moment::now();
        let end = begun.after(duration);
        let starting = start_all(&self.starters, begun, end);
        let (asked, started) = tokio::join!(self.standing.ask_all(begun, end), starting);
        let mut met = asked;
        met.started = started.started;
        met.failed = sum([&met.failed, &started.failed]);
        met
    }
}

/// Has somebody start again and again, whether the one before is done or not.
async fn start_all(starters: &[Arc<Mutex<Agent>>], begun: Moment, end: Moment) -> Met {
    let mut starting = JoinSet::new();
    let mut due = begun;
    for agent in starters.iter().cycle() {
        if due.since(end) > Duration::ZERO {
            break;
        }
        due.reached().await;
        let agent = Arc::clone(agent);
        let set = due;
        starting.spawn(async move {
            // One machine does not start twice at once; what it waits for itself is the server's doing.
            let outcome = agent.lock().await.start().await;
            (outcome, set.ago())
        });
        due = due.after(START_EVERY);
    }
    let mut met = Met::new();
    for (outcome, took) in starting.join_all().await {
        met.started.note(took);
        if let Err(error) = outcome {
            met.fail(&error);
        }
    }
    met
}

impl Agent {
    /// Connects, renews, hangs up.
    async fn start(&mut self) -> io::Result<()> {
        in_time(async {
            let (mut line, _) = self.way.greeted().await?;
            self.renew(&mut line).await?;
            line.close().await;
            Ok(())
        })
        .await
    }

    async fn renew(&mut self, line: &mut Line) -> io::Result<()> {
        let request = self.machine.request(self.vendor);
        let body = request.to_body().map_err(io::Error::other)?;
        let answer = line.ask(request.opcode(), body).await?;
        match self.machine.take(&answer)? {
            Taken::Granted => Ok(()),
            Taken::Refused(status, text) => Err(io::Error::other(format!("{status:?}: {text}"))),
        }
    }

    /// Asks again and again over one connection, and connects anew where that breaks.
    async fn ask_all(&mut self, begun: Moment, end: Moment) -> Met {
        let mut met = Met::new();
        let mut open = None;
        let mut due = begun;
        while due.since(end) == Duration::ZERO {
            due.reached().await;
            if end.ago() > Duration::ZERO {
                // Due within the time and still not asked: it has waited so long, and goes on waiting.
                met.asked.note(due.ago());
                due = due.after(ASK_EVERY);
                continue;
            }
            let asked = in_time(async {
                let mut line = match open.take() {
                    Some(line) => line,
                    None => self.way.greeted().await?.0,
                };
                self.renew(&mut line).await?;
                Ok(line)
            });
            match asked.await {
                Ok(line) => open = Some(line),
                Err(error) => met.fail(&error),
            }
            met.asked.note(due.ago());
            due = due.after(ASK_EVERY);
        }
        met
    }
}

async fn in_time<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time")),
    }
}

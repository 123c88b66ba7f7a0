//! From leads to servers that were met: up to four connections at a time on each path, each proven before it is used.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use tokio::task::{AbortHandle, Id, JoinError, JoinSet};

use super::Agent;
use super::sources::Sources;
use crate::client::connect::{ConnectError, Connection, Fault, Target, connect_again};
use crate::client::deadline::Deadline;
use crate::client::state::{Pin, State};
use crate::client::ways::{Clue, Verdict, Verdicts, Way};
use crate::client::with_causes;
use crate::domain::ids::{Fingerprint, ServerId};
use crate::tls::{Identity, PinRule, Sessions};

/// Connections that are being made at a time on one path, at most. Paths do not share them, so that one whose addresses
/// are dead holds up no other.
const CONNECTS_MAX: usize = 4;

/// How long an attempt keeps its place whoever waits for it, at least; otherwise a quarter of the search's time.
const FAIR_MIN: Duration = Duration::from_millis(500);

/// Leads that one search follows on one path, at most: who forges offers crowds out no server that was named.
pub(super) const LEADS_MAX: usize = 64;

/// Which of several servers is asked first: the smallest.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Rank {
    /// Servers that hold the product come first.
    pub(super) lacks_product: bool,
    /// Then those of the lowest configured number.
    pub(super) priority: u16,
}

impl Rank {
    /// That of a server of which no more is known than its place among those that were named.
    pub(super) const fn named(place: u16) -> Self {
        Self {
            lacks_product: false,
            priority: place,
        }
    }
}

/// Where a server may be.
#[derive(Clone, Debug)]
pub(super) struct Lead {
    pub(super) target: Target,
    /// The path that led there.
    pub(super) way: Way,
    pub(super) rank: Rank,
    /// Who it says it is, if it said so. Nothing of it is proven.
    pub(super) claims: Option<(Fingerprint, ServerId)>,
}

/// A server that proved its identity, is trusted if any is, and answered HELLO.
#[derive(Debug)]
pub(super) struct Met {
    pub(super) connection: Connection,
    pub(super) lead: Lead,
    /// The pin by which it is trusted; nothing where none is pinned. Its identity may be the successor of the pin's.
    pub(super) pin: Option<Pin>,
}

impl Met {
    /// The epoch that it showed.
    pub(super) const fn epoch(&self) -> u32 {
        self.connection.hello().epoch
    }

    /// By which servers are asked in turn.
    pub(super) fn order(&self) -> (Rank, ServerId) {
        (self.lead.rank, self.connection.server())
    }
}

/// Why a lead came to nothing.
struct Lost {
    lead: Lead,
    told: String,
    /// The server asked to come again after this time.
    again: Option<Duration>,
}

/// A connection that is being made.
struct Attempt {
    task: AbortHandle,
    target: Target,
    /// Until when it keeps its place whoever waits; nothing once it was told to give it up.
    fair: Option<Deadline>,
}

/// What goes on on one path.
#[derive(Default)]
struct Lane {
    queue: VecDeque<Lead>,
    /// Those that run, the oldest first.
    attempts: Vec<Attempt>,
    /// How many leads it had.
    leads: usize,
}

/// As whom servers are met, and which.
#[derive(Clone)]
struct Trust {
    identity: Identity,
    pins: Vec<Pin>,
    sessions: Sessions,
}

/// A search under way. Dropping it ends it.
pub(super) struct Search {
    trust: Trust,
    deadline: Deadline,
    /// What feeds the search; ends with it.
    sources: Sources,
    lanes: BTreeMap<Way, Lane>,
    running: JoinSet<Result<Met, Box<Lost>>>,
    /// An attempt's time before it must give way to others.
    fair: Duration,
    /// Leads that are to be followed again after a while.
    pauses: JoinSet<Lead>,
    followed: HashSet<Target>,
    /// The epoch that each showed.
    met: HashMap<Fingerprint, u32>,
    verdicts: Verdicts,
}

impl Search {
    pub(super) fn new(agent: &Agent, state: &State, deadline: Deadline, sources: Sources) -> Self {
        Self {
            trust: Trust {
                identity: state.identity().clone(),
                pins: state.memory.pins.clone(),
                sessions: agent.sessions.clone(),
            },
            deadline,
            verdicts: Verdicts::of(&sources.ways),
            sources,
            lanes: BTreeMap::new(),
            running: JoinSet::new(),
            fair: FAIR_MIN.max(deadline.left() / 4),
            pauses: JoinSet::new(),
            followed: HashSet::new(),
            met: HashMap::new(),
        }
    }

    /// What came of each path so far.
    pub(super) fn verdicts(&self) -> Vec<Verdict> {
        self.verdicts.all()
    }

    /// The next server that was met, or one sentence on one that was not; nothing when all leads are followed.
    pub(super) async fn next(&mut self) -> Option<Result<Met, String>> {
        loop {
            while let Some(lead) = self.next_lead() {
                self.start(lead);
            }
            let overdue = self.overdue();
            tokio::select! {
                Some(done) = self.running.join_next_with_id() => {
                    if let Some(told) = self.judge(done) {
                        return Some(told);
                    }
                }
                // One that asked for patience is there: it goes before those that may be nobody.
                Some(Ok(lead)) = self.pauses.join_next() => self.lane(lead.way).queue.push_front(lead),
                Some(way) = overdue => self.give_way(way),
                Some(clue) = self.sources.clues.recv() => {
                    if let Some(told) = self.hear(clue) {
                        return Some(Err(told));
                    }
                }
                else => return None,
            }
        }
    }

    fn lane(&mut self, way: Way) -> &mut Lane {
        self.lanes.entry(way).or_default()
    }

    /// The next lead of a path that has a connection to spare.
    fn next_lead(&mut self) -> Option<Lead> {
        let mut free = self
            .lanes
            .values_mut()
            .filter(|lane| lane.attempts.len() < CONNECTS_MAX);
        free.find_map(|lane| lane.queue.pop_front())
    }

    /// Takes a clue; one sentence where it is not worth following.
    fn hear(&mut self, clue: Clue<Lead>) -> Option<String> {
        match clue {
            Clue::Asked(way, what) => self.verdicts.asked(way, what),
            Clue::Note(way, told) => self.verdicts.note(way, told),
            Clue::Lead(lead) => return self.take(lead),
            Clue::Fault(way, told) => {
                if let Some(way) = way {
                    self.verdicts.fault(way, told.clone());
                }
                return Some(told);
            }
        }
        None
    }

    /// Meets a server again after `wait`, if that is before the deadline.
    pub(super) fn again(&mut self, lead: Lead, wait: Duration) -> bool {
        let in_time = wait < self.deadline.left();
        if in_time {
            self.pauses.spawn(async move {
                tokio::time::sleep(wait).await;
                lead
            });
        }
        in_time
    }

    fn take(&mut self, lead: Lead) -> Option<String> {
        if self.lane(lead.way).leads >= LEADS_MAX || self.followed.contains(&lead.target) {
            return None;
        }
        self.lane(lead.way).leads += 1;
        match lead.claims {
            // It does not count as followed: an offer can be false, and a true one of the same place may come yet.
            Some((fingerprint, server)) if !may_be_pinned(&self.trust.pins, fingerprint, server) => {
                let told = format!("{}: {}", lead.target, Fault::NotTrusted(fingerprint));
                self.verdicts.fault(lead.way, told.clone());
                Some(told)
            }
            _ => {
                self.followed.insert(lead.target.clone());
                self.lane(lead.way).queue.push_back(lead);
                None
            }
        }
    }

    fn start(&mut self, lead: Lead) {
        let (trust, deadline) = (self.trust.clone(), self.deadline);
        let (target, way) = (lead.target.clone(), lead.way);
        let task = self.running.spawn(async move { meet(lead, &trust, deadline).await });
        let fair = Some(Deadline::after(self.fair));
        self.lane(way).attempts.push(Attempt { task, target, fair });
    }

    /// Ends, with its path, when the attempt that is the oldest of those whose places somebody waits for has had its
    /// time; with nothing, at once, where nobody waits.
    fn overdue(&self) -> impl Future<Output = Option<Way>> + use<> {
        let waited_for = self.lanes.iter().filter(|(_, lane)| !lane.queue.is_empty());
        let oldest = waited_for
            .filter_map(|(way, lane)| Some((lane.attempts.first()?.fair?.left(), *way)))
            .min();
        async move {
            let (left, way) = oldest?;
            tokio::time::sleep(left).await;
            Some(way)
        }
    }

    /// Stops the oldest attempt of a path. Its place is free when its task has ended.
    fn give_way(&mut self, way: Way) {
        if let Some(oldest) = self.lane(way).attempts.first_mut() {
            oldest.fair = None;
            oldest.task.abort();
        }
    }

    /// The attempt with this task, whose place is free from now on.
    fn ended(&mut self, id: Id) -> Option<(Way, Attempt)> {
        self.lanes.iter_mut().find_map(|(way, lane)| {
            let place = lane.attempts.iter().position(|attempt| attempt.task.id() == id)?;
            Some((*way, lane.attempts.remove(place)))
        })
    }

    fn judge(&mut self, done: Result<(Id, Result<Met, Box<Lost>>), JoinError>) -> Option<Result<Met, String>> {
        let id = done.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let attempt = self.ended(id);
        let way = attempt.as_ref().map(|(way, _)| *way);
        let told = match done {
            Ok((_, Ok(met))) => {
                // A server with several addresses is met at the first of them only; but not one that was restored and runs
                // besides the one that its backup is of.
                let (fingerprint, epoch) = (met.connection.fingerprint(), met.epoch());
                if self.met.get(&fingerprint).is_some_and(|known| epoch <= *known) {
                    return None;
                }
                self.met.insert(fingerprint, epoch);
                self.verdicts.answered(met.lead.way);
                return Some(Ok(met));
            }
            Ok((_, Err(lost))) => {
                let Lost { lead, told, again } = *lost;
                if let Some(wait) = again {
                    self.again(lead, wait);
                }
                told
            }
            Err(stopped) => match attempt {
                Some((_, Attempt { target, .. })) if stopped.is_cancelled() => {
                    format!("{target}: no answer in time: other addresses waited to be tried")
                }
                _ => format!("a connection attempt stopped: {stopped}"),
            },
        };
        if let Some(way) = way {
            self.verdicts.fault(way, told.clone());
        }
        Some(Err(told))
    }

    /// Lets a server that was met already be met once more.
    pub(super) fn forget(&mut self, fingerprint: Fingerprint) {
        self.met.remove(&fingerprint);
    }
}

/// Whether a server that says it is `fingerprint` is worth a connection: it is pinned, or may be a pinned one's
/// successor.
fn may_be_pinned(pins: &[Pin], fingerprint: Fingerprint, server: ServerId) -> bool {
    pins.is_empty()
        || pins
            .iter()
            .any(|pin| pin.fingerprint == fingerprint || pin.server.is_none_or(|known| known == server))
}

async fn meet(lead: Lead, trust: &Trust, deadline: Deadline) -> Result<Met, Box<Lost>> {
    let lost = |lead, told, again| Box::new(Lost { lead, told, again });
    let (connection, pin) = match trusted(&lead, trust, deadline).await {
        Ok(found) => found,
        Err(error) => {
            let again = error.fault.retry_after();
            return Err(lost(lead, with_causes(&error), again));
        }
    };
    let epoch = connection.hello().epoch;
    // A server that was restored without its identity is pinned twice, and is one server all the same.
    let server = ServerId(connection.hello().server);
    let same = trust.pins.iter().filter(|one| one.server == Some(server));
    let shown = same.chain(&pin).map(|one| one.epoch).max();
    match shown {
        Some(shown) if epoch < shown => {
            let told = format!(
                "{}: the server shows epoch {epoch}, older than {shown}, which it showed before: it runs on an old copy of its \
                 data; its administrator has to stop it and start the one that shows {shown}, or, where that one is lost, stop it \
                 and put in its place what `seatkeeper backup FILE` and `seatkeeper restore FILE --epoch-above {shown}` make of it",
                lead.target
            );
            Err(lost(lead, told, None))
        }
        _ => Ok(Met { connection, lead, pin }),
    }
}

async fn trusted(lead: &Lead, trust: &Trust, deadline: Deadline) -> Result<(Connection, Option<Pin>), ConnectError> {
    let Trust {
        identity,
        pins,
        sessions,
    } = trust;
    let connect = |rule| connect_again(lead.target.clone(), identity, rule, deadline, sessions);
    if pins.is_empty() {
        return Ok((connect(PinRule::Any).await?, None));
    }
    let fingerprints = pins.iter().map(|pin| pin.fingerprint.0).collect();
    let pin_of = |fingerprint| pins.iter().find(|pin| pin.fingerprint == fingerprint).cloned();
    match connect(PinRule::OneOf(fingerprints)).await {
        Err(error) if matches!(error.fault, Fault::NotTrusted(_)) => {
            // Only a successor is spared, and it is asked nothing but HELLO before it has shown that it is one.
            let connection = connect(PinRule::Any).await?;
            match connection.succeeds().into_iter().find_map(pin_of) {
                Some(pin) => Ok((connection, Some(pin))),
                None => Err(error),
            }
        }
        Err(error) => Err(error),
        Ok(connection) => {
            let pin = pin_of(connection.fingerprint());
            Ok((connection, pin))
        }
    }
}

//! From leads to servers that were met: up to four connections at a time, each proven before it is used.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};

use crate::client::connect::{ConnectError, Connection, Fault, Target, connect};
use crate::client::deadline::Deadline;
use crate::client::state::Pin;
use crate::client::with_causes;
use crate::domain::ids::{Fingerprint, ServerId};
use crate::tls::{Identity, PinRule};

/// Connections that are being made at a time, at most.
const CONNECTS_MAX: usize = 4;

/// How long an attempt keeps its place whoever waits for it, at least; otherwise a quarter of the search's time.
const FAIR_MIN: Duration = Duration::from_millis(500);

/// Leads that one search follows, at most.
pub(super) const LEADS_MAX: usize = 64;

/// Which of several servers is asked first: the smallest.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Rank {
    /// Servers that hold the product come first.
    pub(super) lacks_product: bool,
    /// Then those of the lowest configured number.
    pub(super) priority: u16,
}

/// Where a server may be.
#[derive(Clone, Debug)]
pub(super) struct Lead {
    pub(super) target: Target,
    pub(super) rank: Rank,
    /// Who it says it is, if it said so. Nothing of it is proven.
    pub(super) claims: Option<(Fingerprint, ServerId)>,
}

/// A lead, or one sentence on where none was found.
pub(super) type Clue = Result<Lead, String>;

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

/// A search under way. Dropping it ends it.
pub(super) struct Search {
    identity: Identity,
    pins: Vec<Pin>,
    deadline: Deadline,
    clues: mpsc::Receiver<Clue>,
    queue: VecDeque<Lead>,
    running: JoinSet<Result<Met, Box<Lost>>>,
    /// Those that run, the oldest first.
    attempts: Vec<Attempt>,
    /// An attempt's time before it must give way to others.
    fair: Duration,
    /// Leads that are to be followed again after a while.
    pauses: JoinSet<Lead>,
    followed: HashSet<Target>,
    /// The epoch that each showed.
    met: HashMap<Fingerprint, u32>,
    /// What feeds the clues; ends with the search.
    _sources: JoinSet<()>,
}

impl Search {
    pub(super) fn new(
        identity: &Identity,
        pins: &[Pin],
        deadline: Deadline,
        clues: mpsc::Receiver<Clue>,
        sources: JoinSet<()>,
    ) -> Self {
        Self {
            identity: identity.clone(),
            pins: pins.to_vec(),
            deadline,
            clues,
            queue: VecDeque::new(),
            running: JoinSet::new(),
            attempts: Vec::new(),
            fair: FAIR_MIN.max(deadline.left() / 4),
            pauses: JoinSet::new(),
            followed: HashSet::new(),
            met: HashMap::new(),
            _sources: sources,
        }
    }

    /// The next server that was met, or one sentence on one that was not; nothing when all leads are followed.
    pub(super) async fn next(&mut self) -> Option<Result<Met, String>> {
        loop {
            while self.running.len() < CONNECTS_MAX
                && let Some(lead) = self.queue.pop_front()
            {
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
                Some(Ok(lead)) = self.pauses.join_next() => self.queue.push_front(lead),
                Some(()) = overdue => self.give_way(),
                Some(clue) = self.clues.recv() => match clue {
                    Ok(lead) => {
                        if let Some(told) = self.take(lead) {
                            return Some(Err(told));
                        }
                    }
                    Err(told) => return Some(Err(told)),
                },
                else => return None,
            }
        }
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
        if self.followed.len() >= LEADS_MAX || !self.followed.insert(lead.target.clone()) {
            return None;
        }
        match lead.claims {
            Some((fingerprint, server)) if !may_be_pinned(&self.pins, fingerprint, server) => {
                Some(format!("{}: {}", lead.target, Fault::NotTrusted(fingerprint)))
            }
            _ => {
                self.queue.push_back(lead);
                None
            }
        }
    }

    fn start(&mut self, lead: Lead) {
        let (identity, pins, deadline) = (self.identity.clone(), self.pins.clone(), self.deadline);
        let target = lead.target.clone();
        let task = self
            .running
            .spawn(async move { meet(lead, &identity, &pins, deadline).await });
        let fair = Some(Deadline::after(self.fair));
        self.attempts.push(Attempt { task, target, fair });
    }

    /// Ends when the oldest attempt has had its time; with nothing, at once, where nobody waits for its place.
    fn overdue(&self) -> impl Future<Output = Option<()>> + use<> {
        let oldest = self.attempts.first().filter(|_| !self.queue.is_empty());
        let fair = oldest.and_then(|attempt| attempt.fair);
        async move {
            tokio::time::sleep(fair?.left()).await;
            Some(())
        }
    }

    /// Stops the oldest attempt. Its place is free when its task has ended.
    fn give_way(&mut self) {
        if let Some(oldest) = self.attempts.first_mut() {
            oldest.fair = None;
            oldest.task.abort();
        }
    }

    fn judge(&mut self, done: Result<(Id, Result<Met, Box<Lost>>), JoinError>) -> Option<Result<Met, String>> {
        let id = done.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let place = self.attempts.iter().position(|attempt| attempt.task.id() == id);
        let attempt = place.map(|place| self.attempts.remove(place));
        match done {
            Ok((_, Ok(met))) => {
                // A server with several addresses is met at the first of them only; but not one that was restored and runs
                // besides the one that its backup is of.
                let (fingerprint, epoch) = (met.connection.fingerprint(), met.epoch());
                if self.met.get(&fingerprint).is_some_and(|known| epoch <= *known) {
                    return None;
                }
                self.met.insert(fingerprint, epoch);
                Some(Ok(met))
            }
            Ok((_, Err(lost))) => {
                let Lost { lead, told, again } = *lost;
                if let Some(wait) = again {
                    self.again(lead, wait);
                }
                Some(Err(told))
            }
            Err(stopped) => Some(Err(match attempt {
                Some(Attempt { target, .. }) if stopped.is_cancelled() => {
                    format!("{target}: no answer in time: other addresses waited to be tried")
                }
                _ => format!("a connection attempt stopped: {stopped}"),
            })),
        }
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

async fn meet(lead: Lead, identity: &Identity, pins: &[Pin], deadline: Deadline) -> Result<Met, Box<Lost>> {
    let lost = |lead, told, again| Box::new(Lost { lead, told, again });
    let (connection, pin) = match trusted(&lead, identity, pins, deadline).await {
        Ok(found) => found,
        Err(error) => {
            let again = error.fault.retry_after();
            return Err(lost(lead, with_causes(&error), again));
        }
    };
    let epoch = connection.hello().epoch;
    // A server that was restored without its identity is pinned twice, and is one server all the same.
    let server = ServerId(connection.hello().server);
    let same = pins.iter().filter(|one| one.server == Some(server));
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

async fn trusted(
    lead: &Lead,
    identity: &Identity,
    pins: &[Pin],
    deadline: Deadline,
) -> Result<(Connection, Option<Pin>), ConnectError> {
    if pins.is_empty() {
        let connection = connect(lead.target.clone(), identity, PinRule::Any, deadline).await?;
        return Ok((connection, None));
    }
    let fingerprints = pins.iter().map(|pin| pin.fingerprint.0).collect();
    let pin_of = |fingerprint| pins.iter().find(|pin| pin.fingerprint == fingerprint).cloned();
    match connect(lead.target.clone(), identity, PinRule::OneOf(fingerprints), deadline).await {
        Err(error) if matches!(error.fault, Fault::NotTrusted(_)) => {
            // Only a successor is spared, and it is asked nothing but HELLO before it has shown that it is one.
            let connection = connect(lead.target.clone(), identity, PinRule::Any, deadline).await?;
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

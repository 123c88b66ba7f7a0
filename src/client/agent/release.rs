//! Giving the seat up, and looking at how things stand without taking one.

use std::collections::HashSet;

use thiserror::Error;

use super::exchange::RULES_FROM;
use super::lease::Offline;
use super::search::Search;
use super::standing::{Denied, NoServer, ServerSeen, tried};
use super::{Agent, AgentError, sources};
use crate::client::adapter::Wish;
use crate::client::state::{LastStanding, Memory, Pin};
use crate::client::ways::Verdict;
use crate::client::with_causes;
use crate::domain::ids::{Fingerprint, Mac};
use crate::wire::ReleaseOutcome;
use crate::wire::messages::seat::{Availability, Counts, Release};
use crate::wire::messages::{Request, Response};

/// What a release did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Released {
    /// The component holds the seat no more; others still do.
    Component {
        /// Counted components that still hold it.
        components_left: u32,
    },
    /// Nothing was held: nothing changed (rule S14).
    NothingHeld,
    /// The machine's last counted component was released: the seat ended. The unit of a single-use seat stays spent.
    Seat,
}

/// Why a seat was not released. An uninstaller may try again at any time.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// The agent could not even ask.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// The server refused.
    #[error("{}", .0.text)]
    Denied(Box<Denied>),
    /// No trusted server answered.
    #[error("no license server that this component trusts answered: {}", .0.tried())]
    NoServer(NoServer),
}

/// How a component stands, asked without taking a seat (rule S10).
#[derive(Clone, Debug)]
pub struct Check {
    /// The address by which this machine is counted.
    pub mac: Mac,
    /// What the agent remembers: trusted servers, the last grant, how it stood last.
    pub memory: Memory,
    /// Whether the component may run without a server.
    pub lenient: bool,
    /// What a component that is not lenient may do without a server (rule O3).
    pub offline: Offline,
    /// The product's seats and the server that told them; nothing if none did.
    pub available: Option<(Counts, ServerSeen)>,
    /// What was tried and what came of it, one sentence each.
    pub faults: Vec<String>,
    /// What came of each path by which servers were looked for.
    pub paths: Vec<Verdict>,
}

impl Check {
    /// What was tried and what came of it, in one line.
    #[must_use]
    pub fn tried(&self) -> String {
        tried(&self.faults, &self.paths)
    }
}

impl Agent {
    /// Gives the component's hold on the seat up; to be called when it is uninstalled. Asks trusted servers only.
    ///
    /// # Errors
    /// [`ReleaseError`]: the component may hold the seat still.
    pub async fn release(&self) -> Result<Released, ReleaseError> {
        let deadline = self.due();
        let mut state = self.open(deadline).await?;
        if state.memory.pins.is_empty() {
            // No server ever granted it anything.
            return Ok(Released::NothingHeld);
        }
        // The seat is where the last grant was, even if the machine would be counted by another address today.
        let mac = match (&self.wish, state.memory.grant) {
            (Wish::Automatic, Some(grant)) => grant.mac,
            _ => self.machine().await?.mac,
        };
        let request = Request::Release(Release {
            vendor: self.owner.product.vendor.0,
            product: self.owner.product.product.to_string(),
            component: self.owner.component.to_string(),
            mac: mac.bytes(),
        });
        let sources = sources::begin(self, &state.memory.pins, deadline);
        let mut search = Search::new(self, &state, deadline, sources);
        let mut faults = Vec::new();
        let mut without = HashSet::new();
        let mut released = None;
        // A server that says that nothing is held there is not the one: ask the other pinned ones too.
        while without.len() < state.memory.pins.len()
            && released.is_none()
            && let Some(Some(found)) = deadline.bound(search.next()).await
        {
            let mut met = match found {
                Ok(met) => met,
                Err(told) => {
                    faults.push(told);
                    continue;
                }
            };
            match met.connection.request(&request, deadline).await {
                Ok(Response::Release(answer)) => match read(answer.outcome, answer.components_left) {
                    Some(Released::NothingHeld) => drop(without.insert(met.connection.fingerprint())),
                    Some(outcome) => released = Some(outcome),
                    None => faults.push(format!("{}: an answer of a newer version", met.lead.target)),
                },
                Ok(Response::Refused(status, refusal)) if status.0 >= RULES_FROM => {
                    let denied = Denied::new(status, refusal, ServerSeen::of(&met.connection));
                    return Err(ReleaseError::Denied(Box::new(denied)));
                }
                Ok(Response::Refused(_, refusal)) => faults.push(format!("{}: {}", met.lead.target, refusal.text)),
                Ok(_) => faults.push(format!("{}: an answer out of turn", met.lead.target)),
                Err(error) => faults.push(with_causes(&error)),
            }
        }
        let released = match released {
            Some(released) => released,
            // One that was not heard may be the one that granted the seat.
            None if without.is_empty() || may_be_held_elsewhere(&state.memory, mac, &without) => {
                return Err(ReleaseError::NoServer(NoServer {
                    may_run: self.is_lenient(&state.memory),
                    faults,
                    paths: search.verdicts(),
                    offline: Offline::NoLease,
                }));
            }
            None => Released::NothingHeld,
        };
        let now = self.time();
        state.memory.grant = None;
        state.memory.lease = None;
        state.memory.standing = Some((LastStanding::Released, now));
        state.save(now).await.map_err(AgentError::State)?;
        Ok(released)
    }

    /// Tells how the component stands and how many seats are available. Takes and renews nothing.
    ///
    /// # Errors
    /// [`AgentError`]: what is remembered cannot be read, or the machine has no address.
    pub async fn check(&self) -> Result<Check, AgentError> {
        let deadline = self.due();
        let state = self.open(deadline).await?;
        let mac = self.machine().await?.mac;
        let request = Request::Availability(Availability {
            vendor: Some(self.owner.product.vendor.0),
            product: self.owner.product.product.to_string(),
        });
        let sources = sources::begin(self, &state.memory.pins, deadline);
        let mut search = Search::new(self, &state, deadline, sources);
        let mut check = Check {
            mac,
            lenient: self.is_lenient(&state.memory),
            offline: self.offline(&state.memory, mac, Fingerprint(state.identity().fingerprint())),
            memory: state.memory.clone(),
            available: None,
            faults: Vec::new(),
            paths: Vec::new(),
        };
        while check.available.is_none()
            && let Some(Some(found)) = deadline.bound(search.next()).await
        {
            let mut met = match found {
                Ok(met) => met,
                Err(told) => {
                    check.faults.push(told);
                    continue;
                }
            };
            match met.connection.request(&request, deadline).await {
                Ok(Response::Availability(answer)) => {
                    check.available = Some((answer.counts, ServerSeen::of(&met.connection)));
                }
                Ok(Response::Refused(_, refusal)) => {
                    check.faults.push(format!("{}: {}", met.lead.target, refusal.text));
                }
                Ok(_) => check.faults.push(format!("{}: an answer out of turn", met.lead.target)),
                Err(error) => check.faults.push(with_causes(&error)),
            }
        }
        check.paths = search.verdicts();
        Ok(check)
    }
}

/// Whether the last grant may stand at a trusted server that is not among those that hold nothing.
fn may_be_held_elsewhere(memory: &Memory, mac: Mac, without: &HashSet<Fingerprint>) -> bool {
    let has_granted = |pin: &Pin| pin.continuations.iter().any(|(granted, _)| *granted == mac);
    memory.grant.is_some_and(|grant| grant.mac == mac)
        && memory
            .pins
            .iter()
            .any(|pin| has_granted(pin) && !without.contains(&pin.fingerprint))
}

fn read(outcome: ReleaseOutcome, components_left: u32) -> Option<Released> {
    match outcome {
        ReleaseOutcome::COMPONENT_RELEASED => Some(Released::Component { components_left }),
        ReleaseOutcome::NOTHING_HELD => Some(Released::NothingHeld),
        ReleaseOutcome::SEAT_FREED => Some(Released::Seat),
        _ => None,
    }
}

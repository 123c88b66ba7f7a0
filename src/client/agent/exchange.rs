//! A checkout from the search for a server to what is remembered of its answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::enrol::enrolling;
use super::lease::{Holder, Offline, ahead_fault};
use super::proof::{Proven, ProvenAnswer, prove};
use super::search::{Met, Search};
use super::standing::{Denied, Licensed, NoServer, NotCounted, ServerSeen, Standing, Unable};
use super::{Agent, AgentError, sources};
use crate::client::adapter::Choice;
use crate::client::deadline::Deadline;
use crate::client::state::{KeptLease, LastGrant, LastStanding, Memory, Pin, State};
use crate::client::with_causes;
use crate::domain::ids::Fingerprint;
use crate::domain::time::Timestamp;
use crate::wire::limits::{DISCOVERY_SETTLE_MS, HOST_NAME_LEN_MAX};
use crate::wire::messages::hello::Refusal;
use crate::wire::messages::seat::Checkout;
use crate::wire::messages::{Request, Response};
use crate::wire::{Outcome, Status};

/// Statuses below this one are of the protocol: the rules refused nothing.
pub(super) const RULES_FROM: u16 = 0x0100;

/// At the start, or while running: one decision, told apart in the server's log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ask {
    Checkout,
    Renew,
}

/// What a server answered.
enum Answer {
    /// With the vendor's signatures under it.
    Proven(Box<Proven>, Box<Seen>),
    /// The rules refused.
    Refused(Status, Box<Refusal>, Box<Seen>),
}

/// Who answered, and the pin by which it is trusted.
struct Seen {
    server: ServerSeen,
    pin: Option<Fingerprint>,
}

/// What came of asking one server.
enum Asked {
    Answer(Answer),
    /// It has no time for us now; ask again after this.
    Later(Duration, String),
    /// It gave no usable answer.
    Fault(String),
}

impl Agent {
    pub(super) async fn check_out(&self, ask: Ask) -> Standing {
        let deadline = self.due();
        let unable = |fault: AgentError, may_run, offline| {
            Standing::Unable(Unable {
                fault: Arc::new(fault),
                may_run,
                offline,
            })
        };
        let mut state = match self.open(deadline).await {
            Ok(state) => state,
            Err(fault) => {
                let (may_run, offline) = self.without_state(&fault).await;
                return unable(fault, may_run, offline);
            }
        };
        let machine = match self.machine().await {
            Ok(machine) => machine,
            Err(fault) => return unable(fault, self.is_lenient(&state.memory), Offline::NoLease),
        };
        let at = self.time();
        let (answer, faults) = self.find_answer(&state, &machine, ask, (at, deadline)).await;
        let holder = Holder {
            owner: self.owner,
            mac: machine.mac,
            identity: Fingerprint(state.identity().fingerprint()),
        };
        let mut standing = self.conclude(answer, faults, &mut state.memory, holder);
        if let Err(error) = state.save(self.time()).await {
            standing.warn(format!("the agent cannot remember this: {}", with_causes(&error)));
        }
        standing
    }

    async fn find_answer(
        &self,
        state: &State,
        machine: &Choice,
        ask: Ask,
        (at, deadline): (Timestamp, Deadline),
    ) -> (Option<Answer>, Vec<String>) {
        let (clues, sources) = sources::begin(self, &state.memory.pins, deadline);
        let mut search = Search::new(state.identity(), &state.memory.pins, deadline, clues, sources);
        let mut round = Round {
            agent: self,
            memory: &state.memory,
            machine,
            ask,
            at,
            deadline,
            faults: Vec::new(),
            refused: None,
        };
        let answer = if state.memory.pins.is_empty() {
            round.among_strangers(&mut search).await
        } else {
            round.among_pinned(&mut search).await
        };
        (answer.or(round.refused), round.faults)
    }

    fn conclude(
        &self,
        answer: Option<Answer>,
        mut faults: Vec<String>,
        memory: &mut Memory,
        holder: Holder,
    ) -> Standing {
        let at = self.time();
        let (standing, last) = match answer {
            Some(Answer::Proven(proven, seen)) => {
                let standing = remember_proven(*proven, *seen, memory, holder, faults);
                let last = match standing {
                    Standing::NotCounted(_) => LastStanding::NotCounted,
                    _ => LastStanding::Licensed,
                };
                (standing, last)
            }
            // A lenient component is stopped by servers that proved themselves only.
            Some(Answer::Refused(_, refusal, seen)) if seen.pin.is_none() && self.is_lenient(memory) => {
                faults.push(format!("{}: not proven, and it says: {}", seen.server, refusal.text));
                let without = NoServer {
                    may_run: true,
                    faults,
                    offline: Offline::NoLease,
                };
                (Standing::NoServer(without), LastStanding::NoServer)
            }
            Some(Answer::Refused(status, refusal, seen)) => {
                remember_server(&seen, memory);
                // One that is too busy just now, or has no room, has not judged this component.
                if seen.pin.is_some() && !is_for_now(status) {
                    memory.lease = None;
                }
                let mut denied = Denied::new(status, *refusal, seen.server);
                denied.warnings = faults;
                let last = LastStanding::Denied {
                    status: status.0,
                    text: denied.text.clone(),
                };
                (Standing::Denied(Box::new(denied)), last)
            }
            None => (
                Standing::NoServer(self.without_server(memory, holder, faults)),
                LastStanding::NoServer,
            ),
        };
        memory.standing = Some((last, at));
        standing
    }

    /// How the component stands when no server gave a usable answer (rules O1 to O3).
    fn without_server(&self, memory: &Memory, holder: Holder, mut faults: Vec<String>) -> NoServer {
        if self.is_lenient(memory) {
            return NoServer {
                may_run: true,
                faults,
                offline: Offline::NoLease,
            };
        }
        let offline = self.offline(memory, holder.mac, holder.identity);
        // Where the clock is what stops it, that stands in front of the faults.
        if !matches!(offline, Offline::ClockBehind(_)) {
            faults.extend(offline.clock_fault());
        }
        NoServer {
            may_run: offline.running().is_some(),
            faults,
            offline,
        }
    }
}

/// One search for an answer.
struct Round<'a> {
    agent: &'a Agent,
    memory: &'a Memory,
    machine: &'a Choice,
    ask: Ask,
    /// This machine's time at its beginning: leases count from it.
    at: Timestamp,
    deadline: Deadline,
    faults: Vec<String>,
    /// The first refusal of a server that is not pinned; another one may still grant.
    refused: Option<Answer>,
}

impl Round<'_> {
    /// A pinned server's answer ends the search.
    async fn among_pinned(&mut self, search: &mut Search) -> Option<Answer> {
        while let Some(Some(found)) = self.deadline.bound(search.next()).await {
            match found {
                Ok(met) => {
                    if let Some(answer) = self.ask(met, search).await {
                        return Some(answer);
                    }
                }
                Err(told) => self.faults.push(told),
            }
        }
        None
    }

    /// Without a pin, the servers that were met until a moment after the first one are asked in order of rank, then
    /// those that were met later.
    async fn among_strangers(&mut self, search: &mut Search) -> Option<Answer> {
        let mut met: Vec<Met> = Vec::new();
        let mut settled: Option<Deadline> = None;
        loop {
            match settled.unwrap_or(self.deadline).bound(search.next()).await {
                Some(Some(Ok(one))) => {
                    // Never so long that no time is left to ask.
                    let settle = Duration::from_millis(DISCOVERY_SETTLE_MS).min(self.deadline.left() / 2);
                    settled.get_or_insert_with(|| Deadline::after(settle));
                    met.push(one);
                    continue;
                }
                Some(Some(Err(told))) => {
                    self.faults.push(told);
                    continue;
                }
                Some(None) if met.is_empty() => return None,
                None if settled.is_none() => return None,
                Some(None) | None => {}
            }
            met.sort_by_key(Met::order);
            for one in met.drain(..) {
                match self.ask(one, search).await {
                    Some(Answer::Refused(status, refusal, seen)) => {
                        self.refused.get_or_insert(Answer::Refused(status, refusal, seen));
                    }
                    Some(proven) => return Some(proven),
                    None => {}
                }
            }
            settled = None;
        }
    }

    async fn ask(&mut self, met: Met, search: &mut Search) -> Option<Answer> {
        let (lead, fingerprint) = (met.lead.clone(), met.connection.fingerprint());
        match Box::pin(self.ask_one(met)).await {
            Asked::Answer(Answer::Refused(status, refusal, seen)) if is_for_now(status) => {
                let wait = Duration::from_secs(refusal.retry_secs.unwrap_or(1).into());
                search.forget(fingerprint);
                if search.again(lead, wait) {
                    return None;
                }
                Some(Answer::Refused(status, refusal, seen))
            }
            Asked::Answer(answer) => Some(answer),
            Asked::Later(wait, told) => {
                search.forget(fingerprint);
                search.again(lead, wait);
                self.faults.push(told);
                None
            }
            Asked::Fault(told) => {
                self.faults.push(told);
                None
            }
        }
    }

    async fn ask_one(&self, met: Met) -> Asked {
        let Met {
            mut connection, pin, ..
        } = met;
        let checkout = self.checkout(pin.as_ref());
        let request = match self.ask {
            Ask::Checkout => Request::Checkout(checkout),
            Ask::Renew => Request::Renew(checkout),
        };
        let response = match connection.request(&request, self.deadline).await {
            Ok(answer) => {
                let token = self.agent.token.as_ref();
                enrolling(token, &mut connection, &request, answer, self.deadline).await
            }
            Err(error) => Err(error),
        };
        let response = match response {
            Ok(response) => response,
            Err(error) => return Asked::Fault(with_causes(&error)),
        };
        let mut seen = Box::new(Seen {
            server: ServerSeen::of(&connection),
            pin: pin.map(|pin| pin.fingerprint),
        });
        let target = connection.target().clone();
        connection
            .close(self.deadline.at_most(Duration::from_millis(100)))
            .await;
        match response {
            Response::Checkout(answer) => {
                seen.server.time = Timestamp(answer.server_time);
                let remembered = self.memory.signed_entry.as_ref();
                match prove(answer, remembered, self.agent.owner, &self.agent.key) {
                    Ok(proven) => Asked::Answer(Answer::Proven(Box::new(proven), seen)),
                    Err(told) => Asked::Fault(format!("{target}: not a server of this vendor's licenses: {told}")),
                }
            }
            Response::Refused(status, refusal) if status.0 < RULES_FROM => {
                let told = format!("{target}: {}", refusal.text);
                match refusal.retry_secs {
                    Some(secs) => Asked::Later(Duration::from_secs(secs.into()), told),
                    None => Asked::Fault(told),
                }
            }
            Response::Refused(status, refusal) => Asked::Answer(Answer::Refused(status, Box::new(refusal), seen)),
            _ => Asked::Fault(format!("{target}: an answer out of turn")),
        }
    }

    fn checkout(&self, pin: Option<&Pin>) -> Checkout {
        let owner = self.agent.owner;
        Checkout {
            vendor: owner.product.vendor.0,
            product: owner.product.product.to_string(),
            component: owner.component.to_string(),
            mac: self.machine.mac.bytes(),
            continuation: pin.map_or(0, |pin| pin.continuation(self.machine.mac)),
            host_name: host_name(self.agent.host_name.clone()),
            other_macs: self.machine.others.iter().map(|mac| mac.bytes()).collect(),
            client_time: Some(self.at.0),
            ..Checkout::default()
        }
    }
}

fn remember_proven(
    proven: Proven,
    seen: Seen,
    memory: &mut Memory,
    holder: Holder,
    mut warnings: Vec<String>,
) -> Standing {
    memory.signed_entry = Some(proven.signed_entry);
    remember_server(&seen, memory);
    let server = seen.server;
    match proven.answer {
        ProvenAnswer::NotCounted(counts) => Standing::NotCounted(Box::new(NotCounted {
            counts,
            server,
            warnings,
        })),
        ProvenAnswer::Seat {
            serial,
            outcome,
            acquired_at,
            renew_by,
            continuation,
            conflict,
            former,
            lease,
        } => {
            if seen.pin.is_none() {
                // The first grant pins the server that gave it (rule K9).
                let mut pin = Pin::new(server.fingerprint);
                note_server(&mut pin, &server);
                memory.pins.push(pin);
            }
            if let Some(pin) = memory.pin_mut(server.fingerprint) {
                pin.set_continuation(holder.mac, continuation);
            }
            memory.grant = Some(LastGrant {
                mac: holder.mac,
                serial,
                acquired_at,
                renew_by,
            });
            warnings.extend(lease.and_then(|signed| remember_lease(signed, &server, memory, holder).err()));
            if conflict.is_some() {
                warnings.push(
                    "another copy of this machine seems to be in use with the same license; the administrator sees it"
                        .to_owned(),
                );
            }
            debug_assert!(outcome != Outcome::NOT_COUNTED, "a seat was granted");
            Standing::Licensed(Box::new(Licensed {
                serial,
                mac: holder.mac,
                outcome,
                acquired_at,
                renew_by,
                conflict,
                former,
                server,
                warnings,
            }))
        }
    }
}

/// Keeps the lease of a grant. The error is one sentence for people; what was kept before stays.
fn remember_lease(signed: Bytes, server: &ServerSeen, memory: &mut Memory, holder: Holder) -> Result<(), String> {
    let lease = holder
        .check(&signed, server.lease_key, Some(server.id))
        .map_err(|told| format!("{server}: {told}; it is not kept, so tell the server's administrator"))?;
    if let Some(told) = ahead_fault(&lease) {
        return Err(format!(
            "{server}: {told}; it is not kept, so set this machine's clock right (or the server's, if that one is wrong), \
             then check out again"
        ));
    }
    // It counts from now on: what the clock said before, were it ever wrong, does not count against it.
    memory.newest_time = Timestamp(0);
    memory.lease = Some(KeptLease {
        signed,
        server: server.fingerprint,
    });
    Ok(())
}

/// Brings the pin of the server that answered up to date; a successor takes its predecessor's place.
fn remember_server(seen: &Seen, memory: &mut Memory) {
    if let Some(lease) = memory.lease.as_mut().filter(|lease| Some(lease.server) == seen.pin) {
        lease.server = seen.server.fingerprint;
    }
    if let Some(pin) = seen.pin.and_then(|pinned| memory.pin_mut(pinned)) {
        pin.fingerprint = seen.server.fingerprint;
        note_server(pin, &seen.server);
    }
}

fn note_server(pin: &mut Pin, server: &ServerSeen) {
    pin.server = Some(server.id);
    pin.address = Some(server.target.address);
    pin.epoch = pin.epoch.max(server.epoch);
    pin.lease_key = server.lease_key;
}

/// The machine's host name, as far as the protocol can carry it.
fn host_name(given: Option<String>) -> Option<String> {
    let name = match given {
        Some(name) => name,
        None => nix::unistd::gethostname().ok()?.into_string().ok()?,
    };
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    (!name.is_empty() && name.len() <= HOST_NAME_LEN_MAX).then_some(name)
}

/// Whether a refusal judges nothing: it is to be asked again.
const fn is_for_now(status: Status) -> bool {
    matches!(status, Status::SLOW_DOWN | Status::DISK_FULL)
}

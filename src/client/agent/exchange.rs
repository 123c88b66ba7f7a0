//! A checkout from the search for a server to what is remembered of its answer.

use std::sync::Arc;

use bytes::Bytes;

use super::lease::{Holder, Offline, ahead_fault};
use super::proof::{Proven, ProvenAnswer};
use super::round::{Refused, Round, Seen, is_for_now};
use super::search::Search;
use super::standing::{Denied, Licensed, NoServer, NotCounted, ServerSeen, Standing, Unable};
use super::{Agent, AgentError, sources};
use crate::client::adapter::Choice;
use crate::client::deadline::Deadline;
use crate::client::state::{KeptLease, LastGrant, LastStanding, Memory, Pin, State};
use crate::client::ways::Verdict;
use crate::client::with_causes;
use crate::domain::ids::Fingerprint;
use crate::domain::time::Timestamp;
use crate::wire::Outcome;

/// Statuses below this one are of the protocol: the rules refused nothing.
pub(super) const RULES_FROM: u16 = 0x0100;

/// At the start, or while running: one decision, told apart in the server's log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ask {
    Checkout,
    Renew,
}

/// What the servers answered.
struct Found {
    proven: Option<(Box<Proven>, Box<Seen>)>,
    refused: Vec<Refused>,
    faults: Vec<String>,
    paths: Vec<Verdict>,
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
        let found = self.find_answer(&state, &machine, ask, (at, deadline)).await;
        let holder = Holder {
            owner: self.owner,
            mac: machine.mac,
            identity: Fingerprint(state.identity().fingerprint()),
        };
        let mut standing = self.conclude(found, &mut state.memory, holder);
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
    ) -> Found {
        let sources = sources::begin(self, &state.memory.pins, deadline);
        let mut search = Search::new(self, state, deadline, sources);
        let mut round = Round {
            agent: self,
            memory: &state.memory,
            machine,
            ask,
            at,
            deadline,
            faults: Vec::new(),
            refused: Vec::new(),
        };
        let proven = round.go(&mut search).await;
        Found {
            proven,
            refused: round.refused,
            faults: round.faults,
            paths: search.verdicts(),
        }
    }

    fn conclude(&self, found: Found, memory: &mut Memory, holder: Holder) -> Standing {
        let Found {
            proven,
            refused,
            mut faults,
            paths,
        } = found;
        for Refused { status, seen, .. } in &refused {
            remember_server(seen, memory);
            // One that is too busy just now, or has no room, has not judged this component.
            if seen.pin.is_some() && !is_for_now(*status) {
                memory.lease = None;
            }
        }
        // A refusal counts where nobody grants: the first one stands for all, the others are told besides.
        let mut refused = refused.into_iter();
        let first = if proven.is_none() { refused.next() } else { None };
        faults.extend(refused.map(|one| format!("{}: refused: {}", one.seen.server, one.refusal.text)));
        let (standing, last) = match (proven, first) {
            (Some((proven, seen)), _) => {
                let standing = remember_proven(*proven, *seen, memory, holder, faults);
                let last = match standing {
                    Standing::NotCounted(_) => LastStanding::NotCounted,
                    _ => LastStanding::Licensed,
                };
                (standing, last)
            }
            // A lenient component is stopped by servers that proved themselves only.
            (None, Some(Refused { refusal, seen, .. })) if seen.pin.is_none() && self.is_lenient(memory) => {
                faults.push(format!("{}: not proven, and it says: {}", seen.server, refusal.text));
                let without = NoServer {
                    may_run: true,
                    faults,
                    paths,
                    offline: Offline::NoLease,
                };
                (Standing::NoServer(without), LastStanding::NoServer)
            }
            (None, Some(Refused { status, refusal, seen })) => {
                let mut denied = Denied::new(status, *refusal, seen.server);
                denied.warnings = faults;
                let last = LastStanding::Denied {
                    status: status.0,
                    text: denied.text.clone(),
                };
                (Standing::Denied(Box::new(denied)), last)
            }
            (None, None) => (
                Standing::NoServer(self.without_server(memory, holder, (faults, paths))),
                LastStanding::NoServer,
            ),
        };
        memory.standing = Some((last, self.time()));
        standing
    }

    /// How the component stands when no server gave a usable answer (rules O1 to O3).
    fn without_server(
        &self,
        memory: &Memory,
        holder: Holder,
        (mut faults, paths): (Vec<String>, Vec<Verdict>),
    ) -> NoServer {
        if self.is_lenient(memory) {
            return NoServer {
                may_run: true,
                faults,
                paths,
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
            paths,
            offline,
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
            // The server that granted last stands first: it is asked first.
            if let Some(place) = memory.pins.iter().position(|pin| pin.fingerprint == server.fingerprint) {
                let mut pin = memory.pins.remove(place);
                pin.set_continuation(holder.mac, continuation);
                memory
                    .former
                    .retain(|one| (one.server, one.mac) != (server.id, holder.mac));
                memory.pins.insert(0, pin);
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

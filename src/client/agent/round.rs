//! One search for an answer: which of the servers that are met is asked, in which order, and what is made of its answer.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Agent;
use super::enrol::enrolling;
use super::exchange::{Ask, RULES_FROM};
use super::proof::{Proven, prove};
use super::search::{Met, Search};
use super::standing::ServerSeen;
use crate::client::adapter::Choice;
use crate::client::deadline::Deadline;
use crate::client::state::{Memory, Pin};
use crate::client::with_causes;
use crate::domain::ids::{Fingerprint, ServerId};
use crate::domain::time::Timestamp;
use crate::wire::Status;
use crate::wire::limits::{DISCOVERY_SETTLE_MS, HOST_NAME_LEN_MAX};
use crate::wire::messages::hello::Refusal;
use crate::wire::messages::seat::Checkout;
use crate::wire::messages::{Request, Response};

/// Who answered, and the pin by which it is trusted.
pub(super) struct Seen {
    pub(super) server: ServerSeen,
    pub(super) pin: Option<Fingerprint>,
}

/// A server's rules refused.
pub(super) struct Refused {
    pub(super) status: Status,
    pub(super) refusal: Box<Refusal>,
    pub(super) seen: Box<Seen>,
}

/// What came of asking one server.
enum Asked {
    /// An answer with the vendor's signatures under it.
    Proven(Box<Proven>, Box<Seen>),
    Refused(Refused),
    /// It has no time for us now; ask again after this.
    Later(Duration, String),
    /// It gave no usable answer.
    Fault(String),
}

/// What that means for the search.
enum Step {
    Answered(Box<Proven>, Box<Seen>),
    /// It will be met again.
    Again,
    Next,
}

/// One search for an answer.
pub(super) struct Round<'a> {
    pub(super) agent: &'a Agent,
    pub(super) memory: &'a Memory,
    pub(super) machine: &'a Choice,
    pub(super) ask: Ask,
    /// This machine's time at its beginning: leases count from it.
    pub(super) at: Timestamp,
    pub(super) deadline: Deadline,
    pub(super) faults: Vec<String>,
    /// The servers that refused, in the order in which they were asked.
    pub(super) refused: Vec<Refused>,
}

impl Round<'_> {
    /// The servers that were met until a moment after the first one are asked in their order, then those that were met
    /// later, until one grants. A refusal leads on to the next, and the search ends when every trusted one has refused.
    ///
    /// The trusted server that granted last is asked first: the machine may hold its seat there, and would take a second
    /// one elsewhere. Nobody waits for the others when it is there; the others wait once where it is too busy.
    pub(super) async fn go(&mut self, search: &mut Search) -> Option<(Box<Proven>, Box<Seen>)> {
        let mut met: Vec<Met> = Vec::new();
        let mut settled: Option<Deadline> = None;
        let mut is_patient = true;
        loop {
            if !self.are_enough(&met) {
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
            }
            settled = None;
            self.forget_replaced(&mut met);
            met.sort_by_key(|one| (!self.granted_last(one), one.order()));
            while !met.is_empty() {
                let one = met.remove(0);
                let may_hold_the_seat = self.granted_last(&one);
                match self.ask(one, search).await {
                    Step::Answered(proven, seen) => return Some((proven, seen)),
                    Step::Again if may_hold_the_seat && is_patient => {
                        is_patient = false;
                        settled = Some(Deadline::after(self.deadline.left() / 2));
                        break;
                    }
                    Step::Again | Step::Next => {}
                }
            }
            if self.has_every_pin(self.refused.len()) {
                return None;
            }
        }
    }

    /// Takes out those whose place was taken by the same server, restored from a backup: of two with one identity the one of
    /// the lower epoch runs on old data.
    fn forget_replaced(&mut self, met: &mut Vec<Met>) {
        let mut newest: BTreeMap<Fingerprint, u32> = BTreeMap::new();
        for one in &*met {
            let epoch = newest.entry(one.connection.fingerprint()).or_default();
            *epoch = one.epoch().max(*epoch);
        }
        met.retain(|one| {
            let newest = newest.get(&one.connection.fingerprint()).copied().unwrap_or_default();
            let (epoch, target) = (one.epoch(), one.connection.target());
            if epoch < newest {
                self.faults.push(format!(
                    "{target}: the server shows epoch {epoch}, and another one of its identity {newest}: this one runs on an \
                     old copy of its data, and must be stopped"
                ));
            }
            epoch >= newest
        });
    }

    /// Whether nobody is worth waiting for before those that were met are asked.
    fn are_enough(&self, met: &[Met]) -> bool {
        met.iter().any(|one| self.granted_last(one))
            || !met.is_empty() && self.has_every_pin(met.len() + self.refused.len())
    }

    fn has_every_pin(&self, servers: usize) -> bool {
        let pins = self.memory.pins.len();
        pins > 0 && servers >= pins
    }

    /// Whether a server is the one that granted this machine a seat last: its pin stands first.
    fn granted_last(&self, met: &Met) -> bool {
        let first = self.memory.pins.first();
        let granted = first.filter(|pin| pin.continuation(self.machine.mac) != 0);
        granted.is_some_and(|granted| {
            met.pin
                .as_ref()
                .is_some_and(|pin| pin.fingerprint == granted.fingerprint)
        })
    }

    async fn ask(&mut self, met: Met, search: &mut Search) -> Step {
        let (lead, fingerprint) = (met.lead.clone(), met.connection.fingerprint());
        match Box::pin(self.ask_one(met)).await {
            Asked::Refused(refused) if is_for_now(refused.status) => {
                let wait = Duration::from_secs(refused.refusal.retry_secs.unwrap_or(1).into());
                search.forget(fingerprint);
                // It refuses new seats alone: the machine holds none there, and nobody has to wait for it.
                if !search.again(lead, wait) {
                    self.refused.push(refused);
                }
                Step::Next
            }
            Asked::Proven(proven, seen) => Step::Answered(proven, seen),
            Asked::Refused(refused) => {
                self.refused.push(refused);
                Step::Next
            }
            Asked::Later(wait, told) => {
                search.forget(fingerprint);
                self.faults.push(told);
                if search.again(lead, wait) {
                    Step::Again
                } else {
                    Step::Next
                }
            }
            Asked::Fault(told) => {
                self.faults.push(told);
                Step::Next
            }
        }
    }

    async fn ask_one(&self, met: Met) -> Asked {
        let Met {
            mut connection, pin, ..
        } = met;
        let checkout = self.checkout(pin.as_ref(), connection.server());
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
                    Ok(proven) => Asked::Proven(Box::new(proven), seen),
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
            Response::Refused(status, refusal) => Asked::Refused(Refused {
                status,
                refusal: Box::new(refusal),
                seen,
            }),
            _ => Asked::Fault(format!("{target}: an answer out of turn")),
        }
    }

    fn checkout(&self, pin: Option<&Pin>, server: ServerId) -> Checkout {
        let owner = self.agent.owner;
        Checkout {
            vendor: owner.product.vendor.0,
            product: owner.product.product.to_string(),
            component: owner.component.to_string(),
            mac: self.machine.mac.bytes(),
            continuation: pin.map_or(0, |pin| self.memory.continuation(pin, server, self.machine.mac)),
            host_name: host_name(self.agent.host_name.clone()),
            other_macs: self.machine.others.iter().map(|mac| mac.bytes()).collect(),
            client_time: Some(self.at.0),
            ..Checkout::default()
        }
    }
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
pub(super) const fn is_for_now(status: Status) -> bool {
    matches!(status, Status::SLOW_DOWN | Status::DISK_FULL)
}

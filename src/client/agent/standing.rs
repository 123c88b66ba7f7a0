//! How a component stands with its license.

use std::fmt;
use std::sync::Arc;

use super::AgentError;
use super::lease::{Offline, Term};
use crate::client::connect::{Connection, Target};
use crate::client::ways::Verdict;
use crate::client::with_causes;
use crate::domain::ids::{Fingerprint, Mac, Serial, ServerId};
use crate::domain::time::Timestamp;
use crate::wire::messages::hello::Refusal;
use crate::wire::messages::seat::{Conflict, Counts, Former};
use crate::wire::{Outcome, Status};

/// How every denial begins (rule O1).
const DENIAL_PREFIX: &str = "invalid license: ";

/// Why a component is without a server where nothing went wrong.
const NO_ANSWER: &str = "no license server answered; check that one runs on this network, or name it";

/// How a component stands after it asked.
#[derive(Clone, Debug)]
pub enum Standing {
    /// A server refused it.
    Denied(Box<Denied>),
    /// It holds its machine's seat.
    Licensed(Box<Licensed>),
    /// No server gave a usable answer.
    NoServer(NoServer),
    /// It needs no seat (rule I3).
    NotCounted(Box<NotCounted>),
    /// It could not even ask.
    Unable(Unable),
}

impl Standing {
    /// Whether the component may run.
    #[must_use]
    pub fn may_run(&self) -> bool {
        match self {
            Self::Licensed(_) | Self::NotCounted(_) => true,
            Self::Denied(_) => false,
            Self::NoServer(without) => without.may_run,
            Self::Unable(unable) => unable.may_run,
        }
    }

    /// Whether a server gave what was asked for.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        matches!(self, Self::Licensed(_) | Self::NotCounted(_))
    }

    /// Until when the component may run without a server; nothing where it is not running on a lease (rule O3).
    #[must_use]
    pub const fn countdown(&self) -> Option<&Term> {
        match self {
            Self::NoServer(without) => without.offline.running(),
            Self::Unable(unable) => unable.offline.running(),
            Self::Denied(_) | Self::Licensed(_) | Self::NotCounted(_) => None,
        }
    }

    pub(super) fn warn(&mut self, warning: String) {
        match self {
            Self::Denied(denied) => denied.warnings.push(warning),
            Self::Licensed(licensed) => licensed.warnings.push(warning),
            Self::NoServer(without) => without.faults.push(warning),
            Self::NotCounted(not_counted) => not_counted.warnings.push(warning),
            Self::Unable(_) => {}
        }
    }

    /// What the user should be told besides, one sentence each: conflicts, servers that are not trusted.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        match self {
            Self::Denied(denied) => &denied.warnings,
            Self::Licensed(licensed) => &licensed.warnings,
            Self::NoServer(without) => &without.faults,
            Self::NotCounted(not_counted) => &not_counted.warnings,
            Self::Unable(_) => &[],
        }
    }
}

impl fmt::Display for Standing {
    /// One line for people. What keeps a component from running begins with "invalid license: ".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(denied) => f.write_str(&denied.text),
            Self::Licensed(licensed) => write!(f, "licensed by {} ({})", licensed.serial, licensed.server),
            Self::NoServer(without) => f.write_str(&without.text(|_| String::new())),
            Self::NotCounted(not_counted) => write!(
                f,
                "not counted: {} of {} seats of the product are available ({})",
                not_counted.counts.available, not_counted.counts.total, not_counted.server
            ),
            Self::Unable(unable) if unable.may_run => {
                let left = unable
                    .offline
                    .running()
                    .map(|term| format!(" for {} more", term.left()));
                let fault = with_causes(&*unable.fault);
                write!(
                    f,
                    "running without a license server{}: {fault}",
                    left.unwrap_or_default()
                )
            }
            Self::Unable(unable) => {
                let clock = unable.offline.clock_fault();
                let clock = clock.map(|told| format!("; besides, {told}")).unwrap_or_default();
                write!(f, "{DENIAL_PREFIX}{}{clock}", with_causes(&*unable.fault))
            }
        }
    }
}

/// The server that answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerSeen {
    /// Its name for itself.
    pub id: ServerId,
    /// Its name for people.
    pub name: String,
    /// Its identity.
    pub fingerprint: Fingerprint,
    /// Where it answered.
    pub target: Target,
    /// The version of its program.
    pub version: String,
    /// Its epoch.
    pub epoch: u32,
    /// Its time when it answered.
    pub time: Timestamp,
    /// The Ed25519 public key that it signs leases with (rule O3).
    pub lease_key: Option<[u8; 32]>,
}

impl ServerSeen {
    pub(super) fn of(connection: &Connection) -> Self {
        let hello = connection.hello();
        Self {
            id: connection.server(),
            name: hello.name.clone(),
            fingerprint: connection.fingerprint(),
            target: connection.target().clone(),
            version: hello.server_version.clone(),
            epoch: hello.epoch,
            time: connection.server_time(),
            lease_key: hello.lease_key,
        }
    }
}

impl fmt::Display for ServerSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "server {} at {}", self.name, self.target)
    }
}

/// A component that holds its machine's seat.
#[derive(Clone, Debug)]
pub struct Licensed {
    /// The license.
    pub serial: Serial,
    /// The machine.
    pub mac: Mac,
    /// Whether the seat was engaged, renewed or engaged again.
    pub outcome: Outcome,
    /// When the seat was engaged.
    pub acquired_at: Timestamp,
    /// From when on it is free unless renewed; nothing where it never idles out.
    pub renew_by: Option<Timestamp>,
    /// A conflict that stands on the component.
    pub conflict: Option<Conflict>,
    /// The seat that the machine held before, where this one was engaged again.
    pub former: Option<Former>,
    /// Who granted it.
    pub server: ServerSeen,
    /// What the user should be told besides.
    pub warnings: Vec<String>,
}

/// A component that needs no seat.
#[derive(Clone, Debug)]
pub struct NotCounted {
    /// The product's seats.
    pub counts: Counts,
    /// Who said so.
    pub server: ServerSeen,
    /// What the user should be told besides.
    pub warnings: Vec<String>,
}

/// A component that a server refused.
#[derive(Clone, Debug)]
pub struct Denied {
    /// The cause and the remedy; begins with "invalid license: ".
    pub text: String,
    /// The stable code.
    pub status: Status,
    /// All that the server said.
    pub refusal: Refusal,
    /// Who said so.
    pub server: ServerSeen,
    /// What the user should be told besides.
    pub warnings: Vec<String>,
}

impl Denied {
    pub(super) fn new(status: Status, refusal: Refusal, server: ServerSeen) -> Self {
        let text = match refusal.text.strip_prefix(DENIAL_PREFIX) {
            Some(_) => refusal.text.clone(),
            None => format!("{DENIAL_PREFIX}{}", refusal.text),
        };
        Self {
            text,
            status,
            refusal,
            server,
            warnings: Vec::new(),
        }
    }
}

/// No server gave a usable answer.
#[derive(Clone, Debug)]
pub struct NoServer {
    /// Whether the component may run all the same (rules O2, O3).
    pub may_run: bool,
    /// What was tried and what came of it, one sentence each.
    pub faults: Vec<String>,
    /// What came of each path by which servers were looked for.
    pub paths: Vec<Verdict>,
    /// What its lease says, where it needs one.
    pub offline: Offline,
}

impl NoServer {
    /// What was tried and what came of it, in one line: what belongs to no path, then each path.
    #[must_use]
    pub fn tried(&self) -> String {
        tried(&self.faults, &self.paths)
    }

    /// One line for people. `date` shows a moment in time; where it gives an empty text the line tells none.
    #[must_use]
    pub fn text(&self, date: impl Fn(Timestamp) -> String) -> String {
        let what = match self.tried() {
            nothing if nothing.is_empty() => NO_ANSWER.to_owned(),
            tried if self.faults.is_empty() => format!("{NO_ANSWER}: {tried}"),
            tried => format!("no license server gave a usable answer: {tried}"),
        };
        let dated = |before: &str, at, after: &str| match date(at) {
            shown if shown.is_empty() => String::new(),
            shown => format!("{before}{shown}{after}"),
        };
        match (&self.offline, self.may_run) {
            (Offline::Leased(term), true) => {
                let until = dated(" (until ", term.until, ")");
                format!(
                    "running without a license server for {} more{until}: {what}",
                    term.left()
                )
            }
            (_, true) => format!("running without a license server: {what}"),
            (Offline::NoLease, false) => format!("{DENIAL_PREFIX}{what}"),
            (Offline::Leased(term), false) => {
                let since = dated(" since ", term.until, "");
                format!(
                    "{DENIAL_PREFIX}the {} days that this product may run without its license server are over{since}; \
                     start the server, or connect this machine to its network: {what}",
                    term.days
                )
            }
            (Offline::ClockBehind(_), false) => format!(
                "{DENIAL_PREFIX}{}: {what}",
                self.offline.clock_fault().unwrap_or_default()
            ),
            (Offline::Unfit(told), false) => format!(
                "{DENIAL_PREFIX}{what}; it cannot run without one either, since {told}: connect this machine to its \
                 license server"
            ),
        }
    }
}

/// What was tried and what came of it, in one line: the faults that belong to no path, then each path.
pub(super) fn tried(faults: &[String], paths: &[Verdict]) -> String {
    let of_a_path = |told: &&String| paths.iter().any(|verdict| verdict.faults.contains(told));
    let others = faults.iter().filter(|told| !of_a_path(told)).cloned();
    let told: Vec<String> = others.chain(paths.iter().map(Verdict::to_string)).collect();
    told.join("; ")
}

/// The component could not even ask.
#[derive(Clone, Debug)]
pub struct Unable {
    /// Why, and what to do.
    pub fault: Arc<AgentError>,
    /// Whether the component may run all the same (rules O2, O3).
    pub may_run: bool,
    /// What its lease says, where it needs one and could be looked at.
    pub offline: Offline,
}

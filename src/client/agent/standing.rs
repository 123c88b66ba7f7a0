//! How a component stands with its license.

use std::fmt;
use std::sync::Arc;

use super::AgentError;
use crate::client::connect::{Connection, Target};
use crate::client::with_causes;
use crate::domain::ids::{Fingerprint, Mac, Serial, ServerId};
use crate::domain::time::Timestamp;
use crate::wire::messages::hello::Refusal;
use crate::wire::messages::seat::{Conflict, Counts, Former};
use crate::wire::{Outcome, Status};

/// How every denial begins (rule O1).
const DENIAL_PREFIX: &str = "invalid license: ";

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
            Self::NoServer(without) => f.write_str(&without.text()),
            Self::NotCounted(not_counted) => write!(
                f,
                "not counted: {} of {} seats of the product are available ({})",
                not_counted.counts.available, not_counted.counts.total, not_counted.server
            ),
            Self::Unable(unable) if unable.may_run => {
                write!(f, "running without a license server: {}", with_causes(&*unable.fault))
            }
            Self::Unable(unable) => write!(f, "{DENIAL_PREFIX}{}", with_causes(&*unable.fault)),
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
    /// Whether the component may run all the same (rule O2).
    pub may_run: bool,
    /// What was tried and what came of it, one sentence each.
    pub faults: Vec<String>,
}

impl NoServer {
    fn text(&self) -> String {
        let what = match self.faults.as_slice() {
            [] => "no license server answered; check that one runs on this network, or name it".to_owned(),
            faults => format!("no license server gave a usable answer: {}", faults.join("; ")),
        };
        if self.may_run {
            format!("running without a license server: {what}")
        } else {
            format!("{DENIAL_PREFIX}{what}")
        }
    }
}

/// The component could not even ask.
#[derive(Clone, Debug)]
pub struct Unable {
    /// Why, and what to do.
    pub fault: Arc<AgentError>,
    /// Whether the component may run all the same (rule O2).
    pub may_run: bool,
}

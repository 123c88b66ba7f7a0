//! Finds servers: asks on every interface at once and tells the offers as they come.
//!
//! A search runs inside whoever awaits it. It starts no task and no thread, so dropping it ends it.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use thiserror::Error;

use crate::clock;
use crate::domain::ids::{ProductKey, ServerId};
use crate::sockets::Groups;
use crate::sockets::ask::Asker;
pub use crate::sockets::ask::PathError;
use crate::sockets::interfaces::{self, Choice, Interface};
pub use crate::sockets::paths::PathKind;
use crate::sockets::paths::{self, PATHS_MAX, Path};
use crate::sockets::udp::Received;
use crate::wire::discovery::{Offer, Question, Wanted};
use crate::wire::limits::{GROUP_V4, GROUP_V6, OFFERS_PER_SERVER_MAX, PORT, SERVERS_MAX};

/// How long a search lasts unless its caller says otherwise.
pub const DEADLINE: Duration = Duration::from_secs(3);

/// Why a search finds nothing where it has no path to ask on.
pub const NO_INTERFACE: &str = "no network interface is up";

/// Why there is nobody to ask where the site chose interfaces and none of them is up.
pub const NO_CHOSEN_INTERFACE: &str = "none of the network interfaces that the site lets be asked on is up";

/// The one of the two that applies.
pub(super) const fn nobody_to_ask(choice: &Choice) -> &'static str {
    if choice.is_everything() {
        NO_INTERFACE
    } else {
        NO_CHOSEN_INTERFACE
    }
}

/// When the question is asked, in milliseconds from the start: a datagram may be lost.
const ASKED_AT_MILLIS: [u64; 4] = [0, 250, 750, 1_500];

/// Longer than any datagram of the protocol, so that a longer one does not pass for a shorter.
const BUFFER_LEN: usize = 1_024;

/// What is sought, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Search {
    /// The product that is wanted; none finds every server.
    pub wanted: Option<ProductKey>,
    /// Where to ask.
    pub scope: Scope,
    /// How long to wait, from the start of the search.
    pub deadline: Duration,
    /// Whether a server's offers are told once for each interface and kind of question, and not once for each of its
    /// addresses.
    pub every_path: bool,
}

/// Where to ask.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope {
    /// On every interface, servers that listen on this port.
    Everywhere {
        /// The UDP port.
        port: u16,
    },
    /// Nobody but the servers that [`Discovery::ask_also`] names.
    Named,
    /// This server alone. A link-local address needs its scope id.
    Server(SocketAddr),
}

impl Default for Search {
    /// Every server of the usual port, for [`DEADLINE`].
    fn default() -> Self {
        Self {
            wanted: None,
            scope: Scope::Everywhere { port: PORT },
            deadline: DEADLINE,
            every_path: false,
        }
    }
}

/// A server's offer and the way it came. Nothing in it is proven before the TLS session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found {
    /// What the server says.
    pub offer: Offer,
    /// Where it answered from; a link-local IPv6 address keeps its scope id.
    pub source: SocketAddr,
    /// The name of the interface on which it answered; empty where that is unknown.
    pub interface: String,
    /// The kind of question that it answered.
    pub kind: PathKind,
    /// Microseconds since the last question of that kind, of which servers spend up to 100,000 waiting when everybody
    /// was asked.
    pub round_trip_micros: u64,
}

impl Found {
    /// The server's name for itself.
    #[must_use]
    pub const fn server(&self) -> ServerId {
        ServerId(self.offer.server)
    }

    /// Where to connect: the address that answered, at the port that the offer names. A link-local address keeps its
    /// scope id.
    #[must_use]
    pub const fn tcp_address(&self) -> SocketAddr {
        let mut address = self.source;
        address.set_port(self.offer.port);
        address
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {} ({}", self.offer.name, self.source.ip(), self.kind)?;
        if !self.interface.is_empty() {
            write!(f, ", {}", self.interface)?;
        }
        write!(f, ")")
    }
}

/// A search could not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SearchError {
    /// The interfaces of this host are not known.
    #[error("the network interfaces of this host cannot be listed; name the server with --server HOST")]
    Interfaces(#[source] io::Error),
    /// There is no randomness for the nonce.
    #[error("the operating system gives no random bytes")]
    Random(#[source] getrandom::Error),
    /// The question cannot be written.
    #[error("the question cannot be written")]
    Question(#[source] crate::wire::DecodeError),
}

/// A search that goes on while [`Discovery::next`] is awaited.
#[derive(Debug)]
pub struct Discovery {
    asker: Asker,
    paths: Vec<Path>,
    question: Vec<u8>,
    interfaces: Vec<Interface>,
    every_path: bool,
    started_micros: u64,
    asked_micros: u64,
    /// When a server was asked alone last.
    asked_alone_micros: u64,
    rounds: usize,
    deadline_micros: u64,
    found: Vec<Key>,
    failures: Vec<PathError>,
    nonce: [u8; 16],
}

/// What makes an offer another one than those already told: the server's id, where it says that it takes connections, and
/// the path where that counts. Whoever forges an offer from a server's address does not suppress the true one by it.
type Key = ([u8; 16], (IpAddr, u16), Option<(PathKind, String)>);

/// Starts a search; the first questions leave at once. Call it inside a tokio runtime.
///
/// # Errors
/// [`SearchError`]. That nothing answers is no error: [`Discovery::next`] then ends at the deadline, or at once where
/// nobody can be asked.
pub fn discover(search: &Search) -> Result<Discovery, SearchError> {
    discover_on(search, &Choice::default())
}

/// As [`discover`], and everybody is asked on the interfaces alone that `choice` admits.
///
/// # Errors
/// As [`discover`].
pub fn discover_on(search: &Search, choice: &Choice) -> Result<Discovery, SearchError> {
    let interfaces = interfaces::list().map_err(SearchError::Interfaces)?;
    let mut chosen = interfaces.clone();
    chosen.retain(|interface| choice.admits(&interface.name));
    let paths = match search.scope {
        // None is left, which is not the same as that none is known.
        Scope::Everywhere { .. } if chosen.is_empty() && !choice.is_everything() => Vec::new(),
        Scope::Everywhere { port } => paths::everywhere(
            &chosen,
            Groups {
                v4: GROUP_V4,
                v6: GROUP_V6,
            },
            port,
        ),
        Scope::Named => Vec::new(),
        Scope::Server(server) => vec![Path::to(server)],
    };
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(SearchError::Random)?;
    let wanted = search.wanted.map(|wanted| Wanted {
        vendor: wanted.vendor.0,
        product: wanted.product.as_str().to_owned(),
    });
    let question = Question { nonce, wanted }.encode().map_err(SearchError::Question)?;
    let started_micros = clock::monotonic_micros();
    let mut discovery = Discovery {
        asker: Asker::new(&paths),
        paths,
        question: question.to_vec(),
        interfaces,
        every_path: search.every_path,
        started_micros,
        asked_micros: started_micros,
        asked_alone_micros: started_micros,
        rounds: 0,
        deadline_micros: started_micros.saturating_add(micros(search.deadline)),
        found: Vec::new(),
        failures: Vec::new(),
        nonce,
    };
    discovery.ask();
    Ok(discovery)
}

impl Discovery {
    /// The next offer, as soon as it comes; none once the deadline is over, or where there is no path at all. Dropping
    /// the future loses no offer, so it can be awaited under a shorter limit, such as "300 ms after the first usable
    /// one".
    pub async fn next(&mut self) -> Option<Found> {
        let mut buffer = [0; BUFFER_LEN];
        loop {
            let now = clock::monotonic_micros();
            let question_due = self.question_due();
            if self.paths.is_empty() || now >= self.deadline_micros {
                return None;
            }
            if question_due.is_some_and(|due| now >= due) {
                self.ask();
                continue;
            }
            let next = question_due.map_or(self.deadline_micros, |due| due.min(self.deadline_micros));
            let wake = pin!(tokio::time::sleep(Duration::from_micros(next - now)));
            tokio::select! {
                received = self.asker.receive(&mut buffer) => match received {
                    Ok((kind, received)) => {
                        let datagram = buffer.get(..received.len).unwrap_or_default();
                        if let Some(found) = self.judge(datagram, kind, &received) {
                            return Some(found);
                        }
                    }
                    Err(error) => tracing::debug!(%error, "an answer was lost"),
                },
                () = wake => {}
            }
        }
    }

    /// Every offer that comes before the deadline.
    pub async fn all(&mut self) -> Vec<Found> {
        let mut offers = Vec::new();
        while let Some(found) = self.next().await {
            offers.push(found);
        }
        offers
    }

    /// The paths on which the question is sent; none where [`NO_INTERFACE`] is the reason that nothing is found.
    #[must_use]
    pub fn paths(&self) -> &[Path] {
        &self.paths
    }

    /// The names of the interfaces on which everybody is asked, each once.
    #[must_use]
    pub fn asked_on(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for path in self.paths.iter().filter(|path| path.kind != PathKind::Unicast) {
            if !names.contains(&path.interface) {
                names.push(path.interface.clone());
            }
        }
        names
    }

    /// Asks this server too, at once and whenever the others are asked. False where as many are asked as may be, or it
    /// is asked already.
    pub fn ask_also(&mut self, server: SocketAddr) -> bool {
        let path = Path::to(server);
        if self.paths.len() >= PATHS_MAX || self.paths.contains(&path) {
            return false;
        }
        self.asker.open(&path);
        self.asked_alone_micros = clock::monotonic_micros();
        for PathError { path, error } in self.asker.ask(&self.question, std::slice::from_ref(&path)) {
            tracing::debug!(%path, %error, "the question could not be sent");
        }
        self.paths.push(path);
        true
    }

    /// The paths on which the last question could not be sent, and why. One such path does not matter where others
    /// work.
    #[must_use]
    pub fn failures(&self) -> &[PathError] {
        &self.failures
    }

    fn question_due(&self) -> Option<u64> {
        let after_millis = ASKED_AT_MILLIS.get(self.rounds)?;
        Some(self.started_micros.saturating_add(after_millis * 1_000))
    }

    fn ask(&mut self) {
        self.rounds += 1;
        self.asked_micros = clock::monotonic_micros();
        self.asked_alone_micros = self.asked_micros;
        self.failures = self.asker.ask(&self.question, &self.paths);
        for PathError { path, error } in &self.failures {
            tracing::debug!(%path, %error, "the question could not be sent");
        }
    }

    /// Keeps what is an answer to this search and has not been told yet.
    fn judge(&mut self, datagram: &[u8], kind: PathKind, received: &Received) -> Option<Found> {
        let offer = match Offer::decode(datagram) {
            Ok(offer) if offer.nonce == self.nonce => offer,
            Ok(_) => {
                tracing::debug!(source = %received.source, "an offer with another nonce was dropped");
                return None;
            }
            Err(error) => {
                tracing::debug!(source = %received.source, %error, "no offer");
                return None;
            }
        };
        let interface = self
            .interfaces
            .iter()
            .find(|interface| interface.index == received.interface)
            .map(|interface| interface.name.clone())
            .unwrap_or_default();
        let path = self.every_path.then(|| (kind, interface.clone()));
        let key = (offer.server, (received.source.ip(), offer.port), path);
        if self.found.contains(&key) || !self.has_room(offer.server) {
            return None;
        }
        self.found.push(key);
        let asked_micros = match kind {
            PathKind::Unicast => self.asked_alone_micros,
            _ => self.asked_micros,
        };
        Some(Found {
            offer,
            source: received.source,
            interface,
            kind,
            round_trip_micros: clock::monotonic_micros().saturating_sub(asked_micros),
        })
    }

    /// Whether another offer of `server` is kept: whoever forges offers must not fill the memory.
    fn has_room(&self, server: [u8; 16]) -> bool {
        let of_server = self.found.iter().filter(|(known, ..)| *known == server).count();
        let servers = || {
            self.found
                .iter()
                .map(|(known, ..)| known)
                .collect::<BTreeSet<_>>()
                .len()
        };
        match of_server {
            0 => servers() < SERVERS_MAX,
            kept => kept < OFFERS_PER_SERVER_MAX,
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;

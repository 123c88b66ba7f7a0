//! The agent: what a licensed component embeds to hold its machine's seat.

mod discovered;
mod enrol;
mod exchange;
mod keep;
mod lease;
mod proof;
mod release;
mod round;
mod search;
mod sources;
mod standing;

#[cfg(test)]
#[cfg(feature = "mint")]
mod tests;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

pub use self::enrol::{EnrolError, Enrolled};
pub use self::keep::Keeper;
pub use self::lease::{Offline, Term};
pub use self::release::{Check, ReleaseError, Released};
pub use self::standing::{Denied, Licensed, NoServer, NotCounted, ServerSeen, Standing, Unable};
use super::adapter::machine::Places;
use super::adapter::{AdapterError, Choice, Wish, of_this_machine};
use super::deadline::Deadline;
use super::state::{Memory, Owner, State, StateError, default_directory};
use super::token::EnrolmentToken;
use super::ways::{Site, Way};
use crate::clock::Clock;
use crate::domain::ids::{ComponentId, Fingerprint, Mac, ProductId, ProductKey};
use crate::domain::time::Timestamp;
use crate::tls::Sessions;
use crate::vendor::VendorKey;
use crate::wire::limits::PORT;

/// How long one exchange may take in all, unless the embedding program says otherwise.
const DEADLINE: Duration = Duration::from_secs(3);

/// Why the agent could not even ask a server. Each says what to do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AgentError {
    /// This machine has no address to be counted by.
    #[error(transparent)]
    Adapter(#[from] AdapterError),
    /// What the agent remembers cannot be read or written.
    #[error(transparent)]
    State(#[from] StateError),
}

/// One component of one product. It is cheap to clone; what it remembers is in its state file, but for TLS sessions: those
/// that are resumed are in memory, and clones share them.
#[derive(Clone, Debug)]
pub struct Agent {
    key: VendorKey,
    owner: Owner,
    wish: Wish,
    state_dir: Option<PathBuf>,
    servers: Vec<String>,
    paths: Option<BTreeSet<Way>>,
    site: Option<Site>,
    port: u16,
    deadline: Duration,
    lenient_before_contact: bool,
    host_name: Option<String>,
    token: Option<EnrolmentToken>,
    clock: Clock,
    sessions: Sessions,
}

impl Agent {
    /// The agent of a vendor's component. `key` is the vendor's public key, built into the program: a server that
    /// cannot show a license signed with it licenses nothing (rule K9).
    #[must_use]
    pub fn new(key: VendorKey, product: ProductId, component: ComponentId) -> Self {
        Self {
            owner: Owner {
                product: ProductKey {
                    vendor: key.id(),
                    product,
                },
                component,
            },
            key,
            wish: Wish::Automatic,
            state_dir: None,
            servers: Vec::new(),
            paths: None,
            site: None,
            port: std::env::var("SEATKEEPER_PORT")
                .ok()
                .and_then(|port| port.parse().ok())
                .unwrap_or(PORT),
            deadline: DEADLINE,
            lenient_before_contact: false,
            host_name: None,
            token: None,
            clock: Clock::system(),
            sessions: Sessions::default(),
        }
    }

    /// Counts the machine by this address, whatever adapters it has.
    #[must_use]
    pub fn mac(mut self, mac: Mac) -> Self {
        self.wish = Wish::Mac(mac);
        self
    }

    /// Counts the machine by the address of this interface.
    #[must_use]
    pub fn interface(mut self, name: impl Into<String>) -> Self {
        self.wish = Wish::Interface(name.into());
        self
    }

    /// Tells the server this host name, instead of the system's.
    #[must_use]
    pub fn host_name(mut self, name: impl Into<String>) -> Self {
        self.host_name = Some(name.into());
        self
    }

    /// Keeps its state here, instead of where [`default_directory`] says.
    #[must_use]
    pub fn state_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.state_dir = Some(directory.into());
        self
    }

    /// Asks these servers, `HOST[:PORT]` each, the first one preferred; at most 16. Unless [`Agent::paths`] says otherwise
    /// nobody else is asked, and no question is sent to the network.
    #[must_use]
    pub fn servers(mut self, servers: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.servers = servers.into_iter().map(Into::into).collect();
        self
    }

    /// Looks for servers by these paths, whatever the site says.
    #[must_use]
    pub fn paths(mut self, paths: BTreeSet<Way>) -> Self {
        self.paths = Some(paths);
        self
    }

    /// Looks for servers where `site` says, instead of where this machine's site file and the environment do.
    #[must_use]
    pub fn site(mut self, site: Site) -> Self {
        self.site = Some(site);
        self
    }

    /// The port of the site's servers, TCP and UDP; 17328, or what `SEATKEEPER_PORT` says, unless it is set.
    #[must_use]
    pub const fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// How long one exchange may take in all, finding the server included; 3 seconds unless it is set.
    #[must_use]
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Whether the component may run before it ever met a server. From then on the vendor's catalogue decides
    /// (rule O2).
    #[must_use]
    pub const fn lenient_before_first_contact(mut self, lenient: bool) -> Self {
        self.lenient_before_contact = lenient;
        self
    }

    /// Whose agent it is.
    #[must_use]
    pub const fn owner(&self) -> Owner {
        self.owner
    }

    /// Asks for the machine's seat; to be called at each start. Never takes longer than the deadline.
    pub async fn acquire(&self) -> Standing {
        Box::pin(self.check_out(exchange::Ask::Checkout)).await
    }

    /// Renews the machine's seat while the component runs; [`Agent::keep`] calls it daily.
    pub async fn renew(&self) -> Standing {
        Box::pin(self.check_out(exchange::Ask::Renew)).await
    }

    /// Trusts a server by its fingerprint from now on: only trusted ones are asked. True if it was not trusted before.
    ///
    /// # Errors
    /// [`AgentError::State`]; nothing changed.
    pub async fn trust(&self, fingerprint: Fingerprint) -> Result<bool, AgentError> {
        let mut state = self.open(self.due()).await?;
        let is_new = state.memory.trust(fingerprint)?;
        state.save(self.time()).await?;
        Ok(is_new)
    }

    /// What the agent remembers: trusted servers, the last grant, how it stood last.
    ///
    /// # Errors
    /// [`AgentError::State`].
    pub async fn recall(&self) -> Result<Memory, AgentError> {
        Ok(self.open(self.due()).await?.memory.clone())
    }

    /// The fingerprint by which servers know this component.
    ///
    /// # Errors
    /// [`AgentError::State`].
    pub async fn fingerprint(&self) -> Result<Fingerprint, AgentError> {
        let state = self.open(self.due()).await?;
        Ok(Fingerprint(state.identity().fingerprint()))
    }

    /// Takes the time from another clock than the system's.
    #[cfg(test)]
    fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Where servers are looked for; read anew for each search, so that a program that runs for months follows its site.
    fn where_to_look(&self) -> Site {
        let mut site = match (&self.site, self.servers.as_slice()) {
            (Some(site), []) => site.clone(),
            (None, []) => Site::of_this_machine(self.port),
            (_, named) => Site::only(named, self.port),
        };
        if let Some(paths) = &self.paths {
            site.ways.clone_from(paths);
        }
        site
    }

    /// The time by this machine's clock.
    fn time(&self) -> Timestamp {
        self.clock.calendar()
    }

    fn due(&self) -> Deadline {
        Deadline::after(self.deadline)
    }

    async fn open(&self, deadline: Deadline) -> Result<State, AgentError> {
        Ok(State::open(&self.directory()?, self.owner, deadline.left()).await?)
    }

    fn directory(&self) -> Result<PathBuf, StateError> {
        match &self.state_dir {
            Some(directory) => Ok(directory.clone()),
            None => default_directory(),
        }
    }

    async fn machine(&self) -> Result<Choice, AgentError> {
        let places = match &self.state_dir {
            Some(directory) => Places::of(vec![directory.clone()]),
            None => Places::from_environment(),
        };
        let wish = self.wish.clone();
        // It asks the kernel and reads files.
        match tokio::task::spawn_blocking(move || of_this_machine(&wish, &places)).await {
            Ok(choice) => Ok(choice?),
            Err(stopped) => Err(AdapterError::List(std::io::Error::other(stopped)).into()),
        }
    }

    /// Whether the component may run when no server answers (rule O2).
    fn is_lenient(&self, memory: &Memory) -> bool {
        match &memory.signed_entry {
            Some(entry) => proof::component_in(entry, self.owner, &self.key).is_some_and(|component| component.lenient),
            None => self.lenient_before_contact,
        }
    }

    /// The same where the state could not be had, and what its lease says: another process that uses it takes nothing
    /// away from what the vendor's catalogue and the lease allow.
    async fn without_state(&self, fault: &AgentError) -> (bool, Offline) {
        let directory = match fault {
            AgentError::State(StateError::Busy { .. }) => self.directory().ok(),
            AgentError::Adapter(_) | AgentError::State(_) => None,
        };
        let peeked = directory.and_then(|path| Some((State::peek(&path, self.owner).ok()?, path)));
        let Some((memory, path)) = peeked else {
            return (self.lenient_before_contact, Offline::NoLease);
        };
        if self.is_lenient(&memory) {
            return (true, Offline::NoLease);
        }
        let offline = match (self.machine().await, State::peek_fingerprint(&path, self.owner)) {
            (Ok(machine), Ok(identity)) => self.offline(&memory, machine.mac, identity),
            (Err(_), _) | (_, Err(_)) => Offline::NoLease,
        };
        (offline.running().is_some(), offline)
    }
}

//! What an agent remembers between starts: one file per component, beside it the component's identity and a lock.
//!
//! `VENDOR~PRODUCT~component.json` is replaced whole (write, sync, rename, sync the directory), `.pem` is written once,
//! and `.lock` is held from reading the file until what the server answered is in it: two processes of one component
//! never use a continuation number twice (rule I7).

mod distrust;
mod file;
mod record;
mod trusted;

#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use thiserror::Error;

use crate::domain::ids::{ComponentId, Fingerprint, Mac, ProductKey, Serial, ServerId};
use crate::domain::time::Timestamp;
use crate::tls::{Identity, PINS_MAX, TlsError};

/// MAC addresses per server for which the continuation number is kept, at most.
const CONTINUATIONS_MAX: usize = 4;

/// Numbers of servers whose identities are trusted no more, at most.
const FORMER_MAX: usize = PINS_MAX * CONTINUATIONS_MAX;

pub use distrust::{Distrust, Distrusted, Whom, distrust_on_this_machine};
pub use trusted::{trust_on_this_machine, trusted_on_this_machine};

/// The environment variable that names another state directory.
pub const STATE_DIR_VARIABLE: &str = "SEATKEEPER_STATE_DIR";

/// Why an agent's memory cannot be used. Each says what to do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StateError {
    /// Another process holds the lock.
    #[error("another process is at work with the agent's state ({path} is locked); try again")]
    Busy {
        /// The lock file.
        path: PathBuf,
    },
    /// The file cannot be read as what it should be.
    #[error("the state file {path} is damaged: {reason}; remove it to start anew: the server must then be found again")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Others than its owner may read or write the file.
    #[error("the state file {path} is open to others (mode {mode:04o}); run: chmod 600 {path}")]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file or directory cannot be used.
    #[error("{path} cannot be {action}")]
    File {
        /// Which file or directory.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The identity beside the state file cannot be used.
    #[error(transparent)]
    Identity(#[from] TlsError),
    /// Without the server a component would trust none, and take the next one that comes.
    #[error(
        "{who} would name no server any more, and the next one that shows a genuine license would be trusted, a thief's too; \
         first have the right one trusted (seatkeeper agent trust FINGERPRINT), or say --even-last; nothing changed"
    )]
    LastTrusted {
        /// The component's state, or the machine's list.
        who: PathBuf,
    },
    /// A newer version wrote the file.
    #[error("the state file {path} is of version {version}, newer than this program; upgrade the program")]
    Newer {
        /// Which file.
        path: PathBuf,
        /// The version in it.
        version: u32,
    },
    /// There is no home directory to keep state in.
    #[error("no directory for the agent's state: set HOME, XDG_STATE_HOME or {STATE_DIR_VARIABLE}")]
    NoDirectory,
    /// No component trusts the server.
    #[error(
        "no component with its state in {directory} trusts {fingerprint}; what one trusts, this tells: seatkeeper agent check \
         PRODUCT COMPONENT"
    )]
    NotTrusted {
        /// The server.
        fingerprint: Fingerprint,
        /// Where was looked.
        directory: PathBuf,
    },
    /// As many servers are pinned as may be.
    #[error("{PINS_MAX} servers are trusted already, as many as may be")]
    TooManyPins,
}

/// A server that this component trusts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pin {
    /// Its identity.
    pub fingerprint: Fingerprint,
    /// Its name for itself; nothing until it was met.
    pub server: Option<ServerId>,
    /// Where it answered last.
    pub address: Option<SocketAddr>,
    /// The highest epoch that it showed: a lower one is refused.
    pub epoch: u32,
    /// What it signs leases with, as it said last (rule O3).
    pub lease_key: Option<[u8; 32]>,
    /// What to send with the next checkout, by the MAC address it was answered to; newest last, at most 4.
    pub continuations: Vec<(Mac, u64)>,
}

impl Pin {
    /// A server that was not met yet.
    #[must_use]
    pub const fn new(fingerprint: Fingerprint) -> Self {
        Self {
            fingerprint,
            server: None,
            address: None,
            epoch: 0,
            lease_key: None,
            continuations: Vec::new(),
        }
    }

    /// The number to send with the next checkout of `mac`; 0 where there was none.
    #[must_use]
    pub fn continuation(&self, mac: Mac) -> u64 {
        self.continuations
            .iter()
            .find(|(known, _)| *known == mac)
            .map_or(0, |(_, number)| *number)
    }

    /// Remembers what the server answered to `mac`.
    pub fn set_continuation(&mut self, mac: Mac, number: u64) {
        self.continuations.retain(|(known, _)| *known != mac);
        if self.continuations.len() >= CONTINUATIONS_MAX {
            self.continuations.remove(0);
        }
        self.continuations.push((mac, number));
    }
}

/// The last seat that was granted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LastGrant {
    /// The machine it was granted to.
    pub mac: Mac,
    /// The license.
    pub serial: Serial,
    /// When it was engaged.
    pub acquired_at: Timestamp,
    /// From when on it is free unless renewed; nothing where it never idles out.
    pub renew_by: Option<Timestamp>,
}

/// The last lease that was granted (rule O3).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeptLease {
    /// As the server signed it.
    pub signed: Bytes,
    /// The pinned server that signed it.
    pub server: Fingerprint,
}

/// How the last exchange with a server ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LastStanding {
    /// A server refused.
    Denied {
        /// The status on the wire.
        status: u16,
        /// What the user is told.
        text: String,
    },
    /// A seat was granted or renewed.
    Licensed,
    /// No server answered.
    NoServer,
    /// The component is not counted.
    NotCounted,
    /// The seat was given up.
    Released,
}

/// What an agent remembers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Memory {
    /// The servers that this component trusts; at most [`PINS_MAX`].
    pub pins: Vec<Pin>,
    /// The product's catalogue entry as the vendor signed it (rule O2).
    pub signed_entry: Option<Bytes>,
    /// The last seat that was granted.
    pub grant: Option<LastGrant>,
    /// How the last exchange ended, and when by this machine's clock.
    pub standing: Option<(LastStanding, Timestamp)>,
    /// What the component may run on without a server (rule O3).
    pub lease: Option<KeptLease>,
    /// The newest time by this machine's clock at which anything was saved since the lease was kept; 0 where nothing
    /// was. Only a new lease sets it back.
    pub newest_time: Timestamp,
    /// The numbers of servers whose identities are trusted no more, by the server's name for itself, the newest last; at most
    /// so many as all pins together may have. A server that has another identity now goes on with them.
    pub former: Vec<FormerNumber>,
}

/// What a server answered under an identity that is trusted no more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FormerNumber {
    /// The server's name for itself.
    pub server: ServerId,
    /// The MAC address that it was answered to.
    pub mac: Mac,
    /// What to send with the next checkout.
    pub number: u64,
}

impl Memory {
    /// The pin of a server.
    #[must_use]
    pub fn pin(&self, fingerprint: Fingerprint) -> Option<&Pin> {
        self.pins.iter().find(|pin| pin.fingerprint == fingerprint)
    }

    /// The pin of a server, to be changed.
    pub fn pin_mut(&mut self, fingerprint: Fingerprint) -> Option<&mut Pin> {
        self.pins.iter_mut().find(|pin| pin.fingerprint == fingerprint)
    }

    /// The number to send with the next checkout of `mac` to a trusted server, by what it calls itself. Where it answered none
    /// under this identity yet, what it answered under another one counts: the administrator has said that it is the same.
    /// Whoever answered in its place meanwhile, with a stolen identity, shows so (rule I7). 0 where there was none.
    #[must_use]
    pub fn continuation(&self, pin: &Pin, server: ServerId, mac: Mac) -> u64 {
        let of_it = |number: u64| Some(number).filter(|number| *number != 0);
        let same = self.pins.iter().filter(|pin| pin.server == Some(server));
        let former = self.former.iter().rev();
        of_it(pin.continuation(mac))
            .or_else(|| same.map(|pin| pin.continuation(mac)).find_map(of_it))
            .or_else(|| {
                former
                    .filter(|one| (one.server, one.mac) == (server, mac))
                    .find_map(|one| of_it(one.number))
            })
            .unwrap_or(0)
    }

    /// Keeps the numbers of a pin that is to go.
    pub(super) fn keep_numbers(&mut self, pin: &Pin) {
        let Some(server) = pin.server else { return };
        for (mac, number) in pin.continuations.iter().copied() {
            self.former.retain(|one| (one.server, one.mac) != (server, mac));
            self.former.push(FormerNumber { server, mac, number });
        }
        let beyond = self.former.len().saturating_sub(FORMER_MAX);
        self.former.drain(..beyond);
    }

    /// Trusts a server from now on; true if it was not trusted before.
    ///
    /// # Errors
    /// [`StateError::TooManyPins`]: nothing changed.
    pub fn trust(&mut self, fingerprint: Fingerprint) -> Result<bool, StateError> {
        if self.pin(fingerprint).is_some() {
            return Ok(false);
        }
        if self.pins.len() >= PINS_MAX {
            return Err(StateError::TooManyPins);
        }
        self.pins.push(Pin::new(fingerprint));
        Ok(true)
    }
}

/// Whose state it is: one component of one product of one vendor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Owner {
    /// The product.
    pub product: ProductKey,
    /// The component.
    pub component: ComponentId,
}

impl Owner {
    /// The file of this owner with `extension`. `~` is in no id, so no two owners share a file.
    fn path(&self, directory: &Path, extension: &str) -> PathBuf {
        let ProductKey { vendor, product } = self.product;
        directory.join(format!("{vendor}~{product}~{}.{extension}", self.component))
    }
}

/// The state of a component while nobody else may use it.
#[derive(Debug)]
pub struct State {
    /// What is remembered. Changes last once [`State::save`] has returned.
    pub memory: Memory,
    identity: Identity,
    path: PathBuf,
    /// Held for as long as this value lives; the operating system lets go of it even if the process dies.
    _lock: std::fs::File,
}

impl State {
    /// Waits until nobody else uses the component's state, then reads it. Makes directory and identity where they
    /// are missing.
    ///
    /// # Errors
    /// [`StateError`] with what to do; [`StateError::Busy`] if another process holds the lock for all of `wait`.
    pub async fn open(directory: &Path, owner: Owner, wait: Duration) -> Result<Self, StateError> {
        file::make_directory(directory)?;
        let lock = file::lock(owner.path(directory, "lock"), wait).await?;
        let path = owner.path(directory, "json");
        let identity = Identity::load_or_create(&owner.path(directory, "pem"))?;
        let mut memory = match file::read(&path)? {
            None => Memory::default(),
            Some(text) => {
                let (memory, of) = record::decode(&path, &text)?;
                memory.fitting(of == Fingerprint(identity.fingerprint()))
            }
        };
        memory.pins.truncate(PINS_MAX);
        trusted::add_to(&mut memory, directory)?;
        Ok(Self {
            memory,
            identity,
            path,
            _lock: lock,
        })
    }

    /// What is remembered, to look at while another process holds the lock; nothing if nothing is yet. The file is
    /// replaced whole, so that this is what was remembered before that process's exchange or after it.
    ///
    /// # Errors
    /// [`StateError`]: the file cannot be read.
    pub fn peek(directory: &Path, owner: Owner) -> Result<Memory, StateError> {
        let path = owner.path(directory, "json");
        let text = file::read(&path)?;
        text.map_or_else(
            || Ok(Memory::default()),
            |text| record::decode(&path, &text).map(|(memory, _)| memory),
        )
    }

    /// The fingerprint of the component's identity, to look at likewise.
    ///
    /// # Errors
    /// [`StateError::Identity`]: there is none, or it cannot be read.
    pub fn peek_fingerprint(directory: &Path, owner: Owner) -> Result<Fingerprint, StateError> {
        let identity = Identity::load(&owner.path(directory, "pem"))?;
        Ok(Fingerprint(identity.fingerprint()))
    }

    /// The component's identity.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Has `memory` on stable storage before returning. `now` is the time by this machine's clock.
    ///
    /// # Errors
    /// [`StateError::File`]; the file holds what it held before.
    pub async fn save(&mut self, now: Timestamp) -> Result<(), StateError> {
        self.memory.newest_time = self.memory.newest_time.max(now);
        let text = record::encode(&self.memory, Fingerprint(self.identity.fingerprint()));
        let path = self.path.clone();
        let done = tokio::task::spawn_blocking(move || file::replace(&path, text.as_bytes())).await;
        done.unwrap_or_else(|stopped| {
            Err(StateError::File {
                path: self.path.clone(),
                action: "written",
                source: io::Error::other(stopped),
            })
        })
    }
}

impl Memory {
    /// Continuation numbers belong to the identity that they were answered to; a new one starts without.
    fn fitting(mut self, same_identity: bool) -> Self {
        if !same_identity {
            for pin in &mut self.pins {
                pin.continuations.clear();
            }
            self.former.clear();
        }
        self
    }
}

/// Whether the state file at `path` tells of a server that proved a license of the component's vendor.
#[must_use]
pub fn was_served(path: &Path) -> bool {
    let text = file::read(path).ok().flatten();
    let memory = text.and_then(|text| record::decode(path, &text).ok());
    memory.is_some_and(|(memory, _)| memory.signed_entry.is_some())
}

/// Where agents keep their state: `SEATKEEPER_STATE_DIR`, else `/var/lib/seatkeeper-agent` for root, else
/// `seatkeeper/agent` in the user's XDG state directory.
///
/// # Errors
/// [`StateError::NoDirectory`] if there is neither.
pub fn default_directory() -> Result<PathBuf, StateError> {
    let variable = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(directory) = variable(STATE_DIR_VARIABLE) {
        return Ok(directory);
    }
    if file::is_root() {
        return Ok(PathBuf::from("/var/lib/seatkeeper-agent"));
    }
    variable("XDG_STATE_HOME")
        .filter(|directory| directory.is_absolute())
        .or_else(|| variable("HOME").map(|home| home.join(".local/state")))
        .map(|directory| directory.join("seatkeeper").join("agent"))
        .ok_or(StateError::NoDirectory)
}

//! Where wire and domain meet. Matches over the domain's types have no wildcard arm: what is new there does not
//! compile until the protocol has a number for it.

mod ask;
#[cfg(test)]
mod client;
mod codes;
mod events;
mod explain;
mod pages;
mod refusal;
mod reload;
mod remedy;
mod reply;
mod rows;
mod status;
mod text;

use bytes::Bytes;

pub use ask::{malformed, work_of};
#[cfg(test)]
pub(super) use client::{checkout_of, release_of, reply_of_checkout, reply_of_release};
pub use codes::{kind_code, license_status_code, role_code, role_of, usage_code};
pub use refusal::{status_of, status_of_key_error, status_of_key_refusal, status_of_list_error, status_of_reason};
pub use reply::{Context, respond};

use super::health::Health;
use super::reload::Reloaded;
use crate::domain::change::Server;
use crate::domain::command::{Command, Role};
use crate::domain::event_log::{ChainPage, EventsPage};
use crate::domain::reply::{ImportOutcome, Reply, Status};
use crate::vendor::{KeyError, KeyFileError, ListError};

/// What a request asks of the server around the session. Texts with signatures come unchecked: whoever does the work
/// checks them with the trusted keys and then asks the ledger, also where no key is good, since the ledger decides
/// whether the peer may ask at all.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Work {
    /// Ask the ledger.
    Command(Command),
    /// Ask the ledger, and read the rest of the page from the disk.
    Events(Box<EventsPage>),
    /// Ask the ledger, and check a portion of what is on the disk.
    EventsVerify(ChainPage),
    /// Find out the peer's role and the server's own facts.
    Hello,
    /// Read the configuration again.
    Reload {
        /// Whether only to tell what that would change.
        dry_run: bool,
    },
    /// Trust the vendor of this Ed25519 public key, if it is one.
    TrustVendor([u8; 32]),
    /// Check a signed list of serials that do not serve, then import it or tell what it would change.
    VerifyBlacklist {
        /// The list as it was signed.
        signed: Bytes,
        /// Whether only to tell.
        dry_run: bool,
    },
    /// Check a signed catalogue, then import it or tell what it would change.
    VerifyCatalogue {
        /// The catalogue as it was signed.
        signed: Bytes,
        /// Whether only to tell.
        dry_run: bool,
    },
    /// Check license keys, then import those that are good or tell what that would do.
    VerifyKeys {
        /// The keys; at most [`crate::wire::limits::KEYS_MAX`].
        texts: Vec<String>,
        /// Whether only to tell.
        dry_run: bool,
    },
}

/// What HELLO is answered with, besides what the configuration knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Greeting {
    /// The peer's role.
    pub role: Role,
    /// The server as the ledger knows it.
    pub server: Server,
}

/// What became of one license key of an IMPORT.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyOutcome {
    /// Its signature is good; the ledger decided.
    Decided(ImportOutcome),
    /// It counts for nothing.
    Unverified(KeyError),
}

/// The answer to a [`Work`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// The queue is full: ask again later.
    Busy,
    /// The catalogue or blacklist counts for nothing.
    ListRefused(ListError),
    /// The server failed; whether the request was carried out is not known.
    Failed,
    /// HELLO is answered.
    Hello(Box<Greeting>),
    /// What became of each key, in the order in which they came.
    Imported(Vec<KeyOutcome>),
    /// There is no configuration file to read again.
    NoConfiguration,
    /// The configuration was read again.
    Reloaded(Box<Reloaded>),
    /// The ledger answered.
    Reply(Box<Reply>),
    /// The ledger answered how much there is; and how the server is besides.
    Status(Box<Status>, Health),
    /// The server stops and did not accept the request.
    Stopping,
    /// The 32 bytes are no vendor's key.
    VendorKeyRefused(KeyFileError),
}

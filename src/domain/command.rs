//! What can be asked of the ledger, and who asks.

use std::net::IpAddr;

use std::collections::BTreeSet;

use super::backup::Backup;
use super::blacklist::Blacklist;
use super::catalogue::Catalogue;
use super::event_log::{ChainPage, EventsPage};
use super::explain::Explain;
use super::ids::{
    ComponentId, Fingerprint, Mac, ProductId, ReservationId, Serial, ServerId, TokenHash, TokenId, VendorId,
};
use super::license::VerifiedKey;
use super::seat::{MachineNote, SeatKey};
use super::time::Timestamp;
use super::timekeeper::ClockChange;

/// What an identity may do. Whoever connects is at least an agent; the higher roles are given by an administrator.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Role {
    /// Checks out, renews and releases its own seats, asks how many are available.
    Agent,
    /// Reserves and commits deployments, besides what an agent may.
    Deployer,
    /// Sees everything, changes nothing.
    Viewer,
    /// Everything.
    Administrator,
}

impl Role {
    /// Whether this role includes `needed`. A deployer and a viewer each include an agent, not one another.
    #[must_use]
    pub const fn includes(self, needed: Self) -> bool {
        match (self, needed) {
            (Self::Administrator, _)
            | (_, Self::Agent)
            | (Self::Deployer, Self::Deployer)
            | (Self::Viewer, Self::Viewer) => true,
            (Self::Agent | Self::Deployer | Self::Viewer, _) => false,
        }
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Actor {
    /// A peer that proved to own this identity.
    Peer {
        /// Its identity.
        identity: Fingerprint,
        /// The address it connected from.
        address: IpAddr,
    },
    /// The server itself: reclaiming, founding, recovering an administrator.
    Server,
}

/// A product as an administrator names it: the vendor only where the id alone is not enough (rule K2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ProductName {
    /// Whose product, if given.
    pub vendor: Option<VendorId>,
    /// Its id.
    pub product: ProductId,
}

/// Everything that can be asked. Signatures in it were checked before (invariant 6).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Command {
    /// Give an identity a role.
    AddAdmin {
        /// The identity.
        fingerprint: Fingerprint,
        /// Its role from now on; an agent needs none.
        role: Role,
        /// Whose it is, for people; at most 64 bytes.
        label: String,
    },
    /// Let a token enrol identities from now on.
    AddToken {
        /// Its hash: the server never sees the token before it is used.
        token: TokenHash,
        /// What it is for, for people; at most 64 bytes.
        label: String,
        /// For how many seconds, 1 to [`super::enrolment::TOKEN_SECS_MAX`].
        secs: u32,
        /// How many identities, 1 to [`super::enrolment::TOKEN_USES_MAX`].
        uses: u32,
    },
    /// The identities with a role.
    Admins(Page<Fingerprint>),
    /// Give back what a reservation has for machines whose deployment failed, or all of it (rule X2).
    Abort(Settle),
    /// How many seats of a product are available; engages none (rule S10).
    Availability(ProductName),
    /// CHECKOUT and RENEW: one decision (rule S14).
    Checkout(Checkout),
    /// Accept the clock's pending jump (rule T2).
    ClockAccept,
    /// Make what the calendar says the highest accepted time, either way (rule T2).
    ClockReset,
    /// Machines of a reservation were deployed (rule X2).
    Commit(Settle),
    /// An administrator takes a seat back, or one component of it.
    EndSeat {
        /// Of which machine.
        mac: Mac,
        /// Of which product.
        product: ProductName,
        /// Only this component; without it the whole seat.
        component: Option<ComponentId>,
        /// Why; 1 to 256 bytes; part of the event.
        reason: String,
    },
    /// The identity brings a token, to be served from now on where a site has agents enrol.
    Enrol {
        /// The hash of what it brought.
        token: TokenHash,
    },
    /// The identities that tokens enrolled, in the order of their fingerprints; those of which that was taken back too.
    EnrolledIdentities(Page<Fingerprint>),
    /// How a checkout would be decided; changes nothing (rule V2).
    Explain(Box<Explain>),
    /// The refusals of the event log that are still counted, and how far it is durable; the rest is read from the disk
    /// (rule V3).
    Events(Box<EventsPage>),
    /// How far the event log is durable; what is checked is read from the disk.
    EventsVerify(ChainPage),
    /// The server's first start: its name for itself.
    Found {
        /// 16 random bytes.
        id: ServerId,
    },
    /// A backup of the server was made: for STATUS and the event log.
    NoteBackup(Backup),
    /// The server has another identity than before: for the event log.
    NoteIdentity {
        /// The identity before.
        from: Fingerprint,
        /// The identity now.
        to: Fingerprint,
    },
    /// The server goes on from a backup: its epoch is raised, so that whoever has met it refuses the server that the backup
    /// was made of.
    Restore {
        /// When the backup was made.
        made_at: Timestamp,
        /// The epoch from now on; one more than before where that is higher.
        epoch: u32,
    },
    /// Import license keys whose signatures were checked.
    Import(Vec<VerifiedKey>),
    /// Import a list of serials whose signature was checked, or tell what that would change.
    ImportBlacklist {
        /// The list.
        list: Box<Blacklist>,
        /// Whether only to tell.
        dry_run: bool,
    },
    /// Import a catalogue whose signature was checked, or tell what that would change.
    ImportCatalogue {
        /// The catalogue.
        catalogue: Box<Catalogue>,
        /// Whether only to tell what it would change.
        dry_run: bool,
    },
    /// Tell what importing license keys whose signatures were checked would do.
    JudgeKeys(Vec<VerifiedKey>),
    /// Make the time durable (rule T2) unless what is recorded of it is younger than so many seconds.
    KeepTime(u64),
    /// The licenses, in the order of their serials.
    Licenses(Page<Serial>),
    /// Move dates that are after the time to it (rule T2): after a reset, and at a start in the midst of one.
    MendDates,
    /// Record what became of a jump of the clock (rule T2).
    NoteClock(ClockChange),
    /// The server's configuration is about to be read again, and so many of its keys are taken over: whether who asks may
    /// have that done, and an event. The ledger knows no configuration.
    NoteReload {
        /// How many keys.
        applied: u32,
        /// Whether nothing is taken over: then nothing is noted.
        dry_run: bool,
    },
    /// The products of all catalogues.
    Products(Page<(VendorId, ProductId)>),
    /// Free the seats whose renew date has come, a bounded number of them (rule S6).
    Reclaim,
    /// The identity lets go of a component's hold on a seat (rule S8).
    Release(Release),
    /// Take away an identity's role.
    RemoveAdmin {
        /// The identity.
        fingerprint: Fingerprint,
    },
    /// Take back the enrolment of one identity.
    RemoveEnrolled {
        /// Which.
        identity: Fingerprint,
    },
    /// Take a license off the server.
    RemoveLicense {
        /// Which.
        serial: Serial,
        /// Whether to end the seats that are in use.
        end_seats: bool,
    },
    /// The reservations, in the order of their ids.
    Reservations(Page<ReservationId>),
    /// Set seats or units aside (rules X2, X4).
    Reserve(Reserve),
    /// Resolve a machine's components: bind the identity that waits; where none does, forget the binding of one with a
    /// conflict (rule I7).
    Resolve {
        /// Of which machine.
        mac: Mac,
        /// Of which product; of all without it.
        product: Option<ProductName>,
    },
    /// End a token, and take back whom it enrolled if that is asked, a bounded number of them.
    RevokeToken {
        /// Its short name.
        id: TokenId,
        /// Whether the identities that it enrolled are to be enrolled no more.
        also_identities: bool,
    },
    /// The seats, in the order of their keys.
    Seats(SeatsPage),
    /// Counts over everything.
    Status,
    /// The tokens, in the order of their hashes.
    Tokens(Page<TokenHash>),
    /// Trust a vendor's public key.
    TrustVendor {
        /// Its Ed25519 public key.
        public_key: [u8; 32],
        /// The id that belongs to the key.
        vendor: VendorId,
    },
}

/// Rows of one page, at most.
pub const PAGE_ROWS_MAX: usize = 256;

/// A page of a listing, in key order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Page<K> {
    /// Start behind this key; from the first without it.
    pub after: Option<K>,
    /// Rows at most; more than [`PAGE_ROWS_MAX`] is read as that.
    pub limit: usize,
}

/// A page of the seats.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SeatsPage {
    /// Only the seats of this machine.
    pub mac: Option<Mac>,
    /// Only the seats of the products of this id, whichever vendors have one.
    pub product: Option<ProductId>,
    /// Which rows.
    pub page: Page<SeatKey>,
}

/// A component at its start asks to hold its machine's seat.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checkout {
    /// The seat it needs.
    pub key: SeatKey,
    /// Which component asks.
    pub component: ComponentId,
    /// The number that the last answered checkout returned; 0 where there was none (rule I7).
    pub continuation: u64,
    /// The machine's host name and other addresses; the server fills in the address it was asked from.
    pub machine: MachineNote,
    /// What this server does about a new identity.
    pub rebind: Rebind,
}

/// What a server does about an identity that is not the bound one (rule I7). A site's configuration says it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Rebind {
    /// It waits until an administrator approves it.
    Approve,
    /// It takes the bound one's place at once, as an event.
    #[default]
    Honour,
}

/// Asks for seats or units to be set aside (rules X2, X4).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reserve {
    /// The reservation's name; the same one again reserves nothing more.
    pub id: ReservationId,
    /// Of which product.
    pub product: ProductName,
    /// For how many seconds, 1 to [`super::reservation::RESERVE_SECS_MAX`].
    pub secs: u32,
    /// What.
    pub wanted: Wanted,
    /// Whether licenses of the usage that the product prefers are to be used alone (rule X5).
    pub preferred_only: bool,
}

/// What is to be set aside.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Wanted {
    /// A seat or a unit for each of these machines, 1 to [`super::reservation::MACHINES_MAX`].
    Machines(BTreeSet<Mac>),
    /// So many seats for machines that check out, 1 and more.
    Seats(u32),
}

/// Settles machines of a reservation: commits or aborts them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settle {
    /// The reservation's name.
    pub id: ReservationId,
    /// Its product, by which a machine is decided anew where the reservation is not here any more.
    pub product: ProductName,
    /// Which machines; all that it still has if there are none.
    pub macs: BTreeSet<Mac>,
    /// As in [`Reserve`], where a machine is decided anew.
    pub preferred_only: bool,
}

/// A component that is uninstalled lets go of its machine's seat.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Release {
    /// The seat.
    pub key: SeatKey,
    /// Which component.
    pub component: ComponentId,
}

impl Command {
    /// Whether it makes the ledger larger wherever it is granted: what a full disk has no room for. A checkout does so
    /// only where it engages a seat, a commit where it gives what was not reserved: the ledger tells.
    #[must_use]
    pub const fn grows(&self) -> bool {
        match self {
            Self::AddAdmin { .. }
            | Self::AddToken { .. }
            | Self::Enrol { .. }
            | Self::Found { .. }
            | Self::Import(_)
            | Self::Reserve(_)
            | Self::TrustVendor { .. } => true,
            Self::ImportBlacklist { dry_run, .. } | Self::ImportCatalogue { dry_run, .. } => !*dry_run,
            Self::Abort(_)
            | Self::Admins(_)
            | Self::Availability(_)
            | Self::Checkout(_)
            | Self::ClockAccept
            | Self::ClockReset
            | Self::Commit(_)
            | Self::EndSeat { .. }
            | Self::EnrolledIdentities(_)
            | Self::Events(_)
            | Self::EventsVerify(_)
            | Self::Explain(_)
            | Self::JudgeKeys(_)
            | Self::KeepTime(_)
            | Self::Licenses(_)
            | Self::MendDates
            | Self::NoteBackup(_)
            | Self::NoteClock(_)
            | Self::NoteIdentity { .. }
            | Self::NoteReload { .. }
            | Self::Products(_)
            | Self::Reclaim
            | Self::Release(_)
            | Self::RemoveAdmin { .. }
            | Self::RemoveEnrolled { .. }
            | Self::RemoveLicense { .. }
            | Self::Reservations(_)
            | Self::Resolve { .. }
            | Self::Restore { .. }
            | Self::RevokeToken { .. }
            | Self::Seats(_)
            | Self::Status
            | Self::Tokens(_) => false,
        }
    }

    /// The least roles that may ask this: each of them includes its own. The registry in `proto-spec/` says the same of
    /// each opcode.
    #[must_use]
    pub const fn roles(&self) -> &'static [Role] {
        match self {
            Self::Availability(_) | Self::Checkout(_) | Self::Enrol { .. } | Self::Release(_) => &[Role::Agent],
            Self::Abort(_) | Self::Commit(_) | Self::Reserve(_) => &[Role::Deployer],
            Self::Reservations(_) => &[Role::Deployer, Role::Viewer],
            Self::Admins(_)
            | Self::Explain(_)
            | Self::Events(_)
            | Self::EventsVerify(_)
            | Self::Licenses(_)
            | Self::Products(_)
            | Self::Seats(_)
            | Self::Status => &[Role::Viewer],
            Self::AddAdmin { .. }
            | Self::AddToken { .. }
            | Self::ClockAccept
            | Self::ClockReset
            | Self::EndSeat { .. }
            | Self::EnrolledIdentities(_)
            | Self::Found { .. }
            | Self::Import(_)
            | Self::ImportBlacklist { .. }
            | Self::ImportCatalogue { .. }
            | Self::JudgeKeys(_)
            | Self::KeepTime(_)
            | Self::MendDates
            | Self::NoteBackup(_)
            | Self::NoteClock(_)
            | Self::NoteIdentity { .. }
            | Self::NoteReload { .. }
            | Self::Reclaim
            | Self::RemoveAdmin { .. }
            | Self::RemoveEnrolled { .. }
            | Self::RemoveLicense { .. }
            | Self::Resolve { .. }
            | Self::Restore { .. }
            | Self::RevokeToken { .. }
            | Self::Tokens(_)
            | Self::TrustVendor { .. } => &[Role::Administrator],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves X2
    // proves V2
    #[test]
    fn deployers_reserve_commit_and_abort_and_agents_do_not() {
        let product = ProductName {
            vendor: None,
            product: "SERVER".parse().expect("a product"),
        };
        let settle = Settle {
            id: ReservationId([1; 16]),
            product,
            macs: BTreeSet::new(),
            preferred_only: false,
        };
        let reserve = Reserve {
            id: ReservationId([1; 16]),
            product,
            secs: 60,
            wanted: Wanted::Seats(1),
            preferred_only: false,
        };
        for command in [
            Command::Reserve(reserve),
            Command::Commit(settle.clone()),
            Command::Abort(settle),
        ] {
            let may = |role: Role| command.roles().iter().any(|least| role.includes(*least));
            assert_eq!(
                [Role::Agent, Role::Viewer, Role::Deployer, Role::Administrator].map(may),
                [false, false, true, true],
                "{command:?}"
            );
        }
    }
}

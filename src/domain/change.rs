//! Recorded facts and the events they tell of.

use std::sync::Arc;

use super::backup::Backup;
use super::blacklist::{Blacklist, Listed};
use super::catalogue::{Catalogue, Vendor};
use super::command::{Actor, Role};
use super::enrolment::{Enrolled, Token};
use super::event_log::Refused;
use super::ids::{
    ComponentId, Fingerprint, Mac, ProductKey, ReservationId, Serial, ServerId, TokenHash, TokenId, VendorId,
};
use super::license::{License, Tombstone};
use super::reservation::Reservation;
use super::seat::{ConflictKind, EndCause, FormerSeat, LeftBehind, Seat, SeatKey, SpentUnit};
use super::time::Timestamp;
use super::timekeeper::{ClockState, Jump};

/// A recorded fact with the events it tells of. What is not in a `Change` does not survive a restart.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// The complete new value, or a deletion.
    pub fact: Fact,
    /// What happened; for the event log. Empty where another change of the same command tells it.
    pub events: Vec<Event>,
}

impl From<Fact> for Change {
    /// A change that tells of nothing: what comes from the disk, or what another change of the same command tells.
    fn from(fact: Fact) -> Self {
        Self {
            fact,
            events: Vec::new(),
        }
    }
}

/// The complete new value of one key of the ledger, or its deletion.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fact {
    /// An identity has this role.
    AdminPut(Fingerprint, Admin),
    /// An identity has no role any more.
    AdminRemoved(Fingerprint),
    /// A vendor's list of serials that do not serve.
    BlacklistPut(Box<Blacklist>),
    /// A vendor's catalogue.
    CataloguePut(Box<Catalogue>),
    /// The highest accepted time, and the jump that is pending.
    ClockPut(ClockState),
    /// A token enrolled an identity, or that was taken back.
    EnrolledPut(Fingerprint, Enrolled),
    /// A machine's former seat is forgotten.
    FormerDropped(SeatKey),
    /// A machine held this seat.
    FormerPut(SeatKey, FormerSeat),
    /// What components left behind is forgotten.
    LeftDropped(SeatKey),
    /// What a machine's components left behind when they let go of its seat.
    LeftPut(SeatKey, Box<LeftBehind>),
    /// A license.
    LicensePut(Box<License>),
    /// A license is not on this server any more.
    LicenseRemoved(Serial),
    /// Nothing is left of a reservation.
    ReservationEnded(ReservationId),
    /// A reservation.
    ReservationPut(ReservationId, Box<Reservation>),
    /// A seat ended.
    SeatEnded(SeatKey),
    /// A seat.
    SeatPut(SeatKey, Arc<Seat>),
    /// The server itself.
    ServerPut(Server),
    /// A unit of a license was spent; units of a license are numbered from 0.
    SpentPut(Serial, u32, SpentUnit),
    /// A token that ended is forgotten.
    TokenDropped(TokenHash),
    /// A token that enrols identities.
    TokenPut(TokenHash, Token),
    /// A license was removed.
    TombstonePut(Serial, Tombstone),
    /// A vendor is trusted.
    VendorPut(VendorId, Vendor),
}

/// Which key of the ledger a fact is the value of. Keys sort by kind, then by value.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum FactKey {
    /// The server itself.
    Server,
    /// An identity with a role.
    Admin(Fingerprint),
    /// A trusted vendor.
    Vendor(VendorId),
    /// A vendor's catalogue.
    Catalogue(VendorId),
    /// A license.
    License(Serial),
    /// A license that was removed.
    Tombstone(Serial),
    /// A spent unit of a license.
    Spent(Serial, u32),
    /// A seat.
    Seat(SeatKey),
    /// A former seat.
    Former(SeatKey),
    /// A vendor's list of serials that do not serve.
    Blacklist(VendorId),
    /// A reservation.
    Reservation(ReservationId),
    /// The time that counts.
    Clock,
    /// What a machine's components left behind.
    Left(SeatKey),
    /// A token that enrols identities.
    Token(TokenHash),
    /// An identity that a token enrolled.
    Enrolled(Fingerprint),
}

impl Fact {
    /// The key that it is the value of, or whose value it deletes.
    #[must_use]
    pub const fn key(&self) -> FactKey {
        match self {
            Self::AdminPut(fingerprint, _) | Self::AdminRemoved(fingerprint) => FactKey::Admin(*fingerprint),
            Self::BlacklistPut(list) => FactKey::Blacklist(list.vendor),
            Self::CataloguePut(catalogue) => FactKey::Catalogue(catalogue.vendor),
            Self::ClockPut(_) => FactKey::Clock,
            Self::EnrolledPut(identity, _) => FactKey::Enrolled(*identity),
            Self::FormerDropped(seat) | Self::FormerPut(seat, _) => FactKey::Former(*seat),
            Self::LeftDropped(seat) | Self::LeftPut(seat, _) => FactKey::Left(*seat),
            Self::LicensePut(license) => FactKey::License(license.claims.serial),
            Self::LicenseRemoved(serial) => FactKey::License(*serial),
            Self::ReservationEnded(id) | Self::ReservationPut(id, _) => FactKey::Reservation(*id),
            Self::SeatEnded(seat) | Self::SeatPut(seat, _) => FactKey::Seat(*seat),
            Self::ServerPut(_) => FactKey::Server,
            Self::SpentPut(serial, unit, _) => FactKey::Spent(*serial, *unit),
            Self::TokenDropped(hash) | Self::TokenPut(hash, _) => FactKey::Token(*hash),
            Self::TombstonePut(serial, _) => FactKey::Tombstone(*serial),
            Self::VendorPut(vendor, _) => FactKey::Vendor(*vendor),
        }
    }

    /// Whether it says that its key has no value any more.
    #[must_use]
    pub const fn is_deletion(&self) -> bool {
        match self {
            Self::AdminRemoved(_)
            | Self::FormerDropped(_)
            | Self::LeftDropped(_)
            | Self::LicenseRemoved(_)
            | Self::ReservationEnded(_)
            | Self::SeatEnded(_)
            | Self::TokenDropped(_) => true,
            Self::AdminPut(..)
            | Self::BlacklistPut(_)
            | Self::CataloguePut(_)
            | Self::ClockPut(_)
            | Self::EnrolledPut(..)
            | Self::FormerPut(..)
            | Self::LeftPut(..)
            | Self::LicensePut(_)
            | Self::ReservationPut(..)
            | Self::SeatPut(..)
            | Self::ServerPut(_)
            | Self::SpentPut(..)
            | Self::TokenPut(..)
            | Self::TombstonePut(..)
            | Self::VendorPut(..) => false,
        }
    }
}

/// What the server knows of itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Server {
    /// Its name for itself in offers.
    pub id: ServerId,
    /// Raised by a restore from backup; an agent that has seen a higher one refuses a lower one.
    pub epoch: u32,
    /// When it was first started.
    pub founded_at: Timestamp,
    /// The last backup that was made of it, as far as it knows.
    pub last_backup: Option<Backup>,
}

impl Server {
    /// Its epoch once it goes on from a backup: the time of that, `at`, in seconds, so that of several that were restored
    /// from one backup the last has the highest. Always higher than it was, and higher than `above`, whatever the clock
    /// says. Nothing where there is none that is higher.
    #[must_use]
    pub fn epoch_restored(&self, at: Timestamp, above: u32) -> Option<u32> {
        let next = self.epoch.max(above).checked_add(1)?;
        // A clock beyond the year 2106 must not use up all epochs.
        let told = u32::try_from(at.0).ok().filter(|&told| told < u32::MAX);
        Some(next.max(told.unwrap_or_default()))
    }
}

/// An identity with a role.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Admin {
    /// What it may do.
    pub role: Role,
    /// Whose it is, for people; at most 64 bytes.
    pub label: String,
    /// When it was added.
    pub added_at: Timestamp,
}

/// Something that happened, for the event log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Who caused it.
    pub actor: Actor,
    /// What.
    pub kind: EventKind,
}

/// What happened to the server's time (rule T2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClockEvent {
    /// A jump was accepted: by an administrator, or by itself when it had lasted.
    JumpAccepted(Jump),
    /// The calendar jumped; nothing idles out by it until it is accepted.
    JumpPending(Jump),
    /// A jump is over: what was dated by it was moved back.
    JumpRejected(Jump),
    /// An administrator made the calendar the highest accepted time.
    Reset {
        /// The highest accepted time before.
        from: Timestamp,
        /// The one from now on.
        to: Timestamp,
    },
}

/// What happened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum EventKind {
    /// An identity was given a role.
    AdminAdded {
        /// Which identity.
        fingerprint: Fingerprint,
        /// What it may do.
        role: Role,
    },
    /// An identity lost its role.
    AdminRemoved {
        /// Which identity.
        fingerprint: Fingerprint,
    },
    /// A backup of the server was made.
    BackedUp(Backup),
    /// A vendor's list came or replaced an older one.
    BlacklistImported {
        /// Whose.
        vendor: VendorId,
        /// Its number.
        version: u64,
    },
    /// A catalogue came or replaced an older one.
    CatalogueImported {
        /// Whose.
        vendor: VendorId,
        /// Its number.
        version: u64,
    },
    /// The clock jumped, or what became of a jump, or an administrator set the time (rule T2).
    ClockChanged(ClockEvent),
    /// The configuration was read again while the server ran.
    ConfigReloaded {
        /// How many keys were taken over.
        applied: u32,
    },
    /// Another component holds the seat too.
    ComponentAdded {
        /// Which seat.
        key: SeatKey,
        /// Which component.
        component: ComponentId,
    },
    /// An administrator had the binding of a component with a conflict forgotten: its next checkout binds anew (rule I7).
    BindingForgotten {
        /// Of which seat.
        key: SeatKey,
        /// Of which component.
        component: ComponentId,
    },
    /// A component was released.
    ComponentReleased {
        /// Which seat.
        key: SeatKey,
        /// Which component.
        component: ComponentId,
        /// An administrator's reason; nothing where the component released itself.
        reason: Option<String>,
    },
    /// A copy showed itself.
    ConflictSeen {
        /// On which seat.
        key: SeatKey,
        /// On which component.
        component: ComponentId,
        /// How.
        kind: ConflictKind,
    },
    /// The unit that was set aside for a machine is free again (rule X2).
    DeploymentAborted {
        /// Of which reservation.
        reservation: ReservationId,
        /// For which machine.
        mac: Mac,
        /// Of which license.
        serial: Serial,
    },
    /// A unit of a deployment license was spent (rule X1).
    DeploymentCommitted {
        /// Of which reservation.
        reservation: ReservationId,
        /// On which machine.
        mac: Mac,
        /// Of which license.
        serial: Serial,
    },
    /// An administrator approved the identity that waited: it is bound in place of the one before (rule I7).
    IdentityApproved {
        /// On which seat.
        key: SeatKey,
        /// On which component.
        component: ComponentId,
        /// The identity before.
        from: Fingerprint,
        /// The identity now.
        to: Fingerprint,
    },
    /// A token enrolled an identity.
    IdentityEnrolled {
        /// Which token.
        token: TokenId,
        /// Which identity.
        identity: Fingerprint,
    },
    /// An administrator took an identity's enrolment back.
    IdentityRemoved {
        /// Which token had enrolled it.
        token: TokenId,
        /// Which identity.
        identity: Fingerprint,
    },
    /// An identity may not take another one's place before an administrator approves (rule I7).
    IdentityWaits {
        /// On which seat.
        key: SeatKey,
        /// On which component.
        component: ComponentId,
        /// Which identity.
        identity: Fingerprint,
    },
    /// A license was imported, or renewed by a key with a later end or more seats (rule K6).
    LicenseImported {
        /// Which.
        serial: Serial,
        /// For what.
        product: ProductKey,
        /// Its seats.
        seats: u32,
    },
    /// The vendor's list names a license, or does so no longer (rule C3).
    LicenseListed {
        /// Which.
        serial: Serial,
        /// As what; nothing where it is good again.
        listed: Option<Listed>,
    },
    /// A license was removed.
    LicenseRemoved {
        /// Which.
        serial: Serial,
        /// How many seats ended with it.
        seats_ended: u32,
    },
    /// A component's identity was replaced by another one.
    Rebound {
        /// On which seat.
        key: SeatKey,
        /// On which component.
        component: ComponentId,
        /// The identity before.
        from: Fingerprint,
        /// The identity now.
        to: Fingerprint,
    },
    /// Requests were refused, counted together (rule V3).
    Refused(Box<Refused>),
    /// Something was set aside (rules X2, X4).
    Reserved {
        /// Its name.
        reservation: ReservationId,
        /// Of which product.
        product: ProductKey,
        /// Units and held seats; not the seats that machines were given at once.
        units: u32,
    },
    /// Nothing is set aside by a reservation any more.
    ReservationEnded {
        /// Which.
        reservation: ReservationId,
        /// Whether its time was over; otherwise all of it was settled.
        lapsed: bool,
    },
    /// A seat ended.
    SeatEnded {
        /// Which.
        key: SeatKey,
        /// The license it was of.
        serial: Serial,
        /// Why.
        cause: EndCause,
        /// An administrator's reason.
        reason: Option<String>,
        /// Whether its unit stays spent.
        spent: bool,
    },
    /// A seat was engaged.
    SeatEngaged {
        /// Which.
        key: SeatKey,
        /// Of which license.
        serial: Serial,
        /// Whether the machine held one before.
        again: bool,
    },
    /// A seat went from a license that no longer serves to another one.
    SeatMoved {
        /// Which.
        key: SeatKey,
        /// The license before.
        from: Serial,
        /// The license now.
        to: Serial,
    },
    /// A seat was renewed and nothing else happened.
    SeatRenewed {
        /// Which.
        key: SeatKey,
    },
    /// The server was started for the first time.
    ServerFounded {
        /// Its name for itself.
        id: ServerId,
    },
    /// The server's identity was replaced by another one.
    ServerIdentityReplaced {
        /// The identity before.
        from: Fingerprint,
        /// The identity now.
        to: Fingerprint,
    },
    /// The server goes on from a backup; what it did after that was made is not known here.
    ServerRestored {
        /// Its epoch from now on.
        epoch: u32,
        /// When the backup was made.
        made_at: Timestamp,
    },
    /// A token enrols identities from now on.
    TokenAdded {
        /// Which.
        token: TokenId,
        /// How many, at most.
        uses: u32,
        /// Until when.
        expires_at: Timestamp,
    },
    /// A token enrols nobody any more, or a portion of those that it enrolled are not enrolled any more.
    TokenRevoked {
        /// Which.
        token: TokenId,
        /// How many identities are not enrolled any more.
        identities: u32,
    },
    /// A vendor is trusted from now on.
    VendorTrusted {
        /// Which.
        vendor: VendorId,
    },
}

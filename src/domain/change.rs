//! Recorded facts and the events they tell of.

use std::sync::Arc;

pub use super::event::{ClockEvent, Event, EventKind, SetAside};

use super::backup::Backup;
use super::blacklist::Blacklist;
use super::catalogue::{Catalogue, Vendor};
use super::command::Role;
use super::enrolment::{Enrolled, Token};
use super::ids::{Fingerprint, ReservationId, Serial, ServerId, TokenHash, VendorId};
use super::license::{License, Tombstone};
use super::reservation::Reservation;
use super::seat::{FormerSeat, LeftBehind, Seat, SeatKey, SpentUnit};
use super::time::Timestamp;
use super::timekeeper::ClockState;

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
    /// The last backup with identities that was made of it, as far as it knows; the last one where none had any.
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

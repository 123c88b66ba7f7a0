//! What is here.

use crate::binding::Binding;
use crate::words::{DAY, Identity, Key, Mac, ProductKey, ReservationId, SeatKey, Serial, Validity};

/// A license, or the tombstone of one that was removed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct License {
    /// What was imported last.
    pub key: Key,
    /// When the serial was imported first.
    pub first_import: u64,
    /// When it was removed; none while it is here.
    pub removed_at: Option<u64>,
    /// The units that never come back.
    pub spent: Vec<SpentUnit>,
}

impl License {
    /// Whether it is a license and no tombstone.
    #[must_use]
    pub const fn present(&self) -> bool {
        self.removed_at.is_none()
    }

    /// From when on it does not serve; the end of all time where it has no end.
    #[must_use]
    pub fn ends_at(&self) -> u64 {
        end_of(self.key.validity, self.first_import)
    }
}

/// The end of what was first imported at a moment (rule K5).
pub(crate) fn end_of(validity: Validity, first_import: u64) -> u64 {
    match validity {
        Validity::Forever => u64::MAX,
        Validity::Days(days) => first_import + u64::from(days) * DAY,
        Validity::ThroughDay(day) => (u64::from(day) + 1) * DAY,
    }
}

/// A unit, or the seat of a single-use product, that is spent for good.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SpentUnit {
    /// By which machine.
    pub mac: Mac,
    /// When.
    pub at: u64,
    /// The reservation that it was committed for; none for a seat that ended.
    pub reservation: Option<ReservationId>,
}

/// The first of these that is true.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
    /// The vendor says so.
    Blacklisted,
    /// The vendor says so.
    Superseded,
    /// Its time is over.
    Expired,
    /// It serves.
    Valid,
}

/// An engaged seat.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seat {
    /// Whose, of what.
    pub key: SeatKey,
    /// On which license.
    pub serial: Serial,
    /// When it was engaged.
    pub acquired_at: u64,
    /// The last renewal.
    pub renewed_at: u64,
    /// From when on it is free; none where it never idles out.
    pub renew_by: Option<u64>,
    /// Whether its unit is spent when it ends.
    pub single_use: bool,
    /// The components that hold it.
    pub holds: Vec<Hold>,
}

impl Seat {
    pub(crate) fn hold(&self, component: &str) -> Option<usize> {
        self.holds.iter().position(|hold| hold.component == component)
    }
}

/// A component that holds a seat.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hold {
    /// Which component.
    pub component: &'static str,
    /// None where it binds nothing, or where a conflict was resolved and it has not come since.
    pub(crate) binding: Option<Binding>,
    /// What stands on it.
    pub conflict: Option<Conflict>,
    /// The identity that waits to be approved.
    pub waiting: Option<Waiting>,
}

impl Hold {
    /// The identity that is bound.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        self.binding.as_ref().map(|binding| binding.identity)
    }

    /// Moments from which a wait runs that can still matter: 24 hours and 30 days.
    pub(crate) fn moments(&self) -> Vec<u64> {
        let binding = self.binding.iter();
        binding.flat_map(Binding::moments).collect()
    }
}

/// What a component that let go of its seat is remembered by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Left {
    pub(crate) seat: SeatKey,
    pub(crate) component: &'static str,
    pub(crate) binding: Binding,
    /// When the machine let go last.
    pub(crate) at: u64,
}

/// An identity that waits to be approved.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Waiting {
    /// Which.
    pub identity: Identity,
    /// Since when, by the steady time.
    pub since: u64,
}

/// How a copy showed itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ConflictKind {
    /// One identity, another one, and the first again within 24 hours.
    AlternatingIdentity,
    /// A number that is not accepted any more.
    StaleContinuation,
}

/// A conflict, by the steady time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Conflict {
    /// How it showed itself last.
    pub kind: ConflictKind,
    /// When first.
    pub since: u64,
    /// When last.
    pub last_seen: u64,
    /// How often.
    pub count: u32,
}

/// Why a seat ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EndCause {
    /// It was not renewed.
    Idle,
    /// Its last component was released.
    Released,
    /// An administrator ended it.
    Administrator,
    /// Its license was removed.
    LicenseRemoved,
}

/// A seat that a machine held before (rule S7).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Former {
    /// When it ended.
    pub ended_at: u64,
    /// Why.
    pub cause: EndCause,
}

/// What is set aside (rules X2, X4).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reservation {
    /// Its name.
    pub id: ReservationId,
    /// Of which product.
    pub product: ProductKey,
    /// Whether it is for a number and not for machines.
    pub for_number: bool,
    /// When it was made.
    pub made_at: u64,
    /// From when on it is gone.
    pub ends_at: u64,
    /// Its machines that are not settled yet, in the order of their MACs.
    pub machines: Vec<(Mac, Reserved)>,
    /// Seats that are held for a rollout, one serial for each, in the order of the serials.
    pub held: Vec<Serial>,
}

impl Reservation {
    pub(crate) const fn is_over(&self) -> bool {
        self.machines.is_empty() && self.held.is_empty()
    }

    /// The units that are reserved, and for which machine.
    pub fn units(&self) -> impl Iterator<Item = (Mac, Serial)> {
        self.machines.iter().filter_map(|(mac, reserved)| match reserved {
            Reserved::Unit(serial) => Some((*mac, *serial)),
            Reserved::Covered | Reserved::Seat => None,
        })
    }
}

/// What a reservation has for a machine.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Reserved {
    /// Nothing: it held a seat.
    Covered,
    /// Nothing any more: it was given a seat.
    Seat,
    /// A unit of this license.
    Unit(Serial),
}

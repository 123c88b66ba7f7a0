//! What is asked and what the rules answer.

use crate::state::{Conflict, Former, Reserved};
use crate::views::Counts;
use crate::words::{Blacklisting, Key, Mac, Product, ProductKey, ReservationId, SeatKey, Serial, Vendor};

/// Everything that is decided by the rules.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// A component needs its machine's seat.
    Checkout(Checkout),
    /// A component gives it up.
    Release {
        /// Which seat.
        seat: SeatKey,
        /// Which component.
        component: &'static str,
    },
    /// An administrator takes a seat back.
    EndSeat {
        /// Which seat.
        seat: SeatKey,
        /// Only this component; without it the whole seat.
        component: Option<&'static str>,
    },
    /// An administrator has the bindings forgotten that have a conflict or an identity that waits.
    Resolve {
        /// Of this machine.
        mac: Mac,
        /// Of this product; of all without it.
        product: Option<ProductKey>,
    },
    /// Import one license key.
    Import(Key),
    /// Take a license off the server.
    Remove {
        /// Which.
        serial: Serial,
        /// Whether seats may end.
        end_seats: bool,
    },
    /// Import a catalogue.
    ImportCatalogue {
        /// Whose.
        vendor: Vendor,
        /// Its number.
        version: u64,
        /// What it holds.
        products: Vec<Product>,
    },
    /// Import a blacklist.
    ImportBlacklist {
        /// Whose.
        vendor: Vendor,
        /// Its number.
        version: u64,
        /// What it holds.
        entries: Vec<(Serial, Blacklisting)>,
    },
    /// Set seats or units aside.
    Reserve {
        /// The reservation.
        id: ReservationId,
        /// Of which product.
        product: ProductKey,
        /// For how long; 48 hours if not said.
        for_secs: Option<u64>,
        /// For what.
        what: Rollout,
        /// Whether to fail instead of using the other usage (rule X5).
        preferred_only: bool,
    },
    /// Deployments went well.
    Commit {
        /// The reservation.
        id: ReservationId,
        /// Of which product.
        product: ProductKey,
        /// Of which machines; all that is left if there are none.
        macs: Vec<Mac>,
        /// Whether to fail instead of using the other usage.
        preferred_only: bool,
    },
    /// Deployments failed.
    Abort {
        /// The reservation.
        id: ReservationId,
        /// Of which product.
        product: ProductKey,
        /// Of which machines; all that is left if there are none.
        macs: Vec<Mac>,
    },
    /// How many seats are available (rule S10).
    Availability(ProductKey),
    /// Accept the jump of the calendar that is pending.
    ClockAccept,
    /// Make the calendar the mark.
    ClockReset,
}

/// What somebody may ask (rules X2, V2): each role includes those before it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Role {
    /// Whoever connects.
    Agent,
    /// Who reserves, commits and aborts.
    Deployer,
    /// Who may do everything.
    Administrator,
}

impl Ask {
    /// The least role that may ask this.
    #[must_use]
    pub const fn role(&self) -> Role {
        match self {
            Self::Availability(_) | Self::Checkout(_) | Self::Release { .. } => Role::Agent,
            Self::Abort { .. } | Self::Commit { .. } | Self::Reserve { .. } => Role::Deployer,
            Self::ClockAccept
            | Self::ClockReset
            | Self::EndSeat { .. }
            | Self::Import(_)
            | Self::ImportBlacklist { .. }
            | Self::ImportCatalogue { .. }
            | Self::Remove { .. }
            | Self::Resolve { .. } => Role::Administrator,
        }
    }
}

/// A checkout, and with it a renewal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Checkout {
    /// The seat.
    pub seat: SeatKey,
    /// The component.
    pub component: &'static str,
    /// The number that the component remembers; 0 for none.
    pub continuation: u64,
    /// Whether the server has the option `rebind = "approve"`.
    pub approve: bool,
}

/// What a reservation is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Rollout {
    /// These machines.
    Machines(Vec<Mac>),
    /// So many seats.
    Count(u32),
}

/// What the rules answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// A checkout is granted.
    Seat {
        /// How.
        kind: GrantKind,
        /// The license.
        serial: Serial,
        /// When the seat was engaged.
        acquired_at: u64,
        /// From when on it is free; none where it never idles out.
        renew_by: Option<u64>,
        /// What stands on the component.
        conflict: Option<Conflict>,
        /// For how many days the component may run on this grant without its server; 0 for none (rule O3).
        offline_days: u8,
    },
    /// The component holds no seats.
    NotCounted(Counts),
    /// Counts of a product.
    Counts(Counts),
    /// Refused.
    Denied {
        /// Why.
        denial: Denial,
        /// How the product's seats stand, where it is about them (rule V2).
        seats: Option<SeatsInUse>,
        /// The seat that the machine held before.
        former: Option<Former>,
    },
    /// Nothing was held (rule S14).
    NothingHeld,
    /// A component or a whole seat was released.
    Released {
        /// Whether the seat is free now.
        seat_freed: bool,
        /// How many components still hold it.
        components_left: u32,
    },
    /// So many bindings were forgotten.
    Resolved(u32),
    /// What became of a key.
    Imported(ImportOutcome),
    /// A license is gone.
    Removed {
        /// Seats on other licenses now.
        moved: u32,
        /// Seats that ended.
        ended: u32,
        /// How many of these stay spent.
        spent: u32,
        /// Reserved units and held seats that are gone.
        dropped: u32,
    },
    /// A catalogue is here, with so many products.
    CatalogueImported(u32),
    /// A blacklist is here, with so many entries.
    BlacklistImported(u32),
    /// What a reservation has.
    Reserved {
        /// From when on it is gone.
        ends_at: u64,
        /// Its machines that are not settled yet, in the order of the MACs.
        machines: Vec<(Mac, Reserved)>,
        /// Those of them that hold a seat, and on which license.
        seats: Vec<(Mac, Serial)>,
        /// The seats that are held, one serial for each, in the order of the serials.
        held: Vec<Serial>,
    },
    /// What became of each machine, in the order of the MACs.
    Committed(Vec<(Mac, CommitRow)>),
    /// What became of each machine, in the order of the MACs.
    Aborted(Vec<(Mac, AbortRow)>),
    /// The mark is the calendar now.
    ClockMoved,
}

/// How a checkout was granted (rule S14).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum GrantKind {
    /// A seat was engaged.
    Granted,
    /// The machine held it.
    Renewed,
    /// The machine had held one before.
    EngagedAgain(Former),
}

/// What becomes of a machine when it is committed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CommitRow {
    /// It holds a seat: nothing is needed.
    Covered,
    /// It has a seat now.
    Seat,
    /// A unit of this license is spent.
    Spent(Serial),
    /// A unit was spent before.
    AlreadyCommitted,
    /// It was decided anew, and refused.
    Refused(Denial),
}

/// What becomes of a machine when it is aborted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AbortRow {
    /// Its unit is free again.
    GivenBack,
    /// It is of the reservation and holds a seat, which stays.
    Covered,
    /// Its unit is spent.
    AlreadyCommitted,
    /// There was nothing.
    NothingReserved,
}

/// How a product's seats stand (rule V2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SeatsInUse {
    /// In use.
    pub used: u64,
    /// In all.
    pub total: u64,
    /// The earliest renew date among reusable seats of serving licenses.
    pub earliest_renew_by: Option<u64>,
}

/// What became of a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ImportOutcome {
    /// It is a license now, or a renewed one.
    Added,
    /// The very same was here.
    AlreadyPresent,
    /// It is not taken.
    Refused(KeyRefusal),
}

/// Why a key is not taken; in the order of the rules.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyRefusal {
    /// Its vendor is not trusted.
    UnknownVendor,
    /// The serial belongs to another license.
    SerialTaken,
    /// No catalogue has the product.
    UnknownProduct,
    /// The product has no licenses of this usage.
    UsageNotOffered,
    /// The vendor's list says so.
    Blacklisted,
    /// The vendor's list says so, or what is here is as good.
    Superseded,
    /// Larger in one way and smaller in another.
    NotARenewal,
    /// Fewer seats than are used.
    FewerSeatsThanUsed,
    /// Its time is over.
    Expired,
}

/// Why something is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Denial {
    /// The vendor is not trusted.
    UnknownVendor,
    /// The vendor's catalogue has no such product.
    UnknownProduct,
    /// The product has no such component.
    UnknownComponent,
    /// The machine holds no seat of the product that this one requires.
    RequiredProduct,
    /// The seat has as many components as it may.
    TooManyComponents,
    /// The identity waits to be approved.
    RebindPending,
    /// A copy showed itself, and the catalogue says refuse.
    Conflict,
    /// The product has no license here.
    NoLicense,
    /// The product has deployment licenses only.
    DeploymentOnly,
    /// Licenses serve and none has anything free.
    SeatsExhausted,
    /// The license, or one at least, has expired.
    LicenseExpired,
    /// The license, or one at least, is blacklisted.
    LicenseBlacklisted,
    /// The license, or each, is superseded.
    LicenseSuperseded,
    /// Another identity is bound, or none.
    IdentityNotBound,
    /// The identity took another one's place.
    ReboundRecently {
        /// From when on it can release.
        until: u64,
    },
    /// No license has this serial.
    UnknownSerial,
    /// So many seats would end, or units be dropped.
    LicenseInUse {
        /// How many.
        seats: u32,
    },
    /// The catalogue is not newer than the one that is here.
    CatalogueNotNewer {
        /// The number of that.
        held: u64,
    },
    /// The blacklist is not newer than the one that is here.
    BlacklistNotNewer {
        /// The number of that.
        held: u64,
    },
    /// The reservation is something else.
    ReservationTaken,
    /// There is no such reservation, and no machine was named.
    UnknownReservation,
    /// Not 1 s to 30 days.
    ReservationTooLong,
    /// Over more than 1,024 licenses.
    ReservationTooLarge,
    /// There are 4,096.
    TooManyReservations,
    /// No jump is pending.
    NoJumpPending,
}

//! Refusals by the rules: values with a reason, never errors.

use std::num::NonZeroU32;

use super::ids::{ComponentId, Mac, ProductId, Serial};
use super::license::LicenseStatus;
use super::seat::FormerSeat;
use super::time::Timestamp;

/// In place of the seconds after which to ask again: a limit is 0, and as long as it is, waiting helps nobody.
pub const RETRY_NEVER: u32 = u32::MAX;

/// Why a command was refused. Each reason has one status on the wire.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Denial {
    /// Two vendors have a product of this id: name the vendor.
    AmbiguousProduct,
    /// The vendor's list is not newer than the one that is here.
    BlacklistNotNewer {
        /// The number of the one that is here.
        held: u64,
    },
    /// The catalogue is not newer than the one that is here.
    CatalogueNotNewer {
        /// The number of the one that is here.
        held: u64,
    },
    /// The checkout shows a copied machine, and the catalogue says that such are refused (rule I7).
    Conflict,
    /// The product's licenses here are for deployments; no seat can be had of them (rule X3).
    DeploymentOnly,
    /// The server's disk is full: what would make the ledger larger is not taken.
    DiskFull,
    /// This site has agents enrol by token, and the identity did not.
    EnrolmentRequired,
    /// A component's hold can be given up only by the identity bound to it (rule S11).
    IdentityNotBound,
    /// The last administrator cannot be removed.
    LastAdministrator,
    /// The licenses that this seat could be served by were taken back by their vendor (rule C3).
    LicenseBlacklisted,
    /// Every license of the product that this seat could be served by has expired (rule S13).
    LicenseExpired,
    /// The license has seats or reserved units in use that find no room elsewhere (rule S12).
    LicenseInUse {
        /// How many.
        seats: u32,
    },
    /// Other licenses have taken the place of those that this seat could be served by (rule C3).
    LicenseSuperseded,
    /// The product is known, but no license for it was ever imported.
    NoLicense,
    /// No jump of the clock is pending that could be accepted (rule T2).
    NoJumpPending,
    /// The identity's role does not include the command.
    NotAuthorized,
    /// Another identity is bound to the component, and this server has an administrator approve a new one (rule I7).
    RebindPending,
    /// The identity took another one's place less than 30 days ago and cannot release yet (rule I7).
    ReboundRecently {
        /// From when on it can.
        until: Timestamp,
    },
    /// The machine needs a seat of another product first (rule S15).
    RequiredProduct {
        /// Of which.
        product: ProductId,
    },
    /// The reservation's id is in use for something else.
    ReservationTaken,
    /// The seats would have to be held on too many licenses.
    ReservationTooLarge,
    /// A reservation lasts 30 days at most, and not no time (rule X4).
    ReservationTooLong,
    /// No seat is free on any license that serves (rule S1).
    SeatsExhausted,
    /// Too many new seats from one source, or new MACs of one identity.
    SlowDown {
        /// After how many seconds to ask again; [`RETRY_NEVER`] where nobody engages a new seat.
        retry_secs: u32,
    },
    /// The token is wrong, expired, used up or revoked: which of them is not told to whoever may be guessing.
    TokenRefused,
    /// The product has as many components on this machine as it may.
    TooManyComponents,
    /// As many reservations are here as may be.
    TooManyReservations,
    /// As many tokens are here as may be.
    TooManyTokens,
    /// As many vendors are trusted as may be.
    TooManyVendors,
    /// Too many wrong tokens from one source.
    TooManyWrongTokens {
        /// After how many seconds to ask again.
        retry_secs: u32,
    },
    /// The identity has no role.
    UnknownAdministrator,
    /// The catalogue has no such component (rule I3).
    UnknownComponent,
    /// The identity is not enrolled, or not any more.
    UnknownIdentity,
    /// No catalogue of the vendor has such a product.
    UnknownProduct,
    /// No reservation has this id: it lapsed, or nothing is left of it.
    UnknownReservation,
    /// No license has this serial.
    UnknownSerial,
    /// No token has this short name.
    UnknownToken,
    /// The vendor is not trusted here.
    UnknownVendor,
}

/// A refusal and what its reader wants to know next (rule V2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Denied {
    /// Why.
    pub denial: Denial,
    /// What it is about, where the command named it.
    pub subject: Subject,
    /// Seats of the product in use, and in all; where the refusal is about a product's seats.
    pub seats: Option<SeatsInUse>,
    /// The seat that this machine held before, where it is remembered.
    pub former: Option<FormerSeat>,
    /// Whom to contact; where the vendor has taken a license back (rule C3).
    pub contact: Option<String>,
    /// With so many seats or units more it would have been granted; of a reservation that found too few.
    pub lacked: Option<NonZeroU32>,
}

impl From<Denial> for Denied {
    fn from(denial: Denial) -> Self {
        Self {
            denial,
            subject: Subject::default(),
            seats: None,
            former: None,
            contact: None,
            lacked: None,
        }
    }
}

/// What a refusal is about.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Subject {
    /// The product.
    pub product: Option<ProductId>,
    /// The component.
    pub component: Option<ComponentId>,
    /// The machine.
    pub mac: Option<Mac>,
    /// The license.
    pub serial: Option<Serial>,
}

/// How a product's seats stand.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SeatsInUse {
    /// In use.
    pub used: u64,
    /// In all.
    pub total: u64,
    /// No reusable seat of a serving license comes free for want of renewal before this moment; nothing if none will.
    pub earliest_renew_by: Option<Timestamp>,
}

/// Why a license key was not imported, after its signature was found good (rule K4).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyRefusal {
    /// Its vendor has taken it back (rule C3).
    Blacklisted {
        /// Whom to contact.
        contact: String,
    },
    /// Its time is over.
    Expired,
    /// More seats and units are in use than it has (rule K6).
    FewerSeatsThanUsed {
        /// How many are in use.
        used: u32,
    },
    /// It is longer but smaller than the license of its serial, or larger but shorter: no renewal (rule K6).
    NotARenewal,
    /// The serial belongs to a license of another vendor, product or usage.
    SerialTaken,
    /// A key of its serial with more seats or a later end was imported before, or the vendor's list says so (rules K6, C3).
    Superseded,
    /// No catalogue of its vendor has the product.
    UnknownProduct,
    /// Its vendor is not trusted here.
    UnknownVendor,
    /// The product is not sold by licenses of its usage, says the vendor's catalogue.
    UsageNotOffered,
}

impl LicenseStatus {
    /// Whether seats of such a license are available.
    #[must_use]
    pub const fn serves(self) -> bool {
        match self {
            Self::Valid => true,
            Self::Blacklisted | Self::Expired | Self::Superseded => false,
        }
    }
}

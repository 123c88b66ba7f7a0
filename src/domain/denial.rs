//! Refusals by the rules: values with a reason, never errors.

use super::ids::{ComponentId, Mac, ProductId, Serial};
use super::license::LicenseStatus;
use super::seat::FormerSeat;
use super::time::Timestamp;

/// Why a command was refused. Each reason has one status on the wire.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Denial {
    /// Two vendors have a product of this id: name the vendor.
    AmbiguousProduct,
    /// The catalogue is not newer than the one that is here.
    CatalogueNotNewer {
        /// The number of the one that is here.
        held: u64,
    },
    /// A component's hold can be given up only by the identity bound to it (rule S11).
    IdentityNotBound,
    /// The last administrator cannot be removed.
    LastAdministrator,
    /// Every license of the product that this seat could be served by has expired (rule S13).
    LicenseExpired,
    /// The license has seats in use.
    LicenseInUse {
        /// How many.
        seats: u32,
    },
    /// The product is known, but no license for it was ever imported.
    NoLicense,
    /// The identity's role does not include the command.
    NotAuthorized,
    /// The identity took another one's place less than 30 days ago and cannot release yet (rule I7).
    ReboundRecently {
        /// From when on it can.
        until: Timestamp,
    },
    /// No seat is free on any license that serves (rule S1).
    SeatsExhausted,
    /// Too many new seats from one source, or new MACs of one identity.
    SlowDown {
        /// After how many seconds to ask again.
        retry_secs: u32,
    },
    /// The product has as many components on this machine as it may.
    TooManyComponents,
    /// As many vendors are trusted as may be.
    TooManyVendors,
    /// The identity has no role.
    UnknownAdministrator,
    /// The catalogue has no such component (rule I3).
    UnknownComponent,
    /// No catalogue of the vendor has such a product.
    UnknownProduct,
    /// No license has this serial.
    UnknownSerial,
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
}

impl From<Denial> for Denied {
    fn from(denial: Denial) -> Self {
        Self {
            denial,
            subject: Subject::default(),
            seats: None,
            former: None,
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
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyRefusal {
    /// Its time is over.
    Expired,
    /// A license of this serial with other terms is here already, or one was that is another vendor's or spent more
    /// units than this one has; renewal keys need a newer server.
    SerialTaken,
    /// No catalogue of its vendor has the product.
    UnknownProduct,
    /// Its vendor is not trusted here.
    UnknownVendor,
}

impl LicenseStatus {
    /// Whether seats of such a license are available.
    #[must_use]
    pub const fn serves(self) -> bool {
        match self {
            Self::Valid => true,
            Self::Expired => false,
        }
    }
}

//! What the ledger answers.

use bytes::Bytes;

use super::catalogue::{Component, Vendor};
use super::change::{Admin, Server};
use super::denial::{Denied, KeyRefusal};
use super::ids::{ComponentId, Fingerprint, ProductKey, Serial, VendorId};
use super::license::{License, LicenseStatus};
use super::seat::{Conflict, FormerSeat, Seat, SeatKey};
use super::time::Timestamp;

/// The answer to a command.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reply {
    /// Done; nothing more to say.
    Done,
    /// The identities with a role.
    Admins(Listing<(Fingerprint, Admin)>),
    /// How many seats of a product are available.
    Availability(Counts),
    /// The catalogue is here now.
    CatalogueImported {
        /// How many products it has.
        products: u32,
    },
    /// Refused by the rules.
    Denied(Denied),
    /// What became of each key, in the order in which they came.
    Imported(Vec<ImportOutcome>),
    /// The license is gone.
    LicenseRemoved {
        /// How many seats ended.
        seats_ended: u32,
    },
    /// The licenses.
    Licenses(Listing<LicenseRow>),
    /// The component is not counted: nothing was engaged or renewed (rule I3).
    NotCounted {
        /// The product's seats.
        counts: Counts,
        /// The catalogue entry as the vendor signed it.
        signed_entry: Bytes,
    },
    /// Nothing was held: nothing changed (rule S14).
    NothingHeld,
    /// The products.
    Products(Listing<ProductRow>),
    /// How many seats were reclaimed; more may be due if this is [`RECLAIM_MAX`].
    Reclaimed(usize),
    /// The component, or the whole seat, was released.
    Released {
        /// Whether the seat is free now.
        seat_freed: bool,
        /// Counted components that still hold it.
        components_left: u32,
    },
    /// The component holds its machine's seat.
    Seat(Box<Grant>),
    /// The seats.
    Seats(Listing<SeatRow>),
    /// Counts over everything.
    Status(Box<Status>),
}

/// Seats that one `Reclaim` frees, at most.
pub const RECLAIM_MAX: usize = 1_024;

/// How a checkout was granted (rule S14).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum GrantKind {
    /// A seat was engaged.
    Granted,
    /// The machine held the seat already.
    Renewed,
    /// The machine had held a seat that ended, and engaged a new one (rule S7).
    EngagedAgain(FormerSeat),
}

/// A granted checkout.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Grant {
    /// How.
    pub kind: GrantKind,
    /// The license.
    pub serial: Serial,
    /// When the seat was engaged.
    pub acquired_at: Timestamp,
    /// From when on it is free unless renewed; nothing where it never idles out.
    pub renew_by: Option<Timestamp>,
    /// The number to send with the next checkout; 0 for an ephemeral component.
    pub continuation: u64,
    /// A conflict that stands on the component.
    pub conflict: Option<Conflict>,
    /// The license's certificate (rule K9).
    pub certificate: Bytes,
    /// The catalogue entry as the vendor signed it (rule O2).
    pub signed_entry: Bytes,
    /// Days that a strict component of the product may run without a server (rule O3); 0: not at all.
    pub offline_days: u8,
}

/// Seats of a product over all its licenses (rule S2).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Licenses that were imported for it.
    pub licenses: u32,
    /// Seats in all.
    pub total: u64,
    /// Seats, spent and reserved units.
    pub used: u64,
    /// `total - used`.
    pub free: u64,
    /// Free on licenses that serve.
    pub available: u64,
}

/// What became of one license key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ImportOutcome {
    /// It is a license now.
    Added {
        /// Its serial.
        serial: Serial,
        /// Its product.
        product: ProductKey,
        /// Its seats.
        seats: u32,
    },
    /// It was here already, unchanged.
    AlreadyPresent {
        /// Its serial.
        serial: Serial,
        /// Its product.
        product: ProductKey,
    },
    /// It was refused.
    Refused {
        /// Its serial.
        serial: Serial,
        /// Its product.
        product: ProductKey,
        /// Why.
        refusal: KeyRefusal,
    },
}

/// A page of a listing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listing<T> {
    /// The rows, in key order.
    pub rows: Vec<T>,
    /// Whether more follow; ask again behind the last row's key.
    pub more: bool,
}

/// A row of the available licenses (rule V1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LicenseRow {
    /// The license.
    pub license: License,
    /// The vendor's name.
    pub vendor_name: String,
    /// The product's name; its id where no catalogue names it any more.
    pub product_name: String,
    /// Seats, spent and reserved units.
    pub used: u32,
    /// Whether it serves.
    pub status: LicenseStatus,
}

impl LicenseRow {
    /// Seats that nobody holds.
    #[must_use]
    pub const fn free(&self) -> u32 {
        self.license.claims.seats.saturating_sub(self.used)
    }

    /// Free seats if the license serves, else 0.
    #[must_use]
    pub const fn available(&self) -> u32 {
        if self.status.serves() { self.free() } else { 0 }
    }
}

/// A row of the used licenses (rule V1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SeatRow {
    /// Whose seat of what.
    pub key: SeatKey,
    /// The seat.
    pub seat: Seat,
    /// The product's name; its id where no catalogue names it any more.
    pub product_name: String,
}

/// A product of a catalogue.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProductRow {
    /// Which.
    pub key: ProductKey,
    /// The vendor's name.
    pub vendor_name: String,
    /// The product's name.
    pub product_name: String,
    /// Days without renewal after which a seat is free; 0 = never.
    pub idle_days: u16,
    /// Whether its seats never come back.
    pub single_use: bool,
    /// Its components.
    pub components: Vec<(ComponentId, Component)>,
    /// Its seats; no license where it was never bought.
    pub counts: Counts,
}

/// Counts over everything.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Status {
    /// The server itself, if it was founded.
    pub server: Option<Server>,
    /// The trusted vendors.
    pub vendors: Vec<VendorRow>,
    /// Products in all catalogues.
    pub products: u32,
    /// Licenses.
    pub licenses: u32,
    /// Licenses whose time is over.
    pub licenses_expired: u32,
    /// Engaged seats.
    pub seats: u64,
    /// Engaged seats with a conflict on them.
    pub conflicts: u64,
    /// Identities with a role.
    pub admins: u32,
}

/// A trusted vendor.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VendorRow {
    /// Its id.
    pub id: VendorId,
    /// Its key, and since when it is trusted.
    pub vendor: Vendor,
    /// Its name, from its catalogue; empty where it has none yet.
    pub name: String,
    /// The number of its catalogue; 0 where it has none yet.
    pub catalogue_version: u64,
}

//! What the ledger answers.

use bytes::Bytes;

pub use super::outlook::{Checkpoint, ENDING_MAX, EndingRow, SCARCE_MAX, ScarceRow};

use super::catalogue::{Component, Offers, OnConflict, Vendor};
use super::change::{Admin, Server};
use super::denial::{Denial, Denied, KeyRefusal};
use super::enrolment::{Enrolled, Token};
use super::event_log::{ChainRead, EventsRead};
use super::explain::Explanation;
use super::ids::{ComponentId, Fingerprint, Mac, ProductId, ProductKey, ReservationId, Serial, TokenHash, VendorId};
use super::license::{License, LicenseStatus};
use super::reservation::Reservation;
use super::seat::{Conflict, FormerSeat, Seat, SeatKey};
use super::time::Timestamp;
use super::timekeeper::Standing;

/// The answer to a command.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reply {
    /// Done; nothing more to say.
    Done,
    /// The identities with a role.
    Admins(Listing<(Fingerprint, Admin)>),
    /// How many seats of a product are available, and how many units for deployments.
    Availability {
        /// Its machine licenses.
        seats: Counts,
        /// Its deployment licenses.
        units: Counts,
    },
    /// The vendor's list is here now.
    BlacklistImported {
        /// How many serials it names.
        serials: u32,
        /// How many of them are licenses here.
        licenses: u32,
        /// Seats and units in use of those.
        used: u64,
    },
    /// The catalogue is here now, or would change this.
    CatalogueImported {
        /// How many products it has.
        products: u32,
        /// What it changes for licenses and live seats; one more than [`EFFECTS_MAX`] where there are more.
        effects: Vec<Effect>,
    },
    /// A portion of it was done, as much as one round takes: ask again for the rest (rules T2, I7).
    Unfinished,
    /// Refused by the rules.
    Denied(Denied),
    /// The identity is enrolled.
    Enrolled {
        /// What its token is for; empty where that is not known any more.
        label: String,
    },
    /// The identities that tokens enrolled.
    EnrolledIdentities(Listing<(Fingerprint, Enrolled)>),
    /// How a checkout would be decided.
    Explained(Box<Explanation>),
    /// Events: of the ledger's own knowledge those that are not on disk yet.
    Events(Box<EventsRead>),
    /// The chain of rounds was checked.
    EventsVerified(Box<ChainRead>),
    /// What became of each key, in the order in which they came.
    Imported(Vec<ImportOutcome>),
    /// The license is gone.
    LicenseRemoved(Removed),
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
    /// How many seats and reservations were reclaimed; more may be due if this is [`RECLAIM_MAX`].
    Reclaimed(usize),
    /// The component, or the whole seat, was released.
    Released {
        /// Whether the seat is free now.
        seat_freed: bool,
        /// Counted components that still hold it.
        components_left: u32,
    },
    /// The reservations.
    Reservations(Listing<ReservationRow>),
    /// What a reservation has.
    Reserved(Box<ReservationRow>),
    /// How many components were resolved.
    Resolved {
        /// How many components.
        components: u32,
    },
    /// The component holds its machine's seat.
    Seat(Box<Grant>),
    /// What became of the machines of a reservation.
    Settled {
        /// Its product.
        product: ProductId,
        /// Each machine, in the order of their MACs.
        rows: Vec<(Mac, Settled)>,
    },
    /// The seats.
    Seats(Listing<SeatRow>),
    /// Counts over everything.
    Status(Box<Status>),
    /// The token enrols identities now.
    TokenAdded(Box<TokenRow>),
    /// The token is ended.
    TokenRevoked {
        /// Identities that are not enrolled any more.
        identities: u32,
        /// Whether more of them are to be taken back: ask again.
        more: bool,
    },
    /// The tokens.
    Tokens(Listing<TokenRow>),
}

/// Seats and reservations that one `Reclaim` frees, at most.
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

/// What became of the seats of a license that was removed (rule S12).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Removed {
    /// Seats that went to other licenses.
    pub seats_moved: u32,
    /// Seats that ended.
    pub seats_ended: u32,
    /// How many of those stay spent.
    pub spent: u32,
    /// Reserved units and held seats that found no room elsewhere.
    pub dropped: u32,
}

/// What became of one machine of a reservation (rule X2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Settled {
    /// It was committed before; a unit of this license was spent then.
    AlreadyCommitted(Serial),
    /// A unit of this license is spent.
    Committed(Serial),
    /// It holds a seat of this license, which covers it.
    Covered(Serial),
    /// It was given a seat of this license.
    Engaged(Serial),
    /// The unit of this license is free again.
    GivenBack(Serial),
    /// Nothing was set aside for it.
    NothingReserved,
    /// Refused by the rules.
    Refused(Denial),
}

/// A reservation with the licenses of the seats that its machines hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReservationRow {
    /// Its name.
    pub id: ReservationId,
    /// What it still has.
    pub reservation: Reservation,
    /// The product's name; its id where no catalogue names it any more.
    pub product_name: String,
    /// The licenses of its machines' seats, in the order of their MACs.
    pub seats: Vec<(Mac, Serial)>,
}

/// Effects of a catalogue that are told, at most.
pub const EFFECTS_MAX: usize = 512;

/// Something that a catalogue changes (rule K2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Effect {
    /// Of which product.
    pub product: ProductId,
    /// Of which component, if of one.
    pub component: Option<ComponentId>,
    /// What.
    pub what: Altered,
    /// How it is; empty where there was nothing.
    pub before: String,
    /// How it will be; empty where there will be nothing.
    pub after: String,
    /// Live seats that it touches.
    pub seats: u64,
    /// Licenses of the product that are here, whatever their status; told where the product comes or goes.
    pub licenses: Option<u64>,
}

/// What of a catalogue changes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Altered {
    /// The component as such: it comes or goes.
    Component,
    /// Whether the component takes and renews a seat.
    Counted,
    /// Whether the component runs from boot media.
    Ephemeral,
    /// Days without renewal after which a seat is free.
    IdleDays,
    /// Whether the component runs when no server answers.
    Lenient,
    /// The product's name.
    Name,
    /// The usages of its licenses, the preferred one first.
    Offers,
    /// Days that a strict component may run without a server.
    OfflineDays,
    /// What becomes of a conflict.
    OnConflict,
    /// The product as such: it comes or goes.
    Product,
    /// The product that it requires.
    Required,
    /// Whether its seats never come back.
    SingleUse,
}

impl Counts {
    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            licenses: self.licenses + other.licenses,
            total: self.total + other.total,
            used: self.used + other.used,
            free: self.free + other.free,
            available: self.available + other.available,
        }
    }
}

/// What became of one license key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ImportOutcome {
    /// It is a license now.
    Added {
        /// Its serial.
        serial: Serial,
        /// Its product.
        product: ProductKey,
        /// Its seats.
        seats: u32,
        /// Whether it renews the license of its serial (rule K6).
        renewal: bool,
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
    /// Days until its end, rounded up (rule K5); nothing where it serves without end.
    pub days_left: Option<u32>,
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

/// A token as administrators see it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TokenRow {
    /// Its hash, which begins with its short name.
    pub hash: TokenHash,
    /// The token.
    pub token: Token,
    /// Identities that are enrolled by it.
    pub identities: u32,
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
    /// Days that a strict component may run without a server (rule O3).
    pub offline_days: u8,
    /// The licenses that it is sold by, and which are used first (rule X5).
    pub offers: Offers,
    /// Another product that the machine must hold a seat of (rule S15).
    pub required: Option<ProductId>,
    /// What becomes of a checkout that shows a conflict (rule I7).
    pub on_conflict: OnConflict,
    /// Its components.
    pub components: Vec<(ComponentId, Component)>,
    /// Its seats; no license where it was never bought.
    pub counts: Counts,
    /// Its units for deployments, likewise.
    pub units: Counts,
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
    /// Licenses that their vendors have taken back.
    pub licenses_blacklisted: u32,
    /// Licenses whose place others have taken, as their vendors say.
    pub licenses_superseded: u32,
    /// Engaged seats.
    pub seats: u64,
    /// Engaged seats with a conflict on them.
    pub conflicts: u64,
    /// Engaged seats on which an identity waits for approval.
    pub waiting: u64,
    /// Reservations.
    pub reservations: u32,
    /// How the time stands; filled in by the writer, who keeps it (rule T2).
    pub clock: Option<(Timestamp, Standing)>,
    /// Bytes that are left for changes where the disk is full; filled in by the writer.
    pub disk_left: Option<u64>,
    /// Whether agents have to enrol; filled in by the writer, whose configuration says so.
    pub needs_enrolment: bool,
    /// Identities with a role.
    pub admins: u32,
    /// What ends next of each product and usage, the soonest first; at most [`ENDING_MAX`].
    pub ending: Vec<EndingRow>,
    /// Products of which little or nothing is available, at most [`SCARCE_MAX`].
    pub scarce: Vec<ScarceRow>,
    /// How the last checkpoint went; filled in by the writer, where its store makes any.
    pub checkpoint: Option<Checkpoint>,
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

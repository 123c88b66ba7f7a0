//! How a checkout is decided, step by step (rule V2). The steps are noted by the very code that decides.

use std::net::IpAddr;

use super::command::{Checkout, ProductName, Rebind};
use super::denial::Denial;
use super::ids::{ComponentId, Fingerprint, Mac, ProductId, ReservationId, Serial};
use super::license::{LicenseStatus, Usage};
use super::reply::Reply;
use super::seat::{Conflict, ConflictKind, FormerSeat};
use super::time::Timestamp;
use super::timekeeper::Standing;

/// Asks how a checkout would be decided; changes nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Explain {
    /// Of which machine.
    pub mac: Mac,
    /// Of which product.
    pub product: ProductName,
    /// Which component asks; if nothing is said that of [`Explain::refused`], else one that holds the seat, or else a
    /// counted one.
    pub component: Option<ComponentId>,
    /// Who asks; if nothing is said that of [`Explain::refused`], else the identity that waits for approval, else the one
    /// that is bound to the component, else one that nobody has seen.
    pub identity: Option<Fingerprint>,
    /// With which number; if nothing is said that of [`Explain::refused`], else the one that is accepted (rule I7).
    pub continuation: Option<u64>,
    /// A checkout of this machine, product and component that was refused lately: it is the one that is meant where no
    /// identity is named, since a refusal points to its explanation.
    pub refused: Option<RefusedCheckout>,
    /// What this server does about a new identity.
    pub rebind: Rebind,
}

/// Who was refused a checkout.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RefusedCheckout {
    /// Of which component.
    pub component: ComponentId,
    /// Who asked.
    pub identity: Fingerprint,
    /// Where from.
    pub address: IpAddr,
    /// With which number (rule I7).
    pub continuation: u64,
    /// When it was refused last.
    pub at: Timestamp,
}

/// An identity that nobody has: no certificate's hash is all zeros.
pub const NOBODY: Fingerprint = Fingerprint([0; 32]);

/// Licenses that are told one by one, at most.
pub const LICENSES_TOLD_MAX: usize = 24;

/// Holders of seats that are told, at most: those whose seats come free first.
pub const HOLDERS_TOLD_MAX: usize = 8;

/// How a checkout is decided.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Explanation {
    /// The checkout that was supposed.
    pub checkout: Checkout,
    /// Its component; nothing where none was named and no catalogue tells any: then nothing depends on it.
    pub component: Option<ComponentId>,
    /// Who asks; [`NOBODY`] where no identity was named and none is known.
    pub identity: Fingerprint,
    /// Where from; the unspecified address where neither a refusal nor a seat of the machine tells.
    pub address: IpAddr,
    /// When this very identity was refused here, where it is supposed for that.
    pub refused_at: Option<Timestamp>,
    /// What was looked at, in its order. The last one decided.
    pub steps: Vec<Step>,
    /// What a checkout is answered at this moment.
    pub outcome: Reply,
    /// What decided nothing and helps to decide what to do.
    pub beside: Beside,
}

/// What was looked at, and what was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// How the identity meets what is bound to the component (rule I7).
    Binding {
        /// How.
        meeting: Meeting,
        /// What shows a copy, if anything does.
        conflict: Option<ConflictKind>,
    },
    /// How the server's time stands (rule T2).
    Clock {
        /// The time that counts.
        mark: Timestamp,
        /// How it stands.
        standing: Standing,
    },
    /// Whether the product has the component (rule I3).
    Component {
        /// Whether it has.
        is_known: bool,
    },
    /// Whether the seat has room for another component.
    Components {
        /// How many hold it.
        holding: usize,
        /// Whether this one finds no room.
        is_full: bool,
    },
    /// Whether the component needs a seat (rule I3).
    Counted {
        /// Whether it does.
        is_counted: bool,
    },
    /// Whether this site serves the identity.
    Enrolment {
        /// Whether agents have to enrol here.
        is_asked: bool,
        /// Whether this one is served.
        is_served: bool,
    },
    /// Whether the machine holds a seat (rules I1, I2).
    Held(Option<Held>),
    /// The licenses of the product, and the one that serves (rules S1, S3).
    Licenses(Looked),
    /// Whether too many new seats came from one identity or source lately.
    Pace {
        /// After how many seconds to ask again; nothing where that is not so.
        retry_secs: Option<u32>,
    },
    /// Whether the vendor's catalogue has the product (rule K2).
    Product {
        /// Whether it has.
        is_known: bool,
    },
    /// Whether the machine holds a seat of the product that this one requires (rule S15).
    Required {
        /// Which one it requires, if any.
        product: Option<ProductId>,
        /// Whether that is missing.
        is_missing: bool,
    },
    /// Whether the disk has room for a new seat.
    Room {
        /// Whether it has.
        is_enough: bool,
    },
    /// Whether the license of the machine's seat serves (rule S13).
    SeatLicense {
        /// Which one.
        serial: Serial,
        /// Why it does not.
        why_not: Option<Denial>,
    },
    /// Whether a rollout holds a seat for this machine (rule X4).
    SetAside(Option<(ReservationId, Serial)>),
    /// Whether the vendor is trusted here (rule K2).
    Vendor {
        /// Whether it is.
        is_trusted: bool,
    },
}

/// A seat that the machine holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Held {
    /// Of which license.
    pub serial: Serial,
    /// Since when.
    pub acquired_at: Timestamp,
    /// When it was last renewed.
    pub renewed_at: Timestamp,
    /// From when on it is free unless renewed; nothing where it never idles out.
    pub renew_by: Option<Timestamp>,
}

/// How an identity meets what is bound to its component.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Meeting {
    /// Nothing is bound: the component runs from boot media.
    Ephemeral,
    /// Nothing was bound: it is now.
    First,
    /// It is refused.
    Refused(Denial),
    /// It is the bound one.
    Same,
    /// Another one is bound, whose place it takes.
    TakesPlace,
}

/// Licenses that were looked at for a seat.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Looked {
    /// Which serves.
    pub serves: Option<Serial>,
    /// One by one, those with free seats first, in the order in which they would serve; at most [`LICENSES_TOLD_MAX`].
    pub licenses: Vec<LookedAt>,
    /// How many more there are.
    pub more: u32,
}

/// A license that was looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LookedAt {
    /// Which one.
    pub serial: Serial,
    /// What it is for: only machine licenses serve checkouts (rule X3).
    pub usage: Usage,
    /// Whether it serves.
    pub status: LicenseStatus,
    /// Seats in all.
    pub total: u32,
    /// Free ones.
    pub free: u32,
    /// Until when it serves.
    pub ends_at: Timestamp,
}

/// What decided nothing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Beside {
    /// What was seen of a copy of the component before (rule I7).
    pub conflict: Option<Conflict>,
    /// The seat that the machine held before (rule S7).
    pub former: Option<FormerSeat>,
    /// Where no seat is available: whose comes free first; at most [`HOLDERS_TOLD_MAX`].
    pub holders: Vec<Holder>,
}

/// A machine that holds a seat which comes back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Holder {
    /// Which one.
    pub mac: Mac,
    /// As it calls itself; may be empty.
    pub host_name: String,
    /// When it was last seen.
    pub renewed_at: Timestamp,
    /// When its seat comes free.
    pub renew_by: Timestamp,
}

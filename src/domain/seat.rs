//! Engaged seats: who holds what, since when, until when, and which identities are bound to it.

use std::fmt;
use std::net::IpAddr;
use std::ops::Deref;

use super::few::Few;
use super::ids::{ComponentId, Fingerprint, Mac, ProductId, ProductKey, ReservationId, Serial, VendorId};
use super::sorted_map::SortedMap;
use super::time::Timestamp;

/// Other MAC addresses kept with a seat, at most.
pub const OTHER_MACS_MAX: usize = 16;

/// The longest host name, in bytes.
pub const HOST_NAME_LEN_MAX: usize = 253;

/// What a seat is keyed by (rule I1).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SeatKey {
    /// Whose product.
    pub vendor: VendorId,
    /// Which product.
    pub product: ProductId,
    /// Which machine.
    pub mac: Mac,
}

impl ProductKey {
    /// The seat of a machine for this product.
    #[must_use]
    pub const fn seat(self, mac: Mac) -> SeatKey {
        SeatKey {
            vendor: self.vendor,
            product: self.product,
            mac,
        }
    }
}

impl SeatKey {
    /// The product with its vendor.
    #[must_use]
    pub const fn product_key(&self) -> ProductKey {
        ProductKey {
            vendor: self.vendor,
            product: self.product,
        }
    }
}

/// What a machine tells of itself. Information only: nothing is decided by it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MachineNote {
    /// Its host name; at most [`HOST_NAME_LEN_MAX`] bytes, no control characters. Empty where it told none.
    pub host_name: Box<str>,
    /// The address it last asked from.
    pub address: Option<IpAddr>,
    /// Its other MAC addresses; at most [`OTHER_MACS_MAX`].
    pub other_macs: Few<Mac>,
}

/// One engaged unit of a license.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seat {
    /// The license that serves it.
    pub serial: Serial,
    /// When it was engaged; never moves while it lasts (rule S4).
    pub acquired_at: Timestamp,
    /// When it was last renewed.
    pub renewed_at: Timestamp,
    /// The renew date: from this moment on the seat is free (rule S6). Nothing where it never idles out.
    pub renew_by: Option<Timestamp>,
    /// Whether it is spent when it ends (rule S9), as it was when it was engaged.
    pub single_use: bool,
    /// What its machine told of itself.
    pub machine: MachineNote,
    /// The counted components that hold it, with what is bound to each; at most 64.
    pub components: SortedMap<ComponentId, Binding>,
}

/// Displaced identities kept with a binding, at most: so many copies and one more that take turns show themselves.
pub const DISPLACED_MAX: usize = 4;

/// What is bound to a component of a seat (rule I7).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Binding {
    /// An identity is bound.
    Identity(Bound),
    /// Nothing is bound: the component runs from boot media, or an administrator had its binding forgotten since it had
    /// a conflict and nobody waited.
    Unbound,
}

/// An identity bound to a component, and what shows a copy of it.
#[derive(Clone, Eq, PartialEq)]
pub struct Bound {
    /// The identity that checked out last, or that an administrator approved since.
    pub identity: Fingerprint,
    /// The continuation number that was answered last; 0 where none was.
    pub continuation: u64,
    /// The number that the last answered checkout came with: it comes again if that answer was lost. Nothing where the
    /// identity was approved and has not checked out since: it is honoured with any number then.
    pub continuation_before: Option<u64>,
    /// Whether there were others.
    pub others: Others,
}

/// What was seen of other identities of a component. Nothing nearly always, and that takes a word: there are a million seats.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Others(Option<Box<Seen>>);

/// What was seen of other identities of a component than the bound one.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Seen {
    /// When the bound one took the place of another one, if it did.
    pub rebound_at: Option<Timestamp>,
    /// The identities that had lost their place less than a day before the bound one took its own, and the one whose place that
    /// was; each once, the one displaced first first, never the bound one; at most [`DISPLACED_MAX`].
    pub displaced: Vec<Displaced>,
    /// What was seen of a copy, if anything was.
    pub conflict: Option<Conflict>,
    /// Another identity that asked and waits for an administrator's approval.
    pub waiting: Option<Waiting>,
}

static NOTHING_SEEN: Seen = Seen {
    rebound_at: None,
    displaced: Vec::new(),
    conflict: None,
    waiting: None,
};

impl fmt::Debug for Bound {
    /// What was seen of others stands among the rest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Seen {
            rebound_at,
            displaced,
            conflict,
            waiting,
        } = &*self.others;
        f.debug_struct("Bound")
            .field("identity", &self.identity)
            .field("rebound_at", rebound_at)
            .field("displaced", displaced)
            .field("continuation", &self.continuation)
            .field("continuation_before", &self.continuation_before)
            .field("conflict", conflict)
            .field("waiting", waiting)
            .finish()
    }
}

impl Others {
    /// None were seen.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }
}

impl Deref for Others {
    type Target = Seen;

    fn deref(&self) -> &Seen {
        self.0.as_deref().unwrap_or(&NOTHING_SEEN)
    }
}

impl From<Seen> for Others {
    fn from(seen: Seen) -> Self {
        Self((seen != NOTHING_SEEN).then(|| Box::new(seen)))
    }
}

impl From<Others> for Seen {
    fn from(others: Others) -> Self {
        others.0.map_or_else(Self::default, |seen| *seen)
    }
}

/// What is remembered of a machine's components that let go of its seat: a copy shows itself by its number all the same
/// (rule I7). Forgotten like a former seat.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LeftBehind {
    /// When the last of them let go.
    pub left_at: Timestamp,
    /// Each of them; at most 64.
    pub components: SortedMap<ComponentId, LastNumbers>,
}

/// The numbers of a component that let go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LastNumbers {
    /// The identity that was bound.
    pub identity: Fingerprint,
    /// The continuation number that was answered last.
    pub continuation: u64,
    /// The number that the last answered checkout came with.
    pub continuation_before: u64,
}

/// An identity that may not take the bound one's place before an administrator approves (rule I7).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Waiting {
    /// Which; the one that asked last.
    pub identity: Fingerprint,
    /// When it first asked, by the steady time.
    pub since: Timestamp,
}

/// An identity whose place another one took.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Displaced {
    /// Which.
    pub identity: Fingerprint,
    /// When, by the steady time.
    pub at: Timestamp,
}

/// How a copied machine showed itself (rule I7).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ConflictKind {
    /// An identity came back within 24 hours after another one took its place.
    AlternatingIdentity,
    /// A continuation number that was used up.
    StaleContinuation,
}

/// A conflict on a component; it stands until the component is released.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Conflict {
    /// How the copy showed itself last.
    pub kind: ConflictKind,
    /// When it was first seen.
    pub since: Timestamp,
    /// When it was last seen.
    pub last_seen: Timestamp,
    /// How often it was seen.
    pub count: u32,
}

/// Why a seat ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EndCause {
    /// An administrator took it back.
    Administrator,
    /// It was not renewed before its renew date.
    Idle,
    /// Its license was removed.
    LicenseRemoved,
    /// The machine's last counted component was released.
    Released,
}

/// What is remembered of a seat that ended, so that its machine can be told (rule S7). Forgotten after a year.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FormerSeat {
    /// When it ended; for an idle one its renew date.
    pub ended_at: Timestamp,
    /// Why it ended.
    pub cause: EndCause,
}

/// A unit of a license that never comes back (rules S9, X1). Kept when the license is removed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SpentUnit {
    /// The machine it was spent on.
    pub mac: Mac,
    /// When its seat ended, or its deployment was committed.
    pub spent_at: Timestamp,
    /// The reservation that it was committed for; nothing where a seat ended.
    pub reservation: Option<ReservationId>,
}

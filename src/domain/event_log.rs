//! The event log as it is read: what is asked for, and what is found (rule V3).

use std::collections::BTreeSet;

use super::backup::Backup;
use super::change::{ClockEvent, Event, EventKind, SetAside};
use super::command::Actor;
use super::ids::{Fingerprint, Mac, ProductId, VendorId};
use super::reason::Reason;
use super::time::Timestamp;

/// Seconds of an hour: refusals are counted together for so long.
pub const HOUR_SECS: u64 = 3_600;

/// Requests of one machine that were refused for one reason within an hour of the clock (rule V3).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused {
    /// Whose product, where the request named it.
    pub vendor: Option<VendorId>,
    /// Which product, where it is about one.
    pub product: Option<ProductId>,
    /// Which machine, where it is about one.
    pub mac: Option<Mac>,
    /// What the machine calls itself; empty where it did not say. At most 253 bytes, no control characters.
    pub host_name: String,
    /// Why.
    pub reason: Reason,
    /// How many requests; the last one is the event's time and actor.
    pub count: u32,
    /// When the first one was refused.
    pub since: Timestamp,
}

/// A place in the log. Places ascend in the order in which events became durable.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct EventPlace {
    /// The round that it was written with; [`EventPlace::COUNTED`] for one that is not written yet.
    pub round: u64,
    /// Which of the round's events, counted from 0.
    pub index: u32,
}

impl EventPlace {
    /// In place of the round: refusals that are still counted together. They have no place of their own yet.
    pub const COUNTED: u64 = u64::MAX;

    /// Behind every event of a round.
    #[must_use]
    pub const fn behind(round: u64) -> Self {
        Self { round, index: u32::MAX }
    }
}

/// Which events are wanted: those for which all of it holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EventFilter {
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// About this machine.
    pub mac: Option<Mac>,
    /// About this product.
    pub product: Option<ProductId>,
    /// Of one of these kinds, by [`EventKind::number`]; of any if it is empty.
    pub kinds: BTreeSet<u8>,
    /// Caused by this one.
    pub by: Option<By>,
}

/// Who caused an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum By {
    /// Who has this identity.
    Identity(Fingerprint),
    /// The server itself.
    Server,
}

/// A page of the log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventsPage {
    /// Which events.
    pub filter: EventFilter,
    /// Whether the newest come first.
    pub newest_first: bool,
    /// Go on behind this place, in the order that is asked for; from its beginning without it.
    pub after: Option<EventPlace>,
    /// Events at most.
    pub limit: usize,
}

/// What was found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EventsRead {
    /// The last round that was durable when it was asked.
    pub through: u64,
    /// The events, each with its place, in the order that was asked for.
    pub rows: Vec<(EventPlace, Event)>,
    /// Where to go on: everything up to here was looked at.
    pub next: Option<EventPlace>,
    /// Whether there may be more behind it.
    pub more: bool,
    /// What could not be read on the way.
    pub gaps: Vec<Gap>,
}

/// A part of the log that cannot be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Gap {
    /// The file, from the data directory.
    pub file: String,
    /// At which byte of the segment.
    pub byte: u64,
    /// What does not hold.
    pub what: String,
    /// The last round before it that could be read; 0 where that is not known.
    pub after: u64,
}

/// Asks for the chain of rounds to be checked, a portion of segments at a time.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ChainPage {
    /// Go on behind the segment of this number; from the oldest that is kept without it.
    pub after: Option<u64>,
    /// Only the last segment that holds a round.
    pub newest_only: bool,
    /// A round whose hash is wanted.
    pub round: Option<u64>,
}

/// What the check of a portion found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ChainRead {
    /// The last round that was durable when it was asked.
    pub through: u64,
    /// The segments, in the order of their numbers.
    pub segments: Vec<SegmentRead>,
    /// Whether more follow: ask again behind the last one's number.
    pub more: bool,
}

/// What a segment of the log holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SegmentRead {
    /// Its number.
    pub number: u64,
    /// Its file, from the data directory.
    pub file: String,
    /// Its rounds, from the first to the last; nothing where it holds none.
    pub span: Option<Span>,
    /// Rounds that hold.
    pub rounds: u64,
    /// Events in them.
    pub events: u64,
    /// The hash of the round that was asked for, where it is here and holds.
    pub hash_of_round: Option<[u8; 32]>,
    /// When that round was decided.
    pub time_of_round: Option<Timestamp>,
    /// What is damaged; at most [`GAPS_MAX`].
    pub gaps: Vec<Gap>,
}

/// Gaps that are told of one page or segment, at most.
pub const GAPS_MAX: usize = 16;

/// From where to where a chain of rounds goes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Span {
    /// The first round.
    pub first: u64,
    /// The hash of the round before it.
    pub before: [u8; 32],
    /// When the first round was decided.
    pub first_at: Timestamp,
    /// The last round.
    pub last: u64,
    /// Its hash.
    pub hash: [u8; 32],
    /// When it was decided.
    pub last_at: Timestamp,
}

impl EventFilter {
    /// Whether an event is wanted.
    #[must_use]
    pub fn admits(&self, event: &Event) -> bool {
        let (mac, product) = event.kind.about();
        let by = |by: By| match (by, event.actor) {
            (By::Identity(wanted), Actor::Peer { identity, .. }) => wanted == identity,
            (By::Server, Actor::Server) => true,
            _ => false,
        };
        self.since.is_none_or(|since| since <= event.at)
            && self.until.is_none_or(|until| event.at < until)
            && self.mac.is_none_or(|wanted| mac == Some(wanted))
            && self.product.is_none_or(|wanted| product == Some(wanted))
            && (self.kinds.is_empty() || self.kinds.contains(&event.kind.number()))
            && self.by.is_none_or(by)
    }
}

impl EventKind {
    /// The kind's number on the wire, and on disk but for what has one more field there. Never changed.
    #[must_use]
    pub const fn number(&self) -> u8 {
        match self {
            Self::AdminAdded { .. } => 1,
            Self::AdminRemoved { .. } => 2,
            Self::BindingForgotten { .. } => 3,
            Self::BlacklistImported { .. } => 4,
            Self::CatalogueImported { .. } => 5,
            Self::ClockChanged(ClockEvent::Reset { .. }) => 6,
            Self::ComponentAdded { .. } => 7,
            Self::ComponentReleased { .. } => 8,
            Self::ConflictSeen { .. } => 9,
            Self::DeploymentAborted { .. } => 10,
            Self::DeploymentCommitted { .. } => 11,
            Self::IdentityApproved { .. } => 12,
            Self::IdentityWaits { .. } => 13,
            Self::ClockChanged(ClockEvent::JumpAccepted(_)) => 14,
            Self::ClockChanged(ClockEvent::JumpPending(_)) => 15,
            Self::ClockChanged(ClockEvent::JumpRejected(_)) => 16,
            Self::LicenseImported { .. } => 17,
            Self::LicenseListed { .. } => 18,
            Self::LicenseRemoved { .. } => 19,
            Self::Rebound { .. } => 20,
            Self::ReservationEnded { .. } => 21,
            Self::Reserved {
                what: SetAside::UnitsOrHeldSeats,
                ..
            } => 22,
            Self::SeatEnded { .. } => 23,
            Self::SeatEngaged { .. } => 24,
            Self::SeatMoved { .. } => 25,
            Self::SeatRenewed { .. } => 26,
            Self::ServerFounded { .. } => 27,
            Self::VendorTrusted { .. } => 28,
            Self::TokenAdded { .. } => 29,
            Self::TokenRevoked { .. } => 30,
            Self::IdentityEnrolled { .. } => 31,
            Self::IdentityRemoved { .. } => 32,
            Self::Refused { .. } => 33,
            Self::ServerRestored { .. } => 34,
            Self::ServerIdentityReplaced { .. } => 35,
            Self::ConfigReloaded { .. } => 36,
            Self::BackedUp(Backup {
                has_identities: true, ..
            }) => 37,
            Self::BackedUp(_) => 38,
            Self::Reserved {
                what: SetAside::HeldSeats,
                ..
            } => 39,
            Self::Reserved {
                what: SetAside::Machines,
                ..
            } => 40,
            Self::Reserved {
                what: SetAside::Units, ..
            } => 41,
        }
    }

    /// The machine and the product that it is about.
    #[must_use]
    pub const fn about(&self) -> (Option<Mac>, Option<ProductId>) {
        match self {
            Self::BindingForgotten { key, .. }
            | Self::ComponentAdded { key, .. }
            | Self::ComponentReleased { key, .. }
            | Self::ConflictSeen { key, .. }
            | Self::IdentityApproved { key, .. }
            | Self::IdentityWaits { key, .. }
            | Self::Rebound { key, .. }
            | Self::SeatEnded { key, .. }
            | Self::SeatEngaged { key, .. }
            | Self::SeatMoved { key, .. }
            | Self::SeatRenewed { key } => (Some(key.mac), Some(key.product)),
            Self::DeploymentAborted { mac, .. } | Self::DeploymentCommitted { mac, .. } => (Some(*mac), None),
            Self::LicenseImported { product, .. } | Self::Reserved { product, .. } => (None, Some(product.product)),
            Self::Refused { refused, .. } => (refused.mac, refused.product),
            Self::AdminAdded { .. }
            | Self::AdminRemoved { .. }
            | Self::BackedUp(_)
            | Self::BlacklistImported { .. }
            | Self::CatalogueImported { .. }
            | Self::ClockChanged(_)
            | Self::ConfigReloaded { .. }
            | Self::IdentityEnrolled { .. }
            | Self::IdentityRemoved { .. }
            | Self::LicenseListed { .. }
            | Self::LicenseRemoved { .. }
            | Self::ReservationEnded { .. }
            | Self::ServerFounded { .. }
            | Self::ServerIdentityReplaced { .. }
            | Self::ServerRestored { .. }
            | Self::TokenAdded { .. }
            | Self::TokenRevoked { .. }
            | Self::VendorTrusted { .. } => (None, None),
        }
    }
}

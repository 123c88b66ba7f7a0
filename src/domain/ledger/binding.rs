//! What is bound to a component, and how a copy of it shows itself (rule I7).

use crate::domain::catalogue::OnConflict;
use crate::domain::change::EventKind;
use crate::domain::command::{Checkout, Rebind};
use crate::domain::denial::Denial;
use crate::domain::ids::{ComponentId, Fingerprint};
use crate::domain::seat::{
    Binding, Bound, Conflict, ConflictKind, DISPLACED_MAX, Displaced, LastNumbers, Others, SeatKey, Seen, Waiting,
};
use crate::domain::time::{DAY_SECS, Timestamp};

/// An identity that comes back this soon after another one took its place is a copy's, in seconds.
const ALTERNATING_SECS: u64 = DAY_SECS;

/// How a checkout meets what is bound to its component.
pub(super) enum Met {
    /// It is honoured: what is bound from now on, and what happened beyond a plain renewal.
    Honoured(Binding, Vec<EventKind>),
    /// It is refused: what is noted of it, and what happened.
    Refused(Denial, Binding, Vec<EventKind>),
    /// It is refused, and there is no binding to note it on.
    TurnedAway(Denial),
}

/// The identity that checks out, and what is done about it if it is not the bound one or a copy.
#[derive(Clone, Copy)]
pub(super) struct Visitor {
    pub(super) identity: Fingerprint,
    pub(super) is_ephemeral: bool,
    pub(super) on_conflict: OnConflict,
    /// The steady time.
    pub(super) now: Timestamp,
}

/// Judges a checkout by what is bound to its component, if that holds the seat already, or by what it left behind.
pub(super) fn meet(before: Option<&Binding>, left: Option<&LastNumbers>, checkout: &Checkout, visitor: Visitor) -> Met {
    let Checkout {
        key,
        component,
        continuation,
        rebind,
        ..
    } = *checkout;
    let added = before.is_none().then_some(EventKind::ComponentAdded { key, component });
    let bound = match before {
        _ if visitor.is_ephemeral => return Met::Honoured(Binding::Unbound, added.into_iter().collect()),
        None | Some(Binding::Unbound) => {
            let (bound, seen) = first(visitor.identity, left, continuation);
            if seen.is_some() && visitor.on_conflict == OnConflict::Refuse {
                return Met::TurnedAway(Denial::Conflict);
            }
            let conflict = seen.map(|kind| EventKind::ConflictSeen { key, component, kind });
            let bound = with_conflict(bound, seen.map(|kind| add(None, kind, visitor.now)));
            return Met::Honoured(Binding::Identity(bound), added.into_iter().chain(conflict).collect());
        }
        Some(Binding::Identity(bound)) => bound,
    };
    let is_other = bound.identity != visitor.identity;
    if is_other && rebind == Rebind::Approve {
        return wait(bound.clone(), key, component, visitor);
    }
    let (next, seen) = if is_other {
        other(bound.clone(), visitor.identity, continuation, visitor.now)
    } else {
        again(bound.clone(), continuation)
    };
    let conflict = seen.map(|kind| EventKind::ConflictSeen { key, component, kind });
    let before = bound.others.conflict;
    let noted = seen.map_or(before, |kind| Some(add(before, kind, visitor.now)));
    if seen.is_some() && visitor.on_conflict == OnConflict::Refuse {
        let noted = with_conflict(bound.clone(), noted);
        return Met::Refused(
            Denial::Conflict,
            Binding::Identity(noted),
            conflict.into_iter().collect(),
        );
    }
    let rebound = is_other.then_some(EventKind::Rebound {
        key,
        component,
        from: bound.identity,
        to: visitor.identity,
    });
    let others = Seen::from(next.others);
    let others = Seen {
        conflict: noted,
        // Nothing waits where nothing has to be approved.
        waiting: others.waiting.filter(|_| rebind == Rebind::Approve),
        ..others
    };
    let next = Bound {
        others: others.into(),
        ..next
    };
    Met::Honoured(Binding::Identity(next), rebound.into_iter().chain(conflict).collect())
}

fn with_conflict(bound: Bound, conflict: Option<Conflict>) -> Bound {
    let others = Seen {
        conflict,
        ..bound.others.into()
    };
    Bound {
        others: others.into(),
        ..bound
    }
}

/// Another identity that has to be approved: the bound one stays.
fn wait(bound: Bound, key: SeatKey, component: ComponentId, visitor: Visitor) -> Met {
    let identity = visitor.identity;
    let known = bound.others.waiting.filter(|waiting| waiting.identity == identity);
    let event = known.is_none().then_some(EventKind::IdentityWaits {
        key,
        component,
        identity,
    });
    let others = Seen {
        waiting: Some(known.unwrap_or(Waiting {
            identity,
            since: visitor.now,
        })),
        ..bound.others.into()
    };
    let noted = Bound {
        others: others.into(),
        ..bound
    };
    Met::Refused(
        Denial::RebindPending,
        Binding::Identity(noted),
        event.into_iter().collect(),
    )
}

/// An identity that binds. One that was bound before and let go goes on with its numbers: a copy that released in the
/// meantime shows itself by them.
fn first(identity: Fingerprint, left: Option<&LastNumbers>, came_with: u64) -> (Bound, Option<ConflictKind>) {
    let last = left.filter(|left| left.identity == identity);
    let bound = Bound {
        continuation: last.map_or(0, |last| last.continuation),
        continuation_before: last.map(|last| last.continuation_before),
        ..approved(identity)
    };
    again(bound, came_with)
}

/// What is bound once an administrator has approved an identity: as if it had come first, with any number.
pub(super) const fn approved(identity: Fingerprint) -> Bound {
    Bound {
        identity,
        continuation: 0,
        continuation_before: None,
        others: Others::none(),
    }
}

/// The bound identity again. Its number is the one answered last, or, if that answer was lost, the one before: then the
/// lost number is used up, so that of two copies that hold the same number one is found out at its next checkout.
fn again(bound: Bound, came_with: u64) -> (Bound, Option<ConflictKind>) {
    let is_known = |before| came_with == bound.continuation || came_with == before;
    let known = bound.continuation_before.is_none_or(is_known);
    let next = Bound {
        continuation: next_number(&bound, came_with),
        continuation_before: Some(came_with),
        ..bound
    };
    (next, (!known).then_some(ConflictKind::StaleContinuation))
}

/// Another identity: a system that was installed anew, or a copy if its place was taken not long ago.
fn other(bound: Bound, identity: Fingerprint, came_with: u64, now: Timestamp) -> (Bound, Option<ConflictKind>) {
    let continuation = next_number(&bound, came_with);
    let Seen {
        mut displaced,
        conflict,
        ..
    } = bound.others.into();
    displaced.retain(|one| now.secs_since(one.at) < ALTERNATING_SECS);
    let alternates = displaced.iter().any(|one| one.identity == identity);
    displaced.retain(|one| one.identity != identity);
    displaced.push(Displaced {
        identity: bound.identity,
        at: now,
    });
    // The oldest go first.
    displaced.drain(..displaced.len().saturating_sub(DISPLACED_MAX));
    let others = Seen {
        rebound_at: Some(now),
        displaced,
        conflict,
        waiting: None,
    };
    let next = Bound {
        identity,
        continuation,
        continuation_before: Some(came_with),
        others: others.into(),
    };
    (next, alternates.then_some(ConflictKind::AlternatingIdentity))
}

/// Goes on from the number answered last, or from the one that came where none was answered yet.
const fn next_number(bound: &Bound, came_with: u64) -> u64 {
    let last = match bound.continuation_before {
        Some(_) => bound.continuation,
        None => came_with,
    };
    number_after(last, came_with)
}

/// Numbers of one component only grow; 0 is never one. An answer never repeats the number that was asked with, or two
/// copies of a disk would both hold an accepted one.
const fn number_after(last: u64, came_with: u64) -> u64 {
    let mut next = last.wrapping_add(1);
    while next == 0 || next == came_with {
        next = next.wrapping_add(1);
    }
    next
}

fn add(before: Option<Conflict>, kind: ConflictKind, now: Timestamp) -> Conflict {
    Conflict {
        kind,
        since: before.map_or(now, |conflict| conflict.since),
        last_seen: now,
        count: before.map_or(0, |conflict| conflict.count).saturating_add(1),
    }
}

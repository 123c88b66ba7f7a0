//! What is bound to a component, and how a copy of it shows itself (rule I7).

use crate::domain::catalogue::Component;
use crate::domain::change::EventKind;
use crate::domain::command::Checkout;
use crate::domain::ids::Fingerprint;
use crate::domain::seat::{Binding, Bound, Conflict, ConflictKind, DISPLACED_MAX, Displaced, Seat};
use crate::domain::time::{DAY_SECS, Timestamp};

/// An identity that comes back this soon after another one took its place is a copy's, in seconds.
const ALTERNATING_SECS: u64 = DAY_SECS;

/// What a checkout told of its component, beyond a plain renewal.
pub(super) struct Sighting {
    pub(super) events: Vec<EventKind>,
}

/// Writes the component that checks out into the seat; `now` is the steady time.
pub(super) fn bind(
    seat: &mut Seat,
    checkout: &Checkout,
    component: Component,
    identity: Fingerprint,
    now: Timestamp,
) -> Sighting {
    let Checkout {
        key,
        component: id,
        continuation,
        ..
    } = *checkout;
    let before = seat.components.get(&id).cloned();
    let mut events = Vec::new();
    if before.is_none() {
        events.push(EventKind::ComponentAdded { key, component: id });
    }
    let binding = match before {
        _ if component.ephemeral => Binding::Ephemeral,
        None | Some(Binding::Ephemeral) => Binding::Identity(first(identity, continuation)),
        Some(Binding::Identity(bound)) => {
            let before = bound.conflict;
            let (next, seen) = if bound.identity == identity {
                again(bound, continuation)
            } else {
                events.push(EventKind::Rebound {
                    key,
                    component: id,
                    from: bound.identity,
                    to: identity,
                });
                other(bound, identity, continuation, now)
            };
            events.extend(seen.map(|kind| EventKind::ConflictSeen {
                key,
                component: id,
                kind,
            }));
            let conflict = seen.map_or(before, |kind| Some(add(before, kind, now)));
            Binding::Identity(Bound { conflict, ..next })
        }
    };
    seat.components.insert(id, binding);
    Sighting { events }
}

fn first(identity: Fingerprint, came_with: u64) -> Bound {
    Bound {
        identity,
        rebound_at: None,
        displaced: Vec::new(),
        continuation: number_after(came_with, came_with),
        continuation_before: came_with,
        conflict: None,
    }
}

/// The bound identity again. Its number is the one answered last, or, if that answer was lost, the one before: then the
/// lost number is used up, so that of two copies that hold the same number one is found out at its next checkout.
fn again(bound: Bound, came_with: u64) -> (Bound, Option<ConflictKind>) {
    let known = came_with == bound.continuation || came_with == bound.continuation_before;
    let next = Bound {
        continuation: number_after(bound.continuation, came_with),
        continuation_before: came_with,
        ..bound
    };
    (next, (!known).then_some(ConflictKind::StaleContinuation))
}

/// Another identity: a system that was installed anew, or a copy if its place was taken not long ago.
fn other(bound: Bound, identity: Fingerprint, came_with: u64, now: Timestamp) -> (Bound, Option<ConflictKind>) {
    let mut displaced = bound.displaced;
    displaced.retain(|one| now.secs_since(one.at) < ALTERNATING_SECS);
    let alternates = displaced.iter().any(|one| one.identity == identity);
    displaced.retain(|one| one.identity != identity);
    displaced.push(Displaced {
        identity: bound.identity,
        at: now,
    });
    // The oldest go first.
    displaced.drain(..displaced.len().saturating_sub(DISPLACED_MAX));
    let next = Bound {
        identity,
        rebound_at: Some(now),
        displaced,
        continuation: number_after(bound.continuation, came_with),
        continuation_before: came_with,
        conflict: bound.conflict,
    };
    (next, alternates.then_some(ConflictKind::AlternatingIdentity))
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

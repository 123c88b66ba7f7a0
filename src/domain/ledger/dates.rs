//! Moves dates back that were set by a clock that had jumped (rules T1, T2).

use std::sync::Arc;

use super::Ledger;
use crate::domain::change::{Change, Fact};
use crate::domain::enrolment::{Enrolled, Token};
use crate::domain::license::{License, Tombstone};
use crate::domain::reservation::Reservation;
use crate::domain::seat::{Binding, Bound, FormerSeat, LeftBehind, Seat, Seen, SpentUnit};
use crate::domain::time::Timestamp;

/// Facts whose dates move in one round, at most.
pub(super) const MOVED_MAX: usize = 1_024;

/// Where dates after the mark go.
#[derive(Clone, Copy)]
pub(super) struct Back {
    /// The highest accepted time; what is not after it stays.
    pub(super) mark: Timestamp,
    /// The jump by which they were set, in seconds; nothing where it is not known, and they become the mark.
    pub(super) size_secs: Option<u64>,
}

impl Back {
    fn date(self, at: Timestamp) -> Timestamp {
        if at <= self.mark {
            return at;
        }
        match self.size_secs {
            None => self.mark,
            Some(size_secs) => Timestamp(at.0.saturating_sub(size_secs)).min(self.mark),
        }
    }

    /// A date that runs from another one goes with it.
    fn along(self, base: Timestamp, date: Timestamp) -> Timestamp {
        Timestamp(date.0.saturating_sub(base.secs_since(self.date(base))))
    }
}

impl Ledger {
    /// The facts whose dates are after the mark, as they are from then on: at most [`MOVED_MAX`]. Once they are recorded,
    /// the next ones follow.
    pub(super) fn moved_back(&self, back: Back) -> Vec<Change> {
        let licenses = self.licenses.values().filter_map(|license| {
            let imported_at = back.date(license.imported_at);
            (imported_at != license.imported_at).then(|| {
                Fact::LicensePut(Box::new(License {
                    imported_at,
                    ..license.clone()
                }))
            })
        });
        let tombstones = self.tombstones.iter().filter_map(|(serial, tombstone)| {
            let moved = Tombstone {
                imported_at: back.date(tombstone.imported_at),
                removed_at: back.date(tombstone.removed_at),
                ..*tombstone
            };
            (moved != *tombstone).then_some(Fact::TombstonePut(*serial, moved))
        });
        let spent = self.spent.iter().filter_map(|((serial, unit), spent)| {
            let moved = SpentUnit {
                spent_at: back.date(spent.spent_at),
                ..*spent
            };
            (moved != *spent).then_some(Fact::SpentPut(*serial, *unit, moved))
        });
        let former = self.former.iter().filter_map(|(key, former)| {
            let moved = FormerSeat {
                ended_at: back.date(former.ended_at),
                ..*former
            };
            (moved != *former).then_some(Fact::FormerPut(*key, moved))
        });
        let left = self.left.iter().filter_map(|(key, left)| {
            let left_at = back.date(left.left_at);
            (left_at != left.left_at).then(|| {
                let moved = LeftBehind {
                    left_at,
                    ..left.clone()
                };
                Fact::LeftPut(*key, Box::new(moved))
            })
        });
        let reservations = self.reservations.iter().filter_map(|(id, reservation)| {
            let reserved_at = back.date(reservation.reserved_at);
            (reserved_at != reservation.reserved_at).then(|| {
                let moved = Reservation {
                    reserved_at,
                    lapses_at: back.along(reservation.reserved_at, reservation.lapses_at),
                    ..reservation.clone()
                };
                Fact::ReservationPut(*id, Box::new(moved))
            })
        });
        let seats = self.seats.iter().filter_map(|(key, seat)| {
            let moved = moved_seat(seat, back)?;
            Some(Fact::SeatPut(key, Arc::new(moved)))
        });
        let facts = licenses.chain(tombstones).chain(spent).chain(former).chain(left);
        let facts = facts.chain(reservations).chain(seats);
        let facts = facts.chain(self.enrolments_moved_back(back)).take(MOVED_MAX);
        // The change of the clock tells it for all of them.
        facts.map(Change::from).collect()
    }

    fn enrolments_moved_back(&self, back: Back) -> impl Iterator<Item = Fact> {
        let tokens = self.tokens.iter().filter_map(move |(hash, token)| {
            let moved = moved_token(token, back);
            (moved != *token).then_some(Fact::TokenPut(*hash, moved))
        });
        let enrolled = self.enrolled.iter().filter_map(move |(identity, enrolled)| {
            let moved = Enrolled {
                at: back.date(enrolled.at),
                revoked_at: enrolled.revoked_at.map(|at| back.date(at)),
                ..*enrolled
            };
            (moved != *enrolled).then_some(Fact::EnrolledPut(*identity, moved))
        });
        tokens.chain(enrolled)
    }
}

/// The seat with its dates moved; nothing where they stay.
fn moved_seat(seat: &Seat, back: Back) -> Option<Seat> {
    let is_after = |at: Timestamp| at > back.mark;
    let has_moments = seat.components.values().any(|binding| match binding {
        Binding::Identity(bound) => moments(bound).any(is_after),
        Binding::Unbound => false,
    });
    if !is_after(seat.acquired_at) && !is_after(seat.renewed_at) && !has_moments {
        return None;
    }
    let mut moved = Seat {
        acquired_at: back.date(seat.acquired_at),
        renewed_at: back.date(seat.renewed_at),
        renew_by: seat.renew_by.map(|at| back.along(seat.renewed_at, at)),
        ..seat.clone()
    };
    for binding in moved.components.iter_mut().map(|(_, binding)| binding) {
        if let Binding::Identity(bound) = binding {
            move_moments(bound, back);
        }
    }
    Some(moved)
}

fn moved_token(token: &Token, back: Back) -> Token {
    Token {
        created_at: back.date(token.created_at),
        expires_at: back.along(token.created_at, token.expires_at),
        last_used_at: token.last_used_at.map(|at| back.date(at)),
        revoked_at: token.revoked_at.map(|at| back.date(at)),
        ..token.clone()
    }
}

/// The moments of a binding, which are by the steady time: after the mark only where that was set back.
fn moments(bound: &Bound) -> impl Iterator<Item = Timestamp> {
    let seen: &Seen = &bound.others;
    let displaced = seen.displaced.iter().map(|one| one.at);
    let conflict = seen.conflict.map(|conflict| [conflict.since, conflict.last_seen]);
    let waiting = seen.waiting.map(|waiting| waiting.since);
    displaced
        .chain(seen.rebound_at)
        .chain(conflict.into_iter().flatten())
        .chain(waiting)
}

fn move_moments(bound: &mut Bound, back: Back) {
    let mut seen = Seen::from(bound.others.clone());
    for one in &mut seen.displaced {
        one.at = back.date(one.at);
    }
    seen.rebound_at = seen.rebound_at.map(|at| back.date(at));
    if let Some(conflict) = &mut seen.conflict {
        conflict.since = back.date(conflict.since);
        conflict.last_seen = back.date(conflict.last_seen);
    }
    if let Some(waiting) = &mut seen.waiting {
        waiting.since = back.date(waiting.since);
    }
    bound.others = seen.into();
}

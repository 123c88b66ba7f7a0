//! The ledger as facts, in the order of their keys and a portion at a time: for what is written down of it as a whole.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::super::change::{Fact, FactKey};
use super::super::license::License;
use super::super::seat::LeftBehind;
use super::Ledger;
use super::seats::Seats;

/// Takes a key of one kind apart; nothing if it is of another kind.
macro_rules! value_of {
    ($kind:ident) => {
        |key| match key {
            FactKey::$kind(value) => Some(value),
            _ => None,
        }
    };
}

impl Ledger {
    /// The facts that follow `after`, or the first ones; `max` at most, and none at the end.
    ///
    /// A walk in portions sees each fact that stays from its first portion to its last, as of the portion it came in.
    /// What is recorded meanwhile and comes before the portion reached is not in it.
    #[must_use]
    pub fn facts_after(&self, after: Option<FactKey>, max: usize) -> Vec<Fact> {
        let mut walk = Walk {
            after,
            max,
            facts: Vec::with_capacity(max),
        };
        walk.one(FactKey::Server, self.server.map(Fact::ServerPut));
        walk.many(&self.admins, FactKey::Admin, value_of!(Admin), |&id, admin| {
            Fact::AdminPut(id, admin.clone())
        });
        walk.many(&self.vendors, FactKey::Vendor, value_of!(Vendor), |&id, vendor| {
            Fact::VendorPut(id, vendor.clone())
        });
        walk.many(
            &self.catalogues,
            FactKey::Catalogue,
            value_of!(Catalogue),
            |_, catalogue| Fact::CataloguePut(Box::new(catalogue.clone())),
        );
        walk.many(&self.licenses, FactKey::License, value_of!(License), |_, license| {
            Fact::LicensePut(Box::new(License::clone(license)))
        });
        walk.many(
            &self.tombstones,
            FactKey::Tombstone,
            value_of!(Tombstone),
            |&serial, tombstone| Fact::TombstonePut(serial, *tombstone),
        );
        walk.many(
            &self.spent,
            |(serial, unit)| FactKey::Spent(serial, unit),
            |key| match key {
                FactKey::Spent(serial, unit) => Some((serial, unit)),
                _ => None,
            },
            |&(serial, unit), spent| Fact::SpentPut(serial, unit, *spent),
        );
        walk.seats(&self.seats);
        walk.many(&self.former, FactKey::Former, value_of!(Former), |&key, former| {
            Fact::FormerPut(key, *former)
        });
        walk.many(&self.blacklists, FactKey::Blacklist, value_of!(Blacklist), |_, list| {
            Fact::BlacklistPut(Box::new(list.clone()))
        });
        walk.many(
            &self.reservations,
            FactKey::Reservation,
            value_of!(Reservation),
            |&id, reservation| Fact::ReservationPut(id, Box::new(reservation.clone())),
        );
        walk.one(FactKey::Clock, self.clock.map(Fact::ClockPut));
        walk.many(&self.left, FactKey::Left, value_of!(Left), |&key, left| {
            Fact::LeftPut(key, Box::new(LeftBehind::clone(left)))
        });
        walk.many(&self.tokens, FactKey::Token, value_of!(Token), |&hash, token| {
            Fact::TokenPut(hash, token.clone())
        });
        walk.many(
            &self.enrolled,
            FactKey::Enrolled,
            value_of!(Enrolled),
            |&id, enrolled| Fact::EnrolledPut(id, *enrolled),
        );
        walk.facts
    }
}

struct Walk {
    after: Option<FactKey>,
    max: usize,
    facts: Vec<Fact>,
}

impl Walk {
    fn one(&mut self, key: FactKey, fact: Option<Fact>) {
        if self.after.is_none_or(|after| key > after) && self.facts.len() < self.max {
            self.facts.extend(fact);
        }
    }

    /// `key` makes a key of this kind, `value_of` takes one apart.
    fn many<K: Copy + Ord, V>(
        &mut self,
        map: &BTreeMap<K, V>,
        key: impl Fn(K) -> FactKey,
        value_of: impl Fn(FactKey) -> Option<K>,
        fact: impl Fn(&K, &V) -> Fact,
    ) {
        let first = map.first_key_value().map(|(first, _)| key(*first));
        let Some(start) = self.goes_on(first, value_of) else {
            return;
        };
        let rows = map.range((start, Bound::Unbounded)).take(self.left());
        self.facts.extend(rows.map(|(at, value)| fact(at, value)));
    }

    fn seats(&mut self, seats: &Seats) {
        let first = seats.iter().next().map(|(key, _)| FactKey::Seat(key));
        let after = match self.goes_on(first, value_of!(Seat)) {
            Some(Bound::Included(after) | Bound::Excluded(after)) => Some(after),
            Some(Bound::Unbounded) => None,
            None => return,
        };
        let rows = seats.behind(after).take(self.left());
        self.facts
            .extend(rows.map(|(key, seat)| Fact::SeatPut(key, Arc::clone(seat))));
    }

    /// Where it goes on in a kind whose first key is `first`; nothing where all of that has been.
    fn goes_on<K>(&self, first: Option<FactKey>, value_of: impl Fn(FactKey) -> Option<K>) -> Option<Bound<K>> {
        let first = first?;
        match self.after.map(|after| (value_of(after), first < after)) {
            Some((Some(after), _)) => Some(Bound::Excluded(after)),
            Some((None, true)) => None,
            Some((None, false)) | None => Some(Bound::Unbounded),
        }
    }

    fn left(&self) -> usize {
        self.max.saturating_sub(self.facts.len())
    }
}

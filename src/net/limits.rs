//! Bounds on connections: in all, and of one source.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::source::source_of;
use crate::domain::time::Monotonic;

/// How many connections there may be at one time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ConnectionLimits {
    /// In all.
    pub total: usize,
    /// Of one source: an IPv4 address, or an IPv6 /64.
    pub per_source: usize,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            total: 20_000,
            per_source: 256,
        }
    }
}

/// How often the log tells of connections that were turned away, at most.
const TOLD_EVERY_MILLIS: u64 = 60_000;

/// Counts the connections that are there. Its memory is bounded by the connections that it admits.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    limits: ConnectionLimits,
    counts: Arc<Mutex<Counts>>,
    turned_away: Arc<Mutex<TurnedAway>>,
}

#[derive(Debug, Default)]
struct Counts {
    total: usize,
    by_source: HashMap<IpAddr, usize>,
}

/// Counts the connections that were turned away. Whoever floods the server must not flood its log too.
#[derive(Debug, Default)]
struct TurnedAway {
    since_told: u64,
    told_at: Option<Monotonic>,
}

/// A place that a connection holds until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    gate: Gate,
    source: IpAddr,
}

impl Gate {
    pub(super) fn new(limits: ConnectionLimits) -> Self {
        Self {
            limits,
            counts: Arc::default(),
            turned_away: Arc::default(),
        }
    }

    /// A place for a connection from `address`; nothing when it, or everybody together, has too many.
    pub(super) fn admit(&self, address: IpAddr) -> Option<Place> {
        let source = source_of(address);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let of_source = counts.by_source.get(&source).copied().unwrap_or(0);
        if counts.total >= self.limits.total || of_source >= self.limits.per_source {
            return None;
        }
        counts.total += 1;
        counts.by_source.insert(source, of_source + 1);
        Some(Place {
            gate: self.clone(),
            source,
        })
    }

    /// A connection found no place. How many did since the log last told of it, if it is time to tell again.
    pub(super) fn turned_away(&self, now: Monotonic) -> Option<u64> {
        let mut turned_away = self.turned_away.lock().unwrap_or_else(PoisonError::into_inner);
        turned_away.note(now)
    }
}

impl TurnedAway {
    fn note(&mut self, now: Monotonic) -> Option<u64> {
        self.since_told = self.since_told.saturating_add(1);
        if self.told_at.is_some_and(|at| now.millis_since(at) < TOLD_EVERY_MILLIS) {
            return None;
        }
        self.told_at = Some(now);
        Some(std::mem::take(&mut self.since_told))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.gate.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.total = counts.total.saturating_sub(1);
        match counts.by_source.get_mut(&self.source) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.by_source.remove(&self.source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_and_everybody_have_a_bound_and_places_come_back() {
        let gate = Gate::new(ConnectionLimits {
            total: 3,
            per_source: 2,
        });
        let address = |last: u8| IpAddr::from([10, 0, 0, last]);
        let first = gate.admit(address(1)).expect("room");
        let second = gate.admit(address(1)).expect("room");
        assert!(gate.admit(address(1)).is_none());
        let third = gate.admit(address(2)).expect("room");
        assert!(gate.admit(address(3)).is_none());
        drop(first);
        assert!(gate.admit(address(1)).is_some());
        drop((second, third));
        assert!(gate.counts.lock().expect("whole").by_source.is_empty());
    }

    #[test]
    fn connections_that_are_turned_away_are_told_at_once_and_then_counted_for_a_minute() {
        let gate = Gate::new(ConnectionLimits::default());
        let at = |millis| gate.clone().turned_away(Monotonic(millis));
        assert_eq!(at(5), Some(1));
        assert_eq!([at(6), at(30_000), at(60_004)], [None; 3]);
        assert_eq!(at(60_005), Some(4), "those of the minute and this one");
        assert_eq!(at(60_006), None);
        assert_eq!(at(500_000), Some(2));
    }
}

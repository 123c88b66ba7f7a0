//! Bounds on connections: in all, of one source, and on the memory that they hold.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::crowd::{Crowd, Number};
use super::reins::{Orders, Reins, reins};
use crate::domain::source::source_of;
use crate::domain::time::Monotonic;

/// How many connections there may be at one time, and what they may hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ConnectionLimits {
    /// In all.
    pub total: usize,
    /// Of one source: an IPv4 address, or an IPv6 /64.
    pub per_source: usize,
    /// Requests under way of one source, which its connections share; each may have one whatever the others have. Many more
    /// than the default make no round cheaper, and whoever asks without end would keep the threads from others' connections:
    /// what is not read yet costs nothing.
    pub requests_per_source: usize,
    /// Bytes of requests and answers under way that they hold together, beyond what each may hold anyway
    /// ([`FREE_LEN`](super::bounds::FREE_LEN)).
    pub held_len: usize,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            total: 20_000,
            per_source: 256,
            requests_per_source: 256,
            held_len: 256 << 20,
        }
    }
}

/// How often the log tells of the same trouble, at most.
const TOLD_EVERY_MILLIS: u64 = 60_000;

/// Counts what happens often in an attack. Whoever floods the server must not flood its log too.
#[derive(Debug, Default)]
pub(super) struct Tally {
    since_told: u64,
    told_at: Option<Monotonic>,
}

impl Tally {
    /// It happened. How often it did since the log last told of it, if it is time to tell again.
    pub(super) fn note(&mut self, now: Monotonic) -> Option<u64> {
        self.since_told = self.since_told.saturating_add(1);
        if self.told_at.is_some_and(|at| now.millis_since(at) < TOLD_EVERY_MILLIS) {
            return None;
        }
        self.told_at = Some(now);
        Some(std::mem::take(&mut self.since_told))
    }
}

/// Lets connections in, and ends those that give way.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    crowd: Arc<Mutex<Crowd<Reins>>>,
    gave_way: Arc<Mutex<Tally>>,
    turned_away: Arc<Mutex<Tally>>,
    /// As in the limits: asked for with every request.
    requests_per_source: Arc<AtomicUsize>,
    /// Whether the server stops.
    finishes: Arc<AtomicBool>,
}

/// A place that a connection has until this is dropped, or until it gives way.
#[derive(Debug)]
pub(super) struct Place {
    gate: Gate,
    number: Number,
    fellows: Arc<AtomicUsize>,
}

impl Gate {
    pub(super) fn new(limits: ConnectionLimits) -> Self {
        Self {
            crowd: Arc::new(Mutex::new(Crowd::new(limits))),
            gave_way: Arc::default(),
            turned_away: Arc::default(),
            requests_per_source: Arc::new(AtomicUsize::new(limits.requests_per_source)),
            finishes: Arc::default(),
        }
    }

    /// Keeps to other bounds from now on. Connections that are there stay, also where they are more than that: while they
    /// are, a new one takes the place of another or is turned away.
    pub(super) fn set_limits(&self, limits: ConnectionLimits) {
        self.requests_per_source
            .store(limits.requests_per_source, Ordering::Relaxed);
        locked(&self.crowd).set_limits(limits);
    }

    /// How many connections there are, and how many there may be.
    pub(super) fn count(&self) -> (usize, usize) {
        let crowd = locked(&self.crowd);
        (crowd.len(), crowd.limits().total)
    }

    /// A place for a connection from `address`, and how it is told to end; nothing when there is no room for it.
    pub(super) fn admit(&self, address: IpAddr, now: Monotonic) -> Option<(Place, Orders)> {
        let (mut reins, orders) = reins();
        let admitted = {
            let mut crowd = locked(&self.crowd);
            if self.finishes.load(Ordering::Relaxed) {
                reins.finish();
            }
            crowd.admit(source_of(address), reins)
        };
        let Some(admitted) = admitted else {
            if let Some(turned_away) = locked(&self.turned_away).note(now) {
                tracing::warn!(
                    peer = %address,
                    turned_away,
                    "too many connections of one source (an IPv4 address, or an IPv6 /64) or in all: raise the bound in \
                     [limits] of the configuration if they are wanted; counted since this was last said, at most once a \
                     minute"
                );
            }
            return None;
        };
        self.end(admitted.gives_way, now);
        let place = Place {
            gate: self.clone(),
            number: admitted.number,
            fellows: admitted.fellows,
        };
        Some((place, orders))
    }

    /// Has every connection answer what it was asked, and end; those as well that come from now on.
    pub(super) fn finish(&self) {
        let mut crowd = locked(&self.crowd);
        self.finishes.store(true, Ordering::Relaxed);
        crowd.handles().for_each(Reins::finish);
    }

    /// Cuts off every connection.
    pub(super) fn cut(&self) {
        locked(&self.crowd).clear();
    }

    fn end(&self, those: impl IntoIterator<Item = Reins>, now: Monotonic) {
        for reins in those {
            drop(reins);
            if let Some(gave_way) = locked(&self.gave_way).note(now) {
                tracing::warn!(
                    gave_way,
                    "connections were ended to make room for others: raise the bounds in [limits] of the configuration \
                     if they were wanted; counted since this was last said, at most once a minute"
                );
            }
        }
    }
}

impl Place {
    /// The peer has said HELLO.
    pub(super) fn greeted(&self) {
        locked(&self.gate.crowd).greet(self.number);
    }

    /// Requests that the connection may have under way now: its part of what those of its source share, at least one.
    pub(super) fn requests(&self) -> usize {
        let fellows = self.fellows.load(Ordering::Relaxed).max(1);
        (self.gate.requests_per_source.load(Ordering::Relaxed) / fellows).max(1)
    }

    /// The connection holds so many bytes now, beyond what it may hold anyway.
    pub(super) fn holds(&self, bytes: usize, now: Monotonic) {
        let ended = locked(&self.gate.crowd).hold(self.number, bytes);
        self.gate.end(ended, now);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(locked(&self.gate.crowd).leave(self.number));
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot::error::TryRecvError;

    use super::*;

    const REQUESTS: usize = 256;

    #[test]
    fn a_connection_that_gives_way_is_ended_and_its_place_is_not_given_back_twice() {
        let gate = Gate::new(ConnectionLimits {
            total: 3,
            per_source: 1,
            requests_per_source: REQUESTS,
            held_len: 10,
        });
        let admit = || gate.admit([10, 0, 0, 1].into(), Monotonic(1));
        let (first, mut first_orders) = admit().expect("room");
        let (second, mut second_orders) = admit().expect("the first gives way");
        assert_eq!(first_orders.cut.try_recv(), Err(TryRecvError::Closed));
        drop(first);
        assert_eq!(locked(&gate.crowd).len(), 1);
        second.greeted();
        assert!(admit().is_none());
        assert_eq!(second.requests(), REQUESTS);
        assert_eq!(second_orders.cut.try_recv(), Err(TryRecvError::Empty));
        second.holds(11, Monotonic(1));
        assert_eq!(second_orders.cut.try_recv(), Err(TryRecvError::Closed));
        drop(second);
        assert_eq!(locked(&gate.crowd).len(), 0);
    }

    #[test]
    fn who_comes_when_the_server_stops_is_told_so_at_once_and_all_are_cut_in_the_end() {
        let gate = Gate::new(ConnectionLimits::default());
        let admit = |last| gate.admit([10, 0, 0, last].into(), Monotonic(1)).expect("room");
        let mut early = [admit(1), admit(2)];
        assert!(
            early
                .iter_mut()
                .all(|(_, orders)| orders.finish.try_recv() == Err(TryRecvError::Empty))
        );
        gate.finish();
        let mut late = admit(1);
        for (_, orders) in early.iter_mut().chain([&mut late]) {
            assert_eq!(orders.finish.try_recv(), Ok(()));
            assert_eq!(orders.cut.try_recv(), Err(TryRecvError::Empty));
        }
        gate.cut();
        for (place, mut orders) in early.into_iter().chain([late]) {
            assert_eq!(orders.cut.try_recv(), Err(TryRecvError::Closed));
            drop(place);
        }
        assert_eq!(gate.count().0, 0);
    }

    #[test]
    fn other_bounds_let_in_more_or_have_a_new_one_take_the_place_of_another() {
        let bounds = |total| ConnectionLimits {
            total,
            per_source: 10,
            requests_per_source: total * REQUESTS,
            held_len: 10,
        };
        let gate = Gate::new(bounds(1));
        let admit = || gate.admit([10, 0, 0, 1].into(), Monotonic(1)).map(|(place, _)| place);
        let first = admit().expect("room");
        first.greeted();
        assert!(admit().is_none());
        assert_eq!(first.requests(), REQUESTS);
        gate.set_limits(bounds(3));
        assert_eq!(first.requests(), 3 * REQUESTS, "at once");
        let others = [admit().expect("room"), admit().expect("room")];
        others.iter().for_each(Place::greeted);
        assert_eq!(gate.count(), (3, 3));
        gate.set_limits(bounds(1));
        assert_eq!(gate.count(), (3, 1), "those that are there stay");
        assert!(admit().is_none());
    }

    #[test]
    fn connections_of_a_source_share_its_requests_and_each_has_one() {
        let gate = Gate::new(ConnectionLimits {
            total: 10_000,
            per_source: 10_000,
            requests_per_source: REQUESTS,
            held_len: 10,
        });
        let admit = |last| {
            let admitted = gate.admit([10, 0, 0, last].into(), Monotonic(1));
            admitted.expect("room").0
        };
        let other = admit(2);
        let mut places = vec![admit(1)];
        places[0].greeted();
        for (strangers, requests) in [(7, REQUESTS / 8), (1_000, 1)] {
            let first = places.len();
            places.extend((0..strangers).map(|_| admit(1)));
            let before = places[0].requests();
            for place in &places[first..] {
                assert_eq!(place.requests(), before, "who has not said HELLO takes no part of it");
            }
            places[first..].iter().for_each(Place::greeted);
            assert!(places.iter().all(|place| place.requests() == requests));
        }
        assert_eq!(other.requests(), REQUESTS, "of another source");
        places.truncate(1);
        assert_eq!(places[0].requests(), REQUESTS, "what others leave is there again");
    }

    #[test]
    fn what_happens_often_is_told_at_once_and_then_counted_for_a_minute() {
        let mut tally = Tally::default();
        let mut at = |millis| tally.note(Monotonic(millis));
        assert_eq!(at(5), Some(1));
        assert_eq!([at(6), at(30_000), at(60_004)], [None; 3]);
        assert_eq!(at(60_005), Some(4), "those of the minute and this one");
        assert_eq!(at(60_006), None);
        assert_eq!(at(500_000), Some(2));
    }
}

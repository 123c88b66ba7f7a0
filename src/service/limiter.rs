//! Slows down whoever engages seats for many machines: a seat costs money, a made-up MAC costs nothing.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use crate::domain::denial::RETRY_NEVER;
use crate::domain::ids::{Fingerprint, Mac};
use crate::domain::source::source_of;
use crate::domain::time::{DAY_SECS, Monotonic};

/// How fast new seats may be engaged; a site with another shape sets them in its configuration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NewSeatLimits {
    /// Machines for which one identity may engage seats in 24 hours.
    pub macs_per_identity: u32,
    /// Seats that one source address (IPv4 address, IPv6 /64) may engage in a minute.
    pub seats_per_source: u32,
}

impl Default for NewSeatLimits {
    fn default() -> Self {
        Self {
            macs_per_identity: 4,
            seats_per_source: 30,
        }
    }
}

/// Entries of each table, at most: the oldest makes room for the newest.
const ENTRIES_MAX: usize = 65_536;

const MINUTE_MS: u64 = 60_000;

/// Remembers who engaged new seats lately. Not durable: a restart forgives.
#[derive(Debug)]
pub struct NewSeatLimiter {
    limits: NewSeatLimits,
    machines: Recent<Fingerprint, Mac>,
    sources: Recent<IpAddr, ()>,
}

impl NewSeatLimiter {
    /// A limiter that has seen nothing.
    #[must_use]
    pub const fn new(limits: NewSeatLimits) -> Self {
        Self {
            limits,
            machines: Recent::new(DAY_SECS * 1_000),
            sources: Recent::new(MINUTE_MS),
        }
    }

    /// Goes by other limits from now on.
    pub const fn set_limits(&mut self, limits: NewSeatLimits) {
        self.limits = limits;
    }

    /// Whether a seat may be engaged now; if not, after how many seconds to ask again.
    ///
    /// # Errors
    /// The seconds to wait, at least 1; [`RETRY_NEVER`] where a limit is 0.
    pub fn check(&mut self, identity: Fingerprint, mac: Mac, address: IpAddr, now: Monotonic) -> Result<(), u32> {
        self.machines.forget_before(now);
        self.sources.forget_before(now);
        let knows_mac = self.machines.of(&identity).any(|(_, known)| *known == mac);
        if !knows_mac {
            self.machines.room(&identity, self.limits.macs_per_identity, now)?;
        }
        self.sources
            .room(&source_of(address), self.limits.seats_per_source, now)
    }

    /// A seat was engaged.
    pub fn note(&mut self, identity: Fingerprint, mac: Mac, address: IpAddr, now: Monotonic) {
        if !self.machines.of(&identity).any(|(_, known)| *known == mac) {
            self.machines.add(identity, mac, now);
        }
        self.sources.add(source_of(address), (), now);
    }
}

/// Things that happened lately, by who did them, each forgotten after the same time.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    span_ms: u64,
    by_key: BTreeMap<K, VecDeque<(Monotonic, V)>>,
    order: VecDeque<(Monotonic, K)>,
}

impl<K: Copy + Ord, V> Recent<K, V> {
    pub(super) const fn new(span_ms: u64) -> Self {
        Self {
            span_ms,
            by_key: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }

    fn of(&self, key: &K) -> impl Iterator<Item = &(Monotonic, V)> {
        self.by_key.get(key).into_iter().flatten()
    }

    /// Whether one more of a key is within the limit; if not, after how many seconds it is, at least 1, and
    /// [`RETRY_NEVER`] where the limit is 0.
    pub(super) fn room(&self, key: &K, limit: u32, now: Monotonic) -> Result<(), u32> {
        if limit == 0 {
            // Also for whom it was not when he came last.
            return Err(RETRY_NEVER);
        }
        let Some(seen) = self.by_key.get(key) else {
            return Ok(());
        };
        if seen.len() < usize::try_from(limit).unwrap_or(usize::MAX) {
            return Ok(());
        }
        let free_at = seen.front().map_or(now, |(at, _)| at.after_millis(self.span_ms));
        Err(u32::try_from(free_at.millis_since(now).div_ceil(1_000).max(1)).unwrap_or(u32::MAX))
    }

    pub(super) fn add(&mut self, key: K, value: V, now: Monotonic) {
        if self.order.len() >= ENTRIES_MAX {
            self.forget_oldest();
        }
        self.by_key.entry(key).or_default().push_back((now, value));
        self.order.push_back((now, key));
    }

    pub(super) fn forget_before(&mut self, now: Monotonic) {
        while self
            .order
            .front()
            .is_some_and(|(at, _)| at.after_millis(self.span_ms) <= now)
        {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((_, key)) = self.order.pop_front() else { return };
        if let Some(seen) = self.by_key.get_mut(&key) {
            seen.pop_front();
            if seen.is_empty() {
                self.by_key.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mac(last: u8) -> Mac {
        Mac::new([0, 0, 0, 0, 1, last]).expect("unicast")
    }

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn an_identity_gets_four_machines_a_day_and_is_told_when_to_come_back() {
        let mut limiter = NewSeatLimiter::new(NewSeatLimits::default());
        let identity = Fingerprint([1; 32]);
        for last in 0..4 {
            let now = Monotonic((1_000 + u64::from(last)) * 1_000);
            assert_eq!(limiter.check(identity, mac(last), HOME, now), Ok(()));
            limiter.note(identity, mac(last), HOME, now);
        }
        let later = Monotonic((1_010) * 1_000);
        assert_eq!(limiter.check(identity, mac(9), HOME, later), Err(86_390));
        assert_eq!(
            limiter.check(identity, mac(0), HOME, later),
            Ok(()),
            "a machine that it has already"
        );
        assert_eq!(
            limiter.check(Fingerprint([2; 32]), mac(9), HOME, later),
            Ok(()),
            "another identity"
        );
        assert_eq!(
            limiter.check(identity, mac(9), HOME, Monotonic((1_000 + DAY_SECS) * 1_000)),
            Ok(())
        );
    }

    #[test]
    fn a_source_gets_thirty_seats_a_minute_and_an_ipv6_site_is_one_source() {
        let mut limiter = NewSeatLimiter::new(NewSeatLimits::default());
        let address = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, last]);
        for n in 0..30 {
            let identity = Fingerprint([n; 32]);
            assert_eq!(
                limiter.check(identity, mac(n), address(u16::from(n)), Monotonic(5000)),
                Ok(())
            );
            limiter.note(identity, mac(n), address(u16::from(n)), Monotonic(5000));
        }
        let other = Fingerprint([99; 32]);
        assert_eq!(limiter.check(other, mac(99), address(99), Monotonic(5000)), Err(60));
        assert_eq!(limiter.check(other, mac(99), HOME, Monotonic(5000)), Ok(()));
        assert_eq!(limiter.check(other, mac(99), address(99), Monotonic(65000)), Ok(()));
    }

    #[test]
    fn with_a_limit_of_0_nobody_is_told_to_come_back_also_who_was_here_before_it_was() {
        let mut limiter = NewSeatLimiter::new(NewSeatLimits::default());
        let identity = Fingerprint([1; 32]);
        limiter.note(identity, mac(1), HOME, Monotonic(1_000));
        let none = |macs_per_identity, seats_per_source| NewSeatLimits {
            macs_per_identity,
            seats_per_source,
        };
        for limits in [none(0, 30), none(4, 0)] {
            limiter.set_limits(limits);
            for identity in [identity, Fingerprint([2; 32])] {
                assert_eq!(
                    limiter.check(identity, mac(2), HOME, Monotonic(2_000)),
                    Err(RETRY_NEVER),
                    "{limits:?}"
                );
            }
        }
    }

    #[test]
    fn the_tables_do_not_grow_without_end() {
        let mut recent: Recent<u64, ()> = Recent::new(DAY_SECS);
        for key in 0..(ENTRIES_MAX as u64 + 10) {
            recent.add(key, (), Monotonic(1000));
        }
        assert_eq!(recent.order.len(), ENTRIES_MAX);
        assert_eq!(recent.by_key.len(), ENTRIES_MAX);
    }
}

//! How fast new seats may be engaged, once more and naively: everything that was engaged since the start is looked at.

use std::net::IpAddr;

use seatkeeper::service::NewSeatLimits;
use seatkeeper_model::{DAY, Identity, Mac};

/// Limits that histories meet.
pub(crate) const LIMITS: NewSeatLimits = NewSeatLimits {
    macs_per_identity: 1,
    seats_per_source: 2,
};

/// What was engaged since the start.
#[derive(Clone, Debug, Default)]
pub(crate) struct Engaged(Vec<Seat>);

#[derive(Clone, Debug)]
struct Seat {
    at: u64,
    identity: Identity,
    mac: Mac,
    source: IpAddr,
    /// Whether it was the first of this identity on this machine for a day.
    is_first: bool,
}

impl Engaged {
    /// After how many seconds to ask again; nothing where a seat may be engaged at once. Moments are seconds of the clock
    /// that only counts.
    pub(crate) fn wait(&self, identity: Identity, mac: Mac, source: IpAddr, at: u64) -> Option<u32> {
        let firsts: Vec<_> = (self.0.iter())
            .filter(|one| one.identity == identity && one.is_first && one.at + DAY > at)
            .collect();
        let of_source: Vec<_> = self
            .0
            .iter()
            .filter(|one| one.source == source && one.at + 60 > at)
            .collect();
        let wait = |seen: &[&Seat], most: u32, span: u64| {
            let is_over = seen.len() >= usize::try_from(most).unwrap_or(usize::MAX);
            let first = seen.first().filter(|_| is_over)?;
            u32::try_from((first.at + span - at).max(1)).ok()
        };
        let is_known = firsts.iter().any(|one| one.mac == mac);
        let machines = if is_known {
            None
        } else {
            wait(&firsts, LIMITS.macs_per_identity, DAY)
        };
        machines.or_else(|| wait(&of_source, LIMITS.seats_per_source, 60))
    }

    pub(crate) fn note(&mut self, identity: Identity, mac: Mac, source: IpAddr, at: u64) {
        let known = |one: &Seat| one.identity == identity && one.mac == mac && one.is_first && one.at + DAY > at;
        let is_first = !self.0.iter().any(known);
        self.0.push(Seat {
            at,
            identity,
            mac,
            source,
            is_first,
        });
    }
}

//! Seats and units set aside: for a deployment's machines, or for a rollout (rules X2, X4).

use std::collections::BTreeMap;

use super::ids::{Fingerprint, Mac, ProductKey, Serial};
use super::time::{DAY_SECS, Timestamp};

/// Machines of one reservation, at most.
pub const MACHINES_MAX: usize = 1_024;

/// Licenses that the held seats of one reservation are of, at most.
pub const HELD_LICENSES_MAX: usize = 1_024;

/// Reservations at a time, at most.
pub const RESERVATIONS_MAX: usize = 4_096;

/// For how long a reservation is made if nothing else is said, in seconds: 48 hours.
pub const RESERVE_SECS_DEFAULT: u32 = 48 * 3_600;

/// For how long a reservation can be made at most, in seconds: 30 days.
pub const RESERVE_SECS_MAX: u64 = 30 * DAY_SECS;

/// What is set aside until a moment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reservation {
    /// Of which product.
    pub product: ProductKey,
    /// When it was made.
    pub reserved_at: Timestamp,
    /// From when on nothing of it is set aside any more.
    pub lapses_at: Timestamp,
    /// Who made it; nothing where it was the server itself.
    pub by: Option<Fingerprint>,
    /// What it still has.
    pub hold: Hold,
}

/// What a reservation still has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Hold {
    /// Machines that are to be deployed; at most [`MACHINES_MAX`].
    Machines(BTreeMap<Mac, Reserved>),
    /// Seats for machines that check out: how many of which license; at most [`HELD_LICENSES_MAX`], none of them 0.
    Seats(BTreeMap<Serial, u32>),
}

/// What is set aside for a machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reserved {
    /// Nothing: the machine held a seat already.
    Covered,
    /// A machine license's seat, which the machine holds from then on.
    Seat,
    /// A unit of this deployment license.
    Unit(Serial),
}

impl Reservation {
    /// How many machines it still has, or licenses that it holds seats of.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.hold {
            Hold::Machines(machines) => machines.len(),
            Hold::Seats(held) => held.len(),
        }
    }

    /// Whether nothing is left of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The units that it takes of licenses (rule S2): how many of which, the same license possibly several times.
    pub fn units(&self) -> impl Iterator<Item = (Serial, u32)> {
        let (machines, held) = match &self.hold {
            Hold::Machines(machines) => (Some(machines), None),
            Hold::Seats(held) => (None, Some(held)),
        };
        let reserved = machines
            .into_iter()
            .flatten()
            .filter_map(|(_, reserved)| match reserved {
                Reserved::Unit(serial) => Some((*serial, 1)),
                Reserved::Covered | Reserved::Seat => None,
            });
        reserved.chain(held.into_iter().flatten().map(|(serial, count)| (*serial, *count)))
    }
}

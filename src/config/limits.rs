//! Bounds that a site may need other values for, and between what each must be.

use std::ops::RangeInclusive;

use serde::Deserialize;

use super::{ConfigError, MIB};
use crate::net::ConnectionLimits;
use crate::net::bounds::HELD_LEN_MIN;
use crate::service::{NewSeatLimits, WRONG_TOKENS_PER_SOURCE};
use crate::session::OfferLimits;
use crate::wire::limits;

/// Bounds that a site may need other values for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections in all.
    pub connections: usize,
    /// Connections of one source (IPv4 address, IPv6 /64).
    pub connections_per_source: usize,
    /// MiB that requests and answers under way may hold in all, as long as they are on the wire.
    pub connections_memory_mib: usize,
    /// Requests that one source (IPv4 address, IPv6 /64) may have under way.
    pub requests_per_source: usize,
    /// Seconds that a connection has for its TLS handshake, and as many again for HELLO.
    pub hello_secs: u32,
    /// Seconds from the first byte of a request to its last.
    pub frame_secs: u32,
    /// Machines for which one identity may engage seats in 24 hours.
    pub new_macs_per_identity_and_day: u32,
    /// Seats that one source (IPv4 address, IPv6 /64) may engage in a minute.
    pub new_seats_per_source_and_minute: u32,
    /// Wrong tokens that one source (IPv4 address, IPv6 /64) may bring in a minute.
    pub wrong_tokens_per_source_and_minute: u32,
    /// Seconds that an agent's connection may be silent, and that anybody's may leave its answers unread.
    pub agent_silence_secs: u32,
    /// Seconds that an administrator's, viewer's or deployer's connection may be silent.
    pub administrator_silence_secs: u32,
    /// Answers of discovery in a second, in all.
    pub offers_per_second: u32,
    /// Answers of discovery in a second to one network (IPv4 /24, IPv6 /64).
    pub offers_per_network_and_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        let (connections, new_seats) = (ConnectionLimits::default(), NewSeatLimits::default());
        let offers = OfferLimits::default();
        Self {
            connections: connections.total,
            connections_per_source: connections.per_source,
            connections_memory_mib: connections.held_len / MIB,
            requests_per_source: connections.requests_per_source,
            hello_secs: secs(limits::HELLO_MS),
            frame_secs: secs(limits::FRAME_MS),
            new_macs_per_identity_and_day: new_seats.macs_per_identity,
            new_seats_per_source_and_minute: new_seats.seats_per_source,
            wrong_tokens_per_source_and_minute: WRONG_TOKENS_PER_SOURCE,
            agent_silence_secs: secs(limits::SILENCE_AGENT_MS),
            administrator_silence_secs: secs(limits::SILENCE_ADMINISTRATOR_MS),
            offers_per_second: offers.per_sec,
            offers_per_network_and_second: offers.per_source_per_sec,
        }
    }
}

fn secs(millis: u64) -> u32 {
    u32::try_from(millis / 1_000).unwrap_or(u32::MAX)
}

impl Limits {
    /// How many connections there may be, and what they may hold.
    #[must_use]
    pub const fn connections(&self) -> ConnectionLimits {
        ConnectionLimits {
            total: self.connections,
            per_source: self.connections_per_source,
            requests_per_source: self.requests_per_source,
            held_len: self.connections_memory_mib.saturating_mul(MIB),
        }
    }

    /// How fast new seats may be engaged.
    #[must_use]
    pub const fn new_seats(&self) -> NewSeatLimits {
        NewSeatLimits {
            macs_per_identity: self.new_macs_per_identity_and_day,
            seats_per_source: self.new_seats_per_source_and_minute,
        }
    }

    /// How many answers of discovery there are.
    #[must_use]
    pub const fn offers(&self) -> OfferLimits {
        OfferLimits {
            per_sec: self.offers_per_second,
            per_source_per_sec: self.offers_per_network_and_second,
        }
    }

    /// Those that are not between what they may be.
    pub(super) fn faults(&self) -> Vec<ConfigError> {
        // New machines and seats have no upper bound: 0 is none at all, and as many as are remembered no limit.
        let bounded: [(&'static str, u64, RangeInclusive<u64>); 11] = [
            ("limits.connections", self.connections as u64, 1..=1_000_000),
            (
                "limits.connections_per_source",
                self.connections_per_source as u64,
                1..=1_000_000,
            ),
            (
                "limits.connections_memory_mib",
                self.connections_memory_mib as u64,
                (HELD_LEN_MIN / MIB) as u64..=1 << 20,
            ),
            ("limits.requests_per_source", self.requests_per_source as u64, 1..=4_096),
            ("limits.hello_secs", self.hello_secs.into(), 1..=60),
            ("limits.frame_secs", self.frame_secs.into(), 1..=60),
            (
                "limits.wrong_tokens_per_source_and_minute",
                self.wrong_tokens_per_source_and_minute.into(),
                1..=1_000,
            ),
            ("limits.agent_silence_secs", self.agent_silence_secs.into(), 1..=86_400),
            (
                "limits.administrator_silence_secs",
                self.administrator_silence_secs.into(),
                1..=86_400,
            ),
            // As many as wait for their random time in a tenth of a second find room there.
            ("limits.offers_per_second", self.offers_per_second.into(), 1..=40_000),
            (
                "limits.offers_per_network_and_second",
                self.offers_per_network_and_second.into(),
                1..=40_000,
            ),
        ];
        let checked = bounded.into_iter();
        checked
            .filter_map(|(key, value, range)| within(key, value, range))
            .collect()
    }
}

/// That a value is not between what it may be.
pub(super) fn within(key: &'static str, value: u64, range: RangeInclusive<u64>) -> Option<ConfigError> {
    (!range.contains(&value)).then(|| ConfigError::Value {
        key,
        reason: format!("must be {} to {}, and is {value}", range.start(), range.end()),
    })
}

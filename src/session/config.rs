//! What the sessions of a server go by.

use std::sync::Arc;

use super::lease::LeaseKey;
use crate::domain::command::{Rebind, Role};
use crate::domain::time::Monotonic;
use crate::wire::limits;
use crate::wire::messages::hello::Succession;

/// What all connections of a server have in common.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SessionConfig {
    /// The server's name for people, at most 64 bytes.
    pub name: String,
    /// The version of its program, at most 64 bytes.
    pub server_version: String,
    /// When it was started.
    pub started_at: Monotonic,
    /// Requests in flight on one connection, 1 to [`limits::IN_FLIGHT_MAX`].
    pub in_flight_max: u16,
    /// HELLO must come within so many milliseconds.
    pub hello_ms: u64,
    /// A frame whose first byte came must be whole within so many milliseconds, as long as the server reads.
    pub frame_ms: u64,
    /// An agent may say nothing for so many milliseconds.
    pub silence_agent_ms: u32,
    /// Anybody with a higher role may say nothing for so many milliseconds.
    pub silence_administrator_ms: u32,
    /// What the server does about a new identity (rule I7).
    pub rebind: Rebind,
    /// That the server's identity took the place of others, the newest statement first.
    pub succession: Vec<Succession>,
    /// What leases are signed with (rule O3); without it there are none.
    pub lease_key: Option<Arc<LeaseKey>>,
}

impl SessionConfig {
    /// The protocol's bounds as they stand.
    #[must_use]
    pub fn new(name: String, server_version: String, started_at: Monotonic) -> Self {
        let millis = |bound| u32::try_from(bound).unwrap_or(u32::MAX);
        Self {
            name,
            server_version,
            started_at,
            in_flight_max: u16::try_from(limits::IN_FLIGHT_MAX).unwrap_or(u16::MAX),
            hello_ms: limits::HELLO_MS,
            frame_ms: limits::FRAME_MS,
            silence_agent_ms: millis(limits::SILENCE_AGENT_MS),
            silence_administrator_ms: millis(limits::SILENCE_ADMINISTRATOR_MS),
            rebind: Rebind::default(),
            succession: Vec::new(),
            lease_key: None,
        }
    }

    /// How long a connection of this role may say nothing, in milliseconds.
    #[must_use]
    pub const fn silence_ms(&self, role: Role) -> u32 {
        match role {
            Role::Agent => self.silence_agent_ms,
            Role::Deployer | Role::Viewer | Role::Administrator => self.silence_administrator_ms,
        }
    }
}

//! What of a site's configuration the writer goes by. It alone owns them: who changes them sends it new ones.

use super::enrolment::Enrolment;
use super::limiter::NewSeatLimits;
use crate::store::Retention;

/// The writer's settings.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Settings {
    /// How fast new seats may be engaged.
    pub new_seats: NewSeatLimits,
    /// Whom it serves as an agent.
    pub enrolment: Enrolment,
    /// Wrong tokens that one source (IPv4 address, IPv6 /64) may bring in a minute.
    pub wrong_tokens: u32,
    /// Bytes that the journal grows by before a checkpoint is made.
    pub checkpoint_bytes: u64,
    /// How much is kept of what happened; looked at with the next checkpoint.
    pub retention: Retention,
}

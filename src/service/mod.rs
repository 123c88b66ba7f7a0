//! The single writer: commands in rounds, durable before they are answered (invariants 4 and 5).
//!
//! [`Writer::round`] is a plain function over any store; [`Service`] is the handle that connections hold, and [`Rounds`]
//! what its thread does, for whoever drives it by hand.

mod enrolment;
mod event_log;
mod facts;
mod lately;
mod limiter;
mod narrate;
mod queue;
mod refusals;
mod settings;
mod writer;

#[cfg(test)]
mod tests;

pub use enrolment::{Enrolment, WRONG_TOKENS_PER_SOURCE};
pub use event_log::{EventLog, EventsUnreadable};
pub use facts::Facts;
pub use limiter::{NewSeatLimiter, NewSeatLimits};
pub use queue::{QUEUE_MAX, Rounds, Service, SubmitError, rounds, spawn};
pub use settings::Settings;
pub use writer::{Request, StartError, Writer};

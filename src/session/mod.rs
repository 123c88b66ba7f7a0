//! Automata of both sides of a connection, and the responder of discovery: bytes and time in, actions out.
//!
//! Nothing here reads a clock or a socket. `translate` is where wire and domain meet, by exhaustive matches.

pub mod client;
pub mod config;
pub mod health;
mod inbox;
pub mod lease;
mod limiter;
pub mod reload;
pub mod responder;
pub mod server;
mod spoken;
pub mod translate;

pub use client::{ClientError, ClientEvent, ClientSession};
pub use config::SessionConfig;
pub use health::{Disk, Health};
pub use lease::{LeaseError, LeaseKey, LeaseKeyError};
pub use limiter::OfferLimits;
pub use reload::{ChangedKey, Reloaded};
pub use responder::{Addressed, Facts, Responder};
pub use server::{Action, Peer, Reason, RequestTag, ServerSession};
pub use translate::{Answer, Greeting, KeyOutcome, Work};

#[cfg(test)]
mod tests;

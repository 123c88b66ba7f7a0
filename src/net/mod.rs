//! Thin adapters between sockets and sessions: the TCP listener, one task a connection, the UDP responder.

mod connection;
mod delayed;
mod limits;
pub mod listen;
mod offers;
mod shared;
mod tcp;
pub mod udp;
mod work;

pub use limits::ConnectionLimits;
pub use offers::{OfferFacts, follow};
pub use shared::{NetLimits, Shared};
pub use tcp::{Connections, ListenError, listen};

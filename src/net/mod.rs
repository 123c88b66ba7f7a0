//! Thin adapters between sockets and sessions: the TCP listener, one task a connection, the UDP responder.

mod connection;
mod limits;
mod shared;
mod tcp;
pub mod udp;
mod work;

#[cfg(test)]
mod tests;

pub use limits::ConnectionLimits;
pub use shared::{NetLimits, Shared};
pub use tcp::{Connections, ListenError, listen};

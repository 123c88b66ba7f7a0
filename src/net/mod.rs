//! Thin adapters between sockets and sessions.

mod delayed;
pub mod listen;
pub mod udp;

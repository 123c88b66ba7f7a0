//! Thin adapters between sockets and sessions.

pub mod listen;

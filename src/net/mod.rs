//! Thin adapters between sockets and sessions.

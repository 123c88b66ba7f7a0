//! Seatkeeper: a license server for a local network. `src/README.md` is the map of the code.
//!
//! Without features this is the pure part: the rules, the formats and the protocol, with no I/O and no clock.

pub mod codec;

pub mod domain;

pub mod vendor;

pub mod wire;

pub mod session;

#[cfg(feature = "client")]
pub mod clock;

#[cfg(feature = "client")]
pub mod whole_file;

#[cfg(feature = "client")]
pub mod tls;

#[cfg(feature = "client")]
pub mod sockets;

#[cfg(feature = "client")]
pub mod client;

#[cfg(feature = "store")]
pub mod store;

#[cfg(feature = "server")]
pub mod service;

#[cfg(feature = "server")]
pub mod net;

#[cfg(feature = "server")]
pub mod config;

#[cfg(feature = "server")]
pub mod telemetry;

#[cfg(feature = "server")]
pub mod cli;

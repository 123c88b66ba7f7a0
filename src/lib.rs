//! Seatkeeper: a license server for a local network. `src/README.md` is the map of the code.
//!
//! Without features this is the pure part: the rules, the formats and the protocol, with no I/O and no clock.

#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "client")]
pub mod clock;
pub mod codec;
pub mod domain;
#[cfg(feature = "server")]
pub mod net;
#[cfg(feature = "server")]
pub mod service;
pub mod session;
#[cfg(feature = "client")]
pub mod sockets;
#[cfg(feature = "server")]
pub mod store;
#[cfg(feature = "client")]
pub mod tls;
pub mod vendor;
pub mod wire;

//! Thin adapters between sockets and sessions: the TCP listener, one task a connection, the UDP responder.

mod alarm;
pub mod bounds;
mod connection;
mod crowd;
mod delayed;
mod descriptors;
mod limits;
pub mod listen;
mod metered;
mod offers;
mod reins;
mod shared;
mod tcp;
pub mod udp;
mod work;

pub use descriptors::make_room;
pub use limits::ConnectionLimits;
pub use offers::{OfferFacts, follow};
pub use shared::{Dials, NetLimits, ReloadAsk, Shared};
pub use tcp::{Connections, ListenError, listen};
pub use work::{Prepared, prepare};

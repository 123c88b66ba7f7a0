//! Interfaces, and UDP sockets that know where a datagram came in.
//!
//! Both sides of discovery stand on these: the server answers from the address and the interface that were asked, the
//! client asks on every interface at once. Nothing here knows what a datagram says.

pub mod ask;
pub mod interfaces;
pub mod owner;
pub mod paths;
pub mod server;
pub mod udp;

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "portable.rs"]
mod system;

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;

use std::net::{Ipv4Addr, Ipv6Addr};

/// The multicast groups in which servers listen for questions. The protocol says which.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Groups {
    /// The group over IPv4.
    pub v4: Ipv4Addr,
    /// The group over IPv6, of link-local scope.
    pub v6: Ipv6Addr,
}

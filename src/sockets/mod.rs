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

#[cfg(all(test, target_os = "linux"))]
mod tests;

use std::net::{Ipv4Addr, Ipv6Addr};

/// The IPv4 multicast group in which servers listen for questions.
pub const GROUP_V4: Ipv4Addr = Ipv4Addr::new(239, 255, 73, 28);

/// The IPv6 multicast group in which servers listen for questions: transient, link-local scope.
pub const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff12, 0, 0, 0, 0, 0, 0, 0x5ea7);

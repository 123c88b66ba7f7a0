//! All the ways by which a question leaves this host.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};

use super::Groups;
use super::interfaces::Interface;
use super::udp::Route;

/// The most paths of one search. A host with more interfaces asks on the first of them.
pub const PATHS_MAX: usize = 256;

/// How a question is addressed.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum PathKind {
    /// To the broadcast address of one IPv4 network, e.g. 192.168.1.255; 127.255.255.255 on this host alone.
    DirectedBroadcast,
    /// To 255.255.255.255.
    LimitedBroadcast,
    /// To the IPv4 group.
    MulticastV4,
    /// To the IPv6 group of one link.
    MulticastV6,
    /// To one server.
    Unicast,
}

impl fmt::Display for PathKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::DirectedBroadcast => "directed broadcast",
            Self::LimitedBroadcast => "limited broadcast",
            Self::MulticastV4 => "IPv4 multicast",
            Self::MulticastV6 => "IPv6 multicast",
            Self::Unicast => "unicast",
        })
    }
}

/// One way by which a question leaves this host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Path {
    /// The name of the interface; empty where the routing table decides.
    pub interface: String,
    /// How it is addressed.
    pub kind: PathKind,
    /// Where it goes.
    pub destination: SocketAddr,
    /// The address and the interface from which it goes.
    pub route: Route,
}

impl Path {
    /// The way to one server, as the routing table has it.
    #[must_use]
    pub const fn to(server: SocketAddr) -> Self {
        Self {
            interface: String::new(),
            kind: PathKind::Unicast,
            destination: server,
            route: Route {
                source: None,
                interface: 0,
            },
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.kind, self.destination)?;
        if self.interface.is_empty() {
            return Ok(());
        }
        write!(f, " on {}", self.interface)
    }
}

/// Every way to servers that listen on `port`: on each interface that is up, to the broadcast address of each of its
/// IPv4 networks, to everybody, and to both groups. At most [`PATHS_MAX`].
#[must_use]
pub fn everywhere(interfaces: &[Interface], groups: Groups, port: u16) -> Vec<Path> {
    if interfaces.is_empty() {
        return unlisted(groups, port);
    }
    let usable = interfaces.iter().filter(|interface| interface.is_usable());
    usable
        .flat_map(|interface| on(interface, groups, port))
        .take(PATHS_MAX)
        .collect()
}

fn on(interface: &Interface, groups: Groups, port: u16) -> Vec<Path> {
    let path = |kind, destination, source: Option<Ipv4Addr>| Path {
        interface: interface.name.clone(),
        kind,
        destination,
        route: Route {
            source: source.map(IpAddr::V4),
            interface: interface.index,
        },
    };
    let multicast = interface.multicast || interface.loopback;
    let mut paths = Vec::new();
    for own in &interface.v4 {
        if let Some(broadcast) = own.broadcast {
            let destination = (broadcast, port).into();
            paths.push(path(PathKind::DirectedBroadcast, destination, Some(own.address)));
        }
    }
    if let Some(own) = interface.v4.first() {
        if interface.broadcast && !interface.loopback {
            let destination = (Ipv4Addr::BROADCAST, port).into();
            paths.push(path(PathKind::LimitedBroadcast, destination, Some(own.address)));
        }
        if multicast {
            let destination = (groups.v4, port).into();
            paths.push(path(PathKind::MulticastV4, destination, Some(own.address)));
        }
    }
    // Linux gives `lo` no IPv6 multicast route, so that this path would fail in every search. IPv4 serves there.
    if interface.multicast && !interface.v6.is_empty() {
        let destination = SocketAddrV6::new(groups.v6, port, 0, interface.index).into();
        paths.push(path(PathKind::MulticastV6, destination, None));
    }
    paths
}

/// Where interfaces cannot be listed: by the routes that the operating system chooses.
fn unlisted(groups: Groups, port: u16) -> Vec<Path> {
    let path = |kind, destination: Ipv4Addr| Path {
        kind,
        ..Path::to((destination, port).into())
    };
    vec![
        path(PathKind::DirectedBroadcast, Ipv4Addr::new(127, 255, 255, 255)),
        path(PathKind::LimitedBroadcast, Ipv4Addr::BROADCAST),
        path(PathKind::MulticastV4, groups.v4),
    ]
}

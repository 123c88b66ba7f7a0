//! The interfaces of this host and their addresses.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network interface as the operating system lists it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "these are the operating system's flags, independent of each other"
)]
pub struct Interface {
    /// Its name, e.g. `eth0`.
    pub name: String,
    /// Its number; the scope id of its link-local IPv6 addresses. Never 0.
    pub index: u32,
    /// Whether it is switched on.
    pub up: bool,
    /// Whether it has a carrier.
    pub running: bool,
    /// Whether it leads back to this host.
    pub loopback: bool,
    /// Whether it can broadcast.
    pub broadcast: bool,
    /// Whether there is exactly one peer, as on a tunnel.
    pub point_to_point: bool,
    /// Whether it can multicast. Linux does not say so of `lo`, although groups can be joined there.
    pub multicast: bool,
    /// Its IPv4 addresses.
    pub v4: Vec<V4Address>,
    /// Its IPv6 addresses.
    pub v6: Vec<V6Address>,
}

impl Interface {
    /// Whether datagrams can be sent here at all.
    #[must_use]
    pub const fn is_usable(&self) -> bool {
        self.up && self.running
    }

    /// Whether `address` is one of this interface's own.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.v4.iter().any(|own| own.address == address),
            IpAddr::V6(address) => self.v6.iter().any(|own| own.address == address),
        }
    }
}

/// Which interfaces are used, by their names. A name may end with `*`: `veth*` means every one that begins so.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Choice {
    /// These alone; all where there is none.
    pub only: Vec<String>,
    /// None of these, also where the others name it.
    pub not: Vec<String>,
}

impl Choice {
    /// Whether every interface is used.
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        self.only.is_empty() && self.not.is_empty()
    }

    /// Whether the interface of this name is used.
    #[must_use]
    pub fn admits(&self, name: &str) -> bool {
        let named = |list: &[String]| list.iter().any(|wanted| fits(wanted, name));
        (self.only.is_empty() || named(&self.only)) && !named(&self.not)
    }

    /// Whether `name` can be the name of an interface, or the beginning of one with `*`: 1 to 15 bytes, no blanks, no `/`.
    #[must_use]
    pub fn is_name(name: &str) -> bool {
        let bare = name.strip_suffix('*').unwrap_or(name);
        let strange = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '*' | ',' | '!');
        !name.is_empty() && bare.len() <= 15 && !bare.contains(strange)
    }
}

fn fits(wanted: &str, name: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == wanted,
    }
}

/// An IPv4 address of an interface.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct V4Address {
    /// The address.
    pub address: Ipv4Addr,
    /// Bits of the network, 0 to 32.
    pub prefix_len: u32,
    /// Where everybody on this network listens; none where there is no such address (/31, /32, point-to-point).
    pub broadcast: Option<Ipv4Addr>,
}

/// An IPv6 address of an interface.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct V6Address {
    /// The address.
    pub address: Ipv6Addr,
    /// Bits of the network, 0 to 128.
    pub prefix_len: u32,
}

impl V6Address {
    /// Whether the address means something only together with the interface (`fe80::/10`).
    #[must_use]
    pub const fn is_link_local(&self) -> bool {
        self.address.is_unicast_link_local()
    }
}

/// All interfaces of this host, in the order of their numbers.
///
/// # Errors
/// The operating system could not list them.
#[cfg(unix)]
pub fn list() -> io::Result<Vec<Interface>> {
    use std::collections::BTreeMap;

    let mut by_name: BTreeMap<String, Interface> = BTreeMap::new();
    for entry in nix::ifaddrs::getifaddrs()? {
        let name = entry.interface_name.clone();
        let interface = by_name
            .entry(name.clone())
            .or_insert_with(|| unix::flagged(name, entry.flags));
        unix::add_address(interface, &entry);
    }
    let mut interfaces: Vec<Interface> = by_name.into_values().collect();
    for interface in &mut interfaces {
        // An interface may vanish between two calls; its number stays 0 and it is left out.
        interface.index = number_of(&interface.name).unwrap_or(0);
    }
    interfaces.retain(|interface| interface.index != 0);
    interfaces.sort_by_key(|interface| interface.index);
    Ok(interfaces)
}

/// The number of the interface of this name; nothing where there is none.
#[cfg(unix)]
#[must_use]
pub fn number_of(name: &str) -> Option<u32> {
    nix::net::if_::if_nametoindex(name).ok().filter(|&number| number != 0)
}

/// Elsewhere names are not known yet, and interfaces are written by their numbers.
#[cfg(not(unix))]
#[must_use]
pub fn number_of(_name: &str) -> Option<u32> {
    None
}

/// Elsewhere there is no list yet: questions then travel by the route that the operating system chooses.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn list() -> io::Result<Vec<Interface>> {
    Ok(Vec::new())
}

#[cfg(unix)]
mod unix {
    use nix::ifaddrs::InterfaceAddress;
    use nix::net::if_::InterfaceFlags;

    use super::{Interface, Ipv4Addr, V4Address, V6Address};

    pub(super) fn flagged(name: String, flags: InterfaceFlags) -> Interface {
        Interface {
            name,
            up: flags.contains(InterfaceFlags::IFF_UP),
            running: flags.contains(InterfaceFlags::IFF_RUNNING),
            loopback: flags.contains(InterfaceFlags::IFF_LOOPBACK),
            broadcast: flags.contains(InterfaceFlags::IFF_BROADCAST),
            point_to_point: flags.contains(InterfaceFlags::IFF_POINTOPOINT),
            multicast: flags.contains(InterfaceFlags::IFF_MULTICAST),
            ..Interface::default()
        }
    }

    pub(super) fn add_address(interface: &mut Interface, entry: &InterfaceAddress) {
        let Some(address) = entry.address.as_ref() else { return };
        if let Some(address) = address.as_sockaddr_in() {
            let mask = entry
                .netmask
                .as_ref()
                .and_then(|mask| mask.as_sockaddr_in())
                .map_or(Ipv4Addr::BROADCAST, nix::sys::socket::SockaddrIn::ip);
            let prefix_len = mask.to_bits().count_ones();
            interface.v4.push(V4Address {
                address: address.ip(),
                prefix_len,
                broadcast: super::broadcast_of(interface, address.ip(), prefix_len),
            });
        } else if let Some(address) = address.as_sockaddr_in6() {
            let prefix_len = entry
                .netmask
                .as_ref()
                .and_then(|mask| mask.as_sockaddr_in6())
                .map_or(128, |mask| mask.ip().to_bits().count_ones());
            interface.v6.push(V6Address {
                address: address.ip(),
                prefix_len,
            });
        }
    }
}

/// The broadcast address of a network. It follows from the prefix and is not taken from the interface, where it may be
/// unset (containers) or, on `lo`, is never given.
fn broadcast_of(interface: &Interface, address: Ipv4Addr, prefix_len: u32) -> Option<Ipv4Addr> {
    let can = (interface.broadcast || interface.loopback) && !interface.point_to_point;
    let host_bits = 32_u32.checked_sub(prefix_len).filter(|&bits| bits >= 2)?;
    let hosts = u32::MAX.checked_shr(prefix_len).unwrap_or(0);
    (can && host_bits < 32).then(|| Ipv4Addr::from_bits(address.to_bits() | hosts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ethernet() -> Interface {
        Interface {
            broadcast: true,
            ..Interface::default()
        }
    }

    #[test]
    fn a_network_ends_with_its_broadcast_address() {
        let of = |address: [u8; 4], prefix_len| broadcast_of(&ethernet(), address.into(), prefix_len);
        assert_eq!(of([192, 168, 1, 17], 24), Some([192, 168, 1, 255].into()));
        assert_eq!(of([10, 1, 2, 3], 8), Some([10, 255, 255, 255].into()));
        assert_eq!(of([10, 1, 2, 1], 30), Some([10, 1, 2, 3].into()));
        assert_eq!(of([10, 1, 2, 1], 31), None);
        assert_eq!(of([10, 1, 2, 1], 32), None);
        assert_eq!(of([10, 1, 2, 1], 0), None);
    }

    #[test]
    fn interfaces_are_chosen_by_name_or_beginning_and_what_is_denied_is_denied() {
        let choice = |only: &[&str], not: &[&str]| Choice {
            only: only.iter().map(|&name| name.to_owned()).collect(),
            not: not.iter().map(|&name| name.to_owned()).collect(),
        };
        let names = ["lo", "eth0", "eth1", "eth10", "docker0", "veth7"];
        let admitted = |choice: &Choice| names.into_iter().filter(|name| choice.admits(name)).collect::<Vec<_>>();
        assert_eq!(admitted(&Choice::default()), names);
        assert_eq!(admitted(&choice(&["eth1", "lo"], &[])), ["lo", "eth1"]);
        assert_eq!(
            admitted(&choice(&[], &["docker*", "veth*"])),
            ["lo", "eth0", "eth1", "eth10"]
        );
        assert_eq!(admitted(&choice(&["eth*"], &["eth1"])), ["eth0", "eth10"]);
        for name in ["eth0", "veth*", "*", "br-0a1b2c3d4e5f", "eth0.100"] {
            assert!(Choice::is_name(name), "{name}");
        }
        for name in ["", "a b", "eth0,eth1", "/dev", "!eth0", "e*0", "sixteen-bytes-16"] {
            assert!(!Choice::is_name(name), "{name}");
        }
    }

    #[test]
    fn a_tunnel_has_no_broadcast_address() {
        let tunnel = Interface {
            point_to_point: true,
            ..ethernet()
        };
        assert_eq!(broadcast_of(&tunnel, [10, 8, 0, 1].into(), 24), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_loopback_interface_is_listed_with_its_network() {
        let interfaces = list().unwrap();
        let lo = interfaces.iter().find(|interface| interface.loopback).unwrap();
        assert_eq!(lo.name, "lo");
        assert!(lo.is_usable());
        assert!(lo.v4.contains(&V4Address {
            address: Ipv4Addr::LOCALHOST,
            prefix_len: 8,
            broadcast: Some([127, 255, 255, 255].into()),
        }));
    }
}

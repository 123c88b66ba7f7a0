//! Where a server listens. UDP binds the wildcard, so that it hears broadcasts; this decides which questions it
//! answers.

use std::fmt;
use std::net::IpAddr;

use crate::sockets::interfaces::{Choice, Interface};
use crate::sockets::udp::{Received, Route};

/// One place to listen on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// An address of this host, or a wildcard for all of its family.
    Address(IpAddr),
    /// All addresses of the interface of this name.
    Interface(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Interface(name) => f.pad(name),
        }
    }
}

/// Which questions are answered where a server listens: by how they came, and on which interface.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Heard {
    /// Those to everybody of an IPv4 network.
    pub broadcast: bool,
    /// Those to the groups.
    pub multicast: bool,
    /// Those to an address of this host alone.
    pub unicast: bool,
    /// Those that come in on such interfaces.
    pub interfaces: Choice,
}

impl Default for Heard {
    /// All of them.
    fn default() -> Self {
        Self {
            broadcast: true,
            multicast: true,
            unicast: true,
            interfaces: Choice::default(),
        }
    }
}

impl Heard {
    /// Whether this question is answered. One that came in on an interface that is not known yet is, unless interfaces are
    /// chosen.
    #[must_use]
    pub fn admits(&self, interfaces: &[Interface], received: &Received) -> bool {
        let is_heard = if received.is_unicast() {
            self.unicast
        } else if received
            .destination
            .is_some_and(|destination| destination.is_multicast())
        {
            self.multicast
        } else {
            self.broadcast
        };
        is_heard && (self.interfaces.is_everything() || self.is_chosen(interfaces, received))
    }

    fn is_chosen(&self, interfaces: &[Interface], received: &Received) -> bool {
        let came_in = interfaces
            .iter()
            .find(|interface| interface.index == received.interface);
        came_in.is_some_and(|interface| self.interfaces.admits(&interface.name))
    }
}

/// Tells the questions for the places on which a server listens; without any place all are.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ListenFilter {
    places: Vec<Place>,
}

impl ListenFilter {
    /// Listens on `places`; on all interfaces if there are none.
    #[must_use]
    pub const fn on(places: Vec<Place>) -> Self {
        Self { places }
    }

    /// The way back to whoever sent this datagram, if the server listens where it was sent; none if it does not.
    ///
    /// A question to everybody was sent to the interface on which it came in, and is answered from an address of it
    /// that is listened on: the asker connects to where the answer came from.
    #[must_use]
    pub fn admit(&self, interfaces: &[Interface], received: &Received) -> Option<Route> {
        if self.places.is_empty() {
            return Some(received.way_back());
        }
        self.places
            .iter()
            .find_map(|place| way_back(place, interfaces, received))
    }
}

fn way_back(place: &Place, interfaces: &[Interface], received: &Received) -> Option<Route> {
    let came_in = interfaces
        .iter()
        .find(|interface| interface.index == received.interface);
    match place {
        Place::Address(address) if address.is_ipv4() != received.source.is_ipv4() => None,
        Place::Address(address) if address.is_unspecified() => Some(received.way_back()),
        Place::Address(address) if received.is_unicast() => {
            (received.local == Some(*address)).then(|| received.way_back())
        }
        Place::Address(address) => came_in?.holds(*address).then_some(Route {
            source: Some(*address),
            interface: received.interface,
        }),
        Place::Interface(name) if received.is_unicast() => {
            let mut named = interfaces.iter().filter(|interface| interface.name == *name);
            let local = received.local?;
            named
                .any(|interface| interface.holds(local))
                .then(|| received.way_back())
        }
        Place::Interface(name) => (came_in?.name == *name).then(|| received.way_back()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::sockets::interfaces::{V4Address, V6Address};

    fn interface(name: &str, index: u32, v4: &[[u8; 4]], v6: &[&str]) -> Interface {
        Interface {
            name: name.to_owned(),
            index,
            up: true,
            v4: v4
                .iter()
                .map(|&address| V4Address {
                    address: address.into(),
                    prefix_len: 24,
                    broadcast: None,
                })
                .collect(),
            v6: v6
                .iter()
                .map(|address| V6Address {
                    address: address.parse().unwrap(),
                    prefix_len: 64,
                })
                .collect(),
            ..Interface::default()
        }
    }

    fn host() -> [Interface; 3] {
        [
            interface("lo", 1, &[[127, 0, 0, 1]], &["::1"]),
            interface("eth0", 2, &[[192, 168, 1, 5], [192, 168, 1, 6]], &["fe80::5"]),
            interface("eth1", 3, &[[10, 0, 0, 5]], &[]),
        ]
    }

    fn received(source: &str, destination: &str, local: Option<&str>, interface: u32) -> Received {
        Received {
            len: 0,
            source: SocketAddr::new(source.parse().unwrap(), 50_000),
            destination: Some(destination.parse().unwrap()),
            local: local.map(|local| local.parse().unwrap()),
            interface,
        }
    }

    fn questions() -> [Received; 8] {
        [
            received("127.0.0.1", "127.0.0.1", Some("127.0.0.1"), 1),
            received("127.0.0.1", "127.255.255.255", Some("127.0.0.1"), 1),
            received("127.0.0.1", "239.255.73.28", Some("127.0.0.1"), 1),
            received("192.168.1.9", "192.168.1.255", Some("192.168.1.5"), 2),
            received("192.168.1.9", "192.168.1.6", Some("192.168.1.6"), 2),
            received("fe80::9", "ff12::5ea7", None, 2),
            received("10.0.0.9", "255.255.255.255", Some("10.0.0.5"), 3),
            received("::1", "::1", Some("::1"), 1),
        ]
    }

    fn admitted(places: Vec<Place>) -> Vec<usize> {
        let listen = ListenFilter::on(places);
        let questions = questions().into_iter().enumerate();
        questions
            .filter(|(_, question)| listen.admit(&host(), question).is_some())
            .map(|(number, _)| number)
            .collect()
    }

    fn address(text: &str) -> Place {
        Place::Address(text.parse().unwrap())
    }

    fn heard(heard: &Heard) -> Vec<usize> {
        let questions = questions().into_iter().enumerate();
        questions
            .filter(|(_, question)| heard.admits(&host(), question))
            .map(|(number, _)| number)
            .collect()
    }

    #[test]
    fn questions_are_heard_by_how_they_came_and_on_which_interface() {
        let all = Heard::default;
        let on = |only: &[&str], not: &[&str]| Heard {
            interfaces: Choice {
                only: only.iter().map(|&name| name.to_owned()).collect(),
                not: not.iter().map(|&name| name.to_owned()).collect(),
            },
            ..all()
        };
        assert_eq!(heard(&all()), [0, 1, 2, 3, 4, 5, 6, 7]);
        let (broadcast, multicast, unicast) = (false, false, false);
        assert_eq!(heard(&Heard { broadcast, ..all() }), [0, 2, 4, 5, 7]);
        assert_eq!(heard(&Heard { multicast, ..all() }), [0, 1, 3, 4, 6, 7]);
        assert_eq!(heard(&Heard { unicast, ..all() }), [1, 2, 3, 5, 6]);
        assert_eq!(heard(&on(&["eth*"], &[])), [3, 4, 5, 6]);
        assert_eq!(heard(&on(&[], &["eth*"])), [0, 1, 2, 7]);
        assert_eq!(heard(&on(&["eth*"], &["eth1"])), [3, 4, 5]);
        // On an interface that came a moment ago.
        let unknown = received("10.9.0.9", "255.255.255.255", Some("10.9.0.5"), 9);
        assert!(all().admits(&host(), &unknown));
        assert!(!on(&[], &["eth*"]).admits(&host(), &unknown));
    }

    #[test]
    fn without_a_place_every_question_is_admitted() {
        assert_eq!(admitted(Vec::new()), [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn the_loopback_address_means_this_host_only() {
        assert_eq!(admitted(vec![address("127.0.0.1")]), [0, 1, 2]);
    }

    #[test]
    fn an_address_means_its_own_questions_and_those_to_everybody_on_its_interface() {
        assert_eq!(admitted(vec![address("192.168.1.5")]), [3]);
        assert_eq!(admitted(vec![address("192.168.1.6")]), [3, 4]);
        assert_eq!(admitted(vec![address("fe80::5")]), [5]);
    }

    #[test]
    fn an_interface_means_all_its_addresses() {
        assert_eq!(admitted(vec![Place::Interface("eth0".to_owned())]), [3, 4, 5]);
    }

    #[test]
    fn a_wildcard_means_its_family() {
        assert_eq!(admitted(vec![address("0.0.0.0")]), [0, 1, 2, 3, 4, 6]);
        assert_eq!(admitted(vec![address("::"), address("10.0.0.5")]), [5, 6, 7]);
    }

    #[test]
    fn everybodys_question_is_answered_from_the_address_that_is_listened_on() {
        let listen = ListenFilter::on(vec![address("192.168.1.6")]);
        let question = questions()[3];
        let route = listen.admit(&host(), &question).unwrap();
        assert_eq!(route.source, Some("192.168.1.6".parse().unwrap()));
        assert_eq!(route.interface, 2);
    }
}

//! Where datagrams are heard: every packet of this host where that is allowed, else what comes to the port.

use std::io;
use std::net::{IpAddr, SocketAddr};

use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use seatkeeper::client::with_causes;
use seatkeeper::sockets::Groups;
use seatkeeper::sockets::interfaces;
use seatkeeper::sockets::server::ServerSockets;
use seatkeeper::sockets::udp::Received;
use seatkeeper::wire::limits::{GROUP_V4, GROUP_V6};

use super::log::Datagram;
use crate::output::{Failure, Warning};

/// What listens.
pub(super) enum Ear {
    /// Every packet that this host sends or receives.
    #[cfg(target_os = "linux")]
    Packets(packets::Packets),
    /// What comes to the port.
    Port(ServerSockets, u16),
}

impl Ear {
    pub(super) fn open(port: u16) -> Result<Self, Failure> {
        #[cfg(target_os = "linux")]
        match packets::Packets::open() {
            Ok(packets) => return Ok(Self::Packets(packets)),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            Err(error) => return Err(Failure::Failed(format!("packets cannot be heard: {error}"))),
        }
        let sockets = ServerSockets::bind(port).map_err(|error| {
            Failure::Failed(format!(
                "{}; run this as root: then all that this host sends and receives is heard beside it",
                with_causes(&error)
            ))
        })?;
        let groups = Groups {
            v4: GROUP_V4,
            v6: GROUP_V6,
        };
        let interfaces = interfaces::list().map_err(|error| Failure::Failed(format!("no interfaces: {error}")))?;
        // Those that cannot multicast still hear broadcasts.
        sockets.join(groups, &interfaces, |_, _| ());
        Ok(Self::Port(sockets, port))
    }

    pub(super) const fn hears_everything(&self) -> bool {
        match self {
            #[cfg(target_os = "linux")]
            Self::Packets(_) => true,
            Self::Port(..) => false,
        }
    }

    pub(super) fn warning(&self) -> Option<Warning> {
        (!self.hears_everything()).then(|| Warning {
            code: "questions_only",
            text: "only questions that come to this port are heard, no answers; as root everything is".to_owned(),
        })
    }

    /// The next datagram. Dropping the future loses none.
    pub(super) async fn next(&mut self, buffer: &mut [u8]) -> Result<Datagram, Failure> {
        let failed = |error: io::Error| Failure::Failed(format!("cannot listen any further: {error}"));
        match self {
            #[cfg(target_os = "linux")]
            Self::Packets(packets) => loop {
                let len = packets.next(buffer).await.map_err(failed)?;
                if let Some(datagram) = buffer.get(..len).and_then(datagram) {
                    return Ok(datagram);
                }
            },
            Self::Port(sockets, port) => {
                let received = next_of(sockets, buffer).await.map_err(failed)?;
                let unknown = IpAddr::from([0, 0, 0, 0]);
                Ok(Datagram {
                    from: received.source,
                    to: (received.destination.unwrap_or(unknown), *port).into(),
                    payload: buffer.get(..received.len).unwrap_or_default().to_vec(),
                })
            }
        }
    }
}

async fn next_of(sockets: &ServerSockets, buffer: &mut [u8]) -> io::Result<Received> {
    std::future::poll_fn(|context| {
        for socket in [&sockets.v4, &sockets.v6].into_iter().flatten() {
            if let std::task::Poll::Ready(received) = socket.poll_receive(context, buffer) {
                return std::task::Poll::Ready(received);
            }
        }
        std::task::Poll::Pending
    })
    .await
}

/// The UDP datagram in an IP packet.
fn datagram(packet: &[u8]) -> Option<Datagram> {
    let sliced = SlicedPacket::from_ip(packet).ok()?;
    let Some(TransportSlice::Udp(udp)) = &sliced.transport else {
        return None;
    };
    let (from, to): (IpAddr, IpAddr) = match &sliced.net {
        Some(NetSlice::Ipv4(ip)) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        Some(NetSlice::Ipv6(ip)) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        _ => return None,
    };
    Some(Datagram {
        from: SocketAddr::new(from, udp.source_port()),
        to: SocketAddr::new(to, udp.destination_port()),
        payload: udp.payload().to_vec(),
    })
}

#[cfg(target_os = "linux")]
mod packets {
    use std::io;

    use socket2::{Domain, Protocol, Socket, Type};
    use tokio::net::UdpSocket;

    /// `ETH_P_ALL`, in the byte order of the network as the kernel wants it.
    const ALL: u16 = 0x0003_u16.to_be();

    /// A packet socket that hears all interfaces, without their link headers.
    pub(in crate::listen) struct Packets {
        /// No UDP socket at all; but one is waited for and received from in the same way.
        socket: UdpSocket,
    }

    impl Packets {
        /// Needs root, or `CAP_NET_RAW`.
        pub(super) fn open() -> io::Result<Self> {
            let socket = Socket::new(Domain::PACKET, Type::DGRAM, Some(Protocol::from(i32::from(ALL))))?;
            socket.set_nonblocking(true)?;
            let socket = UdpSocket::from_std(socket.into())?;
            Ok(Self { socket })
        }

        pub(super) async fn next(&self, buffer: &mut [u8]) -> io::Result<usize> {
            self.socket.recv(buffer).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_datagram_in_a_packet_is_found_and_other_packets_are_passed_over() {
        let mut packet = vec![0x45, 0, 0, 31, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 7, 192, 0, 2, 255];
        packet.extend([0x9c, 0x40, 0x43, 0xb0, 0, 11, 0, 0, b'a', b'b', b'c']);
        let found = datagram(&packet).expect("a datagram");
        assert_eq!(
            (found.from.to_string(), found.to.to_string(), found.payload.as_slice()),
            (
                "192.0.2.7:40000".to_owned(),
                "192.0.2.255:17328".to_owned(),
                &b"abc"[..]
            )
        );
        packet[9] = 6;
        assert_eq!(datagram(&packet), None);
        assert_eq!(datagram(&[]), None);
    }
}

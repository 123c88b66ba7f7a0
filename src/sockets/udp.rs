//! A UDP socket that tells where each datagram came in, and sends from a chosen address and interface.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll, ready};

use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};
use tokio::io::Interest;

use super::interfaces::Interface;
use super::{Groups, system};

/// A datagram's way into this host.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Received {
    /// Bytes of the buffer that it filled. A longer datagram is cut to the buffer.
    pub len: usize,
    /// Who sent it; a link-local IPv6 address comes with its scope id.
    pub source: SocketAddr,
    /// The address it was sent to: ours, a broadcast address or a group. Unknown on some operating systems.
    pub destination: Option<IpAddr>,
    /// Our address from which to answer. None leaves the choice to the operating system.
    pub local: Option<IpAddr>,
    /// The number of the interface on which it came in; 0 where that is unknown.
    pub interface: u32,
}

impl Received {
    /// Whether it was sent to this host alone, neither to a broadcast address nor to a group.
    #[must_use]
    pub fn is_unicast(&self) -> bool {
        self.destination.is_some() && self.destination == self.local
    }

    /// The way back: from the address that was asked, out of the interface on which the question came in.
    ///
    /// A question to our own address may have come through a router that the way back does not pass (a host with
    /// several routes). There the address is kept and the routing table decides the interface: naming the interface
    /// would make the kernel take a distant asker for a neighbor on the link.
    #[must_use]
    pub fn way_back(&self) -> Route {
        let link_local = matches!(self.source.ip(), IpAddr::V6(source) if source.is_unicast_link_local());
        Route {
            source: self.local,
            interface: if self.is_unicast() && !link_local {
                0
            } else {
                self.interface
            },
        }
    }
}

/// Where a datagram leaves this host.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Route {
    /// Our address; none leaves the choice to the operating system.
    pub source: Option<IpAddr>,
    /// The number of the interface; 0 leaves it to the routing table.
    pub interface: u32,
}

/// A UDP socket of one address family. It may broadcast, and it shares its port with no other socket.
#[derive(Debug)]
pub struct UdpSocket {
    socket: tokio::net::UdpSocket,
}

impl UdpSocket {
    /// Binds to `address`; an IPv6 wildcard takes no IPv4 datagrams. Call it inside a tokio runtime.
    ///
    /// # Errors
    /// The port is taken (`AddrInUse`), or the address family is not there.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        // Neither SO_REUSEADDR nor SO_REUSEPORT: with them a second server would share the port and take half the
        // questions, unnoticed.
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        match address {
            SocketAddr::V4(_) => socket.set_broadcast(true)?,
            SocketAddr::V6(_) => socket.set_only_v6(true)?,
        }
        system::ask_for_packet_info(&socket, address)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        Ok(Self {
            socket: tokio::net::UdpSocket::from_std(socket.into())?,
        })
    }

    /// The address to which it is bound.
    ///
    /// # Errors
    /// The operating system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Joins that of `groups` which is of this socket's family, on `interface`. Joining again is no error.
    ///
    /// # Errors
    /// The interface takes no part in multicast, or the operating system allows no more groups.
    pub fn join(&self, groups: Groups, interface: &Interface) -> io::Result<()> {
        let socket = socket2::SockRef::from(&self.socket);
        let joined = if self.local_addr()?.is_ipv4() {
            socket.join_multicast_v4_n(&groups.v4, &InterfaceIndexOrAddress::Index(interface.index))
        } else {
            socket.join_multicast_v6(&groups.v6, interface.index)
        };
        match joined {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(()),
            other => other,
        }
    }

    /// Waits for a datagram. Dropping the future loses none.
    ///
    /// # Errors
    /// The operating system reports one; the socket can be used further.
    pub async fn receive(&self, buffer: &mut [u8]) -> io::Result<Received> {
        self.socket
            .async_io(Interest::READABLE, || system::receive(&self.socket, buffer))
            .await
    }

    /// As [`UdpSocket::receive`], for those who wait on several sockets. One task may wait at a time.
    ///
    /// # Errors
    /// As [`UdpSocket::receive`].
    pub fn poll_receive(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<Received>> {
        loop {
            ready!(self.socket.poll_recv_ready(context))?;
            match self
                .socket
                .try_io(Interest::READABLE, || system::receive(&self.socket, buffer))
            {
                // Somebody else's datagram was dropped for its checksum: wait on.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                other => return Poll::Ready(other),
            }
        }
    }

    /// Sends `bytes` to `to` without waiting: a full send buffer is an error, as any other lost datagram is.
    ///
    /// # Errors
    /// No route, a firewall, an interface that went away, or the send buffer is full.
    pub fn send(&self, bytes: &[u8], to: SocketAddr, route: Route) -> io::Result<()> {
        system::send(&self.socket, bytes, to, route)
    }
}

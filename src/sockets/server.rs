//! The server's side: the port of questions on every address, in the groups of every interface.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use thiserror::Error;

use super::Groups;
use super::interfaces::Interface;
use super::owner::{self, Owner, Transport};
use super::udp::UdpSocket;

/// The port of questions could not be taken.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BindError {
    /// Another process holds it, most likely another server.
    #[error("UDP port {port} is taken by {}; stop it, or give this server another port", named(owner.as_ref()))]
    PortTaken {
        /// The port.
        port: u16,
        /// Who holds it, where that can be told.
        owner: Option<Owner>,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// Neither IPv4 nor IPv6 could be used.
    #[error("UDP port {port} cannot be opened{}", remedy(source))]
    Unavailable {
        /// The port.
        port: u16,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}

fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::PermissionDenied => "; ports below 1024 need a privilege: choose a higher one",
        _ => "",
    }
}

fn named(owner: Option<&Owner>) -> String {
    owner.map_or_else(|| "another process".to_owned(), Owner::to_string)
}

/// The sockets on which a server is asked; at least one is there.
#[derive(Debug)]
pub struct ServerSockets {
    /// Questions over IPv4.
    pub v4: Option<UdpSocket>,
    /// Questions over IPv6.
    pub v6: Option<UdpSocket>,
    /// Why one of the two is missing.
    pub missing: Option<io::Error>,
}

impl ServerSockets {
    /// Takes `port` on all addresses of both families; 0 takes a free one, the same for both. Where one family is not
    /// there, the other is enough. Call it inside a tokio runtime.
    ///
    /// # Errors
    /// [`BindError`]; the text says what to do.
    pub fn bind(port: u16) -> Result<Self, BindError> {
        let v4 = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port).into());
        if let Err(error) = &v4
            && error.kind() == io::ErrorKind::AddrInUse
        {
            return Err(failed(port, v4.err()));
        }
        let port = match v4.as_ref().map(UdpSocket::local_addr) {
            Ok(Ok(address)) => address.port(),
            _ => port,
        };
        let v6 = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, port).into());
        match (v4, v6) {
            (_, Err(error)) if error.kind() == io::ErrorKind::AddrInUse => Err(failed(port, Some(error))),
            (Err(error), Err(_)) => Err(failed(port, Some(error))),
            (Ok(v4), Ok(v6)) => Ok(Self {
                v4: Some(v4),
                v6: Some(v6),
                missing: None,
            }),
            (v4, v6) => {
                let (v4, missing_v4) = split(v4);
                let (v6, missing_v6) = split(v6);
                Ok(Self {
                    v4,
                    v6,
                    missing: missing_v4.or(missing_v6),
                })
            }
        }
    }

    /// The port that was taken.
    ///
    /// # Errors
    /// The operating system does not tell.
    pub fn port(&self) -> io::Result<u16> {
        let socket = self
            .v4
            .as_ref()
            .or(self.v6.as_ref())
            .ok_or(io::ErrorKind::NotConnected)?;
        socket.local_addr().map(|address: SocketAddr| address.port())
    }

    /// Joins `groups` on every interface that is up and can; `failed` is told of each that could not.
    /// Call it again when interfaces may have come.
    pub fn join(&self, groups: Groups, interfaces: &[Interface], mut failed: impl FnMut(&Interface, io::Error)) {
        let can = |interface: &&Interface| interface.up && (interface.multicast || interface.loopback);
        for interface in interfaces.iter().filter(can) {
            // The kernel allows 20 IPv4 groups a socket; interfaces without an address, such as the ports of a
            // bridge, are not worth one.
            let v4 = self.v4.as_ref().filter(|_| !interface.v4.is_empty());
            let v6 = self.v6.as_ref().filter(|_| !interface.v6.is_empty());
            for socket in [v4, v6].into_iter().flatten() {
                if let Err(error) = socket.join(groups, interface) {
                    failed(interface, error);
                }
            }
        }
    }
}

fn split(socket: io::Result<UdpSocket>) -> (Option<UdpSocket>, Option<io::Error>) {
    match socket {
        Ok(socket) => (Some(socket), None),
        Err(error) => (None, Some(error)),
    }
}

fn failed(port: u16, error: Option<io::Error>) -> BindError {
    let source = error.unwrap_or_else(|| io::ErrorKind::AddrInUse.into());
    if source.kind() == io::ErrorKind::AddrInUse {
        BindError::PortTaken {
            port,
            owner: owner::of_port(Transport::Udp, port),
            source,
        }
    } else {
        BindError::Unavailable { port, source }
    }
}

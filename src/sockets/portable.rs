//! Where packet information is not implemented: the operating system chooses addresses and interfaces.

use std::io;
use std::net::SocketAddr;

use socket2::SockRef;
use tokio::net::UdpSocket;

use super::udp::{Received, Route};

/// Nothing to ask for.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the signature is the same on every operating system"
)]
pub(super) fn ask_for_packet_info(_socket: &socket2::Socket, _address: SocketAddr) -> io::Result<()> {
    Ok(())
}

/// Takes a waiting datagram; `WouldBlock` if there is none.
pub(super) fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Received> {
    let (len, source) = socket.try_recv_from(buffer)?;
    Ok(Received {
        len,
        source,
        destination: None,
        local: None,
        interface: 0,
    })
}

/// Sends a datagram; `route` cannot be kept.
pub(super) fn send(socket: &UdpSocket, bytes: &[u8], to: SocketAddr, _route: Route) -> io::Result<()> {
    SockRef::from(socket).send_to(bytes, &to.into()).map(drop)
}

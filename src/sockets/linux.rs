//! Packet information on Linux: `IP_PKTINFO` and `IPV6_PKTINFO`.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd};

use nix::libc;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn, SockaddrIn6, SockaddrLike, SockaddrStorage, recvmsg,
    sendmsg, setsockopt, sockopt,
};

use super::udp::{Received, Route};

/// Asks the kernel to tell with each datagram where it came in.
pub(super) fn ask_for_packet_info(socket: &impl AsFd, address: SocketAddr) -> io::Result<()> {
    match address {
        SocketAddr::V4(_) => setsockopt(socket, sockopt::Ipv4PacketInfo, &true)?,
        SocketAddr::V6(_) => setsockopt(socket, sockopt::Ipv6RecvPacketInfo, &true)?,
    }
    Ok(())
}

/// Takes a waiting datagram; `WouldBlock` if there is none.
pub(super) fn receive(socket: &impl AsRawFd, buffer: &mut [u8]) -> io::Result<Received> {
    let mut control = nix::cmsg_space!(libc::in_pktinfo, libc::in6_pktinfo);
    let mut parts = [IoSliceMut::new(buffer)];
    let message = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::empty())?;
    let source = message
        .address
        .as_ref()
        .and_then(to_std)
        .ok_or(io::ErrorKind::InvalidData)?;
    let mut received = Received {
        len: message.bytes,
        source,
        destination: None,
        local: None,
        interface: 0,
    };
    for control in message.cmsgs()? {
        match control {
            ControlMessageOwned::Ipv4PacketInfo(info) => {
                received.destination = Some(ipv4(info.ipi_addr).into());
                received.local = Some(ipv4(info.ipi_spec_dst).into());
                received.interface = u32::try_from(info.ipi_ifindex).unwrap_or(0);
            }
            ControlMessageOwned::Ipv6PacketInfo(info) => {
                let destination = Ipv6Addr::from(info.ipi6_addr.s6_addr);
                received.destination = Some(destination.into());
                received.local = (!destination.is_multicast()).then_some(destination.into());
                received.interface = info.ipi6_ifindex;
            }
            _ => {}
        }
    }
    Ok(received)
}

/// Sends a datagram out of the address and interface that `route` names.
pub(super) fn send(socket: &impl AsRawFd, bytes: &[u8], to: SocketAddr, route: Route) -> io::Result<()> {
    match to {
        SocketAddr::V4(to) => {
            let source = match route.source {
                Some(IpAddr::V4(source)) => source,
                _ => Ipv4Addr::UNSPECIFIED,
            };
            let info = libc::in_pktinfo {
                ipi_ifindex: libc::c_int::try_from(route.interface).map_err(|_| io::ErrorKind::InvalidInput)?,
                ipi_spec_dst: libc::in_addr {
                    s_addr: source.to_bits().to_be(),
                },
                ipi_addr: libc::in_addr { s_addr: 0 },
            };
            deliver(
                socket,
                bytes,
                &ControlMessage::Ipv4PacketInfo(&info),
                &SockaddrIn::from(to),
            )
        }
        SocketAddr::V6(to) => {
            let source = match route.source {
                Some(IpAddr::V6(source)) => source,
                _ => Ipv6Addr::UNSPECIFIED,
            };
            let info = libc::in6_pktinfo {
                ipi6_addr: libc::in6_addr {
                    s6_addr: source.octets(),
                },
                ipi6_ifindex: route.interface,
            };
            deliver(
                socket,
                bytes,
                &ControlMessage::Ipv6PacketInfo(&info),
                &SockaddrIn6::from(to),
            )
        }
    }
}

fn deliver(socket: &impl AsRawFd, bytes: &[u8], info: &ControlMessage<'_>, to: &impl SockaddrLike) -> io::Result<()> {
    let parts = [IoSlice::new(bytes)];
    let sent = sendmsg(
        socket.as_raw_fd(),
        &parts,
        std::slice::from_ref(info),
        MsgFlags::empty(),
        Some(to),
    )?;
    if sent == bytes.len() {
        Ok(())
    } else {
        Err(io::ErrorKind::WriteZero.into())
    }
}

fn ipv4(address: libc::in_addr) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from_be(address.s_addr))
}

fn to_std(address: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(SocketAddr::V4((*v4).into()));
    }
    address.as_sockaddr_in6().map(|v6| SocketAddr::V6((*v6).into()))
}

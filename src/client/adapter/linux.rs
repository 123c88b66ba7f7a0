//! The adapters as the Linux kernel tells them over netlink.

use std::io;

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_REQUEST, NetlinkBuffer, NetlinkDeserializable, NetlinkHeader, NetlinkMessage, NetlinkPayload,
    NetlinkSerializable,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    InfoBondPort, InfoPortData, LinkAttribute, LinkFlags, LinkInfo, LinkLayerType, LinkMessage,
};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

use super::rules::Adapter;
use super::wireless;
use crate::domain::ids::Mac;

/// All adapters of this network namespace.
pub(super) fn list() -> io::Result<Vec<Adapter>> {
    let request = NetlinkMessage::from(RouteNetlinkMessage::GetLink(LinkMessage::default()));
    let mut adapters = Vec::new();
    exchange(NETLINK_ROUTE, request, NLM_F_DUMP, |answer| {
        if let RouteNetlinkMessage::NewLink(link) = answer {
            adapters.push(adapter(&link));
        }
    })?;
    let wireless = wireless::indexes().unwrap_or_else(|error| {
        // No Wi-Fi in this kernel.
        tracing::debug!(%error, "Wi-Fi adapters cannot be told from others");
        Vec::new()
    });
    for adapter in &mut adapters {
        adapter.wireless = wireless.contains(&adapter.index);
    }
    Ok(adapters)
}

fn adapter(link: &LinkMessage) -> Adapter {
    let mut found = Adapter {
        index: link.header.index,
        ethernet: link.header.link_layer_type == LinkLayerType::Ether
            && !link.header.flags.contains(LinkFlags::Loopback),
        ..Adapter::default()
    };
    let mut of_bond_port = None;
    for attribute in &link.attributes {
        match attribute {
            LinkAttribute::IfName(name) => found.name.clone_from(name),
            LinkAttribute::Address(bytes) => found.current = mac(bytes),
            LinkAttribute::PermAddress(bytes) => found.permanent = mac(bytes),
            LinkAttribute::ParentDevName(name) => found.device = Some(name.clone()),
            LinkAttribute::ParentDevBusName(name) => found.bus = Some(name.clone()),
            LinkAttribute::LinkInfo(infos) => {
                for info in infos {
                    match info {
                        LinkInfo::Kind(kind) => found.kind = Some(kind.to_string()),
                        LinkInfo::PortData(InfoPortData::BondPort(port)) => of_bond_port = bond_port_address(port),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    // Kernels before 5.6 tell permanent addresses of a bond's ports only, which is where the current one misleads.
    found.permanent = found.permanent.or(of_bond_port);
    found
}

fn bond_port_address(port: &[InfoBondPort]) -> Option<Mac> {
    port.iter().find_map(|info| match info {
        InfoBondPort::PermHwaddr(bytes) => mac(bytes),
        _ => None,
    })
}

fn mac(bytes: &[u8]) -> Option<Mac> {
    Mac::new(bytes.try_into().ok()?).ok()
}

/// Sends one request and hands every answer to `visit` until the kernel says that it was the last.
pub(super) fn exchange<T>(
    protocol: isize,
    mut request: NetlinkMessage<T>,
    flags: u16,
    mut visit: impl FnMut(T),
) -> io::Result<()>
where
    T: NetlinkSerializable + NetlinkDeserializable,
{
    let mut socket = Socket::new(protocol)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    request.header = NetlinkHeader::default();
    request.header.flags = NLM_F_REQUEST | flags;
    request.header.sequence_number = 1;
    request.finalize();
    let mut bytes = vec![0; request.buffer_len()];
    request.serialize(&mut bytes);
    socket.send(&bytes, 0)?;
    loop {
        let (datagram, _) = socket.recv_from_full()?;
        let mut rest = datagram.as_slice();
        while !rest.is_empty() {
            let len = NetlinkBuffer::new_checked(rest).map_err(io::Error::other)?.length();
            let len = usize::try_from(len).map_err(io::Error::other)?;
            // An answer that the parser does not know is one adapter less and no reason to have none.
            match NetlinkMessage::<T>::deserialize(rest).map(|message| message.payload) {
                Ok(NetlinkPayload::InnerMessage(answer)) => visit(answer),
                Ok(NetlinkPayload::Done(_)) => return Ok(()),
                Ok(NetlinkPayload::Error(error)) if error.code.is_none() => return Ok(()),
                Ok(NetlinkPayload::Error(error)) => return Err(error.to_io()),
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "an answer of the kernel cannot be read"),
            }
            // Messages start at multiples of four bytes.
            rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        }
    }
}

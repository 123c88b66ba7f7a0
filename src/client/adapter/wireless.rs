//! Which adapters are Wi-Fi: nl80211, the kernel's own list of them, over generic netlink.

use std::io;

use netlink_packet_core::{
    DecodeError, DefaultNla, Emitable, NLM_F_ACK, NLM_F_DUMP, NetlinkDeserializable, NetlinkHeader, NetlinkPayload,
    NetlinkSerializable, NlasIterator, parse_u16, parse_u32,
};
use netlink_sys::protocols::NETLINK_GENERIC;

use super::system::exchange;

/// The family that names the others (`GENL_ID_CTRL`).
const CONTROLLER: u16 = 0x10;
const CONTROLLER_GET_FAMILY: u8 = 3;
const CONTROLLER_FAMILY_ID: u16 = 1;
const CONTROLLER_FAMILY_NAME: u16 = 2;
const NL80211_GET_INTERFACE: u8 = 5;
const NL80211_INTERFACE_INDEX: u16 = 3;

/// Command and version, each a byte, then two reserved ones.
const HEADER_LEN: usize = 4;

/// The numbers of the Wi-Fi interfaces.
pub(super) fn indexes() -> io::Result<Vec<u32>> {
    let family = family("nl80211")?;
    let mut indexes = Vec::new();
    let ask = Generic::new(family, NL80211_GET_INTERFACE, &[]);
    exchange(NETLINK_GENERIC, ask.into(), NLM_F_DUMP, |answer: Generic| {
        indexes.extend(answer.attribute(NL80211_INTERFACE_INDEX, |bytes| parse_u32(bytes).ok()));
    })?;
    Ok(indexes)
}

/// The number of the family called `name`.
fn family(name: &str) -> io::Result<u16> {
    let name = DefaultNla::new(CONTROLLER_FAMILY_NAME, [name.as_bytes(), b"\0"].concat());
    let mut family = None;
    let ask = Generic::new(CONTROLLER, CONTROLLER_GET_FAMILY, &[name]);
    exchange(NETLINK_GENERIC, ask.into(), NLM_F_ACK, |answer: Generic| {
        family = family.or(answer.attribute(CONTROLLER_FAMILY_ID, |bytes| parse_u16(bytes).ok()));
    })?;
    family.ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// A message of any generic netlink family.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Generic {
    family: u16,
    body: Vec<u8>,
}

impl Generic {
    fn new(family: u16, command: u8, attributes: &[DefaultNla]) -> Self {
        let mut body = vec![command, 1, 0, 0];
        let mut encoded = vec![0; attributes.buffer_len()];
        attributes.emit(&mut encoded);
        body.append(&mut encoded);
        Self { family, body }
    }

    fn attribute<V>(&self, wanted: u16, read: impl Fn(&[u8]) -> Option<V>) -> Option<V> {
        let attributes = self.body.get(HEADER_LEN..)?;
        NlasIterator::new(attributes)
            .map_while(Result::ok)
            .find(|attribute| attribute.kind() == wanted)
            .and_then(|attribute| read(attribute.value()))
    }
}

impl NetlinkSerializable for Generic {
    fn message_type(&self) -> u16 {
        self.family
    }

    fn buffer_len(&self) -> usize {
        self.body.len()
    }

    fn serialize(&self, buffer: &mut [u8]) {
        buffer.copy_from_slice(&self.body);
    }
}

impl NetlinkDeserializable for Generic {
    type Error = DecodeError;

    fn deserialize(header: &NetlinkHeader, payload: &[u8]) -> Result<Self, Self::Error> {
        Ok(Self {
            family: header.message_type,
            body: payload.to_vec(),
        })
    }
}

impl From<Generic> for NetlinkPayload<Generic> {
    fn from(message: Generic) -> Self {
        Self::InnerMessage(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_answers_by_the_name_of_a_family() {
        assert_eq!(family("nlctrl").unwrap(), CONTROLLER);
        assert_eq!(family("no such").unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}

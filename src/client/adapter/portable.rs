//! Where adapters are not described: the one that the operating system names first.

use std::io;

use super::rules::Adapter;
use crate::domain::ids::Mac;

/// At most one adapter.
pub(super) fn list() -> io::Result<Vec<Adapter>> {
    let first = mac_address::get_mac_address().map_err(io::Error::other)?;
    let mac = first.and_then(|mac| Mac::new(mac.bytes()).ok());
    Ok(mac
        .map(|mac| Adapter {
            name: mac_address::name_by_mac_address(&mac_address::MacAddress::new(mac.bytes()))
                .ok()
                .flatten()
                .unwrap_or_default(),
            ethernet: true,
            current: Some(mac),
            ..Adapter::default()
        })
        .into_iter()
        .collect())
}

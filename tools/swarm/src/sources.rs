//! Addresses of this host from which it is many: a server bounds what one of them may have.

use std::net::{IpAddr, Ipv4Addr};

/// Requests that a server lets a source have under way; connections are spread over as many addresses as that takes.
pub(crate) const REQUESTS_PER_SOURCE: usize = 256;

/// Connections that a server takes from a source.
pub(crate) const CONNECTIONS_PER_SOURCE: usize = 256;

/// Machines that connect from one address: half of what may, so that those that have just hung up are in nobody's way.
pub(crate) const MACHINES_PER_SOURCE: usize = CONNECTIONS_PER_SOURCE / 2;

/// The address of this host from which the `place`th source connects: 127.0.2.1 and on. Those before belong to attacks.
pub(crate) fn source(place: usize) -> IpAddr {
    let [.., middle, high, low] = (place + 1 + (2 << 8)).to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(127, middle, high, low))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_source_has_an_address_of_its_own_and_none_is_an_attackers() {
        assert_eq!(source(0), IpAddr::from([127, 0, 2, 1]));
        assert_eq!(source(65_536), IpAddr::from([127, 1, 2, 1]));
        let sources: BTreeSet<_> = (0..100_000).map(source).collect();
        assert_eq!(sources.len(), 100_000);
        assert!(sources.first() >= Some(&IpAddr::from([127, 0, 2, 1])));
    }
}

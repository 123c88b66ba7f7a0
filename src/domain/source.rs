//! What counts as one source of requests, for limits.

use std::net::{IpAddr, Ipv6Addr};

/// The source that an address belongs to: an IPv4 address is one, also when it comes mapped into IPv6; of IPv6 it is the
/// /64 network, since a single machine has all of that to itself.
#[must_use]
pub const fn source_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapped_address_counts_as_what_it_is_and_a_network_of_one_site_as_one() {
        assert_eq!(
            source_of("::ffff:10.0.0.1".parse().expect("good")),
            IpAddr::from([10, 0, 0, 1])
        );
        let one = source_of("fd00:0:0:1::1".parse().expect("good"));
        assert_eq!(one, source_of("fd00:0:0:1::2".parse().expect("good")));
        assert_ne!(one, source_of("fd00:0:0:2::1".parse().expect("good")));
    }
}

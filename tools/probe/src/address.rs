//! Where a server is, as people write it.

use std::net::SocketAddr;

use seatkeeper::client::{Deadline, names};

use crate::output::Failure;

/// A host with its port, as it was typed.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Place<'a> {
    host: &'a str,
    port: u16,
}

/// The addresses of `HOST`, `HOST:PORT`, `ADDRESS` or `[ADDRESS]:PORT`, IPv4 first: a server listens there nearly
/// always. Never empty. A link-local address keeps its scope, `fe80::1%eth0`.
pub(crate) async fn resolve(server: &str, port: u16, deadline: Deadline) -> Result<Vec<SocketAddr>, Failure> {
    let Place { host, port } = split(server, port)?;
    let unknown = |reason: &str| {
        Failure::NoServer(format!(
            "cannot find the host {host}: {reason}; check the name, or give its address"
        ))
    };
    let found = deadline
        .bound(names::resolve((host.to_owned(), port)))
        .await
        .ok_or_else(|| unknown("the name service does not answer in time"))?
        .map_err(|error| unknown(&error.to_string()))?;
    let mut addresses = found;
    addresses.sort_by_key(SocketAddr::is_ipv6);
    addresses.dedup();
    if addresses.is_empty() {
        return Err(unknown("it has no address"));
    }
    Ok(addresses)
}

fn split(server: &str, port: u16) -> Result<Place<'_>, Failure> {
    let wrong = || {
        Failure::Usage(format!(
            "'{server}' is not a server; write HOST, HOST:PORT or [ADDRESS]:PORT"
        ))
    };
    let (host, given) = match server.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(None) => return Err(wrong()),
        Some(Some((host, ""))) => (host, None),
        Some(Some((host, rest))) => (host, Some(rest.strip_prefix(':').ok_or_else(wrong)?)),
        None => match server.split_once(':') {
            // More than one colon and no brackets: an IPv6 address.
            Some((_, rest)) if rest.contains(':') => (server, None),
            Some((host, port)) => (host, Some(port)),
            None => (server, None),
        },
    };
    let port = match given {
        None => port,
        Some(text) => text.parse().ok().filter(|&port| port != 0).ok_or_else(wrong)?,
    };
    if host.is_empty() {
        return Err(wrong());
    }
    Ok(Place { host, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_server_is_read() {
        for (text, host, port) in [
            ("license", "license", 7),
            ("license:99", "license", 99),
            ("192.0.2.1", "192.0.2.1", 7),
            ("192.0.2.1:99", "192.0.2.1", 99),
            ("2001:db8::1", "2001:db8::1", 7),
            ("[2001:db8::1]", "2001:db8::1", 7),
            ("[2001:db8::1]:99", "2001:db8::1", 99),
            ("[fe80::1%eth0]:99", "fe80::1%eth0", 99),
        ] {
            assert_eq!(split(text, 7).expect(text), Place { host, port });
        }
    }

    #[test]
    fn what_is_no_server_is_wrong_usage() {
        for text in ["", ":99", "host:", "host:0", "host:65536", "[::1", "[::1]99", "[]:99"] {
            assert!(matches!(split(text, 7), Err(Failure::Usage(_))), "{text}");
        }
    }

    #[tokio::test]
    async fn a_host_that_is_not_there_is_no_server() {
        // No name service is asked for what cannot be a name.
        let deadline = Deadline::after(std::time::Duration::from_secs(20));
        let error = resolve("a..b", 7, deadline).await.expect_err("no such host");
        assert!(matches!(error, Failure::NoServer(_)), "{error}");
    }
}

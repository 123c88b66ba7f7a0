//! Where a server is, as people write it.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs};

use thiserror::Error;

use super::deadline::Deadline;
use crate::sockets::interfaces;

/// A host with its port, as it was written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Address {
    /// A name or an address; an IPv6 address without brackets, a link-local one with its scope: `fe80::1%eth0`.
    pub host: String,
    /// Never 0.
    pub port: u16,
}

/// A server cannot be found.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AddressError {
    /// What was written names no server.
    #[error("'{0}' is not a server; write HOST, HOST:PORT or [ADDRESS]:PORT")]
    Malformed(String),
    /// An address of one link, and nothing says of which.
    #[error("{0} is an address of one network; say on which interface of this machine, as in [{0}%eth0]")]
    NoScope(Ipv6Addr),
    /// This machine has no interface of that name or number.
    #[error("{address}%{scope}: this machine has no interface {scope}")]
    UnknownScope {
        /// The address without its scope.
        address: Ipv6Addr,
        /// What was written behind `%`.
        scope: String,
    },
    /// The system does not know the host.
    #[error("cannot find the host {host} (check the name, or give its address)")]
    Unknown {
        /// The host.
        host: String,
        /// What the system said.
        source: io::Error,
    },
    /// The system did not say in time.
    #[error("the name service does not tell in time where {0} is; give the host's address")]
    Late(String),
}

impl Address {
    /// Reads `HOST`, `HOST:PORT`, `ADDRESS` or `[ADDRESS]:PORT`; `port` where there is none.
    ///
    /// # Errors
    /// [`AddressError::Malformed`].
    pub fn parse(text: &str, port: u16) -> Result<Self, AddressError> {
        let malformed = || AddressError::Malformed(text.to_owned());
        let (host, given) = match text.strip_prefix('[').map(|rest| rest.split_once(']')) {
            Some(None) => return Err(malformed()),
            Some(Some((host, ""))) => (host, None),
            Some(Some((host, rest))) => (host, Some(rest.strip_prefix(':').ok_or_else(malformed)?)),
            None => match text.split_once(':') {
                // More than one colon and no brackets: an IPv6 address.
                Some((_, rest)) if rest.contains(':') => (text, None),
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = match given {
            None => port,
            Some(text) => text.parse().ok().filter(|&port| port != 0).ok_or_else(malformed)?,
        };
        let is_address = || scoped(host).is_some_and(|(_, scope)| scope != Some(""));
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(malformed());
        }
        if host.contains([':', '%']) && !is_address() {
            return Err(malformed());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }

    /// The addresses of the host, IPv4 first: a server listens there nearly always. Never empty.
    ///
    /// # Errors
    /// [`AddressError`], any but [`AddressError::Malformed`].
    pub async fn resolve(&self, deadline: Deadline) -> Result<Vec<SocketAddr>, AddressError> {
        if let Some((address, scope)) = scoped(&self.host) {
            let scope = scope_id(address, scope)?;
            return Ok(vec![SocketAddrV6::new(address, self.port, 0, scope).into()]);
        }
        if let Ok(address) = self.host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, self.port)]);
        }
        // Where nobody waits any more, nobody is asked: a resolver that knows at once would make it a matter of luck.
        if deadline.left().is_zero() {
            return Err(AddressError::Late(self.host.clone()));
        }
        let (host, port) = (self.host.clone(), self.port);
        let found = on_a_thread(move || (host.as_str(), port).to_socket_addrs().map(Iterator::collect));
        let unknown = |source| AddressError::Unknown {
            host: self.host.clone(),
            source,
        };
        let mut addresses: Vec<SocketAddr> = deadline
            .bound(found)
            .await
            .ok_or_else(|| AddressError::Late(self.host.clone()))?
            .map_err(unknown)?;
        addresses.sort_by_key(SocketAddr::is_ipv6);
        addresses.dedup();
        if addresses.is_empty() {
            return Err(unknown(io::Error::other("it has no address")));
        }
        Ok(addresses)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') {
            write!(f, "[{host}]:{port}")
        } else {
            write!(f, "{host}:{port}")
        }
    }
}

/// An IPv6 address and what stands behind its `%`, if there is one.
fn scoped(host: &str) -> Option<(Ipv6Addr, Option<&str>)> {
    let (address, scope) = host
        .split_once('%')
        .map_or((host, None), |(address, scope)| (address, Some(scope)));
    Some((address.parse().ok()?, scope))
}

/// The number of the interface that an address is written with; 0 for one that needs none.
fn scope_id(address: Ipv6Addr, scope: Option<&str>) -> Result<u32, AddressError> {
    let Some(scope) = scope else {
        return if address.is_unicast_link_local() {
            Err(AddressError::NoScope(address))
        } else {
            Ok(0)
        };
    };
    // A name goes before a number: an interface may be called `7`.
    let number = interfaces::number_of(scope).or_else(|| scope.parse().ok().filter(|&number| number != 0));
    number.ok_or_else(|| AddressError::UnknownScope {
        address,
        scope: scope.to_owned(),
    })
}

/// Asks the system's resolver on a thread of its own: it may take much longer than anyone waits, and a runtime that
/// ends waits for the blocking tasks that it was given.
async fn on_a_thread<T: Send + 'static>(ask: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("seatkeeper-names".to_owned())
        .spawn(move || {
            drop(tell.send(ask())); // nobody may listen any more
        })?;
    told.await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const WRITTEN: [(&str, &str, u16); 8] = [
        ("license", "license", 7),
        ("license:99", "license", 99),
        ("192.0.2.1", "192.0.2.1", 7),
        ("192.0.2.1:99", "192.0.2.1", 99),
        ("2001:db8::1", "2001:db8::1", 7),
        ("[2001:db8::1]", "2001:db8::1", 7),
        ("[2001:db8::1]:99", "2001:db8::1", 99),
        ("[fe80::1%eth0]:99", "fe80::1%eth0", 99),
    ];

    fn plenty() -> Deadline {
        Deadline::after(Duration::from_secs(20))
    }

    #[test]
    fn every_way_to_write_a_server_is_read_and_shown_so_that_it_is_read_again() {
        for (text, host, port) in WRITTEN {
            let address = Address::parse(text, 7).expect(text);
            assert_eq!((address.host.as_str(), address.port), (host, port), "{text}");
            assert_eq!(Address::parse(&address.to_string(), 1).expect(text), address);
        }
    }

    #[test]
    fn what_names_no_server_is_malformed() {
        for text in [
            "",
            ":99",
            "host:",
            "host:0",
            "host:65536",
            "[::1",
            "[::1]99",
            "[]:99",
            "two words",
            "a:b:99",
            "host%eth0",
            "[host]:99%eth0",
            "[fe80::1%]",
            "[fe80::1%]:99",
        ] {
            let error = Address::parse(text, 7).expect_err(text);
            assert!(matches!(error, AddressError::Malformed(_)), "{text}: {error}");
        }
    }

    #[tokio::test]
    async fn an_address_needs_no_name_service_and_keeps_its_scope() {
        let resolve = async |text| {
            Address::parse(text, 7)
                .expect(text)
                .resolve(plenty())
                .await
                .expect(text)
        };
        assert_eq!(
            resolve("192.0.2.1:99").await,
            ["192.0.2.1:99".parse().expect("an address")]
        );
        #[cfg(target_os = "linux")]
        for text in ["[fe80::1%lo]:99", "[fe80::1%1]:99"] {
            assert_eq!(resolve(text).await, ["[fe80::1%1]:99".parse().expect("an address")]);
        }
    }

    #[tokio::test]
    async fn an_address_of_one_network_says_on_which_interface_and_that_one_is_there() {
        let told = async |text| {
            let address = Address::parse(text, 7).expect(text);
            address.resolve(plenty()).await.expect_err(text).to_string()
        };
        let without = told("fe80::1").await;
        assert!(without.contains("[fe80::1%eth0]"), "{without}");
        let unknown = told("[fe80::1%nosuch0]:99").await;
        assert!(unknown.contains("no interface nosuch0"), "{unknown}");
    }

    #[tokio::test]
    async fn a_host_that_is_not_there_is_unknown() {
        // No name service is asked for what cannot be a name.
        let error = Address::parse("a..b", 7).expect("a name").resolve(plenty()).await;
        assert!(matches!(error, Err(AddressError::Unknown { .. })), "{error:?}");
    }

    #[test]
    fn a_resolver_that_hangs_holds_neither_its_caller_nor_the_runtime() {
        let (let_go, held) = std::sync::mpsc::channel::<()>();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let asked = runtime.block_on(async {
            let hanging = on_a_thread(move || held.recv().map_err(io::Error::other));
            Deadline::after(Duration::from_millis(20)).bound(hanging).await
        });
        assert!(asked.is_none());
        // Waits for all that was given to the runtime; the resolver still hangs.
        drop(runtime);
        let_go.send(()).expect("the resolver hung until now");
    }
}

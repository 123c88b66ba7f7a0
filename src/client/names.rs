//! Where servers are, by the names that people give them.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

/// The addresses of `HOST[:PORT]`; `port` where it names none. Wait for it under a deadline: it has none of its own.
///
/// # Errors
/// The name is unknown, or the system's resolver does not work.
pub async fn addresses(server: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = server.parse::<SocketAddr>() {
        return Ok(vec![address]);
    }
    let bare = server.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let named_port = server
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.ends_with(':') && port.parse::<u16>().is_ok());
    let host = if named_port {
        server.to_owned()
    } else {
        format!("{server}:{port}")
    };
    resolve(host).await
}

/// Asks the system's resolver on a thread of its own: it may take much longer than anyone waits, and a runtime that
/// ends waits for the blocking tasks that it was given.
///
/// # Errors
/// As [`addresses`].
pub async fn resolve(host: impl ToSocketAddrs + Send + 'static) -> io::Result<Vec<SocketAddr>> {
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("seatkeeper-names".to_owned())
        .spawn(move || {
            let found = host.to_socket_addrs().map(Iterator::collect);
            drop(tell.send(found)); // nobody may listen any more
        })?;
    told.await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_is_named_with_or_without_its_port() {
        for (text, address) in [
            ("192.0.2.7", "192.0.2.7:17328"),
            ("192.0.2.7:99", "192.0.2.7:99"),
            ("2001:db8::7", "[2001:db8::7]:17328"),
            ("[2001:db8::7]", "[2001:db8::7]:17328"),
            ("[2001:db8::7]:99", "[2001:db8::7]:99"),
        ] {
            assert_eq!(addresses(text, 17_328).await.unwrap(), vec![address.parse().unwrap()]);
        }
        let local = addresses("localhost:99", 17_328).await.unwrap();
        assert!(
            !local.is_empty()
                && local
                    .iter()
                    .all(|address| address.ip().is_loopback() && address.port() == 99)
        );
    }
}

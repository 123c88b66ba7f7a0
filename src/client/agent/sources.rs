//! Where servers may be: the addresses at which pinned ones answered last, those that were configured, and discovery.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Agent;
use super::search::{Clue, LEADS_MAX, Lead, Rank};
use crate::client::connect::Target;
use crate::client::deadline::Deadline;
use crate::client::state::Pin;

/// Begins to look for servers. The clues end when every source has said all it knows.
pub(super) fn begin(agent: &Agent, pins: &[Pin], deadline: Deadline) -> (mpsc::Receiver<Clue>, JoinSet<()>) {
    let (tell, clues) = mpsc::channel(LEADS_MAX);
    let mut sources = JoinSet::new();
    // Whoever names servers wants these and no others.
    for (place, server) in agent.servers.iter().enumerate() {
        let priority = u16::try_from(place).unwrap_or(u16::MAX);
        sources.spawn(look_up(server.clone(), agent.port, priority, tell.clone()));
    }
    if agent.servers.is_empty() {
        let known: Vec<SocketAddr> = pins.iter().filter_map(|pin| pin.address).collect();
        let told = tell.clone();
        sources.spawn(async move {
            for address in known {
                let lead = Lead {
                    target: Target::from(address),
                    rank: Rank {
                        lacks_product: false,
                        priority: 0,
                    },
                    claims: None,
                };
                drop(told.send(Ok(lead)).await); // the search may be over already
            }
        });
        sources.spawn(super::discovered::follow(agent.clone(), deadline, tell));
    }
    (clues, sources)
}

async fn look_up(server: String, port: u16, priority: u16, tell: mpsc::Sender<Clue>) {
    let rank = Rank {
        lacks_product: false,
        priority,
    };
    let found = addresses(&server, port).await;
    let clues: Vec<Clue> = match found {
        Ok(addresses) if addresses.is_empty() => vec![Err(format!("{server}: the name has no address"))],
        Ok(addresses) => addresses
            .into_iter()
            .map(|address| {
                Ok(Lead {
                    target: Target::from(address),
                    rank,
                    claims: None,
                })
            })
            .collect(),
        Err(error) => vec![Err(format!("{server}: the name cannot be resolved ({error})"))],
    };
    for clue in clues {
        drop(tell.send(clue).await); // the search may be over already
    }
}

/// The addresses of `HOST[:PORT]`; `port` where it names none.
async fn addresses(server: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
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
async fn resolve(host_and_port: String) -> io::Result<Vec<SocketAddr>> {
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("seatkeeper-names".to_owned())
        .spawn(move || {
            let found = host_and_port.to_socket_addrs().map(Iterator::collect);
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

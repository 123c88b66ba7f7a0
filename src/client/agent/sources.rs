//! Where servers may be: the addresses at which pinned ones answered last, those that were configured, and discovery.

use std::net::SocketAddr;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Agent;
use super::search::{Clue, LEADS_MAX, Lead, Rank};
use crate::client::address::Address;
use crate::client::connect::Target;
use crate::client::deadline::Deadline;
use crate::client::state::Pin;
use crate::client::with_causes;

/// Begins to look for servers. The clues end when every source has said all it knows.
pub(super) fn begin(agent: &Agent, pins: &[Pin], deadline: Deadline) -> (mpsc::Receiver<Clue>, JoinSet<()>) {
    let (tell, clues) = mpsc::channel(LEADS_MAX);
    let mut sources = JoinSet::new();
    // Whoever names servers wants these and no others.
    for (place, server) in agent.servers.iter().enumerate() {
        let priority = u16::try_from(place).unwrap_or(u16::MAX);
        sources.spawn(look_up(server.clone(), agent.port, priority, deadline, tell.clone()));
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

async fn look_up(server: String, port: u16, priority: u16, deadline: Deadline, tell: mpsc::Sender<Clue>) {
    let rank = Rank {
        lacks_product: false,
        priority,
    };
    let found = match Address::parse(&server, port) {
        Ok(address) => address.resolve(deadline).await,
        Err(error) => Err(error),
    };
    let clues: Vec<Clue> = match found {
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
        Err(error) => vec![Err(with_causes(&error))],
    };
    for clue in clues {
        drop(tell.send(clue).await); // the search may be over already
    }
}

//! Leads from offers that servers send to a question asked on every interface.

use tokio::sync::mpsc;

use super::Agent;
use super::search::{Lead, Rank};
use crate::client::connect::Target;
use crate::client::deadline::Deadline;
use crate::client::discover::{Found, Scope, Search, discover_on, nobody_to_ask};
use crate::client::ways::{Clue, Way};
use crate::client::with_causes;
use crate::domain::ids::Fingerprint;
use crate::sockets::interfaces::Choice;

/// Passes offers on as they come, until the deadline or until nobody wants them any more.
pub(super) async fn follow(agent: Agent, interfaces: Choice, deadline: Deadline, tell: mpsc::Sender<Clue<Lead>>) {
    let wanted = Search {
        wanted: Some(agent.owner.product),
        scope: Scope::Everywhere { port: agent.port },
        deadline: deadline.left(),
        every_path: false,
    };
    let mut discovery = match discover_on(&wanted, &interfaces) {
        Ok(discovery) => discovery,
        Err(error) => {
            let told = Clue::Fault(Some(Way::Lan), with_causes(&error));
            drop(tell.send(told).await); // the search may be over already
            return;
        }
    };
    if discovery.paths().is_empty() {
        drop(
            tell.send(Clue::Fault(Some(Way::Lan), nobody_to_ask(&interfaces).to_owned()))
                .await,
        ); // likewise
    }
    for interface in discovery.asked_on() {
        drop(tell.send(Clue::Asked(Way::Lan, interface)).await); // likewise
    }
    while let Some(found) = discovery.next().await {
        if tell.send(Clue::Lead(lead(&found))).await.is_err() {
            return;
        }
    }
}

fn lead(found: &Found) -> Lead {
    Lead {
        target: Target {
            address: found.tcp_address(),
            interface: Some(found.interface.clone()).filter(|name| !name.is_empty()),
        },
        way: Way::Lan,
        rank: Rank {
            lacks_product: found.offer.holds != Some(true),
            priority: found.offer.priority,
        },
        claims: Some((Fingerprint(found.offer.fingerprint), found.server())),
    }
}

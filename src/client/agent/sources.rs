//! Where servers may be: the addresses at which pinned ones answered last, those that were named, and discovery.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Agent;
use super::search::{LEADS_MAX, Lead, Rank};
use crate::client::connect::Target;
use crate::client::deadline::Deadline;
use crate::client::state::Pin;
use crate::client::ways::{Clue, Named, Way, ask_dns, look_up};

/// What tells where servers may be. The clues end when every path has said all it knows.
pub(super) struct Sources {
    /// The paths that are switched on.
    pub(super) ways: BTreeSet<Way>,
    pub(super) clues: mpsc::Receiver<Clue<Lead>>,
    _tasks: JoinSet<()>,
}

/// Begins to look for servers on every path that is switched on, on all of them at once.
pub(super) fn begin(agent: &Agent, pins: &[Pin], deadline: Deadline) -> Sources {
    let (tell, clues) = mpsc::channel(LEADS_MAX);
    let mut tasks = JoinSet::new();
    let site = agent.where_to_look();
    for (way, told) in site.ways.iter().map(|way| (*way, tell.clone())) {
        match way {
            Way::Remembered => drop(tasks.spawn(recall(pins.iter().filter_map(|pin| pin.address).collect(), told))),
            Way::Servers => look_up(&site, deadline, &told, &mut tasks, named),
            Way::Lan => drop(tasks.spawn(super::discovered::follow(
                agent.clone(),
                site.interfaces.clone(),
                deadline,
                told,
            ))),
            Way::Dns => ask_dns(deadline, &told, &mut tasks, named),
        }
    }
    tasks.spawn(async move {
        for fault in site.faults {
            drop(tell.send(Clue::Fault(None, fault)).await); // the search may be over already
        }
    });
    Sources {
        ways: site.ways,
        clues,
        _tasks: tasks,
    }
}

async fn recall(known: Vec<SocketAddr>, tell: mpsc::Sender<Clue<Lead>>) {
    if known.is_empty() {
        drop(tell.send(Clue::Note(Way::Remembered, "none yet".to_owned())).await); // likewise
    }
    for address in known {
        let lead = Lead {
            target: Target::from(address),
            way: Way::Remembered,
            rank: Rank::named(0),
            claims: None,
        };
        drop(tell.send(Clue::Asked(Way::Remembered, address.to_string())).await); // likewise
        drop(tell.send(Clue::Lead(lead)).await); // likewise
    }
}

/// The lead to a server that was named.
fn named(server: Named) -> Lead {
    Lead {
        target: server.target,
        way: server.way,
        rank: Rank::named(server.place),
        claims: None,
    }
}

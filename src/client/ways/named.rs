//! The servers that were named: each is looked up on its own, so that a name service that hangs holds up none but those
//! whose names it ought to know.

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{Clue, Named, Site, Way};
use crate::client::address::Address;
use crate::client::connect::Target;
use crate::client::deadline::Deadline;
use crate::client::with_causes;

/// Tells where the servers are that `site` names. `wrap` makes of each what the search follows.
pub(in crate::client) fn look_up<L: Send + 'static>(
    site: &Site,
    deadline: Deadline,
    tell: &mpsc::Sender<Clue<L>>,
    sources: &mut JoinSet<()>,
    wrap: fn(Named) -> L,
) {
    if site.servers.is_empty() {
        let told = tell.clone();
        sources.spawn(async move {
            drop(told.send(Clue::Note(Way::Servers, "none is named".to_owned())).await); // the search may be over already
        });
    }
    for (place, server) in site.servers.iter().enumerate() {
        let place = u16::try_from(place).unwrap_or(u16::MAX);
        sources.spawn(one(server.clone(), place, deadline, tell.clone(), wrap));
    }
}

async fn one<L: Send>(
    server: Address,
    place: u16,
    deadline: Deadline,
    tell: mpsc::Sender<Clue<L>>,
    wrap: fn(Named) -> L,
) {
    let asked = Clue::Asked(Way::Servers, server.to_string());
    drop(tell.send(asked).await); // likewise
    lead_to(&server, Way::Servers, place, deadline, &tell, wrap).await;
}

/// Tells the addresses of a server that `way` names, or why it has none.
pub(super) async fn lead_to<L>(
    server: &Address,
    way: Way,
    place: u16,
    deadline: Deadline,
    tell: &mpsc::Sender<Clue<L>>,
    wrap: fn(Named) -> L,
) {
    let clues: Vec<Clue<L>> = match server.resolve(deadline).await {
        Ok(addresses) => {
            let targets = addresses.into_iter().map(Target::from);
            targets
                .map(|target| Clue::Lead(wrap(Named { target, way, place })))
                .collect()
        }
        Err(error) => vec![Clue::Fault(Some(way), with_causes(&error))],
    };
    for clue in clues {
        drop(tell.send(clue).await); // the search may be over already
    }
}

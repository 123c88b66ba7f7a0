//! One round: everybody is asked, then each that answers.

use std::net::SocketAddr;
use std::time::Duration;

use seatkeeper::client::discover::{Found, Scope, Search, discover};
use seatkeeper::client::{ConnectError, Connection, Deadline, Target, connect_again, with_causes};
use seatkeeper::clock::monotonic_micros;
use seatkeeper::domain::ids::{ProductId, VendorId};
use seatkeeper::domain::time::Timestamp;
use seatkeeper::tls::{Identity, PinRule, Sessions};
use seatkeeper::wire::messages::{Request, Response, events, seat};
use seatkeeper::wire::{EventKind, Role};
use tokio::task::JoinSet;

use super::board::Seen;
use crate::output::Failure;

/// How long everybody's answers are waited for, at most: longer than the last question but one takes to be answered.
const SEARCH_MAX: Duration = Duration::from_secs(1);

/// Addresses of one server that are tried, at most.
const ADDRESSES_MAX: usize = 4;

/// How long a server may take over a connection.
const VISIT: Duration = Duration::from_secs(3);

/// Who asks, and what.
#[derive(Clone)]
pub(super) struct Asker {
    identity: Identity,
    sessions: Sessions,
    port: u16,
    /// Nothing where no product was named: to ask for one that nobody has would be told among the refusals.
    availability: Option<Request>,
    refusals: Request,
}

impl Asker {
    pub(super) fn new(
        identity: Identity,
        port: u16,
        product: Option<ProductId>,
        vendor: Option<VendorId>,
        since: Timestamp,
    ) -> Self {
        let availability = product.map(|product| {
            Request::Availability(seat::Availability {
                vendor: vendor.map(|vendor| vendor.0),
                product: product.to_string(),
            })
        });
        let refusals = events::Events {
            since: Some(since.0),
            kinds: vec![EventKind::REFUSED],
            newest_first: Some(true),
            ..events::Events::default()
        };
        Self {
            identity,
            sessions: Sessions::default(),
            port,
            availability,
            refusals: Request::Events(refusals),
        }
    }

    /// Everybody who answers within a round that takes so long.
    pub(super) async fn ask(&self, every: Duration) -> Result<Vec<Seen>, Failure> {
        let search = Search {
            wanted: None,
            scope: Scope::Everywhere { port: self.port },
            deadline: every.min(SEARCH_MAX),
            every_path: false,
        };
        let cannot = |error| Failure::Failed(format!("cannot search the network: {}", with_causes(&error)));
        let mut discovery = discover(&search).map_err(cannot)?;
        let mut visits: JoinSet<Seen> = JoinSet::new();
        let mut known = Vec::new();
        while let Some(found) = discovery.next().await {
            let server = found.offer.server;
            // It may answer at an address at which it takes no connections.
            if known.iter().filter(|known| **known == server).count() < ADDRESSES_MAX {
                known.push(server);
                let asker = self.clone();
                visits.spawn(async move { asker.visit(&found).await });
            }
        }
        Ok(once(visits.join_all().await))
    }

    async fn visit(&self, found: &Found) -> Seen {
        let address = found.tcp_address();
        let mut seen = Seen {
            server: found.server().to_string(),
            name: found.offer.name.clone(),
            address: address.to_string(),
            round_trip_micros: found.round_trip_micros,
            ..Seen::default()
        };
        let began = monotonic_micros();
        match self.question(address, &mut seen).await {
            Ok(()) => seen.answer_micros = Some(monotonic_micros().saturating_sub(began)),
            Err(error) => seen.fault = Some(with_causes(&error.fault)),
        }
        seen
    }

    async fn question(&self, address: SocketAddr, seen: &mut Seen) -> Result<(), ConnectError> {
        let deadline = Deadline::after(VISIT);
        let target = Target::from(address);
        let mut connection: Connection =
            connect_again(target, &self.identity, PinRule::Any, deadline, &self.sessions).await?;
        if let Some(request) = &self.availability {
            match connection.request(request, deadline).await? {
                Response::Availability(reply) => {
                    seen.total = Some(reply.counts.total);
                    seen.used = Some(reply.counts.used);
                    seen.available = Some(reply.counts.available);
                }
                other => seen.fault = Some(format!("refuses: {:?}", other.status())),
            }
        }
        if [Role::VIEWER, Role::ADMINISTRATOR].contains(&connection.hello().role)
            && let Response::Events(page) = connection.request(&self.refusals, deadline).await?
        {
            let counts = page.rows.iter().map(|row| u64::from(row.count.unwrap_or(1)));
            seen.refused = Some(counts.sum());
            seen.last_refusal = page.rows.first().map(last);
        }
        connection.close(deadline).await;
        Ok(())
    }
}

/// Each server once, as it was seen at its best address: one that takes connections, then the one that answers first.
fn once(mut seen: Vec<Seen>) -> Vec<Seen> {
    seen.sort_by_cached_key(|one| (one.server.clone(), one.answer_micros.is_none(), one.round_trip_micros));
    seen.dedup_by(|later, first| later.server == first.server);
    seen
}

/// A refusal in a few words.
fn last(row: &events::EventRow) -> String {
    let status = row.status.map_or_else(String::new, |status| format!("{status:?}"));
    let product = row
        .product
        .as_ref()
        .map_or_else(String::new, |product| format!(" of {product}"));
    let host = row
        .host_name
        .as_ref()
        .map_or_else(String::new, |host| format!(" to {host}"));
    status + &product + &host
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_told_once_by_an_address_that_takes_connections() {
        let seen = |address: &str, round_trip_micros, answer_micros| Seen {
            server: "01".to_owned(),
            address: address.to_owned(),
            round_trip_micros,
            answer_micros,
            ..Seen::default()
        };
        let told = once(vec![seen("a", 1, None), seen("b", 3, Some(9)), seen("c", 2, Some(9))]);
        let told: Vec<_> = told.iter().map(|one| one.address.as_str()).collect();
        assert_eq!(told, ["c"]);
    }
}

//! One round: everybody is asked, then each that answers.

use std::net::SocketAddr;
use std::time::Duration;

use seatkeeper::client::discover::{Found, Scope, Search, discover};
use seatkeeper::client::{ConnectError, Connection, Deadline, Target, connect, with_causes};
use seatkeeper::clock::monotonic_micros;
use seatkeeper::domain::ids::{ProductId, VendorId};
use seatkeeper::domain::time::Timestamp;
use seatkeeper::tls::{Identity, PinRule};
use seatkeeper::wire::messages::{Request, Response, events, seat};
use seatkeeper::wire::{EventKind, Role};
use tokio::task::JoinSet;

use super::board::Seen;
use crate::output::Failure;
use crate::query::NO_PRODUCT;

/// How long everybody's answers are waited for, at most: longer than the last question but one takes to be answered.
const SEARCH_MAX: Duration = Duration::from_secs(1);

/// How long a server may take over a connection.
const VISIT: Duration = Duration::from_secs(3);

/// Who asks, and what.
#[derive(Clone)]
pub(super) struct Asker {
    identity: Identity,
    port: u16,
    availability: Request,
    has_product: bool,
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
        let availability = seat::Availability {
            vendor: vendor.map(|vendor| vendor.0),
            product: product.map_or_else(|| NO_PRODUCT.to_owned(), |product| product.to_string()),
        };
        let refusals = events::Events {
            since: Some(since.0),
            kinds: vec![EventKind::REFUSED],
            newest_first: Some(true),
            ..events::Events::default()
        };
        Self {
            identity,
            port,
            availability: Request::Availability(availability),
            has_product: product.is_some(),
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
            // The first address that answers is enough.
            if !known.contains(&found.offer.server) {
                known.push(found.offer.server);
                let asker = self.clone();
                visits.spawn(async move { asker.visit(&found).await });
            }
        }
        Ok(visits.join_all().await)
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
        let mut connection: Connection = connect(Target::from(address), &self.identity, PinRule::Any, deadline).await?;
        match connection.request(&self.availability, deadline).await? {
            Response::Availability(reply) => {
                seen.total = Some(reply.counts.total);
                seen.used = Some(reply.counts.used);
                seen.available = Some(reply.counts.available);
            }
            Response::Refused(status, _) if self.has_product => seen.fault = Some(format!("refuses: {status:?}")),
            _ => {}
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

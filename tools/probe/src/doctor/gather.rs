//! Finds out what is so: this machine, everybody's answers, and then each server, all within [`BUDGET`].

mod ask;
mod machine;
mod network;
mod view;
mod visit;

use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp as Calendar;
use seatkeeper::client::Deadline;
use seatkeeper::client::ways::{Site, Way};
use seatkeeper::domain::time::Timestamp;
use seatkeeper::tls::Identity;
use tokio::task::JoinSet;

use super::Args;
use super::facts::{Asked, AskedAs, Component, Facts, Lead, Offered, Reached, Server};
use crate::output::Failure;

/// How long all of it takes at most.
pub(super) const BUDGET: Duration = Duration::from_secs(9);

/// How long everybody's answers are waited for. The question is asked for the last time after 1.5 seconds.
const SEARCH: Duration = Duration::from_millis(2_200);

/// How long a server alone may take, from the connection to its last answer.
const VISIT: Duration = Duration::from_secs(4);

/// Servers that are visited, at most.
const VISITS_MAX: usize = 8;

/// What each visit needs to know.
#[derive(Clone)]
pub(super) struct Errand {
    pub(super) identity: Identity,
    pub(super) query: ask::Query,
}

/// A server that is to be visited.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    pub(super) lead: Lead,
    pub(super) address: SocketAddr,
    pub(super) offer: Option<Offered>,
}

/// Finds out everything.
pub(super) async fn gather(args: &Args) -> Result<Facts, Failure> {
    let deadline = Deadline::after(BUDGET);
    let mac = machine::mac(&args.wish());
    let components = machine::components();
    let known = components.known().map(Vec::as_slice).unwrap_or_default();
    let (identity, asked_as) = machine::identity(args, known)?;
    let query = ask::Query::new(args, known, mac.known().and_then(|machine| machine.mac))?;
    let port = args.port.get();
    // As agents and commands look for servers that are told of none.
    let site = Site::of_this_machine(port);
    let (everybody, named) = tokio::join!(
        network::search(&site, port, SEARCH),
        network::name(args.server.as_deref(), port, SEARCH),
    );
    let named_at = named.as_ref().and_then(|named| named.known());
    let remembered: &[Component] = if site.ways.contains(&Way::Remembered) {
        known
    } else {
        &[]
    };
    let stops = stops(named_at, (&everybody.told, &everybody.offers), remembered);
    let errand = Errand { identity, query };
    let servers = once(visit_all(stops, &errand, deadline).await);
    let product = args.product.map(|product| product.to_string());
    Ok(Facts {
        asked: Asked {
            server: args.server.clone(),
            port,
            product,
            identity: asked_as,
        },
        interfaces: network::interfaces(port),
        mac,
        components,
        trusted: machine::trusted(),
        paths: everybody.paths,
        ways: everybody.ways,
        remembers_off: !site.ways.contains(&Way::Remembered),
        site_faults: site.faults,
        named,
        offers: everybody.offers,
        servers,
    })
}

/// Where to go: to the servers that the user named, those that answered, those that the site and its DNS name, and those
/// that are remembered; each address once, and the first address of each server before the second of any.
fn stops(
    named: Option<&Vec<SocketAddr>>,
    (told, offers): (&[(Way, SocketAddr)], &[Offered]),
    components: &[Component],
) -> Vec<Stop> {
    let mut stops: Vec<Stop> = Vec::new();
    let stop = |lead, address, offer| Stop { lead, address, offer };
    let named_stops = named
        .into_iter()
        .flatten()
        .map(|address| stop(Lead::Named, *address, None));
    stops.extend(named_stops);
    let mut found: Vec<(usize, Stop)> = Vec::new();
    for offer in offers {
        let Some(address) = offer.address else { continue };
        if let Some(known) = stops.iter_mut().find(|known| known.address == address) {
            known.offer.get_or_insert_with(|| offer.clone());
        } else if found.iter().all(|(_, known)| known.address != address) {
            let same = |known: &Offered| known.is_of(offer);
            let before = found.iter().filter(|(_, known)| known.offer.as_ref().is_some_and(same));
            found.push((before.count(), stop(Lead::Discovered, address, Some(offer.clone()))));
        }
    }
    found.sort_by_key(|(before, _)| *before);
    stops.extend(found.into_iter().map(|(_, stop)| stop));
    // Agents that were told where their server is go by nothing else.
    if named.is_none() {
        let told = told.iter().map(|(way, address)| (Lead::Told(*way), *address));
        let remembered = components.iter().flat_map(|component| &component.addresses);
        let remembered = remembered.map(|address| (Lead::Remembered, *address));
        for (lead, address) in told.chain(remembered) {
            if stops.iter().all(|known| known.address != address) {
                stops.push(stop(lead, address, None));
            }
        }
    }
    stops.truncate(VISITS_MAX);
    stops
}

/// Leaves out the further addresses at which a server was met as it was at its first one.
fn once(servers: Vec<Server>) -> Vec<Server> {
    let mut kept: Vec<Server> = Vec::new();
    for server in servers {
        let again = kept.iter().any(|known| match (&known.reached, &server.reached) {
            (Reached::Met(one), Reached::Met(other)) => {
                (&one.server, &one.fingerprint) == (&other.server, &other.fingerprint)
            }
            _ => false,
        });
        if server.lead == Lead::Named || !again {
            kept.push(server);
        }
    }
    kept
}

/// Visits the servers at the same time and tells them in the order of the stops.
async fn visit_all(stops: Vec<Stop>, errand: &Errand, deadline: Deadline) -> Vec<Server> {
    let mut visits = JoinSet::new();
    for (place, stop) in stops.into_iter().enumerate() {
        let errand = errand.clone();
        let until = Deadline::after(VISIT.min(deadline.left()));
        visits.spawn(async move { (place, visit::visit(stop, &errand, until).await) });
    }
    let mut visited = visits.join_all().await;
    visited.sort_by_key(|(place, _)| *place);
    visited.into_iter().map(|(_, server)| server).collect()
}

/// A time, for people.
pub(super) fn date(time: Timestamp) -> String {
    let second = i64::try_from(time.0)
        .ok()
        .and_then(|secs| Calendar::from_second(secs).ok());
    second.map_or_else(|| time.to_string(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

impl Offered {
    /// Whether both are of one server, as far as they say.
    fn is_of(&self, other: &Self) -> bool {
        (&self.server, &self.fingerprint) == (&other.server, &other.fingerprint)
    }
}

impl AskedAs {
    pub(super) fn component(one: &Component) -> Self {
        Self::Component(format!("{} {}", one.product, one.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(server: &str, address: &str) -> Offered {
        Offered {
            server: server.to_owned(),
            address: Some(address.parse().expect("an address")),
            ..Offered::default()
        }
    }

    #[test]
    fn each_address_is_visited_once_the_named_one_first_and_every_server_before_a_second_address() {
        let (a, b) = ("192.0.2.1:17328", "192.0.2.2:17328");
        let named = vec![b.parse().expect("an address")];
        let told = [(Way::Servers, a), (Way::Dns, "192.0.2.4:17328")];
        let told = told.map(|(way, address)| (way, address.parse().expect("an address")));
        let offers = [offer("a", a), offer("a", "192.0.2.9:17328"), offer("b", b)];
        let component = Component {
            addresses: vec![
                a.parse().expect("an address"),
                "192.0.2.3:17328".parse().expect("an address"),
            ],
            ..Component::default()
        };
        let shown = |stops: Vec<Stop>| -> Vec<_> {
            let one = |stop: &Stop| (stop.lead, stop.address.to_string(), stop.offer.is_some());
            stops.iter().map(one).collect()
        };
        assert_eq!(
            shown(stops(Some(&named), (&told, &offers), std::slice::from_ref(&component))),
            [
                (Lead::Named, b.to_owned(), true),
                (Lead::Discovered, a.to_owned(), true),
                (Lead::Discovered, "192.0.2.9:17328".to_owned(), true),
            ]
        );
        assert_eq!(
            shown(stops(None, (&told, &offers), &[component])),
            [
                (Lead::Discovered, a.to_owned(), true),
                (Lead::Discovered, b.to_owned(), true),
                (Lead::Discovered, "192.0.2.9:17328".to_owned(), true),
                (Lead::Told(Way::Dns), "192.0.2.4:17328".to_owned(), false),
                (Lead::Remembered, "192.0.2.3:17328".to_owned(), false),
            ]
        );
    }

    #[test]
    fn a_server_that_is_met_at_two_addresses_is_told_once_and_an_address_that_leads_nowhere_too() {
        let server = |address: &str, reached| Server {
            lead: Lead::Discovered,
            address: address.parse().expect("an address"),
            offer: None,
            unicast: true,
            reached,
        };
        let met = || Reached::Met(Box::default());
        let servers = vec![
            server("192.0.2.1:1", Reached::TcpSilent),
            server("192.0.2.2:1", met()),
            server("192.0.2.3:1", met()),
        ];
        let kept: Vec<_> = once(servers).iter().map(|one| one.address.to_string()).collect();
        assert_eq!(kept, ["192.0.2.1:1", "192.0.2.2:1"]);
    }

    #[test]
    fn dates_are_told_to_the_minute() {
        assert_eq!(date(Timestamp(1_767_225_600)), "2026-01-01 00:00 UTC");
        assert_eq!(date(Timestamp(u64::MAX)), u64::MAX.to_string());
    }
}

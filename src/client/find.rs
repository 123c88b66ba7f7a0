//! Finds servers for whoever wants to see them and not only to use one: asks everybody on the network and each server that
//! is named, and tells the offers as they come.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::connect::Target;
use super::deadline::Deadline;
use super::discover::{Discovery, Found, Scope, Search, SearchError, discover_on, nobody_to_ask};
use super::ways::{Clue, Named, Site, Verdict, Verdicts, Way, ask_dns, look_up};
use crate::domain::ids::{Fingerprint, ProductKey, ServerId};
use crate::sockets::paths::PathKind;
use crate::wire::limits::DISCOVERY_SETTLE_MS;

/// Clues that wait to be followed, at most.
const CLUES_MAX: usize = 64;

/// What is sought.
#[derive(Clone, Copy, Debug)]
pub struct Quest {
    /// The product that is wanted; none finds every server.
    pub wanted: Option<ProductKey>,
    /// The UDP port of the site's servers.
    pub port: u16,
    /// How long to wait, from the start of the search.
    pub deadline: Duration,
    /// Whether a server's offers are told for each path, as [`Search::every_path`] says.
    pub every_path: bool,
}

/// A search on several paths that goes on while [`Finder::next`] is awaited. Dropping it ends it.
#[derive(Debug)]
pub struct Finder {
    discovery: Discovery,
    clues: mpsc::Receiver<Clue<Named>>,
    /// Where named servers are, with the path that named each and its place there.
    named: BTreeMap<SocketAddr, (Way, u16)>,
    verdicts: Verdicts,
    offers: Vec<Found>,
    names_servers: bool,
    _sources: JoinSet<()>,
}

/// Starts a search where `site` says; the first questions leave at once. Call it inside a tokio runtime.
///
/// # Errors
/// [`SearchError`]. That nothing answers is no error: [`Finder::next`] then ends, and [`Finder::verdicts`] says why.
pub fn find(site: &Site, quest: Quest) -> Result<Finder, SearchError> {
    let lan = site.ways.contains(&Way::Lan);
    let search = Search {
        wanted: quest.wanted,
        scope: if lan {
            Scope::Everywhere { port: quest.port }
        } else {
            Scope::Named
        },
        deadline: quest.deadline,
        every_path: quest.every_path,
    };
    let discovery = discover_on(&search, &site.interfaces)?;
    // Which servers are remembered is the agents' affair.
    let ways = site
        .ways
        .iter()
        .copied()
        .filter(|way| *way != Way::Remembered)
        .collect();
    let mut verdicts = Verdicts::of(&ways);
    if lan {
        let on = discovery.asked_on();
        if on.is_empty() {
            verdicts.note(Way::Lan, nobody_to_ask(&site.interfaces).to_owned());
        }
        for interface in on {
            verdicts.asked(Way::Lan, interface);
        }
    }
    // What a name service does not say in time is to be told before the search ends.
    let deadline = Deadline::after(quest.deadline * 9 / 10);
    let (tell, clues) = mpsc::channel(CLUES_MAX);
    let mut sources = JoinSet::new();
    if ways.contains(&Way::Servers) {
        look_up(site, deadline, &tell, &mut sources, |named| named);
    }
    if ways.contains(&Way::Dns) {
        ask_dns(deadline, &tell, &mut sources, |named| named);
    }
    Ok(Finder {
        discovery,
        clues,
        named: BTreeMap::new(),
        verdicts,
        offers: Vec::new(),
        names_servers: ways.contains(&Way::Servers) && !site.servers.is_empty(),
        _sources: sources,
    })
}

impl Finder {
    /// The next offer, as soon as it comes; none once the deadline is over, or where nobody can be asked. Dropping the
    /// future loses no offer.
    pub async fn next(&mut self) -> Option<Found> {
        loop {
            let is_asking = !self.discovery.paths().is_empty();
            tokio::select! {
                Some(clue) = self.clues.recv() => self.hear(clue),
                found = self.discovery.next(), if is_asking => {
                    let found = found?;
                    self.note(&found);
                    return Some(found);
                }
                else => return None,
            }
        }
    }

    /// Every offer that comes before the deadline.
    pub async fn all(&mut self) -> Vec<Found> {
        let mut offers = Vec::new();
        while let Some(found) = self.next().await {
            offers.push(found);
        }
        offers
    }

    /// Waits for the first offer, and a moment longer: enough for whoever wants one server and has to know whether there
    /// are others. Dropping the future loses no offer.
    pub async fn settled(&mut self) {
        let Some(_) = self.next().await else { return };
        let others = async { while self.next().await.is_some() {} };
        drop(tokio::time::timeout(Duration::from_millis(DISCOVERY_SETTLE_MS), others).await); // either way it is enough
    }

    /// Every offer so far.
    #[must_use]
    pub fn offers(&self) -> &[Found] {
        &self.offers
    }

    /// Whether it looks for servers that were named.
    #[must_use]
    pub const fn names_servers(&self) -> bool {
        self.names_servers
    }

    /// Where the servers are that were named, the preferred one first: those that answer no question may take
    /// connections all the same.
    #[must_use]
    pub fn named(&self) -> Vec<Target> {
        self.leads().map(|(_, address)| Target::from(address)).collect()
    }

    /// Where the servers are that were named, the preferred one first, each with the path by which it was.
    pub fn leads(&self) -> impl Iterator<Item = (Way, SocketAddr)> + use<> {
        let mut named: Vec<_> = self.named.iter().map(|(address, order)| (*order, *address)).collect();
        named.sort_unstable();
        named.into_iter().map(|((way, _), address)| (way, address))
    }

    /// What came of each path so far.
    #[must_use]
    pub fn verdicts(&self) -> Vec<Verdict> {
        self.verdicts.all()
    }

    /// What came of each path so far, in one line.
    #[must_use]
    pub fn tried(&self) -> String {
        let told: Vec<String> = self.verdicts().iter().map(Verdict::to_string).collect();
        if told.is_empty() {
            // Agents remember servers, and nobody else does.
            return "no path is switched on that could lead to one".to_owned();
        }
        told.join("; ")
    }

    /// What is wrong with the offers so far, one sentence each: servers that cannot all be what they say.
    #[must_use]
    pub fn oddities(&self) -> Vec<String> {
        oddities(&self.offers)
    }

    /// The search beneath: on which paths questions are sent, and where that fails.
    #[must_use]
    pub const fn discovery(&self) -> &Discovery {
        &self.discovery
    }

    fn hear(&mut self, clue: Clue<Named>) {
        match clue {
            Clue::Asked(way, what) => self.verdicts.asked(way, what),
            Clue::Note(way, told) => self.verdicts.note(way, told),
            Clue::Fault(Some(way), told) => self.verdicts.fault(way, told),
            Clue::Fault(None, told) => tracing::debug!(told, "where to look for servers"),
            Clue::Lead(Named { target, way, place }) => {
                if self.discovery.ask_also(target.address) {
                    self.named.insert(target.address, (way, place));
                }
            }
        }
    }

    fn note(&mut self, found: &Found) {
        let named = self
            .named
            .get(&found.source)
            .filter(|_| found.kind == PathKind::Unicast);
        let way = named.map_or(Way::Lan, |(way, _)| *way);
        let server = found.server();
        if self.offers.iter().all(|known| known.server() != server) {
            self.verdicts.answered(way);
        }
        self.offers.push(found.clone());
    }
}

/// What cannot all be true of these offers, one sentence each. Nothing in an offer is proven: who forges one can make a
/// server look odd, and agents trust what is pinned.
#[must_use]
pub fn oddities(offers: &[Found]) -> Vec<String> {
    let mut of_server: BTreeMap<ServerId, Vec<&Found>> = BTreeMap::new();
    let mut of_identity: BTreeMap<Fingerprint, Vec<&Found>> = BTreeMap::new();
    for found in offers {
        of_server.entry(found.server()).or_default().push(found);
        of_identity
            .entry(Fingerprint(found.offer.fingerprint))
            .or_default()
            .push(found);
    }
    let mut told = Vec::new();
    for (server, shown) in of_server {
        let identities = listed(&shown, |found| Fingerprint(found.offer.fingerprint).to_string());
        if identities.len() > 1 {
            told.push(format!(
                "server id {server} is shown with {} identities ({}) at {}: a copy of the server runs, or somebody \
                 forges its answers; agents trust the fingerprint that they know",
                identities.len(),
                identities.join(", "),
                places(&shown)
            ));
        }
    }
    for (identity, shown) in of_identity {
        let servers = listed(&shown, |found| found.server().to_string());
        let epochs = listed(&shown, |found| found.offer.epoch.to_string());
        if servers.len() > 1 {
            told.push(format!(
                "identity {identity} is shown by {} servers ({}) at {}: one key was copied to several, or somebody \
                 forges answers; give each server its own",
                servers.len(),
                servers.join(", "),
                places(&shown)
            ));
        } else if epochs.len() > 1 {
            told.push(format!(
                "identity {identity} is shown with epochs {} at {}: it was restored from a backup and the old one \
                 still runs; stop the one of the lower epoch",
                epochs.join(", "),
                places(&shown)
            ));
        }
    }
    told
}

/// What `of` says of each, every value once, in the order of their texts.
fn listed(shown: &[&Found], of: impl Fn(&Found) -> String) -> Vec<String> {
    let mut values: Vec<String> = shown.iter().map(|found| of(found)).collect();
    values.sort();
    values.dedup();
    values
}

fn places(shown: &[&Found]) -> String {
    listed(shown, |found| found.tcp_address().to_string()).join(", ")
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;

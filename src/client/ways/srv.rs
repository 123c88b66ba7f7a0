//! The servers that the site's DNS names: SRV records `_seatkeeper._tcp` of the search domains of this machine (RFC 2782).
//!
//! Nothing of it is proven, like everything else that leads to a server: only TLS proves who it is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dns::base::iana::{Rcode, Rtype};
use dns::base::{Name, ToName};
use dns::rdata::Srv;
use dns::resolv::StubResolver;
use dns::resolv::stub::conf::ResolvConf;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::named::lead_to;
use super::{Clue, Named, SERVERS_MAX, Way};
use crate::client::address::Address;
use crate::client::deadline::Deadline;
use crate::client::with_causes;
use crate::sockets::interfaces::{self, Interface};

/// The name of the service, below a domain.
const SERVICE: &str = "_seatkeeper._tcp";

/// Where the system says which name servers and which domains there are.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Search domains that are asked about, at most: so many has the C library.
const DOMAINS_MAX: usize = 6;

/// How long one question waits for its answer before it is asked once more; a datagram may be lost.
const ATTEMPT: Duration = Duration::from_secs(1);

/// The words of that file that matter here. Others may stand there for other systems' resolvers.
const WORDS: [&str; 4] = ["nameserver", "domain", "search", "options"];

/// Whom to ask about which domains.
pub(super) struct Asking {
    pub(super) conf: ResolvConf,
    pub(super) domains: Vec<String>,
}

impl Asking {
    /// As this machine is configured; one sentence where nobody is to be asked.
    fn of_this_machine() -> Result<Self, String> {
        if !interfaces::list().is_ok_and(|all| all.iter().any(Interface::is_usable)) {
            return Err(crate::client::discover::NO_INTERFACE.to_owned());
        }
        let text = std::fs::read_to_string(RESOLV_CONF)
            .map_err(|error| format!("{RESOLV_CONF} cannot be read, so no name server is known: {error}"))?;
        let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
        Self::parse(&text, host.as_deref())
    }

    /// Reads `resolv.conf`. Where it names no domain, that of the host's own name counts, as for the C library.
    fn parse(text: &str, host: Option<&str>) -> Result<Self, String> {
        let known = |line: &&str| line.split_whitespace().next().is_some_and(|word| WORDS.contains(&word));
        let lines: Vec<&str> = text.lines().filter(known).collect();
        let mut conf = ResolvConf::new();
        conf.parse(&mut lines.join("\n").as_bytes())
            .map_err(|error| format!("{RESOLV_CONF} cannot be understood: {error}"))?;
        let mut domains: Vec<String> = Vec::new();
        let own = host
            .and_then(|name| name.split_once('.'))
            .map(|(_, domain)| domain.to_owned());
        let searched = conf.options.search.as_slice().iter().filter(|name| !name.is_root());
        for domain in searched.map(ToString::to_string).filter(|domain| !domain.is_empty()) {
            if !domains.contains(&domain) {
                domains.push(domain);
            }
        }
        if domains.is_empty() {
            domains.extend(own.filter(|domain| !domain.is_empty()));
        }
        if domains.is_empty() {
            return Err(format!(
                "this machine belongs to no domain ({RESOLV_CONF} names none to search)"
            ));
        }
        domains.truncate(DOMAINS_MAX);
        conf.finalize();
        Ok(Self { conf, domains })
    }
}

/// Tells the servers that the search domains of this machine have records of.
pub(in crate::client) fn ask<L: Send + 'static>(
    deadline: Deadline,
    tell: &mpsc::Sender<Clue<L>>,
    sources: &mut JoinSet<()>,
    wrap: fn(Named) -> L,
) {
    match Asking::of_this_machine() {
        Ok(asking) => begin(asking, deadline, tell, sources, wrap),
        Err(told) => {
            let tell = tell.clone();
            sources.spawn(async move {
                drop(tell.send(Clue::Note(Way::Dns, told)).await); // the search may be over already
            });
        }
    }
}

/// Asks about all domains at once.
pub(super) fn begin<L: Send + 'static>(
    asking: Asking,
    deadline: Deadline,
    tell: &mpsc::Sender<Clue<L>>,
    sources: &mut JoinSet<()>,
    wrap: fn(Named) -> L,
) {
    let resolver = Arc::new(StubResolver::from_conf(asking.conf));
    for (place, domain) in asking.domains.into_iter().enumerate() {
        let (resolver, tell) = (Arc::clone(&resolver), tell.clone());
        sources.spawn(async move {
            let name = format!("{SERVICE}.{domain}");
            drop(tell.send(Clue::Asked(Way::Dns, name.clone())).await); // likewise
            match records(&resolver, &name, deadline).await {
                Ok(records) => follow(records, place * SERVERS_MAX, deadline, tell, wrap).await,
                // A site without such records is as it should be, and a name service that is not there is its own trouble.
                Err(told) => drop(tell.send(Clue::Note(Way::Dns, format!("{name}: {told}"))).await), // likewise
            }
        });
    }
}

/// What a record says.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Record {
    priority: u16,
    weight: u16,
    server: Address,
}

/// The records of `name` in the order in which their servers are to be tried; at most [`SERVERS_MAX`].
async fn records(resolver: &StubResolver, name: &str, deadline: Deadline) -> Result<Vec<Record>, String> {
    let question: Name<Vec<u8>> = name.parse().map_err(|error| format!("{error}"))?;
    let late = || "the name service does not tell in time".to_owned();
    let first = deadline
        .at_most(ATTEMPT)
        .bound(resolver.query((&question, Rtype::SRV)))
        .await;
    let answer = match first {
        Some(Ok(answer)) => answer,
        Some(Err(error)) => return Err(format!("the name service does not answer: {}", with_causes(&error))),
        None => deadline
            .bound(resolver.query((&question, Rtype::SRV)))
            .await
            .ok_or_else(late)?
            .map_err(|error| format!("the name service does not answer: {}", with_causes(&error)))?,
    };
    match answer.header().rcode() {
        Rcode::NOERROR | Rcode::NXDOMAIN => {}
        other => return Err(format!("the name service answers {other}")),
    }
    let owner = answer.canonical_name().ok_or("the answer cannot be read")?;
    let section = answer
        .answer()
        .map_err(|error| format!("the answer cannot be read: {error}"))?;
    let mut found = Vec::new();
    for record in section.limit_to_in::<Srv<_>>().flatten() {
        let (data, target) = (record.data(), record.data().target());
        // A record of the root says that the service is not there.
        if record.owner().name_eq(&owner) && !target.is_root() && data.port() != 0 {
            found.push(Record {
                priority: data.priority(),
                weight: data.weight(),
                server: Address {
                    host: target.to_string(),
                    port: data.port(),
                },
            });
        }
    }
    if found.is_empty() {
        return Err("no such record".to_owned());
    }
    // Without randomness the heaviest of equals go first.
    let mut ordered = in_order(found, |sum| getrandom::u32().map_or(sum, |random| random % (sum + 1)));
    ordered.truncate(SERVERS_MAX);
    Ok(ordered)
}

/// The order of RFC 2782: by priority; among equals by chance, in proportion to their weights. `chance` gives a number
/// from 0 to the one that it is given.
fn in_order(records: Vec<Record>, mut chance: impl FnMut(u32) -> u32) -> Vec<Record> {
    let mut by_priority: BTreeMap<u16, Vec<Record>> = BTreeMap::new();
    for record in records {
        by_priority.entry(record.priority).or_default().push(record);
    }
    let mut ordered = Vec::new();
    for mut equals in by_priority.into_values() {
        // Those of weight 0 stand first, so that they have a small chance.
        equals.sort_by_key(|record| record.weight);
        while !equals.is_empty() {
            let sum = equals.iter().map(|record| u32::from(record.weight)).sum();
            let (pick, mut running) = (chance(sum), 0);
            let reached = |record: &Record| {
                running += u32::from(record.weight);
                running >= pick
            };
            let chosen = equals.iter().position(reached).unwrap_or(0);
            ordered.push(equals.remove(chosen));
        }
    }
    ordered
}

/// Tells where the servers of these records are.
async fn follow<L: Send + 'static>(
    records: Vec<Record>,
    first_place: usize,
    deadline: Deadline,
    tell: mpsc::Sender<Clue<L>>,
    wrap: fn(Named) -> L,
) {
    let mut looking = JoinSet::new();
    for (place, record) in records.into_iter().enumerate() {
        let tell = tell.clone();
        let place = u16::try_from(first_place + place).unwrap_or(u16::MAX);
        looking.spawn(async move {
            lead_to(&record.server, Way::Dns, place, deadline, &tell, wrap).await;
        });
    }
    // Ends with the search: what is dropped here stops them.
    while looking.join_next().await.is_some() {}
}

#[cfg(test)]
mod tests;

//! Which server a command is for: the one that was named, that of the local data directory, or the one that is found.

use std::time::Duration;

use tokio::task::JoinSet;

use super::args::Global;
use super::error::CliError;
use super::known::KnownServers;
use super::local::{self, LocalServer};
use super::output;
use crate::client::connect::{ConnectError, Connection, Fault, Target, connect_again};
use crate::client::deadline::Deadline;
use crate::client::discover::Found;
use crate::client::find::{Finder, Quest, find};
use crate::client::ways::{SERVERS_MAX, Site};
use crate::client::with_causes;
use crate::config::site_port;
use crate::domain::ids::{Fingerprint, ProductKey};
use crate::sockets::interfaces::Choice;
use crate::tls::{Identity, PinRule, Sessions};

/// How long a server that was named has for itself before the next one is tried beside it.
const AHEAD: Duration = Duration::from_millis(250);

/// Addresses that are tried, at most: every named server has one of either family.
const AIMS_MAX: usize = 2 * SERVERS_MAX;

/// Where a server is and who it must be.
#[derive(Clone, Debug)]
pub(super) struct Aim {
    target: Target,
    /// Its name in the file of known servers; nothing where its identity is known from the data directory.
    pub(super) name: Option<String>,
    pub(super) pin: Option<Fingerprint>,
}

/// What a command connects with.
#[derive(Clone, Debug)]
pub(super) struct Means {
    pub(super) identity: Identity,
    /// Those that it had before, where it connects again.
    pub(super) sessions: Sessions,
}

/// No connection came about: the server that it was to be, and why.
#[derive(Debug)]
pub(super) struct Missed {
    pub(super) aim: Aim,
    pub(super) error: ConnectError,
}

impl Aim {
    /// At a server that the network told of, or the user.
    fn at(target: Target, known: &KnownServers) -> Self {
        let name = target.address.to_string();
        let pin = known.fingerprint(&name);
        Self {
            target,
            name: Some(name),
            pin,
        }
    }

    /// Whether it is the server of the local data directory.
    pub(super) const fn is_local(&self) -> bool {
        self.name.is_none()
    }

    async fn connect(&self, by: &Means, deadline: Deadline) -> Result<Connection, ConnectError> {
        let pins = self.pin.map_or(PinRule::Any, |pin| PinRule::OneOf(vec![pin.0]));
        match self.reach(by, pins, deadline).await {
            // Only a successor is spared, and it is asked nothing but HELLO before it has shown that it is one.
            Err(error) if matches!(error.fault, Fault::NotTrusted(_)) => {
                self.connect_to_successor(by, deadline).await.ok_or(error)
            }
            outcome => outcome,
        }
    }

    /// Connects to whoever is there, if it took the place of the identity that is known.
    async fn connect_to_successor(&self, by: &Means, deadline: Deadline) -> Option<Connection> {
        let connection = self.reach(by, PinRule::Any, deadline).await.ok()?;
        let pin = self.pin?;
        connection.succeeds().contains(&pin).then_some(connection)
    }

    async fn reach(&self, by: &Means, pins: PinRule, deadline: Deadline) -> Result<Connection, ConnectError> {
        connect_again(self.target.clone(), &by.identity, pins, deadline, &by.sessions).await
    }
}

/// The servers that the options mean, the preferred one first; never empty.
pub(super) async fn aims(global: &Global, timeout: Duration, known: &KnownServers) -> Result<Vec<Aim>, CliError> {
    // Who says where to look does not mean the server of this host unless it is found there.
    let is_said = global.server.is_some() || global.paths.is_some();
    if !is_said && let Some(aim) = local_aim(global)? {
        return Ok(vec![aim]);
    }
    let aims = search(global, timeout, known).await?;
    // What answered may be this host's own server, started a moment ago.
    match local_aim(global)? {
        Some(aim) if !is_said => Ok(vec![aim]),
        _ => Ok(aims),
    }
}

/// Looks for the server where the options or the site say.
pub(super) async fn search(global: &Global, timeout: Duration, known: &KnownServers) -> Result<Vec<Aim>, CliError> {
    let targets = match (&global.server, &global.paths) {
        // Whoever names servers need not have them answer questions.
        (Some(servers), None) => resolve(servers, Deadline::after(timeout)).await?,
        _ => discover_one(global, timeout).await?,
    };
    Ok(targets.into_iter().map(|target| Aim::at(target, known)).collect())
}

/// Connects to the first of `aims` that can be reached. Each has a moment for itself before the next one is tried beside
/// it, so that one that is dead costs no more than that.
pub(super) async fn first(aims: Vec<Aim>, by: &Means, timeout: Duration) -> Result<(Aim, Connection), Missed> {
    let deadline = Deadline::after(timeout);
    // None waits until the deadline before it is tried.
    let places = u32::try_from(aims.len()).unwrap_or(u32::MAX).max(1);
    let ahead = AHEAD.min(timeout / 2 / places);
    let mut trying = JoinSet::new();
    for (place, aim) in (0..).zip(aims) {
        let by = by.clone();
        trying.spawn(async move {
            tokio::time::sleep(ahead * place).await;
            let outcome = aim.connect(&by, deadline).await;
            (place, aim, outcome)
        });
    }
    let mut missed: Vec<(u32, Missed)> = Vec::new();
    while let Some(done) = trying.join_next().await {
        // A task that stops brings its panic here.
        let (place, aim, outcome) = done.unwrap_or_else(|stopped| std::panic::resume_unwind(stopped.into_panic()));
        match outcome {
            Ok(connection) => {
                for (_, other) in &missed {
                    output::note(&with_causes(&other.error));
                }
                return Ok((aim, connection));
            }
            Err(error) => missed.push((place, Missed { aim, error })),
        }
    }
    missed.sort_by_key(|(place, _)| *place);
    let mut missed = missed.into_iter().map(|(_, missed)| missed);
    let first = missed.next();
    for other in missed {
        output::note(&with_causes(&other.error));
    }
    // What is told at last is why the preferred one was not reached.
    Err(first.expect("a command aims at one server at least"))
}

/// The server of the local data directory, if it ever ran.
fn local_aim(global: &Global) -> Result<Option<Aim>, CliError> {
    let local = LocalServer::read(&local::data_of(global)?);
    Ok(local.and_then(|local| {
        Some(Aim {
            target: local.address()?.into(),
            name: None,
            pin: Some(local.pin()?),
        })
    }))
}

/// Where servers are looked for, as the options or the site say.
fn site(global: &Global) -> Result<Site, CliError> {
    let mut site = match &global.server {
        Some(servers) => named(servers)?,
        None => Site::of_this_machine(port()?),
    };
    if let Some(paths) = &global.paths {
        site.ways.clone_from(paths);
    }
    for fault in &site.faults {
        output::note(&format!("seatkeeper: warning: {fault}"));
    }
    Ok(site)
}

/// What `--server` names.
pub(super) fn named(servers: &[String]) -> Result<Site, CliError> {
    let site = Site::only(servers, port()?);
    match site.faults.first() {
        Some(fault) => Err(CliError::Usage(fault.clone())),
        None => Ok(site),
    }
}

fn port() -> Result<u16, CliError> {
    site_port().map_err(|error| CliError::Usage(error.to_string()))
}

/// Begins to look for servers where the options or the site say, on the site's interfaces unless `on` chooses some.
pub(super) fn begin(global: &Global, wanted: Option<ProductKey>, on: Choice) -> Result<Finder, CliError> {
    let mut site = site(global)?;
    if !on.is_everything() {
        site.interfaces = on;
    }
    let quest = Quest {
        wanted,
        port: port()?,
        deadline: Duration::from_secs(global.timeout.into()),
        every_path: false,
    };
    find(&site, quest).map_err(|error| CliError::because("cannot search the network", error))
}

/// What to say when nobody answered.
pub(super) fn nobody(finder: &Finder, global: &Global) -> Result<CliError, CliError> {
    Ok(CliError::NoServer(format!(
        "no server answered on port {} within {} s: {}; is one running, and does the network pass broadcasts? name one with \
         --server HOST, or see what answers with seatprobe scan",
        port()?,
        global.timeout,
        finder.tried()
    )))
}

/// The one server of the network. With more than one the administrator must say which is meant.
async fn discover_one(global: &Global, timeout: Duration) -> Result<Vec<Target>, CliError> {
    let mut finder = begin(global, None, Choice::default())?;
    // Where servers are named, half of the time is left to connect to one that answers no questions.
    let wait = if finder.names_servers() { timeout / 2 } else { timeout };
    drop(tokio::time::timeout(wait, finder.settled()).await); // what came until then is kept
    let offers = finder.offers();
    finder
        .oddities()
        .iter()
        .for_each(|odd| output::note(&format!("warning: {odd}")));
    let Some(first) = offers.first() else {
        let named = finder.named();
        return if named.is_empty() {
            Err(nobody(&finder, global)?)
        } else {
            Ok(named)
        };
    };
    // The same server, restored: the one of the lower epoch runs on old data.
    let same = offers.iter().filter(|found| found.server() == first.server());
    let newest = same.fold(
        first,
        |best, one| {
            if one.offer.epoch > best.offer.epoch { one } else { best }
        },
    );
    let others: Vec<&Found> = offers.iter().filter(|found| found.server() != first.server()).collect();
    if others.is_empty() {
        let interface = Some(newest.interface.clone()).filter(|name| !name.is_empty());
        return Ok(vec![Target {
            address: newest.tcp_address(),
            interface,
        }]);
    }
    let names: Vec<_> = std::iter::once(newest)
        .chain(others)
        .map(|found| format!("{} ({})", found.tcp_address(), found.offer.name))
        .collect();
    Err(CliError::Usage(format!(
        "several servers answer; say which one with --server: {}",
        names.join(", ")
    )))
}

/// The addresses of what `--server` names, in its order.
async fn resolve(servers: &[String], deadline: Deadline) -> Result<Vec<Target>, CliError> {
    let mut looking = JoinSet::new();
    for (place, server) in named(servers)?.servers.into_iter().enumerate() {
        looking.spawn(async move { (place, server.resolve(deadline).await) });
    }
    let mut found = looking.join_all().await;
    found.sort_by_key(|(place, _)| *place);
    let (mut targets, mut faults) = (Vec::new(), Vec::new());
    for (_, outcome) in found {
        match outcome {
            Ok(addresses) => targets.extend(addresses.into_iter().map(Target::from)),
            Err(error) => faults.push(with_causes(&error)),
        }
    }
    if targets.is_empty() {
        return Err(CliError::NoServer(faults.join("; ")));
    }
    for fault in faults {
        output::note(&format!("seatkeeper: warning: {fault}"));
    }
    targets.truncate(AIMS_MAX);
    Ok(targets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::testing::{Stub, hello_ok, identities};

    #[tokio::test]
    async fn a_command_that_connects_again_and_again_resumes_its_session() {
        let [client, server] = identities();
        let stub = Stub::start(&server, hello_ok(), |_| None).await;
        let by = Means {
            identity: Identity::clone(&client),
            sessions: Sessions::default(),
        };
        for resumed in [false, false, true] {
            let aim = Aim {
                target: stub.address.into(),
                name: None,
                pin: Some(Fingerprint(server.fingerprint())),
            };
            let (_, connection) = first(vec![aim], &by, Duration::from_secs(20)).await.expect("a server");
            assert_eq!(connection.is_resumed(), resumed);
        }
    }

    #[tokio::test]
    async fn a_name_is_waited_for_no_longer_than_the_deadline() {
        let error = resolve(&["name.invalid".to_owned()], Deadline::after(Duration::ZERO)).await;
        let error = error.expect_err("not in time").to_string();
        assert!(error.contains("does not tell in time"), "{error}");
    }

    #[tokio::test]
    async fn servers_are_tried_in_their_order_and_one_that_is_not_there_does_not_hide_the_next() {
        let servers = ["a..b", "192.0.2.1:99", "[2001:db8::1]:99"].map(str::to_owned);
        let found = resolve(&servers, Deadline::after(Duration::from_secs(20))).await;
        let found: Vec<_> = found
            .expect("two")
            .into_iter()
            .map(|target| target.to_string())
            .collect();
        assert_eq!(found, ["192.0.2.1:99", "[2001:db8::1]:99"]);
    }
}

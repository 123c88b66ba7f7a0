//! A command's connection to its server: which server, as whom, and what its refusals mean for the exit code.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::args::Global;
use super::error::CliError;
use super::known::KnownServers;
use super::local::{self, LocalServer};
use super::output;
use crate::client::address::Address;
use crate::client::connect::{ConnectError, Connection, Fault, Target, connect};
use crate::client::deadline::Deadline;
use crate::client::discover::{NO_INTERFACE, Scope, Search, discover};
use crate::client::with_causes;
use crate::config::site_port;
use crate::domain::ids::{Fingerprint, ServerId};
use crate::domain::time::Timestamp;
use crate::session::ClientError;
use crate::tls::{Identity, PinRule};
use crate::wire::Status;
use crate::wire::limits::DISCOVERY_SETTLE_MS;
use crate::wire::messages::{Request, Response};

/// A connection to a server, as an administrator or viewer.
#[derive(Debug)]
pub(super) struct Session {
    connection: Connection,
    timeout: Duration,
}

/// Where the server is and who it must be.
struct Aim {
    target: Target,
    /// Its name in the file of known servers; nothing where its identity is known from the data directory.
    name: Option<String>,
    pin: Option<Fingerprint>,
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

    async fn connect(&self, identity: &Identity, timeout: Duration) -> Result<Connection, ConnectError> {
        let pins = self.pin.map_or(PinRule::Any, |pin| PinRule::OneOf(vec![pin.0]));
        connect(self.target.clone(), identity, pins, Deadline::after(timeout)).await
    }

    /// Connects to whoever is there, if it took the place of the identity that is known.
    async fn connect_to_successor(&self, identity: &Identity, timeout: Duration) -> Option<Connection> {
        let deadline = Deadline::after(timeout);
        let connection = connect(self.target.clone(), identity, PinRule::Any, deadline)
            .await
            .ok()?;
        let pin = self.pin?;
        connection.succeeds().contains(&pin).then_some(connection)
    }
}

impl Session {
    /// Connects to the server that the options mean.
    pub(super) async fn open(global: &Global) -> Result<Self, CliError> {
        let timeout = Duration::from_secs(global.timeout.into());
        let mut known = KnownServers::read()?;
        let mut aim = aim(global, timeout, &known).await?;
        // Not before the aim: a server that is being started for the first time makes its administrator meanwhile.
        let identity = identity(global)?;
        let connection = match aim.connect(&identity, timeout).await {
            // Nobody named the directory whose server is gone: what is meant is the server of this network.
            Err(ConnectError {
                fault: Fault::Unreachable(_),
                target,
            }) if aim.name.is_none() && global.data.is_none() => {
                output::note(&format!(
                    "this host's own server, which was at {target}, does not run; searching the network"
                ));
                aim = Aim::at(discover_one(timeout).await?, &known);
                aim.connect(&identity, timeout).await
            }
            // Only a successor is spared, and it is asked nothing but HELLO before it has shown that it is one.
            Err(error) if matches!(error.fault, Fault::NotTrusted(_)) => {
                aim.connect_to_successor(&identity, timeout).await.ok_or(error)
            }
            outcome => outcome,
        };
        let connection = connection.map_err(no_connection)?;
        if let (Some(name), Some(pin)) = (&aim.name, aim.pin)
            && pin != connection.fingerprint()
        {
            known.follow(name, connection.fingerprint())?;
        }
        if let (Some(name), None) = (aim.name, aim.pin) {
            known.remember(&name, connection.fingerprint())?;
        }
        Ok(Self { connection, timeout })
    }

    /// Asks and waits. A refusal becomes an error with the exit code that belongs to it.
    pub(super) async fn ask(&mut self, request: &Request) -> Result<Response, CliError> {
        match self.answer(request).await? {
            Response::Refused(status, refusal) => Err(refused(status, &refusal.text)),
            response => Ok(response),
        }
    }

    /// Asks and waits. A refusal is an answer like others.
    pub(super) async fn answer(&mut self, request: &Request) -> Result<Response, CliError> {
        let deadline = Deadline::after(self.timeout);
        self.connection.request(request, deadline).await.map_err(no_connection)
    }

    /// Asks for every row of a listing, page by page: `request` behind the last row so far, `take` the page out of the
    /// answer.
    pub(super) async fn rows<T>(
        &mut self,
        request: impl Fn(Option<&T>) -> Request,
        take: impl Fn(Response) -> Result<(Vec<T>, bool), CliError>,
    ) -> Result<Vec<T>, CliError> {
        let mut rows = Vec::new();
        let keep = |page| {
            rows.extend(page);
            Ok(true)
        };
        self.pages(request, take, keep).await?;
        Ok(rows)
    }

    /// As [`Session::rows`], a page at a time: no more than one is here. `each` says whether to go on.
    pub(super) async fn pages<T>(
        &mut self,
        request: impl Fn(Option<&T>) -> Request,
        take: impl Fn(Response) -> Result<(Vec<T>, bool), CliError>,
        mut each: impl FnMut(Vec<T>) -> Result<bool, CliError>,
    ) -> Result<(), CliError> {
        let mut next = request(None);
        loop {
            let (page, more) = take(self.ask(&next).await?)?;
            let Some(last) = page.last() else { return Ok(()) };
            next = request(Some(last));
            if !each(page)? || !more {
                return Ok(());
            }
        }
    }

    /// Where the server is.
    pub(super) fn address(&self) -> SocketAddr {
        self.connection.target().address
    }

    /// The server's calendar when it was greeted.
    pub(super) const fn server_time(&self) -> Timestamp {
        self.connection.server_time()
    }

    /// The server's name for itself, kept for life.
    pub(super) const fn server(&self) -> ServerId {
        self.connection.server()
    }

    /// The server's identity.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.connection.fingerprint()
    }
}

/// The identity that commands act with: as asked, else the data directory's administrator, else one's own.
pub(super) fn identity(global: &Global) -> Result<Identity, CliError> {
    let path = identity_file(global)?;
    let made = |error| CliError::because(format!("cannot use the identity {}", path.display()), error);
    if global.identity.is_some() {
        Identity::load(&path).map_err(made)
    } else {
        // The first command of a user finds no directory yet.
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)
                .map_err(|error| CliError::because(format!("cannot make {}", directory.display()), error))?;
        }
        Identity::load_or_create(&path).map_err(made)
    }
}

/// The file of that identity.
pub(super) fn identity_file(global: &Global) -> Result<PathBuf, CliError> {
    if let Some(path) = &global.identity {
        return Ok(path.clone());
    }
    let administrator = local::data_of(global)?.join(local::ADMIN_FILE);
    if std::fs::File::open(&administrator).is_ok() {
        Ok(administrator)
    } else {
        local::own_identity_file()
    }
}

/// What to say when a server answers with something that was not asked for.
pub(super) fn unexpected(response: &Response) -> CliError {
    CliError::failed(format!(
        "the server answered with something else ({:?}); its version may be newer than this command's",
        response.status()
    ))
}

async fn aim(global: &Global, timeout: Duration, known: &KnownServers) -> Result<Aim, CliError> {
    if let Some(server) = &global.server {
        let address = resolve(server, Deadline::after(timeout)).await?;
        return Ok(Aim::at(address.into(), known));
    }
    if let Some(aim) = local_aim(global)? {
        return Ok(aim);
    }
    let target = discover_one(timeout).await?;
    // What answered may be this host's own server, started a moment ago.
    if let Some(aim) = local_aim(global)? {
        return Ok(aim);
    }
    Ok(Aim::at(target, known))
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

/// The one server of the network. With more than one the administrator must say which is meant.
async fn discover_one(timeout: Duration) -> Result<Target, CliError> {
    let port = site_port().map_err(|error| CliError::Usage(error.to_string()))?;
    let search = Search {
        scope: Scope::Everywhere { port },
        deadline: timeout,
        ..Search::default()
    };
    let mut search = discover(&search).map_err(|error| CliError::because("cannot search the network", error))?;
    let Some(mut first) = search.next().await else {
        if search.paths().is_empty() {
            return Err(CliError::NoServer(NO_INTERFACE.to_owned()));
        }
        return Err(CliError::NoServer(format!(
            "no server answered on port {port} within {} s; name one with --server HOST, or see what answers with \
             seatprobe scan",
            timeout.as_secs()
        )));
    };
    let mut others = Vec::new();
    let settle = async {
        while let Some(found) = search.next().await {
            if found.server() != first.server() {
                others.push(found);
            } else if found.offer.epoch > first.offer.epoch {
                // The same server, restored: the other one runs on old data.
                first = found;
            }
        }
    };
    // The whole deadline is for whoever lists servers; one that answers later is not the one that was meant.
    drop(tokio::time::timeout(Duration::from_millis(DISCOVERY_SETTLE_MS), settle).await);
    if others.is_empty() {
        let interface = Some(first.interface.clone()).filter(|name| !name.is_empty());
        return Ok(Target {
            address: first.tcp_address(),
            interface,
        });
    }
    others.insert(0, first);
    let names: Vec<_> = others
        .iter()
        .map(|found| format!("{} ({})", found.tcp_address(), found.offer.name))
        .collect();
    Err(CliError::Usage(format!(
        "several servers answer; say which one with --server: {}",
        names.join(", ")
    )))
}

/// The address of what `--server` names.
async fn resolve(server: &str, deadline: Deadline) -> Result<SocketAddr, CliError> {
    let addresses = named(server)?
        .resolve(deadline)
        .await
        .map_err(|error| CliError::NoServer(with_causes(&error)))?;
    let unknown = || CliError::NoServer(format!("the host {server} has no address"));
    addresses.first().copied().ok_or_else(unknown)
}

/// What `--server` names, with its port.
pub(super) fn named(server: &str) -> Result<Address, CliError> {
    let port = site_port().map_err(|error| CliError::Usage(error.to_string()))?;
    Address::parse(server, port).map_err(|error| CliError::Usage(error.to_string()))
}

fn no_connection(error: ConnectError) -> CliError {
    match &error.fault {
        Fault::Session(ClientError::Ended { status, text, .. }) => refused(*status, text),
        Fault::NotTrusted(shown) => CliError::failed(format!(
            "the server at {} has another identity than before ({shown}); if it was set up anew, take its line out of {}",
            error.target,
            KnownServers::place()
        )),
        Fault::Unreachable(_) | Fault::Silent(_) | Fault::Closed | Fault::Broken(_) => {
            let cause = std::error::Error::source(&error)
                .map(|cause| format!(": {cause}"))
                .unwrap_or_default();
            CliError::NoServer(format!(
                "{error}{cause}; is the server running? seatprobe ping SERVER tells more"
            ))
        }
        _ => CliError::because("cannot talk to the server", error),
    }
}

/// The error that a refusal becomes.
pub(super) fn refused(status: Status, text: &str) -> CliError {
    let text = text.to_owned();
    match status {
        Status::NOT_AUTHORIZED => CliError::NotAuthorized(text),
        Status::BUSY | Status::GOING_AWAY => CliError::NoServer(text),
        Status(rule) if rule >= Status::NOT_AUTHORIZED.0 => CliError::Refused(text),
        _ => CliError::failed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_is_waited_for_no_longer_than_the_deadline() {
        let error = resolve("name.invalid", Deadline::after(Duration::ZERO)).await;
        let error = error.expect_err("not in time").to_string();
        assert!(error.contains("does not tell in time"), "{error}");
    }
}

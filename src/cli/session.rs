//! A command's connection to its server: which server, as whom, and what its refusals mean for the exit code.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::aim::{self, Means, Missed};
use super::args::Global;
use super::error::CliError;
use super::known::KnownServers;
use super::{local, output};
use crate::client::connect::{ConnectError, Connection, Fault};
use crate::client::deadline::Deadline;
use crate::domain::ids::{Fingerprint, ServerId};
use crate::domain::time::Timestamp;
use crate::session::ClientError;
use crate::tls::{Identity, Sessions};
use crate::wire::Status;
use crate::wire::messages::{Request, Response};

/// A connection to a server, as an administrator or viewer.
#[derive(Debug)]
pub(super) struct Session {
    connection: Connection,
    timeout: Duration,
    sessions: Sessions,
}

impl Session {
    /// Connects to the server that the options mean.
    pub(super) async fn open(global: &Global) -> Result<Self, CliError> {
        Self::open_again(global, Sessions::default()).await
    }

    /// As [`Session::open`], for a command that had others: those that it had are resumed where they can be.
    pub(super) async fn open_again(global: &Global, sessions: Sessions) -> Result<Self, CliError> {
        let timeout = Duration::from_secs(global.timeout.into());
        let mut known = KnownServers::read()?;
        let aims = aim::aims(global, timeout, &known).await?;
        // Not before the aim: a server that is being started for the first time makes its administrator meanwhile.
        let identity = identity(global)?;
        let by = Means { identity, sessions };
        let (aim, connection) = match aim::first(aims, &by, timeout).await {
            // Nobody named the directory whose server is gone: what is meant is the server of this network.
            Err(Missed { aim, error }) if aim.is_local() && is_gone(&error) && global.data.is_none() => {
                output::note(&format!(
                    "this host's own server, which was at {}, does not run; searching the network",
                    error.target
                ));
                let aims = aim::search(global, timeout, &known).await?;
                aim::first(aims, &by, timeout).await
            }
            outcome => outcome,
        }
        .map_err(no_server)?;
        if let (Some(name), Some(pin)) = (&aim.name, aim.pin)
            && pin != connection.fingerprint()
        {
            known.follow(name, connection.fingerprint())?;
        }
        if let (Some(name), None) = (aim.name, aim.pin) {
            known.remember(&name, connection.fingerprint())?;
        }
        Ok(Self {
            connection,
            timeout,
            sessions: by.sessions,
        })
    }

    /// What to open it again with.
    pub(super) fn sessions(&self) -> Sessions {
        self.sessions.clone()
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

const fn is_gone(error: &ConnectError) -> bool {
    matches!(error.fault, Fault::Unreachable(_))
}

fn no_server(missed: Missed) -> CliError {
    let Missed { aim, error } = missed;
    match (&error.fault, aim.pin) {
        (Fault::NotTrusted(shown), Some(before)) if !aim.is_local() => CliError::failed(format!(
            "the server at {} has another identity than before ({shown}); if whoever runs it says that this is its fingerprint, run \
             seatkeeper identity forget {before}",
            error.target
        )),
        _ => no_connection(error),
    }
}

fn no_connection(error: ConnectError) -> CliError {
    match &error.fault {
        Fault::Session(ClientError::Ended { status, text, .. }) => refused(*status, text),
        Fault::NotTrusted(shown) => CliError::failed(format!(
            "the server at {} has another identity than that of this data directory ({shown}); does another one run there? Start \
             this one, or name the server that is meant with --server",
            error.target
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

use std::fmt;
use std::io;
use std::time::Duration;

use thiserror::Error;

use super::Target;
use crate::domain::ids::Fingerprint;
use crate::session::ClientError;
use crate::tls::TlsError;
use crate::wire::Status;
use crate::wire::limits::BUSY_RETRY_SECS;

/// What failed, with the server that it failed at.
#[derive(Debug)]
pub struct ConnectError {
    /// The server.
    pub target: Target,
    /// What failed.
    pub fault: Fault,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.target, self.fault)
    }
}

impl std::error::Error for ConnectError {
    /// The cause of the fault: the fault itself is in the message already.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.fault.source()
    }
}

/// What failed on the way to an answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Fault {
    /// The connection broke.
    #[error("the connection broke")]
    Broken(#[source] io::Error),
    /// The server closed the connection.
    #[error("the server closed the connection")]
    Closed,
    /// The server is not pinned.
    #[error("the server's identity {0} is not trusted; if it is the right one: seatkeeper agent trust {0}")]
    NotTrusted(Fingerprint),
    /// An answer that belongs to no request.
    #[error("an answer out of turn")]
    OutOfTurn,
    /// The server ended the connection, or what it sent cannot be read.
    #[error(transparent)]
    Session(#[from] ClientError),
    /// The deadline passed.
    #[error("no answer in time: {0} took too long")]
    Silent(&'static str),
    /// The TLS handshake failed.
    #[error("the TLS handshake failed")]
    Tls(#[source] io::Error),
    /// The peer's identity, or ours, cannot be used.
    #[error(transparent)]
    TlsSetup(#[from] TlsError),
    /// Nothing listens there, or nothing leads there.
    #[error("not reachable")]
    Unreachable(#[source] io::Error),
}

impl Fault {
    /// After which time the server asked to come again; nothing if it did not.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Session(ClientError::Ended {
                status: Status::BUSY, ..
            }) => Some(Duration::from_secs(BUSY_RETRY_SECS.into())),
            _ => None,
        }
    }
}

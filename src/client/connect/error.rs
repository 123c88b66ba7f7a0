use std::io;

use thiserror::Error;

use super::Target;
use crate::codec::DecodeError;
use crate::domain::ids::Fingerprint;
use crate::tls::TlsError;
use crate::wire::messages::hello::Refusal;
use crate::wire::{FrameError, Status};

/// What failed, with the server that it failed at.
#[derive(Debug, Error)]
#[error("{target}: {fault}")]
pub struct ConnectError {
    /// The server.
    pub target: Target,
    /// What failed.
    #[source]
    pub fault: Fault,
}

/// What failed on the way to an answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Fault {
    /// The connection broke.
    #[error("the connection broke ({0})")]
    Broken(#[source] io::Error),
    /// The server closed the connection.
    #[error("the server closed the connection")]
    Closed,
    /// A frame cannot be read.
    #[error("unreadable answer ({0})")]
    Frame(#[from] FrameError),
    /// A message cannot be read, or a request not be written.
    #[error("unreadable message ({0})")]
    Message(#[from] DecodeError),
    /// The server is not pinned.
    #[error("the server's identity {0} is not trusted; if it is the right one: seatkeeper agent trust {0}")]
    NotTrusted(Fingerprint),
    /// An answer that belongs to no request.
    #[error("an answer out of turn")]
    OutOfTurn,
    /// The server refused at HELLO, or ended the connection with this.
    #[error("{}", .1.text)]
    Refused(Status, Box<Refusal>),
    /// The deadline passed.
    #[error("no answer in time: {0} took too long")]
    Silent(&'static str),
    /// The TLS handshake failed.
    #[error("the TLS handshake failed ({0})")]
    Tls(#[source] io::Error),
    /// The peer's identity, or ours, cannot be used.
    #[error(transparent)]
    TlsSetup(#[from] TlsError),
    /// Nothing listens there, or nothing leads there.
    #[error("not reachable ({0})")]
    Unreachable(#[source] io::Error),
    /// The server chose a protocol version that was not offered.
    #[error("the server speaks protocol version {0}, which this program does not; upgrade the older of the two")]
    Version(u16),
}

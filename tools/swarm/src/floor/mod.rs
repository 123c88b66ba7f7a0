//! Servers that only answer: what the protocol, its TLS and the machine cost without a license server behind them.

mod tls;

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::child::{Child, Says};
use crate::error::SwarmError;

pub(crate) use tls::serve as serve_tls;

/// What a floor answers, byte for byte: what the server that it is compared with answered to the same.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Answers {
    /// The body of the answer to HELLO, in hexadecimal.
    pub(crate) hello: String,
    /// The body of the answer to everything else, in hexadecimal.
    pub(crate) other: String,
}

/// The line in which a floor says that it takes connections, and where.
pub(crate) const READY: &str = "ready ";

/// Starts the floor with the server's protocol and TLS as a process of its own.
pub(crate) async fn start_tls(answers: &Answers) -> Result<(Child, SocketAddr), SwarmError> {
    let input =
        serde_json::to_vec(answers).map_err(|error| SwarmError::of("telling the floor what to answer")(&error))?;
    Child::start(&this()?, ["floor", "tls"], &input, Says::Out, |line| {
        line.strip_prefix(READY)?.parse().ok()
    })
    .await
}

/// This program.
pub(crate) fn this() -> Result<PathBuf, SwarmError> {
    std::env::current_exe().map_err(|error| SwarmError::of("finding this program")(&error))
}

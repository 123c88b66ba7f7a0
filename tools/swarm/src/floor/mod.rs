//! Servers that only answer: what the protocol, its TLS and the machine cost without a license server behind them.

mod accept;
mod tls;
mod udp;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use data_encoding::HEXLOWER;
use seatkeeper::tls::Identity;
use serde::{Deserialize, Serialize};

use crate::child::{Child, Says};
use crate::error::SwarmError;
use crate::line::Path;
use crate::machine::Machine;
use crate::site::{Site, config_of};

pub(crate) use accept::serve as serve_accept;
pub(crate) use tls::serve as serve_tls;
pub(crate) use udp::serve as serve_udp;

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
    start("tls", &input).await
}

/// Starts the floor that shakes hands and closes, likewise.
pub(crate) async fn start_accept() -> Result<(Child, SocketAddr), SwarmError> {
    start("accept", b"").await
}

/// Starts the floor that echoes datagrams, likewise.
pub(crate) async fn start_udp() -> Result<(Child, SocketAddr), SwarmError> {
    start("udp", b"").await
}

async fn start(which: &str, input: &[u8]) -> Result<(Child, SocketAddr), SwarmError> {
    Child::start(&this()?, ["floor", which], input, Says::Out, |line| {
        line.strip_prefix(READY)?.parse().ok()
    })
    .await
}

/// Says that a floor takes connections, or datagrams, at `address`.
fn say_ready(address: SocketAddr) -> io::Result<()> {
    // Not by a macro: those may not be used where a program speaks to another.
    let mut out = io::stdout();
    writeln!(out, "{READY}{address}")?;
    out.flush()
}

/// What the server answers to HELLO and to a renewal of the `number`th machine, for a floor to answer the same.
pub(crate) async fn answers_of(site: &Site, identity: &Identity, number: u32) -> Result<Answers, SwarmError> {
    let failed = |error: io::Error| SwarmError::of("asking the server once")(&error);
    let way = Path {
        server: site.server,
        from: None,
        tls: config_of(identity)?,
    };
    let (mut line, hello) = way.greeted().await.map_err(failed)?;
    // Twice: what is measured are renewals.
    let mut machine = Machine::new(number);
    let mut other = None;
    for _ in 0..2 {
        let request = machine.request(site.vendor);
        let body = request.to_body().map_err(|error| failed(io::Error::other(error)))?;
        let answer = line.ask(request.opcode(), body).await.map_err(failed)?;
        machine.take(&answer).map_err(failed)?;
        other = Some(answer.body);
    }
    line.close().await;
    Ok(Answers {
        hello: HEXLOWER.encode(&hello),
        other: HEXLOWER.encode(&other.unwrap_or_default()),
    })
}

/// This program.
pub(crate) fn this() -> Result<PathBuf, SwarmError> {
    std::env::current_exe().map_err(|error| SwarmError::of("finding this program")(&error))
}

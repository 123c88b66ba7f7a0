//! Servers that only answer: what the protocol, its TLS and the machine cost without a license server behind them.

mod accept;
mod rounds;
mod sync;
mod tls;
mod udp;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use seatkeeper::tls::Identity;
use seatkeeper::wire::limits::{BODY_LEN_MAX, SERIAL_LEN};
use seatkeeper::wire::messages::Response;
use seatkeeper::wire::messages::hello::HelloOk;
use seatkeeper::wire::messages::seat::CheckoutOk;
use seatkeeper::wire::{Outcome, Role};
use serde::{Deserialize, Serialize};

use crate::args::Floor;
use crate::child::{Child, Says};
use crate::error::SwarmError;
use crate::line::{Path as Way, read};
use crate::machine::Machine;
use crate::mix::Kind;
use crate::site::{SIGNED_AT, Site, config_of, identity};

/// Be the floor that is asked for.
pub(crate) async fn run(floor: &Floor) -> Result<(), SwarmError> {
    match floor {
        Floor::Tls(args) => tls::serve(args).await,
        Floor::Accept(args) => accept::serve(*args).await,
        Floor::Udp(args) => udp::serve(*args),
        Floor::Sync(args) => sync::run(args),
    }
}

/// What a floor answers, byte for byte: what the server that it is compared with answered to the same.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Answers {
    /// The body of the answer to HELLO, in hexadecimal.
    pub(crate) hello: String,
    /// The bodies of the answers to these opcodes, likewise.
    #[serde(default)]
    pub(crate) by_opcode: BTreeMap<u16, String>,
    /// The body of the answer to everything else, in hexadecimal.
    pub(crate) other: String,
}

/// Bytes of a product's catalogue entry and of a license's certificate, as those have of the product that is measured here.
const CATALOGUE_ENTRY_LEN: usize = 145;
const CERTIFICATE_LEN: usize = 179;
/// What a machine that has its seat asks one after the other, and each is granted.
const IN_TURN: [Kind; 4] = [Kind::Release, Kind::Checkout, Kind::Query, Kind::Explain];

/// The line in which a floor says that it takes connections, and where.
pub(crate) const READY: &str = "ready ";

/// Starts the floor with the server's protocol and TLS as a process of its own; it syncs in `sync_in`, where there is that.
pub(crate) async fn start_tls(answers: &Answers, sync_in: Option<&Path>) -> Result<(Child, SocketAddr), SwarmError> {
    let input =
        serde_json::to_vec(answers).map_err(|error| SwarmError::of("telling the floor what to answer")(&error))?;
    let mut args = vec![OsStr::new("tls"), OsStr::new("--answers")];
    args.extend(
        sync_in
            .iter()
            .flat_map(|dir| [OsStr::new("--sync-in"), dir.as_os_str()]),
    );
    start(args, &input).await
}

/// Starts the floor that answers as this server does, likewise.
pub(crate) async fn start_like(site: &Site) -> Result<(Child, SocketAddr), SwarmError> {
    start_tls(&answers_of(site, &identity()?, u32::MAX).await?, None).await
}

/// Starts the floor that shakes hands and closes, likewise.
pub(crate) async fn start_accept() -> Result<(Child, SocketAddr), SwarmError> {
    start(["accept"], b"").await
}

/// Starts the floor that echoes datagrams, likewise.
pub(crate) async fn start_udp() -> Result<(Child, SocketAddr), SwarmError> {
    start(["udp"], b"").await
}

async fn start(
    args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    input: &[u8],
) -> Result<(Child, SocketAddr), SwarmError> {
    let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
    let args = std::iter::once(OsString::from("floor")).chain(args);
    Child::start(&this()?, args, input, Says::Out, |line| {
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

impl Answers {
    /// Of the lengths that a server's usually have.
    fn usual() -> Result<Self, SwarmError> {
        let hello = HelloOk {
            server_time: SIGNED_AT.0,
            version: 1,
            server: [7; 16],
            name: "floor".to_owned(),
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
            epoch: 1,
            body_len_max: u32::try_from(BODY_LEN_MAX).unwrap_or(u32::MAX),
            in_flight_max: 64,
            silence_ms: u32::MAX,
            role: Role::AGENT,
            succession: Vec::new(),
            lease_key: Some([7; 32]),
        };
        let granted = CheckoutOk {
            server_time: SIGNED_AT.0,
            outcome: Outcome::RENEWED,
            catalogue_entry: vec![7; CATALOGUE_ENTRY_LEN].into(),
            serial: Some("7".repeat(SERIAL_LEN)),
            acquired_at: Some(SIGNED_AT.0),
            renew_by: Some(SIGNED_AT.0),
            continuation: Some(7),
            certificate: Some(vec![7; CERTIFICATE_LEN].into()),
            ..CheckoutOk::default()
        };
        let body = |answer: Response| {
            let body = answer.to_body();
            body.map(|body| HEXLOWER.encode(&body))
                .map_err(|error| SwarmError::of("making what a floor answers")(&error))
        };
        Ok(Self {
            hello: body(Response::Hello(hello))?,
            by_opcode: BTreeMap::new(),
            other: body(Response::Checkout(granted))?,
        })
    }
}

/// What the server answers to HELLO and to a renewal of the `number`th machine, for a floor to answer the same.
pub(crate) async fn answers_of(site: &Site, identity: &Identity, number: u32) -> Result<Answers, SwarmError> {
    answers_to(site, identity, number, &[]).await
}

/// Likewise, and to requests of these kinds, each with a body of its own.
pub(crate) async fn answers_to(
    site: &Site,
    identity: &Identity,
    number: u32,
    kinds: &[Kind],
) -> Result<Answers, SwarmError> {
    let failed = |error: io::Error| SwarmError::of("asking the server once")(&error);
    let way = Way {
        server: site.server,
        from: None,
        tls: config_of(identity)?,
    };
    let (mut line, hello) = way.greeted().await.map_err(failed)?;
    // Twice: what is measured are renewals. Checkouts that are measured are mostly of machines that have been here.
    let mut machine = Machine::new(number);
    let (mut other, mut by_opcode) = (None, BTreeMap::new());
    for kind in [Kind::Renew, Kind::Renew]
        .iter()
        .chain(IN_TURN.iter().filter(|kind| kinds.contains(kind)))
    {
        let request = machine.asks(*kind, site.vendor);
        let body = request.to_body().map_err(|error| failed(io::Error::other(error)))?;
        let answer = line.ask(request.opcode(), body).await.map_err(failed)?;
        match read(&answer).map_err(failed)? {
            Response::Checkout(granted) => machine.told(granted.continuation),
            Response::Refused(status, refusal) => {
                return Err(SwarmError::because(
                    format!("asking the server once: {}", kind.name()),
                    format!("{status:?}: {}", refusal.text),
                ));
            }
            _ => {}
        }
        if *kind == Kind::Renew {
            other = Some(answer.body);
        } else {
            by_opcode.insert(request.opcode().0, HEXLOWER.encode(&answer.body));
        }
    }
    line.close().await;
    Ok(Answers {
        hello: HEXLOWER.encode(&hello),
        by_opcode,
        other: HEXLOWER.encode(&other.unwrap_or_default()),
    })
}

/// This program.
pub(crate) fn this() -> Result<PathBuf, SwarmError> {
    std::env::current_exe().map_err(|error| SwarmError::of("finding this program")(&error))
}

#[cfg(test)]
mod tests {
    use seatkeeper::wire::{Opcode, Status};

    use super::*;

    #[test]
    fn what_a_floor_answers_by_itself_is_read_as_a_welcome_and_a_grant() {
        let answers = Answers::usual().unwrap();
        let read = |opcode, body: &str| {
            let body = HEXLOWER.decode(body.as_bytes()).unwrap();
            (body.len(), Response::decode(opcode, Status::OK, &body).unwrap())
        };
        let (_, hello) = read(Opcode::HELLO, &answers.hello);
        assert!(matches!(hello, Some(Response::Hello(_))), "{hello:?}");
        let (len, granted) = read(Opcode::RENEW, &answers.other);
        assert!(matches!(granted, Some(Response::Checkout(_))), "{granted:?}");
        // As a server answers a renewal of the product that is measured here.
        assert_eq!(len, 405);
    }
}

//! `seatprobe vectors`: sends a server what it must refuse, and reports whether it stands.

mod play;
mod report;

use std::num::NonZeroU16;

use seatkeeper::client::{Address, AddressError, Deadline, with_causes};
use seatkeeper::tls::Identity;

use self::play::Stage;
use self::report::Report;
use crate::Network;
use crate::output::{Failure, Output};

/// What every server must refuse: names and texts of `proto-spec/vectors/v1/reject`.
const REJECT: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/reject.rs"));

/// Send a server each rejected vector of the protocol, and see whether it refuses it and stands.
///
/// Each frame goes over a connection of its own, each datagram alone. A connection that was made before all of them must be
/// served behind each: a server that fell and came back is seen by that, and the vector that felled it is named. It asks as
/// somebody new, so that little could be carried out even if it were taken.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 every vector is refused and the server stands, 1 one is not or it fell, 2 wrong usage, 3 no server."
)]
pub(crate) struct Args {
    /// The server, `HOST` or `HOST:PORT`; `[ADDRESS]:PORT` for IPv6.
    #[arg(value_name = "SERVER[:PORT]")]
    server: String,
    #[command(flatten)]
    network: Network,
}

pub(crate) async fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    let identity = Identity::generate()
        .map_err(|error| Failure::Failed(format!("no identity to ask with: {}", with_causes(&error))))?;
    let port: NonZeroU16 = args.network.port;
    let wait = args.network.wait();
    let resolve = async || {
        Address::parse(&args.server, port.get())?
            .resolve(Deadline::after(wait))
            .await
    };
    let addresses = resolve().await.map_err(|error| match error {
        AddressError::Malformed(_) => Failure::Usage(with_causes(&error)),
        error => Failure::NoServer(with_causes(&error)),
    })?;
    let nobody = || Failure::NoServer(format!("{} has no address", args.server));
    let address = addresses.first().copied().ok_or_else(nobody)?;
    let mut stage = Stage::open(address, identity, wait).await?;
    let mut played = Vec::new();
    let mut stands = Ok(());
    for (name, text) in REJECT {
        let Some(vector) = play::Vector::read(name, text)? else {
            continue;
        };
        played.push(stage.play(&vector).await);
        stands = stage
            .serves_on()
            .await
            .map_err(|fault| format!("behind {name}: {fault}"));
        if stands.is_err() {
            break;
        }
    }
    if stands.is_ok() {
        stands = stage.stands().await;
    }
    let report = Report::new(args.server.clone(), address, played, stands);
    output.print(&report, &report.text())?;
    report.verdict()
}

//! `seatprobe scan`: every server, on every way by which it answers.

mod report;

use seatkeeper::client::discover::{Discovery, PathError, PathKind, Scope, Search, discover};
use seatkeeper::client::with_causes;
use seatkeeper::domain::time::Timestamp;

use self::report::{Asked, Offered, Report, Unsent};
use crate::Network;
use crate::output::{Failure, Output};
use crate::skew::Skew;

/// Show every server, and the interfaces and paths on which it answers.
///
/// Asks on each interface by directed broadcast, limited broadcast, IPv4 multicast and IPv6 multicast, and waits the
/// whole time for answers. A path on which no server answers although others do shows a network that does not pass it.
/// Servers wait up to 100 ms before they answer everybody's questions, so round trips up to that are normal.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 at least one server answered, 1 failed, 2 wrong usage, 3 no server answered.")]
pub(crate) struct Args {
    #[command(flatten)]
    network: Network,
}

pub(crate) async fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    let port = args.network.port.get();
    let search = Search {
        wanted: None,
        scope: Scope::Everywhere { port },
        deadline: args.network.wait(),
        every_path: true,
    };
    let cannot = |error| Failure::Failed(format!("cannot search the network: {}", with_causes(&error)));
    let mut discovery = discover(&search).map_err(cannot)?;
    let mut offers = Vec::new();
    while let Some(found) = discovery.next().await {
        // Compared as soon as it is here: the search may go on for minutes.
        let skew = Skew::of(Timestamp(found.offer.server_time));
        offers.push(Offered::new(&found, skew));
    }
    let asked = Asked {
        port,
        timeout_secs: args.network.timeout,
        paths: discovery.paths().len(),
        unsent: unsent(&discovery),
    };
    let report = Report::new(asked, offers);
    output.print(&report, &report.text())?;
    if report.offers.is_empty() {
        return Err(Failure::NoServer(report.nothing()));
    }
    Ok(())
}

fn unsent(discovery: &Discovery) -> Vec<Unsent> {
    let of = |failure: &PathError| Unsent {
        interface: failure.path.interface.clone(),
        path: code(failure.path.kind),
        destination: failure.path.destination.to_string(),
        reason: failure.error.to_string(),
    };
    discovery.failures().iter().map(of).collect()
}

/// The name of a kind of path for programs; stable.
const fn code(kind: PathKind) -> &'static str {
    match kind {
        PathKind::DirectedBroadcast => "directed_broadcast",
        PathKind::LimitedBroadcast => "limited_broadcast",
        PathKind::MulticastV4 => "multicast_v4",
        PathKind::MulticastV6 => "multicast_v6",
        PathKind::Unicast => "unicast",
    }
}

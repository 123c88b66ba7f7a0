//! `seatprobe listen`: the discovery traffic that this host sees: who asks, who answers, what is malformed and why.

mod ear;
mod log;

use std::num::NonZeroU16;
use std::time::Duration;

use seatkeeper::client::{Deadline, harmless};
use seatkeeper::clock::{Clock, monotonic_micros};
use serde::Serialize;

use self::ear::Ear;
use self::log::{Heard, Log};
use crate::output::{self, Failure, Output, Warning};

/// Lines that `--json` keeps, at most.
const KEPT_MAX: usize = 10_000;

/// Show discovery as it passes this host: who asks for what, who answers, and what is malformed and why.
///
/// As root everything is seen that this host sends and receives. Otherwise, and only where no server has the port, the questions
/// that come to it: broadcast and multicast, and no answers. Nothing is sent. It ends after --for, or with Ctrl-C.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage.")]
pub(crate) struct Args {
    /// The port of this site's servers.
    #[arg(long, value_name = "PORT", env = "SEATKEEPER_PORT", default_value_t = crate::default_port())]
    port: NonZeroU16,
    /// Listen for so many seconds; until Ctrl-C if absent.
    #[arg(long = "for", value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    seconds: Option<u32>,
}

/// What `listen --json` prints.
#[derive(Debug, Serialize)]
struct Report {
    port: u16,
    /// Whether everything was seen that this host sends and receives.
    everything: bool,
    heard: Vec<Heard>,
    warnings: Vec<Warning>,
}

pub(crate) async fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    let port = args.port.get();
    let mut ear = Ear::open(port)?;
    let mut log = Log::new(port);
    let mut report = Report {
        port,
        everything: ear.hears_everything(),
        heard: Vec::new(),
        warnings: ear.warning().into_iter().collect(),
    };
    if !output.is_json() {
        output::write(&(format!("listening on UDP port {port}\n") + &output::warnings(&report.warnings)))?;
    }
    let end = args
        .seconds
        .map(|seconds| Deadline::after(Duration::from_secs(seconds.into())));
    let over = async {
        match end {
            Some(end) => tokio::time::sleep(end.left()).await,
            None => std::future::pending().await,
        }
    };
    let mut over = std::pin::pin!(over);
    let mut buffer = vec![0; 65_536];
    loop {
        let datagram = tokio::select! {
            heard = ear.next(&mut buffer) => heard?,
            () = &mut over => break,
            pressed = tokio::signal::ctrl_c() => {
                pressed.map_err(|error| Failure::Failed(format!("Ctrl-C cannot be heard: {error}")))?;
                break;
            }
        };
        let now = Clock::system().calendar();
        let Some(heard) = log.hear(&datagram, monotonic_micros(), now) else {
            continue;
        };
        if !output.is_json() {
            output::write(&(harmless::text(&heard.line()) + "\n"))?;
        } else if report.heard.len() < KEPT_MAX {
            report.heard.push(heard);
        } else if report.warnings.iter().all(|warning| warning.code != "cut_short") {
            report.warnings.push(Warning {
                code: "cut_short",
                text: format!("only the first {KEPT_MAX} datagrams are told"),
            });
        }
    }
    if output.is_json() {
        output.print(&report, "")?;
    }
    Ok(())
}

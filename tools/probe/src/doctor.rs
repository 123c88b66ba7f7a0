//! `seatprobe doctor`: what is wrong between this machine and its license server, and what to do about it.

mod facts;
mod finding;
mod gather;
mod judge;
mod report;
mod ticket;

use std::num::NonZeroU16;
use std::path::PathBuf;

use seatkeeper::client::adapter::Wish;
use seatkeeper::domain::ids::{Mac, ProductId};

use self::report::Report;
use crate::output::{Failure, Output};

/// Check everything between this machine and its license server, and name the root cause.
///
/// Each line is PASS, WARN or FAIL with its cause and what to do; the last one names the root cause. It takes less than 10
/// seconds, changes nothing on a server, engages no seat and writes nothing but the file of --report. It asks as the component of
/// the product on this machine where there is one that it may read, else as somebody new.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Args {
    /// The server, `HOST` or `HOST:PORT`; `[ADDRESS]:PORT` for IPv6. Without it: whoever answers.
    #[arg(long, value_name = "SERVER[:PORT]")]
    server: Option<String>,
    /// The product that is to be licensed on this machine.
    #[arg(long)]
    product: Option<ProductId>,
    /// The product's vendor, a public key file; needed where two vendors have a product of this id.
    #[arg(long, value_name = "FILE", requires = "product")]
    vendor_key: Option<PathBuf>,
    /// Ask as this identity, a PEM file. An administrator's is told of seats, conflicts and warnings too.
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Look at this machine as one that is counted by this MAC address.
    #[arg(long, value_name = "ADDRESS", env = "SEATKEEPER_MAC", conflicts_with = "interface")]
    mac: Option<Mac>,
    /// Look at this machine as one that is counted by this interface's MAC address.
    #[arg(long, value_name = "NAME")]
    interface: Option<String>,
    /// Write the findings and the facts to a new file, for a ticket; no secret is in it.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// The port of this site's servers, UDP and TCP.
    #[arg(long, value_name = "PORT", env = "SEATKEEPER_PORT", default_value_t = crate::default_port())]
    port: NonZeroU16,
}

const EXIT_CODES: &str = "Exit codes, by the root cause: 0 nothing fails, 1 something else failed, 2 wrong usage, 3 no server was \
                          reached that is trusted, 4 refused by the rules (product, seats, conflict), 5 not enrolled.";

impl Args {
    fn wish(&self) -> Wish {
        match (&self.mac, &self.interface) {
            (Some(mac), _) => Wish::Mac(*mac),
            (None, Some(name)) => Wish::Interface(name.clone()),
            (None, None) => Wish::Automatic,
        }
    }
}

pub(crate) async fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    let facts = gather::gather(args).await?;
    let report = Report::new(&facts);
    output.print(&report, &report.text())?;
    if let Some(path) = &args.report {
        ticket::write(path, &report, &facts)?;
    }
    match report.exit_code() {
        0 => Ok(()),
        code => Err(Failure::Diagnosed(code, report.sentence().to_owned())),
    }
}

//! `seatprobe ping`: the way to one server, step by step.

mod meaning;
mod query;
mod report;
mod steps;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use seatkeeper::client::{Address, AddressError, Deadline, with_causes};
use seatkeeper::domain::ids::ProductId;
use seatkeeper::tls::Identity;

use self::query::Query;
use self::report::Report;
use crate::Network;
use crate::output::{Failure, Output};
use crate::query::vendor_key;

/// Go the way to one server step by step: UDP, TCP, TLS, HELLO, one query.
///
/// Each step is shown with its time, or with its error and what that means. A step that fails ends the way, except UDP:
/// without it the server is not found by itself, but can be reached by its address. The query engages no seat.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 all steps are good, 1 some failed, 2 wrong usage, 3 nothing answered.")]
pub(crate) struct Args {
    /// The server, `HOST` or `HOST:PORT`; `[ADDRESS]:PORT` for IPv6.
    #[arg(value_name = "SERVER[:PORT]")]
    server: String,
    /// Ask as this identity, a PEM file; a throwaway one if absent. What the server allows depends on it.
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Ask how many seats of this product are available.
    #[arg(long)]
    product: Option<ProductId>,
    /// The product's vendor, a public key file; needed where two vendors have a product of this id.
    #[arg(long, value_name = "FILE", requires = "product")]
    vendor_key: Option<PathBuf>,
    #[command(flatten)]
    network: Network,
}

pub(crate) async fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    let identity = identity(args.identity.as_deref())?;
    let vendor = args.vendor_key.as_deref().map(vendor_key).transpose()?;
    let query = args.product.map(|product| Query::Product {
        vendor: vendor.map(|key| key.id()),
        product,
    });
    let deadline = Deadline::after(args.network.wait());
    let addresses = resolve(&args.server, args.network.port.get(), deadline)
        .await
        .map_err(|error| {
            let told = with_causes(&error);
            match error {
                AddressError::Malformed(_) => Failure::Usage(told),
                _ => Failure::NoServer(told),
            }
        })?;
    let mut report = Report::new(args.server.clone(), addresses);
    steps::walk(&mut report, &identity, query, args.network.wait()).await;
    output.print(&report, &report.text())?;
    report.verdict()
}

async fn resolve(server: &str, port: u16, deadline: Deadline) -> Result<Vec<SocketAddr>, AddressError> {
    Address::parse(server, port)?.resolve(deadline).await
}

fn identity(file: Option<&Path>) -> Result<Identity, Failure> {
    let made = match file {
        Some(path) => Identity::load(path),
        None => Identity::generate(),
    };
    made.map_err(|error| Failure::Failed(format!("no identity to ask with: {}", with_causes(&error))))
}

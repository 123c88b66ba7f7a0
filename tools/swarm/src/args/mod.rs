//! What is typed: the commands here, what each takes in a file of its own.

mod attack;
mod discover;
mod growth;
mod hold;
mod steady;
mod storm;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::TypedValueParser;
use clap::{Args, Parser, Subcommand};
use seatkeeper::domain::ids::VendorId;

pub(crate) use self::attack::Attack;
pub(crate) use self::discover::Discover;
pub(crate) use self::growth::Growth;
pub(crate) use self::hold::Hold;
pub(crate) use self::steady::Steady;
pub(crate) use self::storm::Storm;
use crate::assault::Assault;

/// Loads a seatkeeper server over real sockets, and measures it against servers that only answer, in the same run.
///
/// Figures of one machine and one moment say little; ratios within one run do. So every report ends with them.
#[derive(Debug, Parser)]
#[command(name = "seatswarm", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Attack a server, and measure how an agent that keeps the protocol is served meanwhile, against a server that only
    /// answers and is attacked in the same way.
    Attack(Attack),
    /// Have connections renew seats as fast as they are answered, and measure how many renewals a second the server makes
    /// durable, against a server that only answers.
    Steady(Steady),
    /// Have renewals measured as `steady` does while the server has ever more seats, and tell what becomes of them.
    Growth(Growth),
    /// Have machines start all at once, or so many a second, each with a full handshake, and measure how many a second get
    /// their seats, against a server that accepts and closes.
    Storm(Storm),
    /// Ask who is there by UDP, and measure what an answer costs, against a loop that echoes.
    Discover(Discover),
    /// Hold connections that say nothing after HELLO, and measure what each takes of memory, against a server that only
    /// answers.
    Hold(Hold),
    /// Be a server that only answers. What it answers comes from standard input; other commands start it themselves.
    #[command(hide = true)]
    Floor {
        #[command(subcommand)]
        floor: Floor,
    },
    /// Attack until killed. Other commands start it themselves.
    #[command(hide = true)]
    Assault {
        /// What to do.
        assault: Assault,
        /// Whom.
        server: SocketAddr,
        /// The vendor of the product that is asked for.
        vendor: VendorId,
    },
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum Floor {
    /// The protocol's frames over its TLS.
    Tls,
    /// The TLS handshake alone; then it closes.
    Accept,
    /// Datagrams of a question's length, echoed.
    Udp,
}

/// How often is measured, and what is told how.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct RunArgs {
    /// How often, server and floor in turn. What is told is the middle one.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) runs: u32,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// For how long is measured.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct TimeArgs {
    /// Seconds for which each is measured at a time.
    #[arg(long, value_name = "S", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub(crate) secs: u64,
}

/// Connections that renew.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct LoadArgs {
    /// Connections.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=16_384).map(usize::from))]
    pub(crate) connections: usize,
    /// Requests under way on each.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64).map(usize::from))]
    pub(crate) depth: usize,
}

/// Where a picture of it goes.
#[derive(Args, Clone, Debug)]
pub(crate) struct PlotArgs {
    /// Draw a picture of it into this file as well, in SVG.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
}

/// Which server is measured.
#[derive(Args, Debug)]
pub(crate) struct ServerArgs {
    /// A server that runs already, which should hold nothing but what this measures. Without it a fresh one is started.
    #[arg(long, value_name = "ADDRESS:PORT", requires = "admin")]
    pub(crate) server: Option<SocketAddr>,
    /// An administrator's key of that server, `admin.pem` in its data directory.
    #[arg(long, value_name = "FILE", requires = "server")]
    pub(crate) admin: Option<PathBuf>,
    /// That server's process, for its memory.
    #[arg(long, value_name = "PID", requires = "server")]
    pub(crate) pid: Option<u32>,
    /// The program that is started; the one beside this one if absent.
    #[arg(long, value_name = "FILE", conflicts_with = "server")]
    pub(crate) seatkeeper: Option<PathBuf>,
    /// Where the fresh server has its data directory, on the disk that is to be measured; the system's temporary directory
    /// if absent.
    #[arg(long, value_name = "DIR", conflicts_with = "server")]
    pub(crate) scratch: Option<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  cargo build --release --workspace
  target/release/seatswarm attack                      a fresh server under every attack, against the floor
  target/release/seatswarm attack unread --secs 30     one attack, longer
  target/release/seatswarm steady --depth 16           how many renewals a second, against the floor
  target/release/seatswarm growth --most 1000000       the same with ever more seats
  target/release/seatswarm storm --svg storm.svg       10,000 machines start at once
  target/release/seatswarm discover                    what an answer by UDP costs
  target/release/seatswarm hold                        what a connection takes of memory
  target/release/seatswarm attack --server 127.0.0.1:17328 --admin /var/lib/seatkeeper/admin.pem";

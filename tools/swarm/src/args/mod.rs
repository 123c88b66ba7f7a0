//! What is typed: the commands here, what each takes in a file of its own.

mod attack;
mod checkpoint;
mod discover;
mod fill;
mod floor;
mod growth;
mod hold;
mod start;
mod steady;
mod storm;
mod writes;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::TypedValueParser;
use clap::{Args, Parser, Subcommand};
use seatkeeper::domain::ids::VendorId;

pub(crate) use self::attack::Attack;
pub(crate) use self::checkpoint::Checkpoint;
pub(crate) use self::discover::Discover;
pub(crate) use self::fill::Fill;
pub(crate) use self::floor::{Floor, FloorSync, FloorTls, ListenArgs};
pub(crate) use self::growth::Growth;
pub(crate) use self::hold::Hold;
pub(crate) use self::start::Start;
pub(crate) use self::steady::Steady;
pub(crate) use self::storm::Storm;
pub(crate) use self::writes::Writes;
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
    /// Have connections renew seats as fast as they are answered, or ask for other things as well, and measure how many renewals
    /// a second the server makes durable, against a server that only answers.
    Steady(Steady),
    /// Have renewals measured as `steady` does while the server has ever more seats, and single operations and pages, and tell
    /// what becomes of them.
    Growth(Growth),
    /// Have machines start all at once, or so many a second, each with a full handshake, and measure how many a second get
    /// their seats, against a server that accepts and closes.
    Storm(Storm),
    /// Ask who is there by UDP, and measure what an answer costs, against a loop that echoes.
    Discover(Discover),
    /// Hold connections that say nothing after HELLO, and measure what each takes of memory, against a server that only
    /// answers.
    Hold(Hold),
    /// Measure what renewals wait while the server makes a checkpoint of all its seats, against a server that only answers while
    /// as much is written to the disk beside it.
    Checkpoint(Checkpoint),
    /// Measure how long a server takes until it serves, against reading as much from a copy of the same files.
    Start(Start),
    /// Measure how much a server writes to the disk for renewals: its journal against what that records, and all that it writes,
    /// checkpoints included, against its journal.
    Writes(Writes),
    /// Have a server with so many seats: tell how many a second it gave and what they take of its memory, and keep its data
    /// directory.
    Fill(Fill),
    /// Be a floor: a server that only answers, until it is killed, or a loop that only syncs. Other commands start it
    /// themselves; this is for whoever wants to see what it does, or to measure it otherwise.
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

/// Connections that ask.
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
    #[arg(long, value_name = "ADDRESS:PORT", requires = "admin", conflicts_with_all = ["seatkeeper", "scratch"])]
    pub(crate) server: Option<SocketAddr>,
    /// An administrator's key of that server, `admin.pem` in its data directory.
    #[arg(long, value_name = "FILE", requires = "server")]
    pub(crate) admin: Option<PathBuf>,
    /// That server's process, for its memory.
    #[arg(long, value_name = "PID", requires = "server")]
    pub(crate) pid: Option<u32>,
    #[command(flatten)]
    pub(crate) own: OwnArgs,
}

/// How a fresh server is started.
#[derive(Args, Debug)]
pub(crate) struct OwnArgs {
    /// The program that is started; the one beside this one if absent.
    #[arg(long, value_name = "FILE")]
    pub(crate) seatkeeper: Option<PathBuf>,
    /// Where the fresh server has its data directory, on the disk that is to be measured; the system's temporary directory
    /// if absent.
    #[arg(long, value_name = "DIR")]
    pub(crate) scratch: Option<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  cargo build --release --workspace
  target/release/seatswarm attack                      a fresh server under every attack, against the floor
  target/release/seatswarm attack unread --secs 30     one attack, longer
  target/release/seatswarm steady --depth 16           how many renewals a second, against the floor
  target/release/seatswarm steady --mix renew=80,checkout=5,release=5,query=5,explain=5
  target/release/seatswarm growth --most 1000000       the same with ever more seats
  target/release/seatswarm storm --svg storm.svg       10,000 machines start at once
  target/release/seatswarm discover                    what an answer by UDP costs
  target/release/seatswarm hold                        what a connection takes of memory
  target/release/seatswarm checkpoint                  what renewals wait during a checkpoint
  target/release/seatswarm start                       until a server with 1,000,000 seats serves
  target/release/seatswarm writes                      what is written to the disk for renewals
  target/release/seatswarm fill --keep DIR             a data directory with 100,000 seats
  target/release/seatswarm floor sync                  how often a second the disk syncs a renewal
  strace -f target/release/seatswarm floor tls         a server that only answers, seen at work
  target/release/seatswarm attack --server 127.0.0.1:17328 --admin /var/lib/seatkeeper/admin.pem";

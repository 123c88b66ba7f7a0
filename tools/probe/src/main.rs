//! `seatprobe`: tells why a seatkeeper server cannot be reached, or that it can.

mod decode;
mod doctor;
mod generate;
mod hex;
mod listen;
mod output;
mod ping;
mod query;
mod scan;
mod skew;
mod vectors;
mod watch;

use std::num::NonZeroU16;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use seatkeeper::wire::limits::PORT;

use crate::output::{Failure, Output};

/// Tells why a seatkeeper server cannot be reached, or that it can.
///
/// It changes nothing on a server and engages no seat. Run it on the machine that finds no server.
#[derive(Debug, Parser)]
#[command(name = "seatprobe", version, propagate_version = true, after_help = EXAMPLES)]
struct Args {
    /// Print one JSON object on standard output instead of text (documented in tools/guide/json.md).
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Decode(decode::Args),
    Doctor(doctor::Args),
    Scan(scan::Args),
    Listen(listen::Args),
    Ping(ping::Args),
    Vectors(vectors::Args),
    Watch(watch::Args),
    /// Print a completion script for a shell.
    #[command(hide = true)]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the manual pages.
    #[command(hide = true)]
    Man {
        /// The directory to write them to.
        directory: std::path::PathBuf,
    },
}

/// Options of every question.
#[derive(clap::Args, Debug)]
struct Network {
    /// The port of this site's servers, UDP and TCP.
    #[arg(long, value_name = "PORT", env = "SEATKEEPER_PORT", default_value_t = default_port())]
    port: NonZeroU16,
    /// Seconds to wait: a scan waits so long, a ping so long for each answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=600))]
    timeout: u32,
}

const EXAMPLES: &str = "Examples:
  seatprobe doctor --product BKSRV          what is wrong here, and what to do about it
  seatprobe scan                            which servers answer, and on which networks
  seatprobe ping license.example.com        where the way to one server ends
  seatprobe decode frame.bin                a frame or datagram field by field
  seatprobe ping 192.0.2.10 --product BKSRV --vendor-key vendor.pub

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no server, 4 refused by the rules, 5 not authorized.";

const fn default_port() -> NonZeroU16 {
    match NonZeroU16::new(PORT) {
        Some(port) => port,
        None => NonZeroU16::MIN,
    }
}

impl Network {
    fn wait(&self) -> Duration {
        Duration::from_secs(self.timeout.into())
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    let output = Output::new(args.json);
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Failed(format!("cannot start the runtime: {error}")))
        .and_then(|runtime| runtime.block_on(run(args.command, &output)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output.fail(&failure),
    }
}

async fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Decode(args) => decode::run(&args, output),
        Command::Doctor(args) => doctor::run(&args, output).await,
        Command::Scan(args) => scan::run(&args, output).await,
        Command::Listen(args) => listen::run(&args, output).await,
        Command::Ping(args) => ping::run(&args, output).await,
        Command::Vectors(args) => vectors::run(&args, output).await,
        Command::Watch(args) => watch::run(&args, output).await,
        Command::Completions { shell } => generate::completions(shell),
        Command::Man { directory } => generate::man(&directory),
    }
}

//! `seatsoak`: random histories through the real client and a real server, every answer compared with the rules.

mod disk;
mod error;
mod import;
mod people;
mod report;
mod server;
mod soak;

#[cfg(test)]
mod tests;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use seatkeeper_world::Report;

use crate::error::SoakError;
use crate::soak::{Failure, Plan};

/// Drives a real server through its client library with random histories, restarts it again and again, and compares
/// every answer and every view with the reference model of the licensing rules.
#[derive(Debug, Parser)]
#[command(name = "seatsoak", version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    soak: SoakArgs,
}

#[derive(clap::Args, Debug)]
struct SoakArgs {
    /// What the dice begin with; at random if not given. The same seed and options give the same history.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Requests that are answered and compared.
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    steps: u64,
    /// Steps of a history; then another one begins, with a server and a store of its own. A long history wears out:
    /// units are spent for good and trials are over.
    #[arg(long, value_name = "N", default_value_t = 2_500, value_parser = clap::value_parser!(u64).range(1..))]
    history: u64,
    /// Histories to pass over, to come sooner to the one that failed.
    #[arg(long, value_name = "N", default_value_t = 0)]
    skip: u64,
    /// Graceful stops and starts over the same store in the midst of histories, spread over the steps; one more ends each.
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    restarts: u64,
    /// Requests in flight on a connection, at most.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=64))]
    depth: u16,
    #[command(flatten)]
    place: Place,
}

#[derive(clap::Args, Debug)]
struct Place {
    /// An empty directory for the server's store, which is kept; a temporary one if not given.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Harm the disk beneath the store: cut the power, fail every call, fill it up, damage every file. What was answered
    /// must be there afterwards, and nothing else.
    Disk {
        /// What the dice begin with; at random if not given.
        #[arg(long, value_name = "N")]
        seed: Option<u64>,
        /// How many times the power is cut. The other harms go along: all of them after each 1,000 cuts.
        #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
        cuts: u64,
    },
    /// Import many signed keys, interrupted half way, and check that each is there exactly once (rule K8).
    Import {
        /// How many keys; no more than one file may have.
        #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(2..=100_000))]
        keys: u32,
        #[command(flatten)]
        place: Place,
    },
    /// Live whole systems in memory, each from a seed: server, disk, clients, network and clocks under one scheduler. What
    /// anybody hears must be what the rules say, whatever is cut, lost, damaged, restarted or set wrong.
    World {
        /// The first seed; 0 if not given, so that the worlds are always the same ones.
        #[arg(long, value_name = "N", default_value_t = 0)]
        seed: u64,
        /// How many seeds.
        #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
        seeds: u64,
        /// Steps of each world.
        #[arg(long, value_name = "N", default_value_t = 400, value_parser = clap::value_parser!(u64).range(1..))]
        steps: u64,
    },
}

const EXAMPLES: &str = "Examples:
  seatsoak                                    a million steps from a random seed
  seatsoak --seed 17 --steps 200000           the same history every time
  seatsoak import --keys 100000               rule K8
  seatsoak disk                               lost power, failing and full disks, damaged files
  seatsoak world --seeds 10000                whole systems in memory, with network and clocks";

/// Worlds from one line of progress to the next.
const WORLDS_BETWEEN_LINES: u64 = 100;

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let outcome = match args.command {
        Some(Command::Disk { seed, cuts }) => harm_disk(seed, cuts),
        Some(Command::Import { keys, place }) => runtime.block_on(import_keys(keys, place)),
        Some(Command::World { seed, seeds, steps }) => live_worlds(seed, seeds, steps),
        None => runtime.block_on(soak(args.soak)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

async fn soak(args: SoakArgs) -> Result<(), SoakError> {
    let dir = Dir::of(args.place)?;
    let plan = Plan {
        seed: args.seed.map_or_else(random, Ok)?,
        steps: args.steps,
        history: args.history,
        skip: args.skip,
        restarts: args.restarts,
        depth: usize::from(args.depth),
        data: dir.path.clone(),
        wrong_from: None,
    };
    say(&format!("seed {}; again: {}", plan.seed, plan.command()))?;
    let _replay = Replay(plan.command());
    match soak::run(&plan).await {
        Ok(report) => say(&report.to_string()),
        Err(Failure { again, error }) => {
            say(&format!("seed {} failed; again: {again}", plan.seed))?;
            Err(*error)
        }
    }
}

async fn import_keys(keys: u32, place: Place) -> Result<(), SoakError> {
    let dir = Dir::of(place)?;
    say(&import::run(&dir.path, keys).await?.to_string())
}

fn harm_disk(seed: Option<u64>, cuts: u64) -> Result<(), SoakError> {
    let seed = seed.map_or_else(random, Ok)?;
    let again = format!("seatsoak disk --seed {seed} --cuts {cuts}");
    say(&format!("seed {seed}; again: {again}"))?;
    let _replay = Replay(again);
    let report = disk::run(seed, cuts, |seed| drop(writeln!(std::io::stderr(), "seed {seed}")));
    say(&report.to_string())
}

fn live_worlds(first: u64, seeds: u64, steps: u64) -> Result<(), SoakError> {
    let mut all = Report::default();
    for done in 0..seeds {
        let seed = first.wrapping_add(done);
        let mut replay = Replay(format!("seatsoak world --seed {seed} --seeds 1 --steps {steps}"));
        let again = replay.0.clone();
        let lived = seatkeeper_world::live(seed, steps, |step| {
            replay.0 = format!("{again}  # fails at step {step}");
        });
        all.and(&lived);
        if (done + 1) % WORLDS_BETWEEN_LINES == 0 {
            drop(writeln!(std::io::stderr(), "{} worlds", done + 1));
        }
    }
    say(&format!("{seeds} worlds of {steps} steps\n{all}"))
}

/// Says how to do it again when the model contradicts itself, which it does by panicking.
struct Replay(String);

impl Drop for Replay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            drop(writeln!(std::io::stderr(), "again: {}", self.0));
        }
    }
}

/// Where the store is; a temporary one goes with this.
struct Dir {
    path: PathBuf,
    _temporary: Option<tempfile::TempDir>,
}

impl Dir {
    fn of(place: Place) -> Result<Self, SoakError> {
        if let Some(path) = place.data {
            return Ok(Self { path, _temporary: None });
        }
        let temporary = tempfile::Builder::new().prefix("seatsoak-").tempdir()?;
        Ok(Self {
            path: temporary.path().to_owned(),
            _temporary: Some(temporary),
        })
    }
}

fn random() -> Result<u64, SoakError> {
    getrandom::u64().map_err(|error| SoakError::Impossible(format!("no random numbers: {error}")))
}

fn say(text: &str) -> Result<(), SoakError> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}

fn failed(error: &SoakError) -> ExitCode {
    drop(writeln!(
        std::io::stderr(),
        "{}",
        seatkeeper::client::with_causes(error)
    ));
    ExitCode::FAILURE
}

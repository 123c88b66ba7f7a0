//! `seatswarm`: loads a real server over real sockets, and measures it against servers that only answer.

mod agent;
mod args;
mod assault;
mod besiege;
mod checkpoint;
mod child;
mod clock;
mod counted;
mod discover;
mod drive;
mod error;
mod field;
mod files;
mod fill;
mod fleet;
mod floor;
mod generations;
mod growth;
mod hold;
mod journal;
mod latency;
mod licenses;
mod line;
mod machine;
mod mix;
mod mold;
mod operations;
mod own;
mod pages;
mod plot;
mod process;
mod report;
mod site;
mod sources;
mod start;
mod steady;
mod storm;
mod syncs;
mod writes;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

use crate::args::{Cli, Command};
use crate::error::SwarmError;

/// The servers that only answer have what the real one has.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = runtime
        .map_err(|error| SwarmError::of("starting the runtime")(&error))
        .and_then(|runtime| runtime.block_on(run(cli.command)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody may be reading it.
            drop(writeln!(std::io::stderr(), "error: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<(), SwarmError> {
    match command {
        Command::Attack(attack) => besiege::run(&attack).await,
        Command::Steady(steady) => steady::run(&steady).await,
        Command::Growth(growth) => growth::run(&growth).await,
        Command::Storm(storm) => storm::run(&storm).await,
        Command::Discover(discover) => discover::run(&discover).await,
        Command::Hold(hold) => hold::run(&hold).await,
        Command::Checkpoint(checkpoint) => checkpoint::run(&checkpoint).await,
        Command::Start(start) => start::run(&start).await,
        Command::Writes(writes) => writes::run(&writes).await,
        Command::Fill(fill) => fill::run(&fill).await,
        Command::Floor { floor } => floor::run(&floor).await,
        Command::Assault {
            assault,
            server,
            vendor,
        } => assault::run(assault, server, vendor).await,
    }
}

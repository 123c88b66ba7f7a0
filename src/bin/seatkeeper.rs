//! The server and the administrator's commands.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use seatkeeper::cli::{Cli, CliError, fail, run};

/// A request is taken apart by one thread, decided by another, and a round lets go of a thousand of them at once: the
/// system's allocator spends a quarter of the server's time on that.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.wants_json();
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::because("cannot start the runtime", error))
        .and_then(|runtime| runtime.block_on(run(cli)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error, json),
    }
}

//! The server and the administrator's commands.

use std::process::ExitCode;

use clap::Parser;
use seatkeeper::cli::{Cli, CliError, fail, run};

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

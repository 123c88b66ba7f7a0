//! The server and the administrator's commands.

use std::process::ExitCode;

use clap::Parser;
use seatkeeper::cli::{Cli, CliError, run};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::because("cannot start the runtime", error))
        .and_then(|runtime| runtime.block_on(run(cli)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !error.is_silent() {
                tell(&error);
            }
            ExitCode::from(error.exit_code())
        }
    }
}

#[expect(clippy::print_stderr, reason = "the place where a command's failure is told")]
fn tell(error: &CliError) {
    eprintln!("seatkeeper: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(below) = cause {
        eprintln!("  because: {below}");
        cause = below.source();
    }
}

//! Completion scripts and manual pages, made from the commands themselves.

use std::io::Write;
use std::path::Path;

use clap::CommandFactory;

use super::args::Cli;
use super::error::CliError;

pub(super) fn completions(shell: clap_complete::Shell) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "seatkeeper", &mut script);
    std::io::stdout()
        .write_all(&script)
        .map_err(|error| CliError::because("cannot write to standard output", error))
}

pub(super) fn man(directory: &Path) -> Result<(), CliError> {
    std::fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), directory))
        .map_err(|error| CliError::because(format!("cannot write manual pages to {}", directory.display()), error))
}

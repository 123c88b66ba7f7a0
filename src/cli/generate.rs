//! Completion scripts and manual pages, made from the commands themselves.

use std::path::Path;

use clap::CommandFactory;

use super::args::Cli;
use super::error::CliError;
use super::output;

pub(super) fn completions(shell: clap_complete::Shell) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "seatkeeper", &mut script);
    output::write(&String::from_utf8_lossy(&script))
}

pub(super) fn man(directory: &Path) -> Result<(), CliError> {
    std::fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), directory))
        .map_err(|error| CliError::because(format!("cannot write manual pages to {}", directory.display()), error))
}

#[cfg(test)]
mod tests {
    use clap::{Command, ValueEnum};

    use super::*;

    /// The names of the manual pages that `command` should have, its own and those of what is below it.
    fn pages(command: &Command, above: &str) -> Vec<String> {
        let name = format!("{above}{}", command.get_name());
        let shown = command.get_subcommands().filter(|below| !below.is_hide_set());
        let below = shown.flat_map(|below| pages(below, &format!("{name}-")));
        std::iter::once(format!("{name}.1")).chain(below).collect()
    }

    #[test]
    fn every_command_has_a_manual_page_with_its_options() {
        Cli::command().debug_assert();
        let dir = tempfile::tempdir().expect("a directory");
        man(dir.path()).expect("pages");
        let expected = pages(&Cli::command(), "");
        assert!(expected.len() > 20, "{expected:?}");
        for page in expected {
            let text = std::fs::read_to_string(dir.path().join(&page)).expect(&page);
            assert!(
                text.contains(".SH NAME") && text.contains(".SH OPTIONS"),
                "{page}: {text}"
            );
        }
    }

    #[test]
    fn every_command_is_in_the_completion_script_of_every_shell() {
        for shell in clap_complete::Shell::value_variants() {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "seatkeeper", &mut script);
            let script = String::from_utf8(script).expect("UTF-8");
            for command in Cli::command().get_subcommands() {
                assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
            }
        }
    }
}

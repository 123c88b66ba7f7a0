//! Completion scripts and manual pages, made from the commands themselves.

use std::io;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::args::Cli;
use super::error::CliError;
use super::output;

/// What each page says it comes from.
const SOURCE: &str = concat!("seatkeeper ", env!("CARGO_PKG_VERSION"));

/// The book that the pages belong to.
const MANUAL: &str = "Seatkeeper Manual";

pub(super) fn completions(shell: clap_complete::Shell) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "seatkeeper", &mut script);
    output::write(&String::from_utf8_lossy(&script))
}

pub(super) fn man(directory: &Path) -> Result<(), CliError> {
    std::fs::create_dir_all(directory)
        .and_then(|()| {
            let mut command = Cli::command().disable_help_subcommand(true);
            command.build();
            write_pages(command, directory)
        })
        .map_err(|error| CliError::because(format!("cannot write manual pages to {}", directory.display()), error))
}

/// Writes the page of `command` and those of what is below it.
fn write_pages(command: Command, directory: &Path) -> io::Result<()> {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        write_pages(below.clone(), directory)?;
    }
    let page = Man::new(command).source(SOURCE).manual(MANUAL);
    page.generate_to(directory).map(drop)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

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
            assert!(text.contains(&format!("\"{SOURCE}\" \"{MANUAL}\"")), "{page}: {text}");
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

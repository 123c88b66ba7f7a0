//! Completion scripts and manual pages, made from the commands themselves.

use std::io;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::Args;
use crate::output::{self, Failure};

/// What each page says it comes from.
const SOURCE: &str = concat!("seatkeeper ", env!("CARGO_PKG_VERSION"));

/// The book that the pages belong to.
const MANUAL: &str = "Seatkeeper Manual";

pub(crate) fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "seatprobe", &mut script);
    output::write(&String::from_utf8_lossy(&script))
}

pub(crate) fn man(directory: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(directory)
        .and_then(|()| {
            let mut command = Args::command().disable_help_subcommand(true);
            command.build();
            write_pages(command, directory)
        })
        .map_err(|error| {
            let place = directory.display();
            Failure::Failed(format!("cannot write manual pages to {place}: {error}"))
        })
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
    use super::*;

    #[test]
    fn the_commands_are_well_formed_and_each_has_a_manual_page() {
        Args::command().debug_assert();
        let dir = tempfile::tempdir().expect("a directory");
        man(dir.path()).expect("pages");
        for page in [
            "seatprobe.1",
            "seatprobe-scan.1",
            "seatprobe-ping.1",
            "seatprobe-doctor.1",
        ] {
            let text = std::fs::read_to_string(dir.path().join(page)).expect(page);
            assert!(text.contains(".SH OPTIONS"), "{page}: {text}");
        }
    }
}

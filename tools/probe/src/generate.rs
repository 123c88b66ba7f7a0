//! Completion scripts and manual pages, made from the commands themselves.

use std::path::Path;

use clap::CommandFactory;

use crate::Args;
use crate::output::{self, Failure};

pub(crate) fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "seatprobe", &mut script);
    output::write(&String::from_utf8_lossy(&script))
}

pub(crate) fn man(directory: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(Args::command(), directory))
        .map_err(|error| {
            let place = directory.display();
            Failure::Failed(format!("cannot write manual pages to {place}: {error}"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_well_formed_and_each_has_a_manual_page() {
        Args::command().debug_assert();
        let dir = tempfile::tempdir().expect("a directory");
        man(dir.path()).expect("pages");
        for page in ["seatprobe.1", "seatprobe-scan.1", "seatprobe-ping.1"] {
            let text = std::fs::read_to_string(dir.path().join(page)).expect(page);
            assert!(text.contains(".SH OPTIONS"), "{page}: {text}");
        }
    }
}

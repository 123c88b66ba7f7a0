//! Completion scripts and manual pages, made from the commands themselves.

use std::io::{self, Write};
use std::path::Path;

use clap::CommandFactory;

use crate::Args;
use crate::output::Failure;

pub(crate) fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "seatmint", &mut script);
    io::stdout().write_all(&script).map_err(Failure::Output)
}

pub(crate) fn man(directory: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(Args::command(), directory))
        .map_err(|fault| Failure::at(directory.display(), fault))
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
            "seatmint",
            "seatmint-catalogue-sign",
            "seatmint-issue",
            "seatmint-keygen",
            "seatmint-show",
        ] {
            let text = std::fs::read_to_string(dir.path().join(format!("{page}.1"))).expect(page);
            assert!(text.contains(".SH OPTIONS"), "{page}: {text}");
        }
    }
}

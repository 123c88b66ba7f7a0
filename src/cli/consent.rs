//! How a command that has said what it will do comes to do it: with `--yes`, or because somebody at the terminal says so.

use std::io::IsTerminal;

use super::args::Consent;
use super::error::CliError;
use super::output;

/// Goes on only if somebody says so: with `--yes`, or at the terminal.
pub(super) fn ask(json: bool, consent: Consent, question: &str) -> Result<(), CliError> {
    if consent.yes {
        return Ok(());
    }
    let stdin = std::io::stdin();
    if json || !stdin.is_terminal() || !std::io::stderr().is_terminal() {
        return Err(CliError::Usage(
            "nothing was done, since nobody is here to be asked; add --yes to do it".to_owned(),
        ));
    }
    output::note(&format!("{question} [y/N]"));
    let mut answer = String::new();
    stdin
        .read_line(&mut answer)
        .map_err(|error| CliError::because("cannot read the answer", error))?;
    if ["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) {
        Ok(())
    } else {
        Err(CliError::failed("nothing was done"))
    }
}

/// What a `--dry-run` ends with.
pub(super) fn nothing_done() -> Result<(), CliError> {
    output::line("nothing was done; the same command without --dry-run does it")
}

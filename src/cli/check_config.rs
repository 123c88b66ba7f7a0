//! `check-config`: what is wrong in a configuration file by itself, without starting a server. Addresses, ports and
//! directories are not tried: the file may be for another host.

use std::path::Path;

use serde::Serialize;

use super::args::{CheckConfig, Everywhere};
use super::configuration::Source;
use super::error::CliError;
use super::output::{self, count};

/// What `check-config --json` prints.
#[derive(Serialize)]
struct Checked<'a> {
    file: &'a Path,
    /// Keys that the file sets.
    settings: Vec<String>,
}

pub(super) fn run(everywhere: &Everywhere, asked: &CheckConfig) -> Result<(), CliError> {
    let source = Source {
        file: Some(asked.file.clone()),
        ..Source::default()
    };
    let good = source.read().map_err(|error| CliError::Usage(error.to_string()))?;
    let checked = Checked {
        file: &asked.file,
        settings: good.file.settings,
    };
    if everywhere.json {
        return output::json(&checked);
    }
    let name = asked.file.display();
    if checked.settings.is_empty() {
        return output::line(&format!("{name} is good: it changes nothing of the defaults"));
    }
    output::line(&format!(
        "{name} is good: it sets {}: {}",
        count(checked.settings.len() as u64, "key"),
        checked.settings.join(", ")
    ))
}

//! `check-config`: whether a server would start with a configuration, without starting one.

use std::path::Path;

use serde::Serialize;

use super::args::{CheckConfig, Everywhere};
use super::error::CliError;
use super::output::{self, count};
use crate::config::{self, Config, site_port};
use crate::telemetry;

/// What `check-config --json` prints.
#[derive(Serialize)]
struct Checked<'a> {
    file: &'a Path,
    /// Keys that the file sets.
    settings: Vec<String>,
}

pub(super) fn run(everywhere: &Everywhere, asked: &CheckConfig) -> Result<(), CliError> {
    let usage = |error: &dyn std::error::Error| CliError::Usage(error.to_string());
    let config = Config::read(&asked.file).map_err(|error| usage(&error))?;
    telemetry::check(&config.log).map_err(|error| usage(&error))?;
    let port = site_port().map_err(|error| usage(&error))?;
    config::one_port(&config.listen_on(port)).map_err(|error| usage(&error))?;
    let checked = Checked {
        file: &asked.file,
        settings: config::settings(&asked.file).map_err(|error| usage(&error))?,
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

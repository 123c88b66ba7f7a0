//! Structured logs on standard error.

use std::fmt;

use thiserror::Error;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{EnvFilter, reload};

use crate::config::{Log, LogFormat};

/// The environment variable that overrules the configured level.
pub const LOG_VARIABLE: &str = "SEATKEEPER_LOG";

/// The level is not one.
#[derive(Debug, Error)]
#[error(
    "'{0}' is not a log level; write error, warn, info, debug or trace, or filters as info,seatkeeper::net=debug, in \
     log.level or {LOG_VARIABLE}"
)]
pub struct TelemetryError(String);

/// Changes what is logged while the process runs.
#[derive(Default)]
pub struct LogFilter(Option<Box<SetFilter>>);

type SetFilter = dyn Fn(EnvFilter) -> Result<(), reload::Error> + Send + Sync;

impl LogFilter {
    /// Logs what `log` says from now on, in the shape in which it was begun. Where this process did not start the log,
    /// nothing.
    ///
    /// # Errors
    /// As of [`start`].
    pub fn set(&self, log: &Log) -> Result<(), TelemetryError> {
        let filter = configured(log)?;
        if let Some(set) = &self.0 {
            // It fails only where there is no log any more.
            set(filter).ok();
        }
        Ok(())
    }
}

impl fmt::Debug for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogFilter").finish_non_exhaustive()
    }
}

/// Starts logging for the whole process; a second call changes nothing.
///
/// # Errors
/// The level, from [`LOG_VARIABLE`] or the configuration, is not one.
pub fn start(log: &Log) -> Result<LogFilter, TelemetryError> {
    let filter = configured(log)?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false);
    let (started, set): (_, Box<SetFilter>) = match log.format {
        LogFormat::Json => {
            let lines = lines.json().with_filter_reloading();
            let handle = lines.reload_handle();
            (lines.try_init(), Box::new(move |filter| handle.reload(filter)))
        }
        LogFormat::Text => {
            let lines = lines.with_filter_reloading();
            let handle = lines.reload_handle();
            (lines.try_init(), Box::new(move |filter| handle.reload(filter)))
        }
    };
    // Only the first call of a process can succeed; its settings stay.
    Ok(LogFilter(started.is_ok().then_some(set)))
}

/// Checks what [`start`] would log.
///
/// # Errors
/// As of [`start`].
pub fn check(log: &Log) -> Result<(), TelemetryError> {
    configured(log).map(drop)
}

fn configured(log: &Log) -> Result<EnvFilter, TelemetryError> {
    let level = std::env::var(LOG_VARIABLE).ok().filter(|level| !level.is_empty());
    let level = level.unwrap_or_else(|| log.level.clone());
    filter(&level).ok_or(TelemetryError(level))
}

/// The filter that `level` describes. A word alone must be a level: the parser would take a mistyped one for a part of
/// the program, and log nothing.
fn filter(level: &str) -> Option<EnvFilter> {
    let mut words = level.split(',').map(str::trim).filter(|part| !part.contains('='));
    words
        .all(|word| word.parse::<LevelFilter>().is_ok())
        .then(|| EnvFilter::builder().parse(level).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_level_is_refused_instead_of_silencing_the_log() {
        for good in ["info", "WARN", "off", "info,seatkeeper::net=debug", "seatkeeper=trace"] {
            assert!(filter(good).is_some(), "{good}");
        }
        for wrong in ["loud", "inof,seatkeeper::net=debug", "seatkeeper=loud"] {
            assert!(filter(wrong).is_none(), "{wrong}");
        }
    }
}

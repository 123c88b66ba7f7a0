//! Structured logs on standard error.

use thiserror::Error;
use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// The environment variable that overrules the configured level.
pub const LOG_VARIABLE: &str = "SEATKEEPER_LOG";

/// The level is not one.
#[derive(Debug, Error)]
#[error("'{level}' is not a log level; write error, warn, info, debug or trace")]
pub struct TelemetryError {
    level: String,
    source: tracing_subscriber::filter::ParseError,
}

/// Starts logging for the whole process; a second call changes nothing.
///
/// # Errors
/// The level, from [`LOG_VARIABLE`] or the configuration, is not one.
pub fn start(log: &Log) -> Result<(), TelemetryError> {
    let level = std::env::var(LOG_VARIABLE).unwrap_or_else(|_| log.level.clone());
    let filter = EnvFilter::builder()
        .parse(&level)
        .map_err(|source| TelemetryError { level, source })?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false);
    let started = match log.format {
        LogFormat::Json => lines.json().try_init(),
        LogFormat::Text => lines.try_init(),
    };
    // Only the first call of a process can succeed; its settings stay.
    drop(started);
    Ok(())
}

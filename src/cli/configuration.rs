//! The configuration that a server goes by: a file, with the command line and the environment over it. `serve` starts with
//! it, `check-config` looks whether that would work as far as the file tells, `reload` reads it again.

use std::path::PathBuf;

use crate::config::{Config, ConfigError, ConfigFile, Overrides, one_port, site_port};
use crate::telemetry::{self, LOG_VARIABLE, TelemetryError};

/// Where a configuration comes from.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    /// The file; none where there is none.
    pub(super) file: Option<PathBuf>,
    pub(super) overrides: Overrides,
}

/// A configuration that a server would start with.
#[derive(Debug)]
pub(super) struct Good {
    pub(super) file: ConfigFile,
    /// With everything over the file.
    pub(super) config: Config,
    pub(super) site_port: u16,
}

/// Why a server would not start with it. The message says where and what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum Wrong {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Log(#[from] TelemetryError),
}

impl Source {
    /// The level that the environment asks for.
    pub(super) fn log_level() -> Option<String> {
        std::env::var(LOG_VARIABLE).ok().filter(|level| !level.is_empty())
    }

    /// Reads the file, and checks all that can be checked without a server.
    pub(super) fn read(&self) -> Result<Good, Wrong> {
        let file = match &self.file {
            Some(path) => ConfigFile::read(path)?,
            None => ConfigFile::default(),
        };
        let config = self.overrides.over(file.config.clone());
        config.check()?;
        telemetry::check(&config.log)?;
        let site_port = site_port()?;
        one_port(&config.listen_on(site_port))?;
        Ok(Good {
            file,
            config,
            site_port,
        })
    }
}

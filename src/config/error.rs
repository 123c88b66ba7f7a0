use std::path::{Path, PathBuf};

use thiserror::Error;

use super::{PORT_VARIABLE, near};

/// Why the configuration cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}; check the path and its permissions", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is not what it should be. The message names line, column and key.
    #[error("the configuration {} is wrong: {message}", path.display())]
    Parse {
        /// Which file.
        path: PathBuf,
        /// Line, column, what is wrong and which keys there are.
        message: String,
    },
    /// A value cannot be.
    #[error("the configuration is wrong: {key} {reason}")]
    Value {
        /// Which key.
        key: &'static str,
        /// What it must be.
        reason: &'static str,
    },
    /// Addresses with several ports.
    #[error(
        "every address must be listened on at the same port, which is what agents are told when they search; start \
         another server for another port"
    )]
    Ports,
    /// The environment's port is not a port.
    #[error("{PORT_VARIABLE} is '{0}'; set it to a port number from 1 to 65535, or unset it")]
    Port(String),
}

impl ConfigError {
    /// What the parser says of a file, with the key that was meant where it says that one is unknown.
    pub(super) fn of(path: &Path, error: &toml::de::Error) -> Self {
        let mut message = error.to_string();
        if let Some(remedy) = near::remedy(error.message()) {
            message = format!("{}\n{remedy}", message.trim_end());
        }
        Self::Parse {
            path: path.to_owned(),
            message,
        }
    }
}

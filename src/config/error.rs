use std::path::{Path, PathBuf};

use thiserror::Error;

use super::faults::Fault;
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
        reason: String,
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
    /// Everything that is wrong in a file, each with its place there.
    pub(super) fn of_all(path: &Path, text: &str, faults: &[Fault]) -> Self {
        let mut told: Vec<_> = faults.iter().map(|fault| told(fault, text)).collect();
        // As they stand in the file.
        told.sort_by_key(|(line, _)| *line);
        let told: Vec<&str> = told.iter().map(|(_, told)| told.trim_end()).collect();
        let message = match told.as_slice() {
            [one] => (*one).to_owned(),
            all => format!("{} faults\n{}", all.len(), all.join("\n")),
        };
        Self::Parse {
            path: path.to_owned(),
            message,
        }
    }
}

/// What is wrong, behind the line where it stands if that is known.
fn told(fault: &Fault, text: &str) -> (Option<usize>, String) {
    match fault {
        Fault::Value(ConfigError::Value { key, reason }) => {
            let line = line_of(key, text);
            let place = line.map_or_else(String::new, |line| format!("line {line}: "));
            (line, format!("{place}{key} {reason}"))
        }
        Fault::Value(other) => (None, other.to_string()),
        Fault::Text { line, error } => {
            // The key that was meant, where the parser says that one is unknown.
            let told = match near::remedy(error.message()) {
                Some(remedy) => format!("{}\n{remedy}", shown(error).trim_end()),
                None => shown(error),
            };
            (*line, told)
        }
    }
}

/// The line that sets a key, from 1; nothing where it is written in another way than on a line of its own.
fn line_of(key: &str, text: &str) -> Option<usize> {
    let (section, name) = key.rsplit_once('.').unwrap_or(("", key));
    let mut inside = "";
    for (place, line) in text.lines().map(str::trim).enumerate() {
        if let Some((title, _)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            inside = title.trim();
        } else if inside == section && line.split('=').next().is_some_and(|set| set.trim() == name) {
            return Some(place + 1);
        }
    }
    None
}

/// The longest line that is shown of a message, in characters: the list of all known keys is shorter.
const LINE_LEN_MAX: usize = 500;

/// What the parser says, with the line that it is about unless that is huge, as in a file that is something else.
fn shown(error: &toml::de::Error) -> String {
    let told = error.to_string();
    let is_long = |line: &str| line.chars().nth(LINE_LEN_MAX).is_some();
    if !told.lines().any(is_long) {
        return told;
    }
    let shortened = |line: &str| match line.char_indices().nth(LINE_LEN_MAX) {
        Some((end, _)) => format!("{}...", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    };
    // The first one tells line and column.
    let first = told.lines().next().into_iter();
    let lines: Vec<_> = first.chain(error.message().lines()).map(shortened).collect();
    lines.join("\n")
}

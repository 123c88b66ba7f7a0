use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::faults::{self, Fault};
use super::{Config, ConfigError};

/// The largest configuration, in bytes.
const FILE_LEN_MAX: u64 = 1 << 20;

/// A configuration file as it was read, once.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ConfigFile {
    /// What it says, with the defaults of what it does not say.
    pub config: Config,
    /// The keys that it sets, each with its table's name before it, in the order of their names.
    pub settings: Vec<String>,
}

impl ConfigFile {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// The file cannot be read, or has an unknown key or a wrong value: fix the line that the message names.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = text(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        let config = faults::read(&text).map_err(|faults| ConfigError::of_all(path, &text, &faults))?;
        let tables: toml::Table =
            toml::from_str(&text).map_err(|error| ConfigError::of_all(path, &text, &[Fault::of(&text, error)]))?;
        Ok(Self {
            config,
            settings: keys(tables),
        })
    }

    /// Whether the file sets this key.
    #[must_use]
    pub fn sets(&self, key: &str) -> bool {
        self.settings.iter().any(|set| set == key)
    }
}

fn text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(FILE_LEN_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_LEN_MAX {
        return Err(io::Error::other("it is larger than any configuration (1 MiB)"));
    }
    Ok(text)
}

fn keys(tables: toml::Table) -> Vec<String> {
    let of_table = |(name, value): (String, toml::Value)| match value {
        toml::Value::Table(keys) => keys.keys().map(|key| format!("{name}.{key}")).collect(),
        _ => vec![name],
    };
    let mut keys: Vec<_> = tables.into_iter().flat_map(of_table).collect();
    keys.sort();
    keys
}

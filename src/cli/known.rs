//! The servers that this user's commands have met, and the identities they showed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::error::CliError;
use super::local;
use crate::domain::ids::Fingerprint;
use crate::whole_file::{self, Readers};

/// Servers remembered, at most.
const SERVERS_MAX: usize = 1_000;

/// Servers by address; a JSON file of one's own.
#[derive(Debug)]
pub(super) struct KnownServers {
    /// Nothing where this user has no place for it: a service knows its own server by the data directory.
    path: Option<PathBuf>,
    servers: BTreeMap<String, String>,
}

impl KnownServers {
    /// Reads the file; empty if there is none yet.
    pub(super) fn read() -> Result<Self, CliError> {
        let Ok(path) = file() else {
            return Ok(Self {
                path: None,
                servers: BTreeMap::new(),
            });
        };
        let servers = match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| {
                CliError::because(format!("{} is damaged; mend it or remove it", path.display()), error)
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(CliError::because(format!("cannot read {}", path.display()), error)),
        };
        Ok(Self {
            path: Some(path),
            servers,
        })
    }

    /// The identity that the server of this name showed before.
    pub(super) fn fingerprint(&self, name: &str) -> Option<Fingerprint> {
        self.servers.get(name)?.parse().ok()
    }

    /// Keeps the identity of a server that was met for the first time, and says so.
    pub(super) fn remember(&mut self, name: &str, fingerprint: Fingerprint) -> Result<(), CliError> {
        if self.servers.len() >= SERVERS_MAX {
            return Ok(());
        }
        self.keep(name, fingerprint)?;
        super::output::note(&format!(
            "first contact with the server at {name}; its fingerprint is {fingerprint}"
        ));
        Ok(())
    }

    /// Keeps the identity of a server that has shown that it took the place of the one that is known, and says so.
    pub(super) fn follow(&mut self, name: &str, fingerprint: Fingerprint) -> Result<(), CliError> {
        self.keep(name, fingerprint)?;
        super::output::note(&format!(
            "the server at {name} has a new identity, which the one before confirms; its fingerprint is {fingerprint}"
        ));
        Ok(())
    }

    /// Forgets every server with this identity; how many there were. The next contact at their addresses is a first one.
    pub(super) fn forget(&mut self, fingerprint: Fingerprint) -> Result<usize, CliError> {
        let before = self.servers.len();
        let gone = fingerprint.to_string();
        self.servers.retain(|_, known| *known != gone);
        let forgotten = before - self.servers.len();
        if forgotten > 0 {
            self.write()?;
        }
        Ok(forgotten)
    }

    fn keep(&mut self, name: &str, fingerprint: Fingerprint) -> Result<(), CliError> {
        self.servers.insert(name.to_owned(), fingerprint.to_string());
        self.write()
    }

    fn write(&self) -> Result<(), CliError> {
        let path = match &self.path {
            Some(path) => path.clone(),
            None => file()?,
        };
        let text = serde_json::to_string_pretty(&self.servers)
            .map_err(|error| CliError::because("cannot make JSON", error))?;
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)
                .map_err(|error| CliError::because(format!("cannot make {}", directory.display()), error))?;
        }
        whole_file::replace(&path, text.as_bytes(), Readers::Owner)
            .map_err(|error| CliError::because(format!("cannot write {}", path.display()), error))
    }

    /// The file's place, for messages.
    pub(super) fn place() -> String {
        file().map_or_else(|error| error.to_string(), |path| path.display().to_string())
    }
}

fn file() -> Result<PathBuf, CliError> {
    Ok(local::own_identity_file()?.with_file_name("servers.json"))
}

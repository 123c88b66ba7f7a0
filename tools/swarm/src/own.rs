//! A server of our own: its files, and the process that serves them.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::args::OwnArgs;
use crate::child::{Child, Says};
use crate::error::SwarmError;

/// The files of a server that is not running.
#[derive(Debug)]
pub(crate) struct Home {
    program: PathBuf,
    config: PathBuf,
    data: PathBuf,
    dir: TempDir,
}

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Own {
    process: Child,
    /// Behind the process: a server whose directory is gone fails in ways of its own.
    home: Home,
}

impl Home {
    /// A directory of ours with this configuration, and no data yet.
    pub(crate) fn new(args: &OwnArgs, config: &str) -> Result<Self, SwarmError> {
        let dir = scratch_dir(args.scratch.as_deref())?;
        let home = Self {
            program: program(args.seatkeeper.as_deref())?,
            config: dir.path().join("seatkeeper.toml"),
            data: dir.path().join("data"),
            dir,
        };
        home.configure(config)?;
        Ok(home)
    }

    /// As [`Home::new`], with the data directory here, where it stays: there is nothing yet.
    pub(crate) fn with_data(args: &OwnArgs, config: &str, data: &Path) -> Result<Self, SwarmError> {
        if data.exists() {
            return Err(SwarmError::because(
                format!("making {}", data.display()),
                "it is there already",
            ));
        }
        Ok(Self {
            data: data.to_owned(),
            ..Self::new(args, config)?
        })
    }

    /// Writes the configuration; a server that runs is to be told so.
    fn configure(&self, config: &str) -> Result<(), SwarmError> {
        std::fs::write(&self.config, config)
            .map_err(|error| SwarmError::of("writing the server's configuration")(&error))
    }

    /// The data directory.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// A directory on the same disk that is gone when this is.
    pub(crate) fn scratch(&self) -> &Path {
        self.dir.path()
    }

    /// Starts the server, and waits until it serves: where.
    pub(crate) async fn serve(self) -> Result<(Own, SocketAddr), SwarmError> {
        let args = ["serve", "--listen", "127.0.0.1:0", "--data"].map(OsString::from);
        let args = args
            .into_iter()
            .chain([(&self.data).into(), "--config".into(), (&self.config).into()]);
        let (process, server) = Child::start(&self.program, args, b"", Says::Err, serving).await?;
        Ok((Own { process, home: self }, server))
    }
}

impl Own {
    /// The process.
    pub(crate) const fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Its files.
    pub(crate) const fn home(&self) -> &Home {
        &self.home
    }

    /// Writes another configuration, which the server is to be told of.
    pub(crate) fn configure(&self, config: &str) -> Result<(), SwarmError> {
        self.home.configure(config)
    }

    /// Ends it at once.
    pub(crate) async fn end(self) -> Result<(), SwarmError> {
        self.process.end().await
    }

    /// Has it end in good order: its files.
    pub(crate) async fn stop(self) -> Result<Home, SwarmError> {
        self.process.stop().await?;
        Ok(self.home)
    }
}

/// A new directory below this one, or below the system's temporary directory; it is gone when it is dropped.
pub(crate) fn scratch_dir(parent: Option<&Path>) -> Result<TempDir, SwarmError> {
    let dir = match parent {
        Some(parent) => tempfile::tempdir_in(parent),
        None => tempfile::tempdir(),
    };
    dir.map_err(|error| SwarmError::of("making a directory for the server")(&error))
}

/// The server's program: the one that was named, or the one beside this program.
fn program(named: Option<&Path>) -> Result<PathBuf, SwarmError> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let own = std::env::current_exe().map_err(|error| SwarmError::of("finding this program")(&error))?;
    Ok(own.with_file_name("seatkeeper"))
}

/// Where a server serves, in the line in which it says so.
fn serving(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("addresses=[")?;
    rest.split([']', ',']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_in_which_a_server_says_where_it_serves_is_understood() {
        let line =
            "2026-01-01T00:00:00Z  INFO seatkeeper::cli::serve: serving addresses=[127.0.0.1:56629] fingerprint=7c";
        assert_eq!(serving(line), Some("127.0.0.1:56629".parse().unwrap()));
        assert_eq!(serving("INFO first start id=1f"), None);
    }
}

//! The data directory as commands see it: where it is, what the running server wrote for them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::args::Global;
use super::backup;
use super::error::CliError;
use crate::domain::ids::Fingerprint;
use crate::whole_file::{self, Readers};

/// The data directory of a server that runs as root.
const SYSTEM_DATA: &str = "/var/lib/seatkeeper";

/// The administrator's identity that the server made at its first start; only its owner can read it.
pub(super) const ADMIN_FILE: &str = "admin.pem";

/// The server's own identity.
pub(super) const IDENTITY_FILE: &str = "identity.pem";

/// The key that the server signs leases with (rule O3); only its owner can read it.
pub(super) const LEASE_FILE: &str = "lease.pem";

/// What the running server tells commands on the same host.
const SERVER_FILE: &str = "server.json";

/// Where a server on this host listens, as it wrote it into its data directory.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct LocalServer {
    /// Its TCP addresses.
    pub(super) listen: Vec<SocketAddr>,
    /// Its identity, in hexadecimal.
    pub(super) fingerprint: String,
    /// Its name for people; absent where an older release wrote it.
    #[serde(default)]
    pub(super) name: Option<String>,
}

impl LocalServer {
    /// Reads what a server wrote; nothing if it never ran there.
    pub(super) fn read(data: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(data.join(SERVER_FILE)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Writes it for commands to find.
    pub(super) fn write(&self, data: &Path) -> Result<(), CliError> {
        let path = data.join(SERVER_FILE);
        let text = serde_json::to_string_pretty(self).map_err(|error| CliError::because("cannot make JSON", error))?;
        whole_file::replace(&path, text.as_bytes(), Readers::Owner)
            .map_err(|error| CliError::because(format!("cannot write {}", path.display()), error))
    }

    /// Takes it away: the server ends.
    pub(super) fn remove(data: &Path) {
        if let Err(error) = std::fs::remove_file(data.join(SERVER_FILE)) {
            tracing::debug!(%error, "{SERVER_FILE} was not removed");
        }
    }

    /// An address at which this host reaches the server.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        let first = *self.listen.first()?;
        let loopback = match first {
            SocketAddr::V4(_) => std::net::IpAddr::from(std::net::Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        };
        Some(if first.ip().is_unspecified() {
            SocketAddr::new(loopback, first.port())
        } else {
            first
        })
    }

    /// Its identity.
    pub(super) fn pin(&self) -> Option<Fingerprint> {
        self.fingerprint.parse().ok()
    }
}

/// What may lie in a data directory before its first start, or after one that was killed: our own files, those of agents and
/// users whose directory lies inside it, and what a file system of its own has.
const OURS: [&str; 11] = [
    ADMIN_FILE,
    IDENTITY_FILE,
    LEASE_FILE,
    SERVER_FILE,
    backup::NOTE,
    "LOCK",
    "agent",
    "history",
    "lost+found",
    "scratch",
    "user",
];

/// What a store has in a data directory, whatever else of it was lost.
const STORED: [&str; 5] = ["FORMAT", "journal", "ledger", "manifest", "state"];

/// The names in a directory; none where it is not there yet, or cannot be read: the store will say what is wrong with it.
fn names_in(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// Whether a name is this one, perhaps with something behind a dot.
fn is_of(name: &str, whole: &str) -> bool {
    name.strip_prefix(whole)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn is_stored(name: &str) -> bool {
    STORED.iter().any(|stored| is_of(name, stored))
}

/// Refuses a directory with a server's keys and nothing of its store: a first start makes the store before the keys, so this
/// one was lost, and an empty one in its place would deny every seat that was given.
pub(super) fn refuse_keys_without_store(data: &Path) -> Result<(), CliError> {
    let names = names_in(data);
    let key = [IDENTITY_FILE, LEASE_FILE]
        .into_iter()
        .find(|key| names.iter().any(|name| name == key));
    match key {
        Some(key) if !names.iter().any(|name| is_stored(name)) => Err(CliError::failed(format!(
            "{} holds the keys of a server ({key}) and nothing of its store, which was lost: restore a backup into an empty \
             directory (`seatkeeper restore FILE --data DIR`); to begin with nothing under the same identity, put the keys \
             aside, start, stop, and put them back",
            data.display()
        ))),
        _ => Ok(()),
    }
}

/// Refuses a directory that holds somebody else's files: it was named by mistake.
pub(super) fn refuse_foreign(data: &Path) -> Result<(), CliError> {
    if data.join("FORMAT").exists() {
        return Ok(());
    }
    let is_ours = |name: &str| is_stored(name) || OURS.iter().any(|ours| is_of(name, ours));
    match names_in(data).into_iter().find(|name| !is_ours(name)) {
        Some(name) => Err(CliError::failed(format!(
            "{} is no data directory: it holds {name}; name an empty directory with --data",
            data.display()
        ))),
        None => Ok(()),
    }
}

/// The data directory: as asked, else the system's for root, else below the XDG state directory.
pub(super) fn data_dir(asked: Option<&Path>) -> Result<PathBuf, CliError> {
    if let Some(dir) = asked {
        return Ok(dir.to_owned());
    }
    if nix::unistd::Uid::effective().is_root() {
        return Ok(SYSTEM_DATA.into());
    }
    Ok(state_home()?.join("seatkeeper"))
}

/// The identity file of whoever runs commands but has no data directory to read. In a directory of its own: the one
/// above may become the data directory of a server, whose identity is another one.
pub(super) fn own_identity_file() -> Result<PathBuf, CliError> {
    Ok(state_home()?.join("seatkeeper").join("user").join(IDENTITY_FILE))
}

/// Has this process make every file for its owner alone from now on, however it was started: what is below a data directory
/// is nobody else's, also what the storage engine makes there as the process is told to.
pub(super) fn be_private() {
    use nix::sys::stat::{Mode, umask};
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
}

/// The data directory that this command is about.
pub(super) fn data_of(global: &Global) -> Result<PathBuf, CliError> {
    data_dir(global.data.as_deref())
}

fn state_home() -> Result<PathBuf, CliError> {
    let absolute = |path: std::ffi::OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    std::env::var_os("XDG_STATE_HOME")
        .and_then(absolute)
        .or_else(|| {
            std::env::var_os("HOME")
                .and_then(absolute)
                .map(|home| home.join(".local/state"))
        })
        .ok_or_else(|| {
            CliError::Usage(
                "neither XDG_STATE_HOME nor HOME is set; set one of them, or say --data DIR and --identity FILE"
                    .to_owned(),
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_never_reads_half_of_what_a_server_writes() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let server = LocalServer {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 17_328)); 100],
            fingerprint: Fingerprint([7; 32]).to_string(),
            name: Some("here".to_owned()),
        };
        server.write(dir.path()).expect("written");
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| (0..1_000).try_for_each(|_| server.write(dir.path())));
            while !writing.is_finished() {
                assert!(LocalServer::read(dir.path()).is_some(), "half a file");
            }
            writing.join().expect("ends").expect("written");
        });
        let names = std::fs::read_dir(dir.path()).expect("readable").count();
        assert_eq!(names, 1, "nothing is left beside it");
    }

    #[test]
    fn keys_without_a_store_are_refused_and_what_a_killed_first_start_leaves_is_not() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let path = directory.path();
        assert!(refuse_keys_without_store(&path.join("missing")).is_ok());
        assert!(refuse_keys_without_store(path).is_ok());
        std::fs::write(path.join("admin.pem"), "").expect("written");
        assert!(
            refuse_keys_without_store(path).is_ok(),
            "whoever administers it may be there before it"
        );
        for key in [IDENTITY_FILE, LEASE_FILE] {
            std::fs::write(path.join(key), "").expect("written");
            let error = refuse_keys_without_store(path).expect_err("lost").to_string();
            assert!(error.contains(key) && error.contains("seatkeeper restore"), "{error}");
            for stored in ["FORMAT.new", "manifest.7", "journal"] {
                std::fs::write(path.join(stored), "").expect("written");
                assert!(refuse_keys_without_store(path).is_ok(), "{stored}");
                std::fs::remove_file(path.join(stored)).expect("removed");
            }
            std::fs::remove_file(path.join(key)).expect("removed");
        }
    }

    #[test]
    fn a_directory_with_other_files_is_refused_and_one_of_ours_is_not() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let path = directory.path();
        assert!(refuse_foreign(&path.join("missing")).is_ok());
        for ours in [
            "agent",
            "identity.pem",
            "admin.pem.before-recovery",
            "FORMAT.new",
            "last-backup",
            "ledger.round",
        ] {
            std::fs::write(path.join(ours), "").expect("written");
        }
        assert!(refuse_foreign(path).is_ok());
        std::fs::write(path.join("holiday.jpg"), "").expect("written");
        let error = refuse_foreign(path).expect_err("foreign").to_string();
        assert!(error.contains("holiday.jpg"), "{error}");
        std::fs::write(path.join("FORMAT"), "").expect("written");
        assert!(
            refuse_foreign(path).is_ok(),
            "the store judges what says that it is one"
        );
    }
}

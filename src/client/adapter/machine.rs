//! The choice of this machine's address, kept for all its users.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::rules::{self, Adapter, Choice};
use super::{AdapterError, choose};
use crate::domain::ids::Mac;
use crate::whole_file::{self, Readers};

const FILE_NAME: &str = "machine.json";
const VERSION: u32 = 1;
/// A longer file is none of ours.
const FILE_LEN_MAX: u64 = 64 * 1024;

/// The directories in which the choice may be kept, first the one for all users of the machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Places {
    directories: Vec<PathBuf>,
}

impl Places {
    /// `SEATKEEPER_STATE_DIR` alone if it is set; else `/var/lib/seatkeeper-agent`, which every user reads and root
    /// writes, then the user's own `$XDG_STATE_HOME/seatkeeper/agent` (`~/.local/state/seatkeeper/agent`).
    #[must_use]
    pub fn from_environment() -> Self {
        let set = |name| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        if let Some(only) = set("SEATKEEPER_STATE_DIR") {
            return Self::of(vec![only]);
        }
        let (shared, own) = if cfg!(windows) {
            let own = set("LOCALAPPDATA").map(|data| data.join("Seatkeeper").join("Agent"));
            (
                set("PROGRAMDATA").map(|data| data.join("Seatkeeper").join("Agent")),
                own,
            )
        } else {
            let state = set("XDG_STATE_HOME").or_else(|| set("HOME").map(|home| home.join(".local/state")));
            let own = state.map(|state| state.join("seatkeeper").join("agent"));
            (Some(PathBuf::from("/var/lib/seatkeeper-agent")), own)
        };
        Self::of(shared.into_iter().chain(own).collect())
    }

    /// These directories, in this order; they need not exist.
    #[must_use]
    pub const fn of(directories: Vec<PathBuf>) -> Self {
        Self { directories }
    }
}

/// A choice as it is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MachineFile {
    /// The address that names the machine.
    pub mac: Mac,
    /// Why it was chosen, for people.
    pub why: String,
    /// All permanent addresses that were seen then, the chosen one among them.
    pub seen: Vec<Mac>,
}

/// How it stands in the file.
#[derive(Deserialize, Serialize)]
struct Form {
    version: u32,
    mac: String,
    why: String,
    seen: Vec<String>,
}

impl MachineFile {
    /// The new choice of a machine with these adapters.
    #[must_use]
    pub fn new(choice: &Choice, adapters: &[Adapter]) -> Self {
        Self {
            mac: choice.mac,
            why: choice.why.clone(),
            seen: rules::addresses(adapters),
        }
    }

    /// Whether the choice stands: at least one of the addresses seen then is still there.
    #[must_use]
    pub fn stands(&self, adapters: &[Adapter]) -> bool {
        let present = rules::addresses(adapters);
        self.seen.iter().any(|mac| present.contains(mac))
    }

    /// Reads a file's text; none if it is not one of ours.
    #[must_use]
    pub fn from_json(text: &str) -> Option<Self> {
        let form: Form = serde_json::from_str(text).ok()?;
        let seen: Result<Vec<Mac>, _> = form.seen.iter().map(|mac| mac.parse()).collect();
        (form.version == VERSION).then_some(Self {
            mac: form.mac.parse().ok()?,
            why: form.why,
            seen: seen.ok()?,
        })
    }

    /// The file's text.
    ///
    /// # Errors
    /// None in practice: the texts in it can be written as JSON.
    pub fn to_json(&self) -> io::Result<String> {
        let form = Form {
            version: VERSION,
            mac: self.mac.to_string(),
            why: self.why.clone(),
            seen: self.seen.iter().map(Mac::to_string).collect(),
        };
        let mut text = serde_json::to_string_pretty(&form)?;
        text.push('\n');
        Ok(text)
    }
}

/// The choice that stands in the first of `places` that has one; else a new one, kept in the first of `places` that
/// can be written.
///
/// A choice that cannot be kept is no error: it is made by the same rule at the next start.
///
/// # Errors
/// [`AdapterError::NoMac`]: nothing stands and there is nothing to choose from.
pub fn stored_choice(adapters: &[Adapter], places: &Places) -> Result<Choice, AdapterError> {
    if let Some(kept) = kept(adapters, places) {
        return Ok(kept);
    }
    let choice = choose(adapters)?;
    let file = MachineFile::new(&choice, adapters);
    for directory in &places.directories {
        match keep(directory, &file, adapters) {
            Ok(kept) => return Ok(rules::given(kept.mac, kept.why, adapters)),
            Err(error) => tracing::debug!(directory = %directory.display(), %error, "the choice is not kept here"),
        }
    }
    tracing::warn!(mac = %choice.mac, "the choice of this machine's address cannot be kept in any state directory");
    Ok(choice)
}

/// The choice that stands in the first of `places` that has one, to look at: nothing is chosen and nothing kept.
#[must_use]
pub fn kept(adapters: &[Adapter], places: &Places) -> Option<Choice> {
    let kept = standing(adapters, places)?;
    Some(rules::given(kept.mac, kept.why, adapters))
}

fn standing(adapters: &[Adapter], places: &Places) -> Option<MachineFile> {
    let files = places
        .directories
        .iter()
        .filter_map(|directory| read(&directory.join(FILE_NAME)));
    files.into_iter().find(|file| file.stands(adapters))
}

fn read(path: &Path) -> Option<MachineFile> {
    let len = fs::metadata(path).ok()?.len();
    let file = fs::read_to_string(path)
        .ok()
        .filter(|_| len <= FILE_LEN_MAX)
        .and_then(|text| MachineFile::from_json(&text));
    if file.is_none() {
        tracing::warn!(path = %path.display(), "this machine's address cannot be read there; it is chosen anew");
    }
    file
}

/// Keeps `file`, whole or not at all. Of two programs that choose at once, the first one's choice is answered to both.
fn keep(directory: &Path, file: &MachineFile, adapters: &[Adapter]) -> io::Result<MachineFile> {
    create_directory(directory)?;
    let path = directory.join(FILE_NAME);
    let text = file.to_json()?;
    // What cannot be created anew, as on a file system without links, is replaced.
    if whole_file::create(&path, text.as_bytes(), Readers::Everybody).unwrap_or(false) {
        return Ok(file.clone());
    }
    let first = path.exists().then(|| read(&path)).flatten();
    if let Some(first) = first.filter(|first| first.stands(adapters)) {
        return Ok(first);
    }
    whole_file::replace(&path, text.as_bytes(), Readers::Everybody)?;
    Ok(file.clone())
}

/// Makes a directory for the state of this machine's components, if it is not there.
pub(in crate::client) fn create_directory(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(directory)?;
    // The user's umask must not hide the machine's choice from the other users.
    if directory.starts_with("/var/lib") {
        readable_by_all(&File::open(directory)?, 0o755)?;
    }
    Ok(())
}

#[cfg(unix)]
fn readable_by_all(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn readable_by_all(_file: &File, _mode: u32) -> io::Result<()> {
    Ok(())
}

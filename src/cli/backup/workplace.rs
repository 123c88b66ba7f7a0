//! Where a backup or a data directory is made: a directory beside its place, which goes at the end, or at the next try.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::cli::interruption::{Noted, Traces};
use crate::cli::output;

/// What such a directory is used for: nothing else in it is removed.
const PARTS: [&str; 2] = ["archive", "data"];

/// How often a directory is tried that somebody else has, and the wait in between: whoever clears away what was abandoned
/// beside has it for a moment.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(50);

/// A place beside what is to be made, where it is made: what is left of an earlier try goes.
#[derive(Debug)]
pub(in crate::cli) struct Workplace {
    path: PathBuf,
    traces: Traces,
    _lock: File,
}

impl Workplace {
    /// Takes the directory beside `target` whose name has `suffix` behind it, and clears away those of others that were
    /// interrupted there. Nothing if another process is at work in it.
    pub(in crate::cli) fn beside(target: &Path, suffix: &str, traces: &Traces) -> io::Result<Option<Self>> {
        let mut path = target.as_os_str().to_owned();
        path.push(suffix);
        let path = PathBuf::from(path);
        traces.begin(|noted| {
            let Some(lock) = take(&path, noted)? else {
                return Ok(None);
            };
            let foreign = foreign_in(&path)?;
            if let Some(name) = foreign {
                return Err(io::Error::other(format!(
                    "{} holds {}, which no backup leaves behind: move it away",
                    path.display(),
                    name.display()
                )));
            }
            noted.goes(&path);
            empty(&path)?;
            clear_beside(&path, suffix);
            Ok(Some(Self {
                path: path.clone(),
                traces: traces.clone(),
                _lock: lock,
            }))
        })
    }

    pub(in crate::cli) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        self.traces.remove(&self.path);
    }
}

/// Makes a directory, or finds it, and locks it.
fn take(path: &Path, noted: &mut Noted<'_>) -> io::Result<Option<File>> {
    for _ in 0..TRIES {
        noted.make_dir(path)?;
        if !is_ours(path)? {
            return Err(io::Error::other(format!(
                "{} is there already and is no directory of this user's alone: move it away",
                path.display()
            )));
        }
        let lock = File::open(path)?;
        match lock.try_lock() {
            // Not every file system has locks.
            Ok(()) | Err(TryLockError::Error(_)) if is_at(&lock, path) => return Ok(Some(lock)),
            _ => thread::sleep(PAUSE),
        }
    }
    Ok(None)
}

/// Whether the directory that is open still has its name.
fn is_at(dir: &File, path: &Path) -> bool {
    let same = |one: &fs::Metadata, other: &fs::Metadata| (one.dev(), one.ino()) == (other.dev(), other.ino());
    matches!((dir.metadata(), fs::symlink_metadata(path)), (Ok(one), Ok(other)) if same(&one, &other))
}

/// Whether it is a directory of our own making: nothing is removed and written where a link leads.
fn is_ours(path: &Path) -> io::Result<bool> {
    let found = fs::symlink_metadata(path)?;
    let is_open = found.permissions().mode() & 0o077 != 0;
    Ok(found.is_dir() && found.uid() == nix::unistd::Uid::effective().as_raw() && !is_open)
}

/// Something that no backup makes.
fn foreign_in(path: &Path) -> io::Result<Option<std::ffi::OsString>> {
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        if !PARTS.iter().any(|part| name == *part) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn empty(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Removes what was abandoned at `path`: a directory of this user's alone that nobody has locked and which holds nothing but
/// what is made in it. Whether nothing is left of that.
pub(in crate::cli) fn clear(path: &Path) -> bool {
    let cleared = || -> io::Result<bool> {
        if !is_ours(path)? {
            return Ok(false);
        }
        let lock = File::open(path)?;
        // Where there are no locks nobody can tell that it is abandoned.
        if lock.try_lock().is_err() || !is_at(&lock, path) {
            return Ok(false);
        }
        if let Some(name) = foreign_in(path)? {
            output::note(&format!(
                "{} is left of one that was interrupted, and holds {}, which is none of it: move that away, and remove the rest",
                path.display(),
                name.display()
            ));
            return Ok(false);
        }
        fs::remove_dir_all(path).map(|()| true)
    };
    cleared().unwrap_or(false)
}

/// Clears away what others left in the same directory: backups have a date in their names, and none comes twice.
fn clear_beside(path: &Path, suffix: &str) {
    let dir = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    let is_one = |name: &OsStr| name.as_bytes().ends_with(suffix.as_bytes()) && path.file_name() != Some(name);
    for entry in entries.flatten().filter(|entry| is_one(&entry.file_name())) {
        let left = entry.path();
        if clear(&left) {
            output::note(&format!(
                "{} was left of one that was interrupted, and is removed",
                left.display()
            ));
        }
    }
}

//! Files that are replaced whole, readable by their owner alone, and the lock beside them.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::StateError;
use crate::whole_file::{self, Readers};

/// The largest state file that is read, in bytes.
const FILE_LEN_MAX: u64 = 1_024 * 1_024;

pub(super) fn make_directory(directory: &Path) -> Result<(), StateError> {
    // Readable by all: the machine's choice of a MAC address lives here too. What is secret has its own mode.
    fs::create_dir_all(directory).map_err(|error| fault(directory, "created", error))
}

/// Opens the lock file and waits for the lock.
pub(super) async fn lock(path: PathBuf, wait: Duration) -> Result<File, StateError> {
    let file = private(OpenOptions::new().read(true).write(true).create(true).truncate(false))
        .open(&path)
        .map_err(|error| fault(&path, "opened", error))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => return Err(fault(&path, "locked", error)),
    }
    // A thread of its own: a runtime waits for its blocking tasks when it ends, and this wait may outlast ours.
    let (told, done) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("seatkeeper-lock".to_owned())
        .spawn(move || {
            let locked = file.lock().map(|()| file);
            drop(told.send(locked)); // nobody listens any more: the lock goes with the file
        })
        .map_err(|error| fault(&path, "locked", error))?;
    match tokio::time::timeout(wait, done).await {
        Ok(Ok(locked)) => locked.map_err(|error| fault(&path, "locked", error)),
        Ok(Err(_)) | Err(_) => Err(StateError::Busy { path }),
    }
}

/// The bytes of the file; nothing if there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, StateError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault(path, "opened", error)),
    };
    refuse_exposed(path, &file)?;
    let mut text = Vec::new();
    file.take(FILE_LEN_MAX)
        .read_to_end(&mut text)
        .map_err(|error| fault(path, "read", error))?;
    Ok(Some(text))
}

/// Replaces the file: after a crash it holds the old text or the new one, and after the return the new one.
pub(super) fn replace(path: &Path, text: &[u8]) -> Result<(), StateError> {
    whole_file::replace(path, text, Readers::Owner).map_err(|error| fault(path, "written", error))
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

fn refuse_exposed(path: &Path, file: &File) -> Result<(), StateError> {
    match whole_file::exposure(file).map_err(|error| fault(path, "examined", error))? {
        None => Ok(()),
        Some(mode) => Err(StateError::Exposed {
            path: path.to_owned(),
            mode,
        }),
    }
}

#[cfg(unix)]
pub(super) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

#[cfg(not(unix))]
pub(super) fn is_root() -> bool {
    false
}

fn fault(path: &Path, action: &'static str, source: io::Error) -> StateError {
    StateError::File {
        path: path.to_owned(),
        action,
        source,
    }
}

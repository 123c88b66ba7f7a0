//! The `LOCK` file: one process at a time uses a data directory.

use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::StoreError;
use super::io_failed;
use super::os_disk::owner_only;

const NAME: &str = "LOCK";

/// How often a lock is tried and how long each time is waited. A process that was killed keeps its locks until the
/// kernel has taken it apart, and no event tells when that is: hence a bounded loop.
pub(super) const TRIES: u32 = 20;
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// Held as long as the store lives; the kernel gives it back however the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the directory, and writes down who took it.
    pub(super) fn take(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(NAME);
        let mut file = owner_only()
            .create(true)
            .open(&path)
            .map_err(io_failed("opening", &path))?;
        for tried in 1.. {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if tried < TRIES => thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => return Err(locked(dir, &mut file)),
                Err(TryLockError::Error(source)) => return Err(io_failed("locking", &path)(source)),
            }
        }
        // For people only: a full disk must not keep a server from starting.
        if let Err(error) = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())) {
            tracing::debug!(%error, "{NAME} does not tell who has it");
        }
        Ok(Self { _file: file })
    }
}

/// Who holds the lock is only told to people: whatever does not read as a number is "unknown".
fn locked(dir: &Path, file: &mut File) -> StoreError {
    let mut text = String::new();
    let pid = match file.take(32).read_to_string(&mut text) {
        Ok(_) => text
            .trim()
            .parse::<u32>()
            .map_or("unknown".into(), |pid| pid.to_string()),
        Err(_) => "unknown".into(),
    };
    StoreError::Locked {
        place: dir.display().to_string(),
        pid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_who_the_first_is() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::take(dir.path()).unwrap();
        let error = Lock::take(dir.path()).unwrap_err().to_string();
        assert!(
            error.contains(&format!("locked by process {}", std::process::id())),
            "{error}"
        );
        drop(first);
        Lock::take(dir.path()).unwrap();
    }
}

//! The servers that every component of this machine trusts: one fingerprint a line, put there by an administrator.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Memory, StateError, file};
use crate::domain::ids::Fingerprint;
use crate::tls::PINS_MAX;

/// Has every component of this machine trust a server, besides those that it trusts already. True if it is new.
///
/// # Errors
/// [`StateError`]; nothing changed.
pub async fn trust_on_this_machine(
    directory: &Path,
    fingerprint: Fingerprint,
    wait: Duration,
) -> Result<bool, StateError> {
    file::make_directory(directory)?;
    // Held until the list is written: of two who add at once, neither may lose the other's server.
    let _lock = lock(directory, wait).await?;
    let mut trusted = read(directory)?;
    if trusted.contains(&fingerprint) {
        return Ok(false);
    }
    if trusted.len() >= PINS_MAX {
        return Err(StateError::TooManyPins);
    }
    trusted.push(fingerprint);
    write(directory, &trusted)?;
    Ok(true)
}

/// Waits until nobody else changes the list.
pub(super) async fn lock(directory: &Path, wait: Duration) -> Result<File, StateError> {
    file::lock(directory.join("trusted-servers.lock"), wait).await
}

/// Replaces the list. Whoever calls this holds its lock.
pub(super) fn write(directory: &Path, trusted: &[Fingerprint]) -> Result<(), StateError> {
    let mut lines: Vec<_> = trusted.iter().map(Fingerprint::to_string).collect();
    // The last line ends as the others do.
    lines.push(String::new());
    file::replace(&path(directory), lines.join("\n").as_bytes())
}

/// The servers that every component of this machine trusts, to look at.
///
/// # Errors
/// [`StateError`]: the list cannot be read.
pub fn trusted_on_this_machine(directory: &Path) -> Result<Vec<Fingerprint>, StateError> {
    read(directory)
}

/// Adds the machine's trusted servers to what a component remembers, as far as it has room for them.
pub(super) fn add_to(memory: &mut Memory, directory: &Path) -> Result<(), StateError> {
    for fingerprint in read(directory)? {
        match memory.trust(fingerprint) {
            Ok(_) => {}
            // What the component has met goes before what the machine was told.
            Err(StateError::TooManyPins) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn read(directory: &Path) -> Result<Vec<Fingerprint>, StateError> {
    let path = path(directory);
    let Some(bytes) = file::read(&path)? else {
        return Ok(Vec::new());
    };
    let damaged = |reason: &str| StateError::Damaged {
        path: path.clone(),
        reason: reason.to_owned(),
    };
    let text = String::from_utf8(bytes).map_err(|_| damaged("it is not text"))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| line.parse().map_err(|_| damaged("a line is not a fingerprint")))
        .collect()
}

pub(super) fn path(directory: &Path) -> PathBuf {
    directory.join("trusted-servers")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn trust(directory: &Path, server: u8) -> Result<bool, StateError> {
        trust_on_this_machine(directory, Fingerprint([server; 32]), Duration::from_secs(10)).await
    }

    #[tokio::test]
    async fn a_server_is_trusted_once_and_by_every_component() {
        let directory = tempfile::tempdir().expect("temporary directory");
        assert!(trust(directory.path(), 7).await.expect("written"));
        assert!(!trust(directory.path(), 7).await.expect("there already"));
        let mut memory = Memory::default();
        add_to(&mut memory, directory.path()).expect("readable");
        assert!(memory.pin(Fingerprint([7; 32])).is_some());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn servers_that_are_trusted_at_the_same_time_are_all_trusted() {
        for _ in 0..20 {
            let directory = tempfile::tempdir().expect("temporary directory");
            let path = directory.path();
            let trusting = |server: u8| {
                let path = path.to_owned();
                tokio::spawn(async move { trust(&path, server).await })
            };
            for done in [0, 1, 2, 3].map(trusting) {
                assert!(done.await.expect("ends").expect("written"));
            }
            assert_eq!(read(path).expect("readable").len(), 4);
        }
    }

    #[tokio::test]
    async fn as_many_as_a_component_can_pin_and_no_more() {
        let directory = tempfile::tempdir().expect("temporary directory");
        for server in 0..PINS_MAX {
            let server = u8::try_from(server).expect("small");
            assert!(trust(directory.path(), server).await.expect("room"));
        }
        let refused = trust(directory.path(), 99).await;
        assert!(matches!(refused, Err(StateError::TooManyPins)));
    }

    #[tokio::test]
    async fn a_damaged_list_is_told_and_not_passed_over() {
        let directory = tempfile::tempdir().expect("temporary directory");
        trust(directory.path(), 7).await.expect("written");
        file::replace(&path(directory.path()), b"not a fingerprint\n").expect("written");
        assert!(matches!(
            add_to(&mut Memory::default(), directory.path()),
            Err(StateError::Damaged { .. })
        ));
    }
}

//! The servers that every component of this machine trusts: one fingerprint a line, put there by an administrator.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Memory, StateError, file, record};
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
    let _lock = file::lock(directory.join("trusted-servers.lock"), wait).await?;
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

/// Where a server was taken out.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Distrusted {
    /// How many components had met it, or been told of it.
    pub components: u32,
    /// Whether every component of this machine was to trust it.
    pub was_listed: bool,
}

/// Has no component of this machine trust a server any more: neither by the machine's list nor by what each remembers. A
/// component that is left without any looks for one that shows a license of its vendor, as at its first start.
///
/// # Errors
/// [`StateError`]; whatever came before is done, and asking again does the rest.
pub async fn distrust_on_this_machine(
    directory: &Path,
    fingerprint: Fingerprint,
    wait: Duration,
) -> Result<Distrusted, StateError> {
    file::make_directory(directory)?;
    let _lock = file::lock(directory.join("trusted-servers.lock"), wait).await?;
    let mut trusted = read(directory)?;
    let listed = trusted.len();
    trusted.retain(|one| *one != fingerprint);
    let mut done = Distrusted {
        was_listed: trusted.len() < listed,
        ..Distrusted::default()
    };
    // First of all, or a component that starts meanwhile takes it from here again.
    if done.was_listed {
        write(directory, &trusted)?;
    }
    for path in memories(directory)? {
        done.components += u32::from(forget(&path, fingerprint, wait).await?);
    }
    Ok(done)
}

/// The files in which components of this machine remember servers.
fn memories(directory: &Path) -> Result<Vec<PathBuf>, StateError> {
    let failed = |source| StateError::File {
        path: directory.to_owned(),
        action: "read",
        source,
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        // As `Owner::path` names them; the machine's choice of an address lies here too.
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_memory = name.ends_with(".json") && name.matches('~').count() == 2;
        if is_memory {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Takes a server out of what a component remembers; whether it was there.
async fn forget(path: &Path, fingerprint: Fingerprint, wait: Duration) -> Result<bool, StateError> {
    let _lock = file::lock(path.with_extension("lock"), wait).await?;
    let Some(text) = file::read(path)? else {
        return Ok(false);
    };
    let (mut memory, identity) = record::decode(path, &text)?;
    let known = memory.pins.len();
    memory.pins.retain(|pin| pin.fingerprint != fingerprint);
    let is_known = memory.pins.len() < known;
    if is_known {
        file::replace(path, record::encode(&memory, identity).as_bytes())?;
    }
    Ok(is_known)
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

fn write(directory: &Path, trusted: &[Fingerprint]) -> Result<(), StateError> {
    let lines = trusted.iter().map(|one| format!("{one}\n"));
    file::replace(&path(directory), lines.collect::<String>().as_bytes())
}

fn path(directory: &Path) -> PathBuf {
    directory.join("trusted-servers")
}

#[cfg(test)]
mod tests {
    use super::super::{Owner, State};
    use super::*;
    use crate::domain::time::Timestamp;

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
    async fn a_server_that_is_distrusted_is_in_no_memory_and_no_list_and_the_others_stay() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let directory = directory.path();
        let wait = Duration::from_secs(10);
        let [old, new] = [7, 8].map(|server| Fingerprint([server; 32]));
        trust(directory, 7).await.expect("written");
        trust(directory, 8).await.expect("written");
        let owners = ["agent", "cli"].map(|component| Owner {
            product: crate::domain::ids::ProductKey {
                vendor: crate::domain::ids::VendorId([1; 16]),
                product: "BKSRV".parse().expect("an id"),
            },
            component: component.parse().expect("an id"),
        });
        // What both remember is what the list says; then only one of them knows the new one.
        let mut identities = Vec::new();
        for owner in owners {
            let mut state = State::open(directory, owner, wait).await.expect("a state");
            assert_eq!(state.memory.pins.len(), 2);
            state.save(Timestamp(5)).await.expect("saved");
            identities.push(state.identity().fingerprint());
        }
        let done = distrust_on_this_machine(directory, old, wait).await.expect("done");
        assert_eq!((done.components, done.was_listed), (2, true));
        assert_eq!(trusted_on_this_machine(directory).expect("readable"), [new]);
        for (owner, identity) in owners.into_iter().zip(identities) {
            let state = State::open(directory, owner, wait).await.expect("a state");
            assert!(state.memory.pin(old).is_none() && state.memory.pin(new).is_some());
            assert_eq!(state.identity().fingerprint(), identity);
        }
        let again = distrust_on_this_machine(directory, old, wait).await.expect("done");
        assert_eq!(again, Distrusted::default());
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

//! The servers that every component of this machine trusts: one fingerprint a line, put there by an administrator.

use std::path::{Path, PathBuf};

use super::{Memory, StateError, file};
use crate::domain::ids::Fingerprint;
use crate::tls::PINS_MAX;

/// Has every component of this machine trust a server, besides those that it trusts already. True if it is new.
///
/// # Errors
/// [`StateError`]; nothing changed.
pub fn trust_on_this_machine(directory: &Path, fingerprint: Fingerprint) -> Result<bool, StateError> {
    file::make_directory(directory)?;
    let mut trusted = read(directory)?;
    if trusted.contains(&fingerprint) {
        return Ok(false);
    }
    if trusted.len() >= PINS_MAX {
        return Err(StateError::TooManyPins);
    }
    trusted.push(fingerprint);
    let lines: Vec<String> = trusted.iter().map(Fingerprint::to_string).collect();
    file::replace(&path(directory), (lines.join("\n") + "\n").as_bytes())?;
    Ok(true)
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

fn path(directory: &Path) -> PathBuf {
    directory.join("trusted-servers")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_trusted_once_and_by_every_component() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let server = Fingerprint([7; 32]);
        assert!(trust_on_this_machine(directory.path(), server).expect("written"));
        assert!(!trust_on_this_machine(directory.path(), server).expect("there already"));
        let mut memory = Memory::default();
        add_to(&mut memory, directory.path()).expect("readable");
        assert!(memory.pin(server).is_some());
    }

    #[test]
    fn as_many_as_a_component_can_pin_and_no_more() {
        let directory = tempfile::tempdir().expect("temporary directory");
        for server in 0..PINS_MAX {
            let server = Fingerprint([u8::try_from(server).expect("small"); 32]);
            assert!(trust_on_this_machine(directory.path(), server).expect("room"));
        }
        let refused = trust_on_this_machine(directory.path(), Fingerprint([99; 32]));
        assert!(matches!(refused, Err(StateError::TooManyPins)));
    }

    #[test]
    fn a_damaged_list_is_told_and_not_passed_over() {
        let directory = tempfile::tempdir().expect("temporary directory");
        trust_on_this_machine(directory.path(), Fingerprint([7; 32])).expect("written");
        file::replace(&path(directory.path()), b"not a fingerprint\n").expect("written");
        assert!(matches!(
            add_to(&mut Memory::default(), directory.path()),
            Err(StateError::Damaged { .. })
        ));
    }
}

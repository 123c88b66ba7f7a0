//! The file with the key that the server signs leases with (rule O3): made at the first start, its owner's alone.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::error::CliError;
use super::local::LEASE_FILE;
use super::server::random;
use crate::session::LeaseKey;
use crate::whole_file::{self, Readers};

/// The largest key file that is read, in bytes.
const FILE_LEN_MAX: u64 = 64 * 1_024;

/// The lease key in a data directory, or a new one written there (mode 0600, on stable storage before this returns). One
/// without its public key, as earlier releases wrote it, is written anew with it. `founded`: whether a server ran there before.
pub(super) fn load_or_create(data: &Path, founded: bool) -> Result<LeaseKey, CliError> {
    let path = data.join(LEASE_FILE);
    let fault = |action: &str, error| {
        CliError::because(
            format!("the lease key file {} cannot be {action}", path.display()),
            error,
        )
    };
    match File::open(&path) {
        Ok(file) => return read(&path, file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(fault("opened", error)),
    }
    if founded {
        tracing::warn!(
            "{LEASE_FILE} is missing: the server gets a new key for leases; agents learn it with their next renewal, \
             and until then the leases that they have count on; restore the file from a backup if there is one"
        );
    }
    let key = LeaseKey::from_seed(random()?);
    // The data directory is locked: nobody else makes one meanwhile.
    if whole_file::create(&path, key.to_pem().as_bytes(), Readers::Owner).map_err(|error| fault("created", error))? {
        return Ok(key);
    }
    read(&path, File::open(&path).map_err(|error| fault("opened", error))?)
}

fn read(path: &Path, file: File) -> Result<LeaseKey, CliError> {
    let shown = path.display();
    let fault =
        |action: &str, error| CliError::because(format!("the lease key file {shown} cannot be {action}"), error);
    if let Some(mode) = whole_file::exposure(&file).map_err(|error| fault("examined", error))? {
        return Err(CliError::failed(format!(
            "the lease key file {shown} is open to others (mode {mode:04o}); run: chmod 600 {shown}"
        )));
    }
    let damaged = |reason: String| {
        CliError::failed(format!(
            "the lease key file {shown} is damaged ({reason}); restore it from a backup, or move it away to get a new key, \
             which agents learn with their next renewal"
        ))
    };
    // Room for all of it: a text that grows leaves parts of the secret behind.
    let mut pem = Zeroizing::new(String::with_capacity(4_096));
    let key = match file.take(FILE_LEN_MAX).read_to_string(&mut pem) {
        Ok(_) => LeaseKey::from_pem(&pem).map_err(|error| damaged(error.to_string()))?,
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(damaged("it is not text".to_owned())),
        Err(error) => return Err(fault("read", error)),
    };
    if !LeaseKey::tells_public(&pem) {
        complete(path, &key);
    }
    Ok(key)
}

/// Writes a key anew, with its public key: from then on no changed bit makes another key of it. A disk that does not take it
/// must not keep a server from starting: the next start tries again.
fn complete(path: &Path, key: &LeaseKey) {
    match whole_file::replace(path, key.to_pem().as_bytes(), Readers::Owner) {
        Ok(()) => tracing::info!(
            "{LEASE_FILE} was written by an older seatkeeper and is written anew: the same key, with its public key, so that \
             damage to it is found"
        ),
        Err(error) => tracing::warn!(
            %error,
            "{LEASE_FILE} was written by an older seatkeeper and cannot be written anew with its public key, without which damage \
             to it is not found; the next start tries it again"
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).expect("there").permissions().mode() & 0o777
    }

    #[test]
    fn a_key_is_made_once_and_is_its_owners_alone() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let key = load_or_create(directory.path(), false).expect("made");
        assert_eq!(load_or_create(directory.path(), true).expect("read"), key);
        assert_eq!(mode(&directory.path().join(LEASE_FILE)), 0o600);
        let other = tempfile::tempdir().expect("temporary directory");
        assert_ne!(load_or_create(other.path(), false).expect("made"), key);
    }

    #[test]
    fn a_key_without_its_public_one_is_written_anew_with_it_and_is_the_same() {
        const OLD: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\n\
                           -----END PRIVATE KEY-----\n";
        let directory = tempfile::tempdir().expect("temporary directory");
        let path = directory.path().join(LEASE_FILE);
        whole_file::replace(&path, OLD.as_bytes(), Readers::Owner).expect("written");
        let key = load_or_create(directory.path(), true).expect("read");
        assert_eq!(key, LeaseKey::from_seed([1; 32]));
        let written = std::fs::read_to_string(&path).expect("readable");
        assert_eq!(written, *key.to_pem());
        assert_eq!(mode(&path), 0o600);
        assert_eq!(std::fs::read_dir(directory.path()).expect("readable").count(), 1);
        // Once is enough: what is whole is left alone.
        let inode = |path: &Path| std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(path).expect("there"));
        let before = inode(&path);
        assert_eq!(load_or_create(directory.path(), true).expect("read"), key);
        assert_eq!(inode(&path), before);
    }

    #[test]
    fn a_damaged_key_and_an_exposed_one_are_refused_with_the_remedy_and_left_alone() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let path = directory.path().join(LEASE_FILE);
        let key = load_or_create(directory.path(), false).expect("made");
        let good = std::fs::read(&path).expect("readable");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("set");
        let error = load_or_create(directory.path(), true).expect_err("exposed").to_string();
        assert!(error.contains("chmod 600"), "{error}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("set");
        for bad in [&good[..good.len() / 2], b"", b"\xff\xfe"] {
            std::fs::write(&path, bad).expect("written");
            let error = load_or_create(directory.path(), true).expect_err("damaged").to_string();
            assert!(error.contains("restore it from a backup"), "{error}");
            assert_eq!(std::fs::read(&path).expect("readable"), bad);
        }
        std::fs::write(&path, good).expect("written");
        assert_eq!(load_or_create(directory.path(), true).expect("read"), key);
    }
}

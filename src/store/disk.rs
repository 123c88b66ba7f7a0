//! The data directory: made for its owner alone, marked with the format it is in, and synced where it must be.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::StoreError;

/// The data format that this release writes, and the newest that it reads.
pub const FORMAT_VERSION: u32 = 1;

/// The file that says in which format the directory is. It is written last, so it also says that the rest is there.
const FORMAT_NAME: &str = "FORMAT";

/// What stands before the number in it.
const FORMAT_TEXT: &str = "seatkeeper data format ";

/// The directory of the database, in the data directory.
pub(super) const LEDGER: &str = "ledger";

/// Makes a directory for its owner alone, durably; one that is there stays as it is.
pub(super) fn make_dir(dir: &Path) -> Result<(), StoreError> {
    if dir.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(refused("creating the directory", dir))?;
    match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync(parent),
        _ => sync(Path::new(".")),
    }
}

/// How to open a file of ours for reading and writing; a new one is for its owner alone.
pub(super) fn owner_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Puts a file or a directory on stable storage.
pub(super) fn sync(path: &Path) -> Result<(), StoreError> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(refused("syncing", path))
}

/// Puts a directory and every file in it on stable storage. A file that was removed meanwhile needs no syncing.
pub(super) fn sync_all_in(dir: &Path) -> Result<(), StoreError> {
    for entry in fs::read_dir(dir).map_err(refused("reading the directory", dir))? {
        let path = entry.map_err(refused("reading the directory", dir))?.path();
        if path.is_file() {
            match sync(&path) {
                Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
                result => result?,
            }
        }
    }
    sync(dir)
}

/// Whether the directory is in use already, and in a format that this release knows.
pub(super) fn is_founded(dir: &Path) -> Result<bool, StoreError> {
    let path = dir.join(FORMAT_NAME);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(StoreError::Missing { path }),
        Err(error) => return Err(refused("reading", &path)(error)),
    };
    let number = text
        .strip_prefix(FORMAT_TEXT)
        .and_then(|rest| rest.strip_suffix('\n'))
        .filter(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
    match number.map(str::parse::<u32>) {
        Some(Ok(FORMAT_VERSION)) => Ok(true),
        None | Some(Ok(0)) => Err(StoreError::Missing { path }),
        Some(_) => Err(StoreError::Newer {
            place: dir.display().to_string(),
            version: number.unwrap_or_default().to_owned(),
            supported: FORMAT_VERSION,
        }),
    }
}

/// Says that the directory is in use, in this release's format.
pub(super) fn found(dir: &Path) -> Result<(), StoreError> {
    let path = dir.join(FORMAT_NAME);
    let fresh = dir.join("FORMAT.new");
    let write = || {
        let mut file = owner_only().open(&fresh)?;
        file.set_len(0)?;
        file.write_all(format!("{FORMAT_TEXT}{FORMAT_VERSION}\n").as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, &path)
    };
    write().map_err(refused("writing", &path))?;
    sync(dir)
}

/// Turns an error of the operating system into one that says what was tried, or that the place cannot be written.
pub(super) fn refused(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |source| {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                StoreError::NotWritable { path, source }
            }
            _ => StoreError::Io { doing, path, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_format_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        for version in ["2", "99999999999999999999"] {
            fs::write(dir.path().join(FORMAT_NAME), format!("{FORMAT_TEXT}{version}\n")).unwrap();
            let error = is_founded(dir.path()).unwrap_err();
            assert!(matches!(&error, StoreError::Newer { version: found, .. } if found == version));
            assert!(error.to_string().contains("written by a newer seatkeeper"), "{error}");
        }
    }

    #[test]
    fn a_damaged_format_is_not_taken_for_none() {
        let dir = tempfile::tempdir().unwrap();
        for bytes in [
            b"".as_slice(),
            b"seatkeeper data format ",
            b"seatkeeper data format 1",
            b"\xff\xfe",
            b"0\n",
        ] {
            fs::write(dir.path().join(FORMAT_NAME), bytes).unwrap();
            assert!(matches!(is_founded(dir.path()), Err(StoreError::Missing { .. })));
        }
    }

    #[test]
    fn a_founded_directory_says_so() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!is_founded(dir.path()).unwrap());
        found(dir.path()).unwrap();
        assert!(is_founded(dir.path()).unwrap());
    }
}

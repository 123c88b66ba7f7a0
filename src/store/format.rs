//! The `FORMAT` file: in which format a data directory is. It is written last, so it also says that the rest is there.

use std::io;
use std::path::Path;

use super::disk::Disk;
use super::{StoreError, io_failed};

/// The data format that this release writes, and the newest that it reads.
pub const FORMAT_VERSION: u32 = 2;

/// The name of the file.
pub(super) const FORMAT_NAME: &str = "FORMAT";

/// What stands before the number in it.
const FORMAT_TEXT: &str = "seatkeeper data format ";

/// The format of a directory that is in use; nothing of one that is not.
pub(super) fn read(disk: &dyn Disk, dir: &Path) -> Result<Option<u32>, StoreError> {
    let path = dir.join(FORMAT_NAME);
    let bytes = match disk.read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_failed("reading", &path)(error)),
    };
    let number = std::str::from_utf8(&bytes)
        .ok()
        .and_then(|text| text.strip_prefix(FORMAT_TEXT))
        .and_then(|rest| rest.strip_suffix('\n'))
        .filter(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
    match number.map(str::parse::<u32>) {
        Some(Ok(version @ 1..=FORMAT_VERSION)) => Ok(Some(version)),
        None | Some(Ok(0)) => Err(StoreError::Missing { path }),
        Some(_) => Err(StoreError::Newer {
            place: dir.display().to_string(),
            version: number.unwrap_or_default().to_owned(),
            supported: FORMAT_VERSION,
        }),
    }
}

/// Says that the directory is in use, in this release's format.
pub(super) fn write(disk: &dyn Disk, dir: &Path) -> Result<(), StoreError> {
    let path = dir.join(FORMAT_NAME);
    let draft = dir.join("FORMAT.new");
    let write = || {
        let mut file = disk.create(&draft)?;
        file.write_at(0, format!("{FORMAT_TEXT}{FORMAT_VERSION}\n").as_bytes())?;
        file.sync()?;
        disk.rename(&draft, &path)?;
        disk.sync_dir(dir)
    };
    write().map_err(io_failed("writing", &path))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::store::os_disk::OsDisk;

    #[test]
    fn a_newer_format_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        for version in ["3", "99999999999999999999"] {
            fs::write(dir.path().join(FORMAT_NAME), format!("{FORMAT_TEXT}{version}\n")).unwrap();
            let error = read(&OsDisk, dir.path()).unwrap_err();
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
            assert!(matches!(read(&OsDisk, dir.path()), Err(StoreError::Missing { .. })));
        }
    }

    #[test]
    fn a_founded_directory_says_so() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(&OsDisk, dir.path()).unwrap(), None);
        write(&OsDisk, dir.path()).unwrap();
        assert_eq!(read(&OsDisk, dir.path()).unwrap(), Some(FORMAT_VERSION));
    }
}

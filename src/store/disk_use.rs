//! What a data directory takes on its disk, and what is left there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::journal::DIR;

/// Files and directories that are looked at, at most: a directory that is not ours may be anything.
const LOOKS_MAX: usize = 100_000;

/// What a data directory takes on its disk, in bytes as they are allocated, and what is left.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DiskUse {
    /// What is free on the file system for whoever runs this.
    pub free: u64,
    /// What the file system has in all.
    pub total: u64,
    /// What the data directory takes.
    pub data: u64,
    /// What of that the journal takes.
    pub journal: u64,
}

impl DiskUse {
    /// Looks at the disk of the data directory `data`. It may take as long as the disk does.
    ///
    /// # Errors
    /// The directory cannot be read.
    #[cfg(unix)]
    pub fn of(data: &Path) -> io::Result<Self> {
        let told = nix::sys::statvfs::statvfs(data)?;
        // The types of the two differ from one system to another.
        #[expect(clippy::useless_conversion, reason = "they are the same on Linux")]
        let (free, total, unit) = (
            u64::from(told.blocks_available()),
            u64::from(told.blocks()),
            u64::from(told.fragment_size()),
        );
        let journal = taken(&data.join(DIR))?;
        Ok(Self {
            free: free.saturating_mul(unit),
            total: total.saturating_mul(unit),
            data: taken(data)?,
            journal,
        })
    }
}

/// What a directory takes with all that is in it. What goes meanwhile counts for nothing.
#[cfg(unix)]
fn taken(dir: &Path) -> io::Result<u64> {
    use std::os::unix::fs::MetadataExt;
    /// The unit in which the system counts what is allocated, whatever the file system's own is.
    const BLOCK_LEN: u64 = 512;
    let mut open: Vec<PathBuf> = vec![dir.to_owned()];
    let (mut bytes, mut looked) = (0, 0);
    while let Some(dir) = open.pop() {
        let entries = match fs::read_dir(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            looked += 1;
            if looked > LOOKS_MAX {
                return Ok(bytes);
            }
            // Of a link, the link itself: what it leads to is not in here.
            let Ok(found) = entry.metadata() else {
                continue;
            };
            bytes += found.blocks() * BLOCK_LEN;
            if found.is_dir() {
                open.push(entry.path());
            }
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_counted_and_the_journal_by_itself() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join(DIR)).unwrap();
        let before = DiskUse::of(dir.path()).unwrap();
        assert!(before.free > 0 && before.free <= before.total, "{before:?}");
        fs::write(dir.path().join(DIR).join("segment"), vec![1; 1 << 20]).unwrap();
        fs::write(dir.path().join("beside"), vec![1; 1 << 19]).unwrap();
        // Nobody waits until the file system has decided where.
        for name in ["journal/segment", "beside"] {
            fs::File::open(dir.path().join(name)).unwrap().sync_all().unwrap();
        }
        let after = DiskUse::of(dir.path()).unwrap();
        assert!(after.journal - before.journal >= 1 << 20, "{after:?}");
        assert!(after.data - before.data >= 3 << 19, "{after:?}");
        assert!(DiskUse::of(&dir.path().join("nothing")).is_err());
    }
}

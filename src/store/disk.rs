//! The file layer beneath journal, manifests and generations: what the store asks of the operating system, and nothing
//! else, so that a test can lose the power beneath it or have any single call fail.

use std::fmt::Debug;
use std::io;
use std::path::Path;

/// Files and directories. What was written is on stable storage once it was synced, and its name once its directory was.
///
/// Paths are those of the data directory; nobody else chooses one. Every call may fail, and what a failed call did is
/// unknown.
pub trait Disk: Debug + Send + Sync + 'static {
    /// The names in a directory, in no order; none of a directory that is not there.
    ///
    /// # Errors
    /// It cannot be read.
    fn names(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// All bytes of a file.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is none, or it cannot be read.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// The first bytes of a file, at most `len` of them.
    ///
    /// # Errors
    /// As of [`Disk::read`].
    fn read_start(&self, path: &Path, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = self.read(path)?;
        bytes.truncate(len);
        Ok(bytes)
    }

    /// How many bytes a file has.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is none.
    fn len(&self, path: &Path) -> io::Result<u64>;

    /// Makes an empty file for its owner alone, in place of one that is there.
    ///
    /// # Errors
    /// It cannot be made.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file for writing.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is none, or it cannot be written.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Gives a file another name, in place of one that has it.
    ///
    /// # Errors
    /// It cannot be renamed.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file; one that is not there is no error.
    ///
    /// # Errors
    /// It cannot be removed.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes a directory for its owner alone, with those above it; one that is there stays as it is. On a disk that can lose
    /// them, the names of those above are synced; its own is the caller's to sync.
    ///
    /// # Errors
    /// It cannot be made.
    fn make_dir(&self, dir: &Path) -> io::Result<()>;

    /// Removes a directory with everything in it; one that is not there is no error.
    ///
    /// # Errors
    /// It cannot be removed.
    fn remove_dir(&self, dir: &Path) -> io::Result<()>;

    /// Bytes for which there is still room where a directory is; as many as can be where nobody knows.
    ///
    /// # Errors
    /// It cannot be told.
    fn room(&self, _dir: &Path) -> io::Result<u64> {
        Ok(u64::MAX)
    }

    /// Puts the names in a directory on stable storage.
    ///
    /// # Errors
    /// What is on stable storage is unknown.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Puts a directory on stable storage with every file and directory in it.
    ///
    /// # Errors
    /// What is on stable storage is unknown.
    fn sync_tree(&self, dir: &Path) -> io::Result<()>;
}

/// An open file.
pub trait DiskFile: Debug + Send {
    /// Writes all of `bytes` at byte `at`; the file grows where they go beyond its end.
    ///
    /// # Errors
    /// Any part of them may have been written.
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// Puts what was written on stable storage, with the file's length; not its name.
    ///
    /// # Errors
    /// What is on stable storage is unknown, and asking again does not tell.
    fn sync(&mut self) -> io::Result<()>;
}

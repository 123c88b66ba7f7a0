//! Files that appear whole or not at all, for their owner alone or for everybody to read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Who may read a file besides its owner.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Readers {
    /// Everybody (mode 0644).
    Everybody,
    /// Nobody (mode 0600).
    Owner,
}

/// Makes a new file and has it on stable storage before returning. False if there is one already: that one stays.
///
/// # Errors
/// The operating system refuses; there is no half file.
pub fn create(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<bool> {
    let draft = Draft::write(path, bytes, readers)?;
    match fs::hard_link(&draft.path, path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(error),
    }
    drop(draft);
    sync_directory_of(path)?;
    Ok(true)
}

/// Replaces a file, or makes it: after a crash it holds the old bytes or the new ones, after the return the new ones.
///
/// # Errors
/// The operating system refuses; the file holds what it held before.
pub fn replace(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let draft = Draft::write(path, bytes, readers)?;
    fs::rename(&draft.path, path)?;
    sync_directory_of(path)
}

/// The permission bits of a file that others than its owner may read or write; nothing where they may not.
///
/// # Errors
/// The operating system does not tell.
#[cfg(unix)]
pub fn exposure(file: &File) -> io::Result<Option<u32>> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata()?.permissions().mode() & 0o7777;
    Ok((mode & 0o077 != 0).then_some(mode))
}

/// The permission bits of a file that others than its owner may read or write. Elsewhere than on Unix the directory's
/// access list decides, which the file inherits: nothing.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn exposure(_: &File) -> io::Result<Option<u32>> {
    Ok(None)
}

/// The new bytes under another name, on stable storage; removed when dropped, if they did not get their own name.
struct Draft {
    path: PathBuf,
}

impl Draft {
    fn write(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let mut name = path.as_os_str().to_owned();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        name.push(format!(".{}.{number}.new", std::process::id()));
        let draft = Self { path: name.into() };
        // One of the same name is from a process that died: this process id is ours now.
        match fs::remove_file(&draft.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut file = options(readers).open(&draft.path)?;
        open_to(&file, readers)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(draft)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After a rename there is none, and what cannot be removed is removed by the next process of this number.
        drop(fs::remove_file(&self.path));
    }
}

#[cfg(unix)]
fn options(readers: Readers) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode(readers));
    options
}

#[cfg(not(unix))]
fn options(_: Readers) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    options
}

/// The user's umask must not hide from the others what is for everybody.
#[cfg(unix)]
fn open_to(file: &File, readers: Readers) -> io::Result<()> {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode(readers));
    file.set_permissions(permissions)
}

#[cfg(not(unix))]
fn open_to(_: &File, _: Readers) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
const fn mode(readers: Readers) -> u32 {
    match readers {
        Readers::Everybody => 0o644,
        Readers::Owner => 0o600,
    }
}

/// Makes the name of `path` durable.
///
/// # Errors
/// The operating system refuses.
pub fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    if cfg!(unix) {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).expect("readable").flatten();
        entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect()
    }

    #[test]
    fn a_file_is_created_once_and_replaced_at_will_and_no_draft_stays() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let path = directory.path().join("file");
        assert!(create(&path, b"first", Readers::Owner).expect("created"));
        assert!(!create(&path, b"second", Readers::Owner).expect("there already"));
        assert_eq!(fs::read(&path).expect("readable"), b"first");
        replace(&path, b"third", Readers::Owner).expect("replaced");
        assert_eq!(fs::read(&path).expect("readable"), b"third");
        assert_eq!(names(directory.path()), ["file"]);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_for_its_owner_is_not_exposed_and_what_is_for_everybody_is() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let path = directory.path().join("file");
        replace(&path, b"secret", Readers::Owner).expect("written");
        assert_eq!(exposure(&File::open(&path).expect("there")).expect("known"), None);
        replace(&path, b"public", Readers::Everybody).expect("written");
        assert_eq!(
            exposure(&File::open(&path).expect("there")).expect("known"),
            Some(0o644)
        );
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error_and_makes_nothing() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let path = directory.path().join("missing/file");
        assert!(create(&path, b"x", Readers::Owner).is_err());
        assert!(replace(&path, b"x", Readers::Owner).is_err());
        assert!(names(directory.path()).is_empty());
    }
}

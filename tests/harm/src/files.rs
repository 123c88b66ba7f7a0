//! Directories of the real disk, for whoever looks at them or harms a copy.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A temporary directory in memory where there is one, for what nothing is to wait for a disk by.
///
/// # Panics
/// There is no place for it.
#[must_use]
pub(crate) fn in_memory() -> TempDir {
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    dir.expect("a temporary directory")
}

/// Copies a directory with all that is in it.
///
/// # Panics
/// Something cannot be read or written.
pub fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("readable").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

/// Everything below a directory, however deep.
///
/// # Panics
/// Something cannot be read.
#[must_use]
pub fn names_below(directory: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).expect("readable") {
            let entry = entry.expect("readable");
            if entry.file_type().expect("known").is_dir() {
                open.push(entry.path());
            }
            found.insert(entry.path());
        }
    }
    found
}

/// The files among it.
///
/// # Panics
/// Something cannot be read.
#[must_use]
pub fn files_below(directory: &Path) -> BTreeSet<PathBuf> {
    let mut found = names_below(directory);
    found.retain(|path| !path.is_dir());
    found
}

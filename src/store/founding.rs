//! How a data directory begins: made anew, or with the newest manifest that is there.

use std::path::Path;
use std::sync::Arc;

use super::disk::Disk;
use super::disk_store::Options;
use super::journal::{Found, Journal, Link};
use super::manifest::{Generation, Manifest};
use super::{StoreError, format, format1, io_failed};

/// Makes a directory durably; one that is there stays as it is.
pub(super) fn make_dir(disk: &dyn Disk, dir: &Path) -> Result<(), StoreError> {
    disk.make_dir(dir).map_err(io_failed("creating the directory", dir))?;
    match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => disk.sync_dir(parent).map_err(io_failed("syncing", parent)),
        _ => Ok(()),
    }
}

/// Makes a new store. A directory without `FORMAT` that holds rounds all the same has lost it.
pub(super) fn found(options: &Options, data: &Path) -> Result<Manifest, StoreError> {
    let disk = &options.disk;
    let lost = || StoreError::Missing {
        path: data.join(format::FORMAT_NAME),
    };
    if format1::holds_rounds(&**disk, data) {
        return Err(lost());
    }
    let left = Found::look(Arc::clone(disk), data)?;
    if left.has_rounds()
        || Manifest::load(disk, data)?
            .0
            .is_some_and(|manifest| manifest.number > 1)
    {
        return Err(lost());
    }
    left.remove_all()?;
    drop(Journal::create(
        Arc::clone(disk),
        data,
        options.shape(),
        Link::default(),
    )?);
    let manifest = Manifest::first(Generation::EMPTY);
    manifest.store(disk, data)?;
    format::write(&**disk, data)?;
    Ok(manifest)
}

/// The newest manifest that holds. Newer ones that do not are told.
pub(super) fn newest_manifest(disk: &Arc<dyn Disk>, data: &Path) -> Result<Manifest, StoreError> {
    let (manifest, unreadable) = Manifest::load(disk, data)?;
    let manifest = manifest.ok_or_else(|| StoreError::Missing {
        path: data.join("manifest"),
    })?;
    for one in unreadable {
        tracing::error!(
            "{} is damaged; the one before it, manifest.{}, is used, and the next checkpoint replaces both: check the disk",
            one.path.display(),
            manifest.number
        );
    }
    Ok(manifest)
}

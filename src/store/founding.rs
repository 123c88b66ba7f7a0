//! How a data directory begins: made anew, or with the newest manifest that is there.

use std::path::Path;
use std::sync::Arc;

use super::disk::Disk;
use super::disk_store::Options;
use super::journal::{self, Found};
use super::manifest::{Generation, Manifest, Newest};
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
pub(super) fn found(options: &Options, data: &Path) -> Result<Newest, StoreError> {
    let disk = &options.disk;
    let lost = || StoreError::Missing {
        path: data.join(format::FORMAT_NAME),
    };
    let left = Found::look(Arc::clone(disk), data)?;
    if format1::holds_rounds(&**disk, data)? || left.has_rounds()? || Manifest::is_past_first(disk, data)? {
        return Err(lost());
    }
    left.remove_all()?;
    journal::found(&**disk, data, options.shape())?;
    let manifest = Manifest::first(Generation::EMPTY);
    manifest.store(disk, data)?;
    format::write(&**disk, data)?;
    Ok(Newest::sound(manifest))
}

/// The newest manifest that can be used. Newer ones that cannot are told.
pub(super) fn newest_manifest(disk: &Arc<dyn Disk>, data: &Path) -> Result<Newest, StoreError> {
    let newest = Manifest::load(disk, data)?;
    for (path, error) in &newest.unusable {
        let why = error.as_ref().map_or("is damaged".to_owned(), |error| {
            format!("cannot be used: {}", error.with_cause())
        });
        tracing::error!(
            "{} {why}; the one before it, manifest.{}, is used, and the next checkpoint replaces both: check the disk",
            path.display(),
            newest.manifest.number
        );
    }
    Ok(newest)
}

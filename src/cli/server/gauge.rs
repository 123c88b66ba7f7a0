//! Looks at the disk of the data directory now and then, so that nobody who asks how the server is waits for a disk.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::session::Disk;
use crate::store::DiskUse;

/// How often. A disk fills in minutes, not in seconds; a data directory has some thousands of files at most.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Publishes how the disk of `data` is, until the server stops.
pub(super) async fn watch_disk(data: PathBuf, publish: watch::Sender<Option<Disk>>, stop: CancellationToken) {
    loop {
        if (stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await).is_none() {
            return;
        }
        let data = data.clone();
        let look = tokio::task::spawn_blocking(move || now(&data));
        // A disk that hangs must not keep the server from stopping.
        let Some(Ok(looked)) = stop.run_until_cancelled(look).await else {
            return;
        };
        publish.send_replace(looked);
    }
}

/// How the disk of `data` is now; nothing where that cannot be told. It may take as long as the disk does.
pub(super) fn now(data: &Path) -> Option<Disk> {
    let looked = DiskUse::of(data);
    if let Err(error) = &looked {
        tracing::debug!(%error, "the disk of the data directory cannot be looked at");
    }
    let DiskUse {
        free,
        total,
        data,
        journal,
    } = looked.ok()?;
    Some(Disk {
        free,
        total,
        data,
        journal,
    })
}

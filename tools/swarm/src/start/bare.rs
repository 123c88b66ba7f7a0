//! The floor of a start: a generation's directory copied, opened, and every row of it read, of which nothing is made.

use std::path::Path;
use std::time::Duration;

use crate::clock::Moment;
use crate::error::SwarmError;

/// As the server has it: what sled keeps in memory, in bytes, and the size of its segments, which cannot be another one.
const CACHE_BYTES: u64 = 64 << 20;
const SEGMENT_BYTES: usize = 512 << 10;

/// What was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Read {
    pub(super) rows: u64,
    /// Bytes of all rows.
    pub(super) len: u64,
    /// From when the copy was begun until the last row was read.
    pub(super) took: Duration,
}

/// Copies the database in `generation` to `copy`, which is not there yet, opens the copy and reads all rows.
pub(super) fn read_copy(generation: &Path, copy: &Path) -> Result<Read, SwarmError> {
    let begun = Moment::now();
    copy_tree(generation, copy).map_err(|error| SwarmError::of("copying a generation")(&error))?;
    let failed = |error: sled::Error| SwarmError::of("reading a copy of a generation")(&error);
    let config = sled::Config::new()
        .path(copy)
        .cache_capacity(CACHE_BYTES)
        .mode(sled::Mode::LowSpace)
        .segment_size(SEGMENT_BYTES)
        .flush_every_ms(None)
        .use_compression(false);
    let db = config.open().map_err(failed)?;
    let (mut rows, mut len) = (0, 0);
    for row in db.iter() {
        let (key, record) = row.map_err(failed)?;
        rows += 1;
        len += (key.len() + record.len()) as u64;
    }
    // Closing it is no part of a start.
    let took = begun.ago();
    Ok(Read { rows, len, took })
}

fn copy_tree(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir(to)?;
    for entry in std::fs::read_dir(from)? {
        let path = entry?.path();
        let copy = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_tree(&path, &copy)?;
        } else {
            std::fs::copy(&path, &copy)?;
        }
    }
    Ok(())
}

//! What the disk itself takes: bytes appended to a file that is there already, and synced, one after the other.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use crate::clock::Moment;
use crate::error::SwarmError;

/// The file that is written to, in bytes: written before, as the server's journal is, so that a sync writes data alone.
const FILE_LEN: usize = 16 << 20;

/// How long a sync of `len` more bytes takes, measured for so long on the disk of `scratch`.
pub(crate) fn mean(scratch: Option<&Path>, len: usize, time: Duration) -> Result<Duration, SwarmError> {
    let doing = "syncing a file";
    let measured = || -> std::io::Result<Duration> {
        let mut file = match scratch {
            Some(dir) => tempfile::tempfile_in(dir)?,
            None => tempfile::tempfile()?,
        };
        file.write_all(&vec![0; FILE_LEN])?;
        file.sync_all()?;
        file.rewind()?;
        sync_again_and_again(&mut file, len.clamp(1, FILE_LEN), time)
    };
    measured().map_err(|error| SwarmError::of(doing)(&error))
}

fn sync_again_and_again(file: &mut File, len: usize, time: Duration) -> std::io::Result<Duration> {
    // A sector more each time, as the journal's rounds begin in sectors of their own.
    let bytes = vec![0x5a; len.next_multiple_of(512)];
    let begun = Moment::now();
    let (mut count, mut at) = (0, 0);
    while count == 0 || begun.ago() < time {
        if at + bytes.len() > FILE_LEN {
            at = 0;
            file.seek(SeekFrom::Start(0))?;
        }
        file.write_all(&bytes)?;
        file.sync_data()?;
        at += bytes.len();
        count += 1;
    }
    Ok(begun.ago() / count)
}

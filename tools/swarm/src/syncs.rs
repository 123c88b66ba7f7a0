//! What the disk itself takes: bytes appended to a file that is there already, and synced, one after the other.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use crate::clock::Moment;
use crate::error::SwarmError;
use crate::latency::Latencies;

/// The file that is written to, in bytes: written before, as the server's journal is, so that a sync writes data alone.
const FILE_LEN: usize = 16 << 20;

/// A file without a name that is written to and synced, again from its beginning where it ends.
#[derive(Debug)]
pub(crate) struct Appended {
    file: File,
    at: usize,
    bytes: Vec<u8>,
}

impl Appended {
    /// On the disk of `scratch`, or of the system's temporary directory.
    pub(crate) fn new(scratch: Option<&Path>) -> io::Result<Self> {
        let mut file = match scratch {
            Some(dir) => tempfile::tempfile_in(dir)?,
            None => tempfile::tempfile()?,
        };
        file.write_all(&vec![0; FILE_LEN])?;
        file.sync_all()?;
        file.rewind()?;
        Ok(Self {
            file,
            at: 0,
            bytes: Vec::new(),
        })
    }

    /// Appends so many bytes, in whole sectors as the journal's rounds are, and syncs them.
    pub(crate) fn append(&mut self, len: usize) -> io::Result<()> {
        let len = len.clamp(1, FILE_LEN).next_multiple_of(512);
        if self.at + len > FILE_LEN {
            self.at = 0;
            self.file.seek(SeekFrom::Start(0))?;
        }
        self.bytes.resize(len, 0x5a);
        self.file.write_all(&self.bytes)?;
        self.file.sync_data()?;
        self.at += len;
        Ok(())
    }
}

/// How long each sync of `len` more bytes takes, one after the other, measured for so long on the disk of `scratch`.
pub(crate) fn measure(scratch: Option<&Path>, len: usize, time: Duration) -> Result<Latencies, SwarmError> {
    let measured = || -> io::Result<Latencies> {
        let mut appended = Appended::new(scratch)?;
        let (begun, mut took) = (Moment::now(), Latencies::new());
        while took.is_empty() || begun.ago() < time {
            let each = Moment::now();
            appended.append(len)?;
            took.note(each.ago());
        }
        Ok(took)
    };
    measured().map_err(|error| SwarmError::of("syncing a file")(&error))
}

/// How long one takes in the mean.
pub(crate) fn mean(scratch: Option<&Path>, len: usize, time: Duration) -> Result<Duration, SwarmError> {
    Ok(measure(scratch, len, time)?.mean())
}

//! The floor's background: as many bytes as a checkpoint was seen to write, at the pace at which it did.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::clock::Moment;

/// How much is written at a time, in bytes: as much as sled does.
const PIECE_LEN: usize = 512 << 10;

/// What a checkpoint wrote, as time went by.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace {
    /// How many bytes it had written so long after it began. Both ascend.
    steps: Vec<(Duration, u64)>,
    /// As many of them are kept, and synced at the end; the others are a copy that is thrown away.
    kept: u64,
}

impl Trace {
    /// It has written so much by now.
    pub(super) fn note(&mut self, after: Duration, len: u64) {
        // What was taken off for renewals is an estimate.
        if len > self.len() {
            self.steps.push((after, len));
        }
    }

    /// As much of it is kept.
    pub(super) const fn keep(&mut self, len: u64) {
        self.kept = len;
    }

    /// Bytes in all.
    pub(super) fn len(&self) -> u64 {
        self.steps.last().map_or(0, |&(_, len)| len)
    }

    /// Writes as much into new files in `dir`, no earlier than it was written then, and syncs what is kept.
    pub(super) fn replay(&self, dir: &Path) -> io::Result<()> {
        let piece = vec![0x5a; PIECE_LEN];
        let (mut kept, mut thrown) = (File::create(dir.join("kept"))?, File::create(dir.join("thrown"))?);
        let begun = Moment::now();
        let mut written = 0;
        for &(after, len) in &self.steps {
            let early = begun.after(after).since(Moment::now());
            if !early.is_zero() {
                thread::sleep(early);
            }
            while written < len {
                let left = usize::try_from(len - written).unwrap_or(PIECE_LEN);
                let bytes = piece.get(..left).unwrap_or(&piece);
                let file = if written < self.kept { &mut kept } else { &mut thrown };
                file.write_all(bytes)?;
                written += bytes.len() as u64;
            }
        }
        kept.sync_all()?;
        File::open(dir)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_much_is_written_as_was_seen_and_not_before_its_time() {
        let dir = tempfile::tempdir().unwrap();
        let mut trace = Trace::default();
        let last = Duration::from_millis(120);
        for (millis, len) in [(10, 1_000), (50, 700_000), (60, 600_000), (120, 2_000_000)] {
            trace.note(Duration::from_millis(millis), len);
        }
        trace.keep(700_000);
        assert_eq!(trace.len(), 2_000_000);
        let begun = Moment::now();
        trace.replay(dir.path()).unwrap();
        assert!(begun.ago() >= last, "{:?}", begun.ago());
        let len = |name: &str| std::fs::metadata(dir.path().join(name)).unwrap().len();
        assert_eq!((len("kept"), len("thrown")), (700_000, 1_300_000));
    }
}

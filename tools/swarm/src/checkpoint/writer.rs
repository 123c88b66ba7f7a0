//! The floor's background: as many bytes as a checkpoint was seen to write, at the pace at which it did.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
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
    /// As many bytes the files have that are kept, and synced at the end.
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

    /// So many bytes have the files that are kept.
    pub(super) const fn keep(&mut self, len: u64) {
        self.kept = len;
    }

    /// Bytes in all.
    pub(super) fn len(&self) -> u64 {
        self.steps.last().map_or(0, |&(_, len)| len)
    }

    /// Writes as much into new files in `dir`, no earlier than it was written then: first into the one that is kept, over and over
    /// where that was more than it has, as sled does; last a copy of it, which is thrown away; then what is kept is synced.
    /// How many bytes that were.
    pub(super) fn replay(&self, dir: &Path) -> io::Result<u64> {
        let (piece, len_kept) = (vec![0x5a; PIECE_LEN], self.kept.max(1));
        let copied_from = self.len().saturating_sub(self.kept);
        let (kept, thrown) = (File::create(dir.join("kept"))?, File::create(dir.join("thrown"))?);
        let begun = Moment::now();
        let mut written = 0;
        for &(after, len) in &self.steps {
            let early = begun.after(after).since(Moment::now());
            if !early.is_zero() {
                thread::sleep(early);
            }
            while written < len {
                let is_copy = written >= copied_from;
                let (file, at, end) = if is_copy {
                    (&thrown, written - copied_from, self.kept)
                } else {
                    (&kept, written % len_kept, len_kept)
                };
                let left = if is_copy { len } else { len.min(copied_from) } - written;
                let left = usize::try_from(left.min(end - at)).unwrap_or(PIECE_LEN);
                let bytes = piece.get(..left).unwrap_or(&piece);
                file.write_all_at(bytes, at)?;
                written += bytes.len() as u64;
            }
        }
        std::fs::remove_file(dir.join("thrown"))?;
        drop(thrown);
        kept.sync_all()?;
        File::open(dir)?.sync_all()?;
        Ok(written)
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
        assert_eq!(trace.replay(dir.path()).unwrap(), 2_000_000);
        assert!(begun.ago() >= last, "{:?}", begun.ago());
        let names = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        assert_eq!(names.collect::<Vec<_>>(), ["kept"]);
        assert_eq!(std::fs::metadata(dir.path().join("kept")).unwrap().len(), 700_000);
        // One that wrote less than it keeps would be strange; it is written once.
        trace.keep(3_000_000);
        assert_eq!(trace.replay(dir.path()).unwrap(), 2_000_000);
    }
}

//! What no generation needs of the journal any more, kept for its events: compressed, for as long and as large as is
//! configured (rule V3).

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};

use super::chronicle::Summary;
use super::disk::Disk;
use super::journal::{DIR, SECTOR_LEN, segment_name, segment_number, segment_sectors};
use super::{StoreError, ages, io_failed};
use crate::domain::time::{DAY_SECS, Timestamp};

/// The directory, in the data directory.
pub(super) const HISTORY: &str = "history";

/// Bytes of a file's header, at most.
const HEADER_LEN_MAX: usize = 512;

/// What is added to a segment's name.
const SUFFIX: &str = ".gz";

/// How much is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Retention {
    /// For how many days.
    pub days: u32,
    /// Compressed bytes, at most.
    pub bytes: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            days: 365,
            bytes: 4 << 30,
        }
    }
}

/// Moves segment `number` from the journal to what is kept. It is as old as its last round; where that cannot be read, or
/// there is none, as if that were of `now`.
pub(super) fn keep(disk: &dyn Disk, data: &Path, number: u64, now: Timestamp) -> Result<(), StoreError> {
    let (journal, history) = (data.join(DIR), data.join(HISTORY));
    let segment = journal.join(segment_name(number));
    let bytes = disk.read(&segment).map_err(io_failed("reading", &segment))?;
    let path = history.join(segment_name(number) + SUFFIX);
    let draft = history.join(segment_name(number) + SUFFIX + ".new");
    disk.make_dir(&history)
        .map_err(io_failed("creating the directory", &history))?;
    let summary = Summary::of(number, &bytes);
    let last = ages::last_time(number, &bytes).unwrap_or(now);
    let write = || {
        let mut file = disk.create(&draft)?;
        file.write_at(0, &compressed(&bytes, summary, last)?)?;
        file.sync()?;
        disk.rename(&draft, &path)?;
        disk.sync_dir(&history)?;
        disk.sync_dir(data)
    };
    write().map_err(io_failed("writing", &path))?;
    disk.remove(&segment).map_err(io_failed("removing", &segment))
}

/// The numbers of the segments that are kept, in no order.
pub(super) fn numbers(disk: &dyn Disk, data: &Path) -> io::Result<Vec<u64>> {
    let names = disk.names(&data.join(HISTORY))?;
    let number = |name: &String| name.strip_suffix(SUFFIX).and_then(segment_number);
    Ok(names.iter().filter_map(number).collect())
}

/// The file of a segment, from the data directory.
pub(super) fn file(number: u64) -> String {
    format!("{HISTORY}/{}{SUFFIX}", segment_name(number))
}

/// Whether `name`, from the data directory, is that of a segment's file.
pub(super) fn is_file(name: &str) -> bool {
    let number = name
        .strip_prefix(HISTORY)
        .and_then(|name| name.strip_prefix('/')?.strip_suffix(SUFFIX))
        .and_then(segment_number);
    number.is_some_and(|number| file(number) == name)
}

/// A segment as it was, or what of it can be unpacked; whether that is all of it.
pub(super) fn read(disk: &dyn Disk, data: &Path, number: u64) -> io::Result<(Vec<u8>, bool)> {
    let packed = disk.read(&data.join(file(number)))?;
    let mut unpacked = Vec::new();
    let mut decoder = GzDecoder::new(packed.as_slice());
    // Its beginning says how long it is: no more than that is taken, whatever the rest says.
    let begun = decoder.by_ref().take(SECTOR_LEN as u64).read_to_end(&mut unpacked);
    let sectors = segment_sectors(number, &unpacked).unwrap_or(0);
    let len = (u64::from(sectors) * SECTOR_LEN as u64).saturating_sub(unpacked.len() as u64);
    let rest = decoder.by_ref().take(len).read_to_end(&mut unpacked);
    // The checksum stands behind the last byte, and is looked at by who reads on.
    let is_whole = begun.is_ok() && rest.is_ok() && matches!(decoder.read(&mut [0]), Ok(0));
    Ok((unpacked, is_whole))
}

/// Removes the oldest of what is kept until the rest is as new and as small as it should be, as of `now`.
pub(super) fn trim(disk: &dyn Disk, data: &Path, retention: Retention, now: Timestamp) -> Result<(), StoreError> {
    let history = data.join(HISTORY);
    let kept = kept(disk, &history)?;
    let mut total: u64 = kept.iter().map(|(_, len)| len).sum();
    let oldest = now.0.saturating_sub(u64::from(retention.days) * DAY_SECS);
    let mut going = 0;
    for (index, (path, len)) in kept.iter().enumerate() {
        if total > retention.bytes {
            going = index + 1;
            total -= len;
            continue;
        }
        match last_at(disk, path)?.filter(|last| *last <= now) {
            Some(last) if last.0 >= oldest => break,
            Some(_) => going = index + 1,
            // One that does not say it, or is of a time to which a clock was set and that has not come, is no younger than
            // the one behind it.
            None => {}
        }
    }
    for (path, _) in kept.iter().take(going) {
        disk.remove(path).map_err(io_failed("removing", path))?;
    }
    Ok(())
}

/// The files that are kept with their lengths, the oldest first. What is left of one that was being written goes; what is
/// none of ours stays.
fn kept(disk: &dyn Disk, history: &Path) -> Result<Vec<(PathBuf, u64)>, StoreError> {
    let mut numbers = Vec::new();
    for name in disk
        .names(history)
        .map_err(io_failed("reading the directory", history))?
    {
        if let Some(number) = name.strip_suffix(SUFFIX).and_then(segment_number) {
            numbers.push(number);
        } else if name
            .strip_suffix(".new")
            .and_then(|name| name.strip_suffix(SUFFIX))
            .and_then(segment_number)
            .is_some()
        {
            let path = history.join(name);
            disk.remove(&path).map_err(io_failed("removing", &path))?;
        }
    }
    numbers.sort_unstable();
    numbers
        .into_iter()
        .map(|number| {
            let path = history.join(segment_name(number) + SUFFIX);
            let len = disk.len(&path).map_err(io_failed("reading", &path))?;
            Ok((path, len))
        })
        .collect()
}

/// The time of a file's last round, as its header says; nothing where that does not hold.
fn last_at(disk: &dyn Disk, path: &Path) -> Result<Option<Timestamp>, StoreError> {
    let bytes = disk
        .read_start(path, HEADER_LEN_MAX)
        .map_err(io_failed("reading", path))?;
    let header = GzDecoder::new(bytes.as_slice());
    Ok(header.header().map(|header| Timestamp(header.mtime().into())))
}

/// What the header of a segment says that it holds; nothing where it does not say it, or what it says does not hold.
pub(super) fn summary(disk: &dyn Disk, data: &Path, number: u64) -> Option<Summary> {
    let start = disk.read_start(&data.join(file(number)), HEADER_LEN_MAX).ok()?;
    let decoder = GzDecoder::new(start.as_slice());
    Summary::read(decoder.header()?.extra()?)
}

fn compressed(bytes: &[u8], summary: Option<Summary>, last: Timestamp) -> io::Result<Vec<u8>> {
    let mtime = u32::try_from(last.0).unwrap_or(u32::MAX);
    let mut header = GzBuilder::new().mtime(mtime);
    if let Some(summary) = summary {
        header = header.extra(summary.bytes());
    }
    let mut encoder = header.write(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::store::os_disk::OsDisk;

    fn data() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join(DIR)).unwrap();
        dir
    }

    fn put_aside(data: &Path, number: u64, at: u64) -> Vec<u8> {
        let bytes: Vec<u8> = (0..5_000_u64).map(|n| (n * n * number).to_le_bytes()[1]).collect();
        fs::write(data.join(DIR).join(segment_name(number)), &bytes).unwrap();
        keep(&OsDisk, data, number, Timestamp(at)).unwrap();
        assert!(!data.join(DIR).join(segment_name(number)).exists());
        bytes
    }

    fn names(data: &Path) -> Vec<String> {
        let mut names = OsDisk.names(&data.join(HISTORY)).unwrap();
        names.sort();
        names
    }

    #[test]
    fn a_segment_is_kept_as_it_was() {
        let dir = data();
        let bytes = put_aside(dir.path(), 3, 1_000);
        let packed = fs::read(dir.path().join("history/0000000003.journal.gz")).unwrap();
        let mut unpacked = Vec::new();
        GzDecoder::new(packed.as_slice()).read_to_end(&mut unpacked).unwrap();
        assert!(unpacked == bytes && packed.len() < bytes.len());
    }

    #[test]
    fn what_is_older_than_it_should_be_goes() {
        let dir = data();
        for number in 1..=5 {
            put_aside(dir.path(), number, number * DAY_SECS);
        }
        let retention = Retention {
            days: 2,
            ..Retention::default()
        };
        trim(&OsDisk, dir.path(), retention, Timestamp(5 * DAY_SECS)).unwrap();
        let left = [3, 4, 5].map(|number| segment_name(number) + SUFFIX);
        assert_eq!(names(dir.path()), left, "those of two days ago and younger");
    }

    #[test]
    fn what_does_not_tell_its_age_or_a_wrong_one_is_no_younger_than_what_is_behind_it() {
        let dir = data();
        for (number, day) in [(1, 2), (2, 900), (3, 3), (4, 900), (5, 9), (6, 1)] {
            put_aside(dir.path(), number, day * DAY_SECS);
        }
        fs::write(dir.path().join("history/0000000001.journal.gz"), "no header").unwrap();
        let retention = |days| Retention {
            days,
            ..Retention::default()
        };
        let left = |days| {
            trim(&OsDisk, dir.path(), retention(days), Timestamp(10 * DAY_SECS)).unwrap();
            names(dir.path()).len()
        };
        assert_eq!([left(8), left(7), left(6), left(1), left(0)], [6, 6, 3, 3, 0]);
    }

    #[test]
    fn more_than_there_should_be_goes_the_oldest_first() {
        let dir = data();
        for number in 1..=4 {
            put_aside(dir.path(), number, 9);
        }
        fs::write(dir.path().join("history/0000000005.journal.gz.new"), "half").unwrap();
        let foreign = ["lost+found", "notes.txt"];
        fs::create_dir(dir.path().join("history/lost+found")).unwrap();
        fs::write(dir.path().join("history/notes.txt"), "somebody's").unwrap();
        let len = |number| {
            fs::metadata(dir.path().join(HISTORY).join(segment_name(number) + SUFFIX))
                .unwrap()
                .len()
        };
        let retention = Retention {
            days: 365,
            bytes: len(3) + len(4),
        };
        trim(&OsDisk, dir.path(), retention, Timestamp(9)).unwrap();
        let left = [3, 4].map(|number| segment_name(number) + SUFFIX);
        assert_eq!(
            names(dir.path()),
            [left.as_slice(), &foreign.map(str::to_owned)].concat()
        );
        let nothing = Retention { days: 365, bytes: 0 };
        trim(&OsDisk, dir.path(), nothing, Timestamp(9)).unwrap();
        assert_eq!(names(dir.path()), foreign);
    }
}

//! Segments: files of the journal, made at their full length and filled with zeros before they are used, so that an
//! append changes nothing but bytes that are there.

use std::io;
use std::path::{Path, PathBuf};

use super::sector::{self, SEAL, SECTOR_LEN, Sector};
use crate::store::StoreError;
use crate::store::disk::{Disk, DiskFile};
use crate::store::io_failed;

/// The sector where the first record stands; the one before it is the segment's own.
pub(super) const FIRST_SECTOR: u32 = 1;

/// How a segment begins; the last byte is the version of its form.
const MAGIC: [u8; 8] = *b"SKJRNL\x00\x01";

/// Bytes that a new segment leaves free on its disk. Making one on a disk that is nearly full would for a moment take what
/// others need: the small files of a start, or another program.
const LEFT_FREE: u64 = 1 << 20;

/// Zeros that are written at a time.
const FILL_BYTES: usize = 1 << 20;

/// The greatest number of a segment: a name has ten digits.
const NUMBER_MAX: u64 = 9_999_999_999;

/// What a name ends in.
const SUFFIX: &str = ".journal";

/// What is added to it until the segment is whole.
const DRAFT_SUFFIX: &str = ".new";

/// A segment that can be written.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u64,
    /// Its length.
    pub(super) sectors: u32,
    pub(super) path: PathBuf,
    pub(super) file: Box<dyn DiskFile>,
}

impl Segment {
    /// Makes segment `number` of `sectors` sectors in `dir`, with all of it on stable storage, its name too.
    ///
    /// # Errors
    /// The disk fails, or the number is one that no start would find again.
    pub(super) fn create(disk: &dyn Disk, dir: &Path, number: u64, sectors: u32) -> io::Result<Self> {
        if number > NUMBER_MAX {
            return Err(io::Error::other("its number has more than ten digits"));
        }
        let len = u64::from(sectors) * SECTOR_LEN as u64;
        if disk.room(dir)? < len + LEFT_FREE {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let path = dir.join(name(number));
        let draft = dir.join(name(number) + DRAFT_SUFFIX);
        let made = Self::fill(disk, &draft, number, sectors).and_then(|file| {
            disk.rename(&draft, &path)?;
            disk.sync_dir(dir)?;
            Ok(file)
        });
        match made {
            Ok(file) => Ok(Self {
                number,
                sectors,
                path,
                file,
            }),
            Err(error) => {
                // On a full disk the room counts; what cannot be removed is removed by the next start.
                drop(disk.remove(&draft));
                Err(error)
            }
        }
    }

    fn fill(disk: &dyn Disk, path: &Path, number: u64, sectors: u32) -> io::Result<Box<dyn DiskFile>> {
        let mut file = disk.create(path)?;
        let mut at = 0;
        let mut bytes = header(number, sectors);
        let len = u64::from(sectors) * SECTOR_LEN as u64;
        while at < len {
            bytes.resize(FILL_BYTES.min(usize::try_from(len - at).unwrap_or(FILL_BYTES)), 0);
            file.write_at(at, &bytes)?;
            at += bytes.len() as u64;
            bytes.fill(0);
        }
        file.sync()?;
        Ok(file)
    }

    /// Opens segment `number`, which was read before and has this many sectors.
    pub(super) fn open(disk: &dyn Disk, dir: &Path, number: u64, sectors: u32) -> io::Result<Self> {
        let path = dir.join(name(number));
        let file = disk.open(&path)?;
        Ok(Self {
            number,
            sectors,
            path,
            file,
        })
    }

    /// Writes what stands before sector `end` once more: a sync that failed is not made up for by the next one, but by
    /// writing again.
    pub(super) fn write_again(&mut self, disk: &dyn Disk, end: u32) -> Result<(), StoreError> {
        let bytes = disk.read(&self.path).map_err(io_failed("reading", &self.path))?;
        let end = end as usize * SECTOR_LEN;
        let begin = FIRST_SECTOR as usize * SECTOR_LEN;
        match bytes.get(begin..end) {
            Some([]) | None => Ok(()),
            Some(written) => {
                let outcome = self.write(FIRST_SECTOR, written);
                outcome.map_err(io_failed("writing the end of the journal again in", &self.path))
            }
        }
    }

    /// Writes sectors from sector `at` on, and returns when they are on stable storage.
    pub(super) fn write(&mut self, at: u32, sectors: &[u8]) -> io::Result<()> {
        self.file.write_at(u64::from(at) * SECTOR_LEN as u64, sectors)?;
        self.file.sync()
    }
}

/// The name of a segment's file.
pub(in crate::store) fn name(number: u64) -> String {
    format!("{number:010}{SUFFIX}")
}

/// The number in the name of a segment's file; nothing if it is another file.
pub(in crate::store) fn number(name: &str) -> Option<u64> {
    let number = name.strip_suffix(SUFFIX)?.parse().ok()?;
    (number <= NUMBER_MAX && self::name(number) == name).then_some(number)
}

/// Whether a file is a segment that was not whole yet.
pub(super) fn is_draft(name: &str) -> bool {
    name.strip_suffix(DRAFT_SUFFIX).and_then(number).is_some()
}

/// The sectors of segment `number`, if `bytes` begin as it does and are as many as it was made with.
pub(super) fn check(number: u64, bytes: &[u8]) -> Result<u32, &'static str> {
    let sectors = told(number, bytes)?;
    if bytes.len() != sectors as usize * SECTOR_LEN {
        return Err("it has not the length that it was made with");
    }
    Ok(sectors)
}

/// How many sectors segment `number` has, as its beginning says.
pub(in crate::store) fn told(number: u64, bytes: &[u8]) -> Result<u32, &'static str> {
    let first = bytes.first_chunk::<SECTOR_LEN>().ok_or("it is cut short")?;
    let Sector::Written { bytes: told, .. } = sector::read(number, 0, first) else {
        return Err("its first sector does not hold");
    };
    told.strip_prefix(&MAGIC)
        .and_then(|rest| rest.first_chunk())
        .map(|sectors| u32::from_le_bytes(*sectors))
        .ok_or("it is of a form that this seatkeeper does not know")
}

fn header(number: u64, sectors: u32) -> Vec<u8> {
    let mut told = MAGIC.to_vec();
    told.extend(sectors.to_le_bytes());
    let mut out = Vec::with_capacity(SECTOR_LEN);
    // No record has round 0 or so many sectors.
    sector::write_one(number, 0, 0, SEAL, &told, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::os_disk::OsDisk;

    #[test]
    fn a_segment_is_a_file_of_ten_digits_and_no_other_is_made() {
        for (file, found) in [
            ("0000000001.journal", Some(1)),
            ("9999999999.journal", Some(NUMBER_MAX)),
            ("10000000000.journal", None),
            ("18446744073709551615.journal", None),
            ("99999999999999999999.journal", None),
            ("1.journal", None),
            ("+000000001.journal", None),
            ("-000000001.journal", None),
            ("0000000001.journal.new", None),
            (".journal", None),
        ] {
            assert_eq!(number(file), found, "{file}");
        }
        let dir = tempfile::tempdir().unwrap();
        assert!(Segment::create(&OsDisk, dir.path(), NUMBER_MAX, 3).is_ok());
        assert!(Segment::create(&OsDisk, dir.path(), NUMBER_MAX + 1, 3).is_err());
    }
}

//! The witness: a small file beside the database that says which round was made durable last.
//!
//! A database file that lost its end still reads well: the engine takes what is left for all there was, and the ledger
//! would stand at an older round, digest and all. The witness is written and synced after the database and before
//! anybody is answered, so the database may be ahead of it by the one round that nobody was answered, but never behind.
//! It has two slots, written in turn, so that a torn write leaves the one before.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::StoreError;
use super::disk::{owner_only, refused};
use super::records::MetaV1;

const NAME: &str = "ledger.round";

/// Where the second slot starts: far enough that no disk block holds both.
const SLOT_GAP: u64 = 4096;

/// Round, digest, checksum of the two.
const SLOT_LEN: usize = 8 + 16 + 4;

/// The last round that was made durable.
#[derive(Debug)]
pub(super) struct Witness {
    file: File,
    path: PathBuf,
    round: u64,
    digest: [u8; 16],
    next_is_second: bool,
}

impl Witness {
    /// Writes the witness of a ledger without any round.
    pub(super) fn create(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(NAME);
        let file = owner_only().open(&path).map_err(refused("creating", &path))?;
        file.set_len(0).map_err(refused("writing", &path))?;
        let mut witness = Self {
            file,
            path,
            round: 0,
            digest: [0; 16],
            next_is_second: false,
        };
        witness.write(0, [0; 16])?;
        Ok(witness)
    }

    /// Reads the witness of a ledger in use.
    pub(super) fn open(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(NAME);
        let bytes = fs::read(&path).unwrap_or_default();
        let gap = usize::try_from(SLOT_GAP).unwrap_or(usize::MAX);
        let slots = [bytes.as_slice(), bytes.get(gap..).unwrap_or_default()].map(read);
        let ((round, digest), next_is_second) = match slots {
            [Some(first), Some(second)] if second.0 > first.0 => (second, false),
            [Some(first), _] => (first, true),
            [None, Some(second)] => (second, false),
            [None, None] => return Err(StoreError::Missing { path }),
        };
        let file = owner_only().open(&path).map_err(refused("opening", &path))?;
        Ok(Self {
            file,
            path,
            round,
            digest,
            next_is_second,
        })
    }

    /// Whether this directory's witness has seen a round; without a witness or with a damaged one, none.
    pub(super) fn saw_rounds(dir: &Path) -> bool {
        Self::open(dir).is_ok_and(|witness| witness.round > 0)
    }

    /// Makes a round the last one, durably.
    pub(super) fn write(&mut self, round: u64, digest: [u8; 16]) -> Result<(), StoreError> {
        let body = [round.to_le_bytes().as_slice(), &digest].concat();
        let slot = [body.as_slice(), &crc32c::crc32c(&body).to_le_bytes()].concat();
        let place = if self.next_is_second { SLOT_GAP } else { 0 };
        self.file
            .seek(SeekFrom::Start(place))
            .and_then(|_| self.file.write_all(&slot))
            .and_then(|()| self.file.sync_data())
            .map_err(refused("writing", &self.path))?;
        self.next_is_second = !self.next_is_second;
        (self.round, self.digest) = (round, digest);
        Ok(())
    }

    /// Refuses a ledger that stands before the last round that was answered, or that is another one.
    pub(super) fn check(&self, place: &str, meta: &MetaV1) -> Result<(), StoreError> {
        let mismatch = |what, expected, found| StoreError::Mismatch {
            place: place.to_owned(),
            what,
            expected,
            found,
        };
        if meta.round < self.round {
            let expected = format!("{} or later", self.round);
            return Err(mismatch(
                "the number of the last round",
                expected,
                meta.round.to_string(),
            ));
        }
        if meta.round == self.round && meta.digest != self.digest {
            let [expected, found] = [self.digest, meta.digest].map(|digest| data_encoding::HEXLOWER.encode(&digest));
            return Err(mismatch("the digest of the last round", expected, found));
        }
        Ok(())
    }
}

fn read(slot: &[u8]) -> Option<(u64, [u8; 16])> {
    let (&slot, _) = slot.split_first_chunk::<SLOT_LEN>()?;
    let (body, sum) = slot.split_last_chunk::<4>()?;
    let (round, digest) = body.split_first_chunk::<8>()?;
    (crc32c::crc32c(body).to_le_bytes() == *sum).then_some((u64::from_le_bytes(*round), digest.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_of(dir: &Path) -> Option<u64> {
        Witness::open(dir).ok().map(|witness| witness.round)
    }

    #[test]
    fn the_last_round_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let mut witness = Witness::create(dir.path()).unwrap();
        assert_eq!(round_of(dir.path()), Some(0));
        for round in 1..6 {
            witness.write(round, [7; 16]).unwrap();
            assert_eq!(round_of(dir.path()), Some(round));
        }
    }

    #[test]
    fn a_torn_write_leaves_the_round_before() {
        let dir = tempfile::tempdir().unwrap();
        let mut witness = Witness::create(dir.path()).unwrap();
        for round in 1..4 {
            let before = fs::read(&witness.path).unwrap();
            witness.write(round, [9; 16]).unwrap();
            let after = fs::read(&witness.path).unwrap();
            let torn_at = if round % 2 == 1 { 4096 } else { 0 } + 12;
            let mut torn = after.clone();
            for (place, byte) in torn.iter_mut().enumerate().skip(torn_at) {
                *byte = before.get(place).copied().unwrap_or_default();
            }
            fs::write(&witness.path, &torn).unwrap();
            assert_eq!(round_of(dir.path()), Some(round - 1), "round {round}");
            fs::write(&witness.path, &after).unwrap();
        }
    }

    #[test]
    fn a_witness_without_a_whole_slot_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        drop(Witness::create(dir.path()).unwrap());
        fs::write(dir.path().join(NAME), [0x55; 5000]).unwrap();
        assert!(matches!(Witness::open(dir.path()), Err(StoreError::Missing { .. })));
        fs::remove_file(dir.path().join(NAME)).unwrap();
        assert!(matches!(Witness::open(dir.path()), Err(StoreError::Missing { .. })));
    }
}

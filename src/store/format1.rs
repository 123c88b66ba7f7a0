//! Data format 1, read once more and turned into the present one: the ledger in one sled database, and beside it a
//! witness that says which round was answered last.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::checkpoint::{Keeper, SCRATCH, Standing, Start};
use super::disk::Disk;
use super::disk_store::Options;
use super::journal::{self, Found, Link, Position};
use super::keys::Key;
use super::manifest::{Generation, Manifest, Newest};
use super::records::MetaV1;
use super::scan::Scan;
use super::snapshot::each_row;
use super::{StoreError, format, io_failed};
use crate::domain::ledger::Ledger;

/// The directory of the database.
const LEDGER: &str = "ledger";

/// The file of the witness.
const WITNESS: &str = "ledger.round";

/// Where its second slot starts.
const SLOT_GAP: usize = 4096;

/// Round, digest, checksum of the two.
const SLOT_LEN: usize = 8 + 16 + 4;

/// Rows that are handed over at a time.
const PORTION_ROWS: usize = 1024;

/// Turns a directory of format 1 into one of the present format. Nothing is written before what it holds was read and
/// judged as by a start, and nothing of the old one goes before the new one is whole: an upgrade that is interrupted
/// starts again.
pub(super) fn upgrade(options: &Options, data: &Path) -> Result<Newest, StoreError> {
    let disk = &options.disk;
    let witness = Witness::read(&**disk, data)?;
    let place = data.display().to_string();
    let mut snapshot = options.snapshots.open(&data.join(LEDGER), &data.join(SCRATCH))?;
    let mut scan = Scan::new(&place);
    let mut ledger = Ledger::default();
    each_row(&mut *snapshot, &mut |key, record| {
        scan.row(key, record, &mut |fact| ledger.record(&fact))
    })?;
    let meta = scan.finish()?;
    witness.check(&place, &meta)?;
    if options.audits_upgrades {
        ledger.audit().map_err(|source| StoreError::UnsoundOlder {
            place: place.clone(),
            source,
        })?;
    }
    drop(ledger);

    let after = Link {
        round: meta.round,
        hash: [0; 32],
    };
    Found::look(Arc::clone(disk), data)?.remove_all()?;
    journal::found(&**disk, data, options.shape())?;
    let manifest = if meta.round == 0 {
        let manifest = Manifest::first(Generation::EMPTY);
        manifest.store(disk, data)?;
        manifest
    } else {
        let mut keeper = Keeper {
            disk: Arc::clone(disk),
            snapshots: Arc::clone(&options.snapshots),
            data: data.to_owned(),
            manifest: Manifest {
                number: 0,
                generations: Vec::new(),
            },
            standing: Standing::Sound,
            retention: options.retention,
            now: meta.now().unwrap_or_default().steady,
        };
        let mut building = keeper.begin(Start {
            after,
            at: Position::FIRST,
            now: meta.now().unwrap_or_default(),
        })?;
        let mut portion = Vec::new();
        let meta_key = Key::Meta.encode();
        each_row(&mut *snapshot, &mut |key, record| {
            if key != meta_key {
                portion.push((key.to_vec(), record.to_vec()));
            }
            match portion.len() {
                PORTION_ROWS => building.put_rows(std::mem::take(&mut portion)),
                _ => Ok(()),
            }
        })?;
        building.put_rows(portion)?;
        drop(snapshot);
        keeper.finish(building, meta.round)?;
        keeper.manifest
    };
    format::write(&**disk, data)?;
    tracing::info!("{place} was written by an older seatkeeper and is in the present format now; nothing was lost");
    remove(&**disk, data)?;
    Ok(Newest::sound(manifest))
}

/// Removes what an upgrade left.
pub(super) fn remove(disk: &dyn Disk, data: &Path) -> Result<(), StoreError> {
    let (ledger, witness) = (data.join(LEDGER), data.join(WITNESS));
    disk.remove_dir(&ledger).map_err(io_failed("removing", &ledger))?;
    disk.remove(&witness).map_err(io_failed("removing", &witness))
}

/// Whether a directory without `FORMAT` holds rounds of format 1 all the same.
pub(super) fn holds_rounds(disk: &dyn Disk, data: &Path) -> Result<bool, StoreError> {
    match Witness::read(disk, data) {
        Ok(witness) => Ok(witness.round > 0),
        // There is none, or its making was interrupted.
        Err(StoreError::Missing { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The last round that was answered.
#[derive(Debug)]
struct Witness {
    round: u64,
    digest: [u8; 16],
}

impl Witness {
    fn read(disk: &dyn Disk, data: &Path) -> Result<Self, StoreError> {
        let path: PathBuf = data.join(WITNESS);
        let bytes = match disk.read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read.map_err(io_failed("reading", &path))?,
        };
        let slots = [bytes.as_slice(), bytes.get(SLOT_GAP..).unwrap_or_default()];
        slots
            .into_iter()
            .filter_map(Self::slot)
            .max_by_key(|witness| witness.round)
            .ok_or(StoreError::Missing { path })
    }

    fn slot(bytes: &[u8]) -> Option<Self> {
        let (&slot, _) = bytes.split_first_chunk::<SLOT_LEN>()?;
        let (body, sum) = slot.split_last_chunk::<4>()?;
        let (round, digest) = body.split_first_chunk::<8>()?;
        (crc32c::crc32c(body).to_le_bytes() == *sum).then_some(Self {
            round: u64::from_le_bytes(*round),
            digest: digest.try_into().ok()?,
        })
    }

    /// Refuses a ledger that stands before the last round that was answered, or that is another one.
    fn check(&self, place: &str, meta: &MetaV1) -> Result<(), StoreError> {
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

//! Reads events out of the journal and of what is kept of it, beside the writer and without it: from files, up to a round
//! that is durable, a bounded portion at a time.
//!
//! Meanwhile rounds are appended, and segments move from the journal into `history/` or go for good. So the journal is
//! looked at first and the history after it: what is in neither is gone.

mod check;
mod files;
mod page;
mod summary;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::disk::Disk;
use super::journal::Damage;
use crate::domain::event_log::Gap;
pub(super) use summary::Summary;

/// Bytes of segments that are read for one page, at most; one segment is read in any case.
const PAGE_BYTES: usize = 16 << 20;

/// A reader of events. Cheap to clone; each call may take as long as the disk does.
#[derive(Clone, Debug)]
pub struct Chronicle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    disk: Arc<dyn Disk>,
    data: PathBuf,
    known: Mutex<Known>,
}

/// What was learned of segments: they are never written again once another one follows.
#[derive(Debug, Default)]
struct Known {
    /// The first round of each.
    first: BTreeMap<u64, u64>,
    /// Those that do not say what they hold.
    silent: BTreeSet<u64>,
    /// What those hold that were read as a whole or say it.
    summaries: BTreeMap<u64, Summary>,
    /// The one of the history that was read last, unpacked.
    unpacked: Option<Segment>,
}

/// A segment that was read.
#[derive(Clone, Debug)]
struct Segment {
    number: u64,
    file: String,
    bytes: Arc<Vec<u8>>,
    /// What is wrong with it as a file.
    fault: Option<Gap>,
}

impl Chronicle {
    pub(super) fn new(disk: Arc<dyn Disk>, data: &Path) -> Self {
        Self(Arc::new(Shared {
            disk,
            data: data.to_owned(),
            known: Mutex::default(),
        }))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Segment {
    fn gap(&self, damage: &Damage) -> Gap {
        Gap {
            file: self.file.clone(),
            byte: damage.byte,
            what: damage.what.to_owned(),
            after: damage.after,
        }
    }
}

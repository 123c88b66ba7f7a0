//! What a data directory holds, read as a start reads it and without a change to it.

use std::path::Path;

use crate::domain::change::{Change, Fact};
use crate::domain::ledger::Ledger;
use crate::domain::time::Now;
use crate::store::checkpoint::SCRATCH;
use crate::store::disk_store::Options;
use crate::store::journal::Found;
use crate::store::manifest::Generation;
use crate::store::scan::{Tally, hash};
use crate::store::snapshot::verify;
use crate::store::{StoreError, facts, rows};

/// Facts that are counted at a time.
const PORTION_FACTS: usize = 512;

/// A ledger, and where it stands.
#[derive(Debug)]
pub struct Contents {
    /// The ledger after the last round.
    pub ledger: Ledger,
    /// The number of that round; 0 before the first.
    pub round: u64,
    /// Its time; nothing before the first.
    pub now: Option<Now>,
}

impl Contents {
    /// The ledger that generation `generation` in `dir` and the journal after it come to.
    pub(super) fn read(
        options: &Options,
        dir: &Path,
        generation: &Generation,
        found: &Found,
    ) -> Result<Self, StoreError> {
        let place = dir.display().to_string();
        let mut ledger = Ledger::default();
        let mut now = None;
        if generation.number > 0 {
            let state = dir.join(Generation::dir_name(generation.number));
            let mut snapshot = options.snapshots.open(&state, &dir.join(SCRATCH))?;
            let meta = verify(&mut *snapshot, &state.display().to_string(), generation)?;
            now = meta.now();
            facts::of_snapshot(&mut *snapshot, &place, &mut |fact| ledger.record(&fact))?;
        }
        let end = found.read(generation.at, generation.after, &mut |number, payload| {
            now = Some(facts::of_round(number, payload, &place, &mut |fact| {
                ledger.record(&fact);
            })?);
            Ok(())
        })?;
        Ok(Self {
            ledger,
            round: end.link.round,
            now,
        })
    }
}

/// How many rows a ledger is on disk, and their digest, as a manifest tells them of a generation.
///
/// # Errors
/// It has a row that could not be written.
pub fn tally(ledger: &Ledger) -> Result<(u64, u128), StoreError> {
    let mut tally = Tally::default();
    let mut after = None;
    loop {
        let facts = ledger.facts_after(after, PORTION_FACTS);
        let Some(last) = facts.last().map(Fact::key) else {
            return Ok((tally.records(), tally.digest()));
        };
        after = Some(last);
        let changes: Vec<_> = facts.into_iter().map(Change::from).collect();
        for (key, record) in rows::rows(&changes)?.iter() {
            if let Some(record) = record {
                tally.add(hash(key, record));
            }
        }
    }
}

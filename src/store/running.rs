//! A store that was loaded: rounds into the journal, and checkpoints beside them where they are due.

use crate::domain::change::{Fact, FactKey};
use crate::domain::ledger::Ledger;
use crate::domain::reply::Checkpoint;
use crate::domain::time::Now;

use super::ages::Ages;
use super::background::{Background, Task};
use super::checkpoint::{Made, Start};
use super::history::Retention;
use super::journal::Journal;
use super::{Progress, StoreError};

/// Facts of a portion of a checkpoint, at most: what the writer copies between two rounds.
const PORTION_FACTS: usize = 512;

/// What there is of a store that was loaded.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) journal: Journal,
    pub(super) background: Background,
    pub(super) walk: Walk,
    /// The time of the last round.
    pub(super) now: Now,
    /// Bytes of journal since the newest generation.
    pub(super) journal_bytes: u64,
    /// Bytes of journal at which the next checkpoint is due.
    pub(super) due_bytes: u64,
    /// Bytes of the rows of the newest generation; 0 where that is not known yet.
    pub(super) generation_bytes: u64,
    /// How the last checkpoint went.
    pub(super) checkpointed: Checkpoint,
    /// How much is kept of what happened.
    pub(super) retention: Retention,
    pub(super) ages: Ages,
}

/// How far a checkpoint is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Walk {
    Resting,
    /// The key of the last fact that was handed over.
    Going(Option<FactKey>),
    Finishing,
}

impl Open {
    /// The next checkpoint is due when the journal is as long as the generation: so all checkpoints together write no
    /// more than a few times what the journal does.
    pub(super) fn set_due(&mut self, checkpoint_bytes: u64) {
        self.due_bytes = checkpoint_bytes.max(self.generation_bytes);
    }

    /// Goes by other options from now on.
    pub(super) fn keep(&mut self, checkpoint_bytes: u64, retention: Retention) {
        // One that makes up for damage is due at once.
        if self.due_bytes > 0 {
            self.set_due(checkpoint_bytes);
        }
        self.retention = retention;
        self.trim();
    }

    /// Has what is too old or too much removed from the history.
    fn trim(&mut self) {
        self.background.ask(Task::Keep(self.retention, self.now.steady));
    }

    /// Makes a round durable, which `payload` is.
    pub(super) fn commit(&mut self, payload: &[u8], now: Now) -> Result<(), StoreError> {
        let (bytes, segment) = (self.journal.appended_bytes(), self.journal.position().segment);
        if self.ages.is_segment_old(self.retention, now.steady) {
            self.journal.begin_segment(payload.len())?;
        }
        self.journal.append(payload)?;
        self.journal_bytes += self.journal.appended_bytes() - bytes;
        let is_other = self.journal.position().segment != segment;
        self.ages.round(is_other, now.steady);
        self.now = now;
        Ok(())
    }

    /// Whether a checkpoint is: the journal is long, or what is in it gets old.
    fn is_due(&self) -> bool {
        self.journal_bytes >= self.due_bytes || self.ages.is_generation_old(self.retention, self.now.steady)
    }

    pub(super) fn checkpoint(&mut self, ledger: &Ledger, checkpoint_bytes: u64) -> Progress {
        if let Some(outcome) = self.background.outcome() {
            self.walk = Walk::Resting;
            match outcome {
                Ok(Made { generation, bytes }) => {
                    self.generation_bytes = bytes;
                    self.checkpointed = Checkpoint {
                        generation: generation.number,
                        made_at: Some(self.now.steady),
                        failure: None,
                        lost: self.checkpointed.lost,
                    };
                    tracing::info!(
                        "checkpoint {}: {} records, through round {}",
                        generation.number,
                        generation.records,
                        generation.through
                    );
                    self.set_due(checkpoint_bytes);
                }
                Err(error) => {
                    tracing::error!(
                        "a checkpoint failed and is thrown away; service goes on, and it is tried again: {}",
                        error.with_cause()
                    );
                    self.checkpointed.failure = Some((self.now.steady, error.with_cause()));
                    self.due_bytes = self.journal_bytes + checkpoint_bytes / 4;
                    self.ages.failed(self.retention, self.now.steady);
                }
            }
        }
        if !self.background.is_there() {
            return Progress::Resting;
        }
        if self.ages.is_new_day(self.now.steady) {
            self.trim();
        }
        match self.walk {
            Walk::Resting if !self.is_due() => Progress::Resting,
            Walk::Resting => {
                self.background.ask(Task::Begin(Start {
                    after: self.journal.link(),
                    at: self.journal.position(),
                    now: self.now,
                }));
                self.walk = Walk::Going(None);
                self.journal_bytes = 0;
                self.ages.begun(self.now.steady);
                Progress::Going
            }
            Walk::Going(_) if !self.background.is_ready() => Progress::Waiting,
            Walk::Going(after) => {
                let facts = ledger.facts_after(after, PORTION_FACTS);
                let last = facts.last().map(Fact::key);
                if !facts.is_empty() {
                    self.background.ask(Task::Put(facts));
                }
                if let Some(last) = last {
                    self.walk = Walk::Going(Some(last));
                    return Progress::Going;
                }
                self.background.ask(Task::Finish(self.journal.link().round));
                self.walk = Walk::Finishing;
                Progress::Ending
            }
            Walk::Finishing => Progress::Ending,
        }
    }
}

//! A history whose model somebody else drives: it makes up what happens with an eye on that model, and decides nothing.

use super::{History, Installation, Proposal};
use crate::model::Model;

impl History {
    /// What the clocks say now: the calendar, and the one that only counts, both in seconds.
    #[must_use]
    pub const fn reading(&self) -> (u64, u64) {
        let calendar = self.real.saturating_add_signed(self.calendar_off);
        (calendar, self.real - self.counts_from)
    }

    /// Takes what is here, and what time it is, from this model.
    pub fn look_at(&mut self, model: &Model) {
        self.model.clone_from(model);
        self.now = model.clock().now();
    }

    /// Lets seconds pass; nobody reads a clock.
    pub const fn pass(&mut self, secs: u64) {
        self.real += secs;
    }

    /// The component that asked heard its checkout granted with this number.
    pub fn heard(&mut self, proposal: &Proposal, number: u64) {
        if let Some(installation) = proposal.installation {
            self.remember(installation, number);
        }
    }

    /// An installation keeps the last numbers that it heard.
    pub(super) fn remember(&mut self, installation: Installation, number: u64) {
        let memory = self.memory.entry(installation).or_default();
        memory.push(number);
        let forgotten = memory.len().saturating_sub(4);
        memory.drain(..forgotten);
    }
}

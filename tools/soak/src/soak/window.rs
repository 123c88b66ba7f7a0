//! Asks that are made up together and sent by speaker, so that there is something to pipeline.

use std::collections::{BTreeMap, VecDeque};

use seatkeeper_model::{History, Proposal, Random};
use seatkeeper_world::request::Speaker;
use seatkeeper_world::words::make_real;

/// Asks that are made up with an eye on the same state of the model. Fewer would leave nothing to pipeline: half of all
/// asks are spread over 49 identities.
const ASKS: u64 = 320;

/// The same while most that could be asked would be refused.
const ASKS_OF_THE_YOUNG: u64 = 16;

/// Asks that wait to be sent, each speaker's in their order.
#[derive(Debug)]
pub(super) struct Window {
    queues: BTreeMap<Speaker, VecDeque<Proposal>>,
}

impl Window {
    /// Makes up asks, but no more than so many.
    pub(super) fn open(history: &mut History, left: u64) -> Self {
        let asks = if history.is_young() { ASKS_OF_THE_YOUNG } else { ASKS };
        let mut queues: BTreeMap<Speaker, VecDeque<Proposal>> = BTreeMap::new();
        for _ in 0..asks.min(left) {
            let mut proposal = history.propose();
            make_real(&mut proposal.ask);
            let speaker = Speaker::of(proposal.identity, &proposal.ask);
            queues.entry(speaker).or_default().push_back(proposal);
        }
        Self { queues }
    }

    /// The next batch of somebody. It ends before a checkout whose number the answer to another one of it will tell.
    pub(super) fn batch(
        &mut self,
        history: &History,
        random: &mut Random,
        depth: usize,
    ) -> Option<(Speaker, Vec<Proposal>)> {
        let speakers: Vec<_> = self.queues.keys().copied().collect();
        if speakers.is_empty() {
            return None;
        }
        let speaker = random.pick(&speakers);
        let queue = self.queues.get_mut(&speaker)?;
        let mut batch: Vec<Proposal> = Vec::new();
        while batch.len() < depth.max(1)
            && let Some(mut next) = queue.pop_front()
        {
            // The very same once more is a component whose answer was lost.
            if (batch.iter()).any(|one| next.hangs_on(one) && next.ask != one.ask) {
                queue.push_front(next);
                break;
            }
            history.refresh(&mut next);
            batch.push(next);
        }
        if queue.is_empty() {
            self.queues.remove(&speaker);
        }
        Some((speaker, batch))
    }
}

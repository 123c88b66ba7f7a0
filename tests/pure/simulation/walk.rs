//! A checkpoint that is always being made: portions of the ledger as it is at one step after the other, which with the
//! changes since the first of them must come to the ledger as it is at the last.

use seatkeeper::domain::change::{Change, Fact, FactKey};
use seatkeeper::domain::ledger::Ledger;
use seatkeeper_model::Random;

pub(super) struct Walk {
    facts: Vec<Fact>,
    after: Option<FactKey>,
    /// Changes that came before it.
    since: usize,
    dice: Random,
}

impl Walk {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            facts: Vec::new(),
            after: None,
            since: 0,
            dice: Random::new(seed),
        }
    }

    /// Takes the next portion; at the end compares, and starts anew.
    pub(super) fn go_on(&mut self, ledger: &Ledger, log: &[Change]) {
        let max = usize::try_from(1 + self.dice.below(60)).unwrap();
        let portion = ledger.facts_after(self.after, max);
        assert!(portion.len() <= max);
        assert!(
            portion.iter().map(Fact::key).is_sorted_by(|one, next| one < next),
            "in the order of the keys"
        );
        if let Some(last) = portion.last() {
            assert!(self.after < portion.first().map(Fact::key));
            self.after = Some(last.key());
            self.facts.extend(portion);
            return;
        }
        let mut loaded = Ledger::default();
        self.facts.iter().for_each(|fact| loaded.record(fact));
        log[self.since..].iter().for_each(|change| loaded.evolve(change));
        assert!(loaded == *ledger, "through a checkpoint and the changes since it began");
        (self.facts, self.after, self.since) = (Vec::new(), None, log.len());
    }
}

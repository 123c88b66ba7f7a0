//! Checkpoints: portions of the ledger as it is at one step after the other, which with the changes since the first of them
//! must come to the ledger as it is wherever the log is cut.

use seatkeeper::domain::change::{Change, Fact};
use seatkeeper::domain::ledger::Ledger;
use seatkeeper_model::Random;

/// Of so many histories of an ordinary run one begins a checkpoint at every step; in the others one begins when the last has
/// ended. A long run begins one at every step of each.
const THOROUGH: u64 = 10;

/// No ledger of a simulation has as many facts.
const FACTS_MAX: usize = 1 << 16;

/// Portions of a checkpoint, at most.
const PORTIONS_MAX: u64 = 5;

/// Steps from the last portion to the cut, at most.
const REST_MAX: u64 = 2;

pub(super) struct Walks {
    is_thorough: bool,
    under_way: Vec<Walk>,
    dice: Random,
}

struct Walk {
    facts: Vec<Fact>,
    /// Changes that came before it.
    since: usize,
    /// Portions that are to come; the last one takes all that is left.
    portions: u64,
    /// Facts of each of the others, at most.
    most: u64,
    /// Steps from its last portion to the cut.
    rest: u64,
}

impl Walks {
    pub(super) fn new(seed: u64, is_long: bool) -> Self {
        Self {
            is_thorough: is_long || seed.is_multiple_of(THOROUGH),
            under_way: Vec::new(),
            dice: Random::new(seed),
        }
    }

    /// A step was made: each that is under way goes on, and those whose cut is here are compared.
    pub(super) fn go_on(&mut self, ledger: &Ledger, log: &[Change]) {
        let dice = &mut self.dice;
        self.under_way.retain_mut(|walk| !walk.is_over(ledger, log, dice));
        if self.is_thorough || self.under_way.is_empty() {
            let portions = 1 + dice.below(PORTIONS_MAX);
            let facts = ledger.facts_after(None, FACTS_MAX).len() as u64;
            self.under_way.push(Walk {
                facts: Vec::new(),
                since: log.len(),
                portions,
                most: 1 + 2 * facts / portions,
                rest: dice.below(REST_MAX + 1),
            });
        }
    }
}

impl Walk {
    /// Takes the next portion, or waits for the cut, and compares there.
    fn is_over(&mut self, ledger: &Ledger, log: &[Change], dice: &mut Random) -> bool {
        match self.portions {
            0 if self.rest == 0 => {
                self.compare(ledger, log);
                return true;
            }
            0 => self.rest -= 1,
            1 => self.take(ledger, FACTS_MAX),
            _ => self.take(ledger, usize::try_from(1 + dice.below(self.most)).unwrap()),
        }
        self.portions = self.portions.saturating_sub(1);
        false
    }

    fn take(&mut self, ledger: &Ledger, max: usize) {
        let after = self.facts.last().map(Fact::key);
        let portion = ledger.facts_after(after, max);
        assert!(portion.len() <= max);
        let keys = || portion.iter().map(Fact::key);
        assert!(keys().is_sorted_by(|one, next| one < next), "in the order of the keys");
        assert!(keys().next().is_none_or(|first| after < Some(first)));
        self.facts.extend(portion);
    }

    fn compare(&self, ledger: &Ledger, log: &[Change]) {
        let mut loaded = Ledger::default();
        self.facts.iter().for_each(|fact| loaded.record(fact));
        log[self.since..].iter().for_each(|change| loaded.evolve(change));
        assert!(loaded == *ledger, "through a checkpoint and the changes since it began");
    }
}

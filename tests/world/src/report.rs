//! What was seen, and what happened in which order.

use std::collections::BTreeMap;
use std::fmt;

use seatkeeper_model::{Answer, ImportOutcome};

use crate::judge::Told;

/// What a world went through.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// How often each thing was seen.
    pub seen: BTreeMap<String, u64>,
    /// Stands for everything that happened, in its order: two runs of a seed have the same.
    pub trace: u64,
}

impl Report {
    pub(crate) fn count(&mut self, what: &str) {
        self.add(what, 1);
    }

    pub(crate) fn add(&mut self, what: &str, times: u64) {
        match self.seen.get_mut(what) {
            Some(count) => *count += times,
            None => drop(self.seen.insert(what.to_owned(), times)),
        }
    }

    pub(crate) fn tell(&mut self, told: &Told) {
        let name = match told {
            Told::Rules(Answer::Denied { denial, .. }) => first_word(denial),
            Told::Rules(Answer::Imported(ImportOutcome::Refused(refusal))) => first_word(refusal),
            Told::Rules(Answer::Imported(outcome)) => first_word(outcome),
            Told::Rules(Answer::Seat { kind, .. }) => first_word(kind),
            Told::Rules(answer) => first_word(answer),
            Told::Denied(denial) => first_word(denial),
            Told::Anything => return,
        };
        self.count(&name);
    }

    /// FNV-1a: small, and the same everywhere.
    pub(crate) fn trace(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.trace = (self.trace ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// Adds what another world went through.
    pub fn and(&mut self, other: &Self) {
        for (what, times) in &other.seen {
            self.add(what, *times);
        }
        self.trace(&other.trace.to_be_bytes());
    }

    /// How often something was seen.
    #[must_use]
    pub fn count_of(&self, what: &str) -> u64 {
        self.seen.get(what).copied().unwrap_or(0)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, times) in &self.seen {
            writeln!(f, "  {what:<32}{times:>10}")?;
        }
        write!(f, "  trace {:016x}", self.trace)
    }
}

pub(crate) fn first_word(thing: &impl fmt::Debug) -> String {
    let name = format!("{thing:?}");
    name.chars().take_while(char::is_ascii_alphanumeric).collect()
}

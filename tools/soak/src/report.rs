//! What a soak has done so far.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::io::Write;

use seatkeeper::clock::monotonic;
use seatkeeper::domain::time::Monotonic;
use seatkeeper_model::{Answer, ImportOutcome, Turn};

/// Milliseconds from one line of progress to the next.
const TELL_EVERY_MS: u64 = 10_000;

/// Counts of a soak.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) steps: u64,
    pub(crate) histories: u64,
    pub(crate) batches: u64,
    pub(crate) restarts: u64,
    /// Requests of those who had no role for them.
    pub(crate) above: u64,
    /// Comparisons of all views.
    pub(crate) views: u64,
    /// By the first word of their names.
    pub(crate) answers: BTreeMap<String, u64>,
    /// How the clocks stood, by the first word of its name.
    clocks: BTreeMap<String, u64>,
    started_at: Monotonic,
    told_at: Monotonic,
}

impl Report {
    pub(crate) fn new() -> Self {
        let now = monotonic();
        Self {
            steps: 0,
            histories: 0,
            batches: 0,
            restarts: 0,
            above: 0,
            views: 0,
            answers: BTreeMap::new(),
            clocks: BTreeMap::new(),
            started_at: now,
            told_at: now,
        }
    }

    /// Counts an answer and the rows in it.
    pub(crate) fn count(&mut self, answer: &Answer) {
        let mut count = |thing: &dyn Debug| *self.answers.entry(first_word(thing)).or_default() += 1;
        if let Answer::Reserved { .. } | Answer::Committed(_) | Answer::Aborted(_) = answer {
            count(answer);
        }
        match answer {
            Answer::Denied { denial, .. } => count(denial),
            Answer::Imported(ImportOutcome::Refused(refusal)) => count(refusal),
            Answer::Imported(outcome) => count(outcome),
            Answer::Seat { kind, conflict, .. } => {
                count(kind);
                if let Some(seen) = conflict {
                    count(&seen.kind);
                }
            }
            Answer::Reserved { machines, .. } => {
                for row in machines {
                    count(&row.1);
                }
            }
            Answer::Committed(rows) => {
                for row in rows {
                    count(&row.1);
                }
            }
            Answer::Aborted(rows) => {
                for row in rows {
                    count(&row.1);
                }
            }
            other => count(other),
        }
    }

    /// Counts what a reading of the clocks meant.
    pub(crate) fn note(&mut self, turn: &Turn) {
        let Some(transition) = turn.transition else { return };
        *self.clocks.entry(first_word(&transition.state)).or_default() += 1;
        *self.clocks.entry("JumpRejected".to_owned()).or_default() += u64::from(transition.rejected.is_some());
        *self.clocks.entry("JumpAccepted".to_owned()).or_default() += u64::from(transition.accepted);
    }

    /// Tells how far it has come, every 10 seconds.
    pub(crate) fn tell_progress(&mut self) {
        let now = monotonic();
        if now.millis_since(self.told_at) < TELL_EVERY_MS {
            return;
        }
        self.told_at = now;
        let secs = now.millis_since(self.started_at) / 1_000;
        let Self {
            steps,
            batches,
            restarts,
            ..
        } = self;
        // Nobody may be reading.
        drop(writeln!(
            std::io::stderr(),
            "{secs} s: {steps} steps in {batches} batches, {restarts} restarts"
        ));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            steps,
            batches,
            restarts,
            views,
            above,
            histories,
            ..
        } = self;
        let tenths = (steps * 10).checked_div(*batches).unwrap_or(0);
        let secs = monotonic().millis_since(self.started_at) / 1_000;
        writeln!(
            f,
            "{steps} steps of {histories} histories in {batches} batches of {}.{} on average, {restarts} restarts, all \
             views compared {views} times, {above} requests of others without the role for them, in {secs} s",
            tenths / 10,
            tenths % 10,
        )?;
        writeln!(f, "answers, and rows in them:")?;
        for (name, count) in &self.answers {
            writeln!(f, "  {name:<24}{count:>10}")?;
        }
        write!(f, "clocks:")?;
        for (name, count) in &self.clocks {
            write!(f, "\n  {name:<24}{count:>10}")?;
        }
        Ok(())
    }
}

fn first_word(thing: &dyn Debug) -> String {
    let name = format!("{thing:?}");
    name.chars().take_while(char::is_ascii_alphanumeric).collect()
}

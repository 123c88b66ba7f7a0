//! What all reports share: how they are printed, and how two figures become one.

use std::collections::BTreeMap;
use std::io::Write;

use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use serde::Serialize;

use crate::error::SwarmError;
use crate::latency::{Latencies, Summary, median};

/// How often something was said, by what it was.
pub(crate) type Counts = BTreeMap<String, u64>;

/// It was said once more.
pub(crate) fn count(counts: &mut Counts, said: impl Into<String>) {
    let count = counts.entry(said.into()).or_default();
    *count = count.saturating_add(1);
}

/// All of several counts together.
pub(crate) fn sum<'a>(several: impl IntoIterator<Item = &'a Counts>) -> Counts {
    let mut all = Counts::new();
    for (said, count) in several.into_iter().flatten() {
        let so_far = all.entry(said.clone()).or_default();
        *so_far = so_far.saturating_add(*count);
    }
    all
}

/// The server beside the floor: all runs together, and the ratio of the middle run.
#[derive(Debug, Serialize)]
pub(crate) struct Compared {
    pub(crate) server: Summary,
    pub(crate) floor: Summary,
    /// p99 of the server by that of the floor, of each run the two that were measured in turn; the middle one.
    pub(crate) p99_ratio: f64,
}

impl Compared {
    /// Of pairs of a run of the server and one of the floor.
    pub(crate) fn of(pairs: &[(&Latencies, &Latencies)]) -> Self {
        let ratio = |(server, floor): &(&Latencies, &Latencies)| {
            let [server, floor] = [server, floor].map(|latencies| latencies.summary().p99_us.max(1));
            ratio(server, floor)
        };
        Self {
            server: Latencies::all(pairs.iter().map(|(server, _)| *server)).summary(),
            floor: Latencies::all(pairs.iter().map(|(_, floor)| *floor)).summary(),
            p99_ratio: median(pairs.iter().map(ratio).collect()),
        }
    }
}

/// One figure by another; counts, bytes or microseconds.
pub(crate) fn ratio(of: u64, by: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a ratio is told to two digits")]
    let ratio = of as f64 / by as f64;
    ratio
}

/// An empty table.
pub(crate) fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(header);
    table
}

/// Says how far it is, on standard error.
pub(crate) fn progress(line: &str) {
    // Nobody may be reading it.
    drop(writeln!(std::io::stderr(), "{line}"));
}

/// Prints a report as JSON or as `told` tells it.
pub(crate) fn print<R: Serialize>(report: &R, json: bool, told: impl FnOnce(&R) -> String) -> Result<(), SwarmError> {
    let text = if json {
        serde_json::to_string_pretty(report).map_err(|error| SwarmError::of("making JSON")(&error))?
    } else {
        told(report)
    };
    writeln!(std::io::stdout(), "{text}").map_err(SwarmError::Output)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_ratio_is_that_of_the_middle_pair_not_of_all_together() {
        let of = |millis| {
            let mut latencies = Latencies::new();
            latencies.note(Duration::from_millis(millis));
            latencies
        };
        let (quick, slow, slower) = (of(10), of(20), of(900));
        let compared = Compared::of(&[(&slow, &quick), (&slower, &quick), (&quick, &quick)]);
        assert!((compared.p99_ratio - 2.0).abs() < 0.01, "{}", compared.p99_ratio);
        assert_eq!((compared.server.count, compared.floor.count), (3, 3));
        assert!(compared.server.max_us > 890_000);
    }

    #[test]
    fn what_was_said_in_several_runs_is_counted_together() {
        let mut first = Counts::new();
        count(&mut first, "BUSY");
        count(&mut first, "BUSY");
        let second = Counts::from([("BUSY".to_owned(), 1), ("reset".to_owned(), 4)]);
        let all = sum([&first, &second]);
        assert_eq!(
            all.into_iter().collect::<Vec<_>>(),
            [("BUSY".to_owned(), 3), ("reset".to_owned(), 4)]
        );
    }
}

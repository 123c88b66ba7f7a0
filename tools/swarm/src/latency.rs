//! How long things took.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// What is longer counts as this, in nanoseconds.
const LONGEST_NS: u64 = 120_000_000_000;

/// How long each of many things took.
#[derive(Clone, Debug)]
pub(crate) struct Latencies {
    histogram: Histogram<u64>,
}

impl Latencies {
    pub(crate) fn new() -> Self {
        // Three digits, from a microsecond to two minutes: bounds that it takes.
        let histogram = Histogram::new_with_bounds(1_000, LONGEST_NS, 3).expect("bounds that a histogram has");
        Self { histogram }
    }

    /// One took so long.
    pub(crate) fn note(&mut self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(LONGEST_NS);
        self.histogram.saturating_record(nanos);
    }

    /// Those of another as well.
    pub(crate) fn and(&mut self, other: &Self) {
        // Both have the same bounds: nothing of the other is out of them.
        self.histogram.add(&other.histogram).expect("the same bounds");
    }

    /// All of several together.
    pub(crate) fn all<'a>(several: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all = Self::new();
        for one in several {
            all.and(one);
        }
        all
    }

    /// How many there were.
    pub(crate) fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// How long it took for this part of them, 0 to 1, in microseconds.
    pub(crate) fn at(&self, quantile: f64) -> u64 {
        micros(self.histogram.value_at_quantile(quantile))
    }

    /// Whether there were none.
    pub(crate) fn is_empty(&self) -> bool {
        self.histogram.is_empty()
    }

    /// How long one took in the mean.
    pub(crate) fn mean(&self) -> Duration {
        Duration::from_secs_f64(self.histogram.mean() / 1e9)
    }

    pub(crate) fn summary(&self) -> Summary {
        Summary {
            count: self.count(),
            p50_us: self.at(0.5),
            p99_us: self.at(0.99),
            p999_us: self.at(0.999),
            max_us: micros(self.histogram.max()),
        }
    }
}

/// What is told of many durations, in microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Summary {
    /// How many there were.
    pub(crate) count: u64,
    /// Half of them took this long at most.
    pub(crate) p50_us: u64,
    /// 99 of 100 did.
    pub(crate) p99_us: u64,
    /// 999 of 1,000 did.
    pub(crate) p999_us: u64,
    /// The longest.
    pub(crate) max_us: u64,
}

impl Summary {
    /// p50, p99, p99.9 and the longest, for people.
    pub(crate) fn cells(&self) -> [String; 4] {
        [self.p50_us, self.p99_us, self.p999_us, self.max_us].map(shown)
    }
}

const fn micros(nanos: u64) -> u64 {
    nanos / 1_000
}

/// The middle one of several figures.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A time for people.
pub(crate) fn shown(micros: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let value = micros as f64;
    match micros {
        0..1_000 => format!("{micros} us"),
        1_000..10_000 => format!("{:.2} ms", value / 1e3),
        10_000..1_000_000 => format!("{:.0} ms", value / 1e3),
        _ => format!("{:.2} s", value / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_what_was_noted() {
        let mut latencies = Latencies::new();
        for micros in 1..=1_000 {
            latencies.note(Duration::from_micros(micros));
        }
        let summary = latencies.summary();
        assert_eq!(summary.count, 1_000);
        for (is, should) in [(summary.p50_us, 500), (summary.p99_us, 990), (summary.max_us, 1_000)] {
            assert!(is.abs_diff(should) <= should / 500 + 1, "{is}, not {should}");
        }
    }

    #[test]
    fn the_middle_of_figures_is_one_of_them() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!(median(Vec::new()).is_nan());
    }
}

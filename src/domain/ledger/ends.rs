//! When licenses end: sums over all that end until a moment, which cost the same however many have ended (rule V1).
//!
//! Keys whose days run from their import end at as many moments as there are keys, so that what has ended is not added up
//! one moment after the other. Moments are kept in spans, each of the 64 spans within it that are a 64th as long; what
//! ends until a moment is in a few whole spans of each length.

use std::collections::BTreeMap;

use super::visits::counted;
use crate::domain::time::Timestamp;

/// How long spans are, as powers of two of a second: a second, a minute or so, an hour, three days, half a year, 34 years.
const SPANS: [u32; 6] = [0, 6, 12, 18, 24, 30];

/// The spans that a sum looks at, at most: fewer than 64 of each length, and of the longest those since 1970.
#[cfg(test)]
pub(super) const LOOKS_MAX: u64 = 64 * SPANS.len() as u64;

/// Sums over licenses.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Ending {
    pub(super) licenses: u32,
    pub(super) free: u64,
}

/// The licenses of a product and usage by the moment from which they do not serve.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Ends {
    /// By length and place: a place is a moment without the bits that the length has. None of them is empty.
    spans: BTreeMap<(u32, u64), Ending>,
}

impl Ends {
    pub(super) fn add(&mut self, ends_at: Timestamp, one: Ending) {
        for length in SPANS {
            let sum = self.spans.entry((length, ends_at.0 >> length)).or_default();
            sum.licenses += one.licenses;
            sum.free += one.free;
        }
    }

    pub(super) fn remove(&mut self, ends_at: Timestamp, one: Ending) {
        for length in SPANS {
            let place = (length, ends_at.0 >> length);
            let Some(sum) = self.spans.get_mut(&place) else {
                continue;
            };
            sum.licenses -= one.licenses;
            sum.free -= one.free;
            if sum.licenses == 0 {
                self.spans.remove(&place);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// What has ended at a moment, all that ends then included.
    pub(super) fn until(&self, moment: Timestamp) -> Ending {
        // The end of all time is no moment that a clock tells: what never ends has not ended.
        let end = moment.after_secs(1).0;
        let mut sum = Ending::default();
        let longer = SPANS.into_iter().skip(1).map(Some).chain([None]);
        for (length, longer) in SPANS.into_iter().zip(longer) {
            // Whole spans of this length that the longer ones do not have.
            let from = longer.map_or(0, |longer| (end >> longer) << (longer - length));
            for (_, span) in counted(self.spans.range((length, from)..(length, end >> length))) {
                sum.licenses += span.licenses;
                sum.free += span.free;
            }
        }
        sum
    }

    /// The next moment at which licenses end, with how many; nothing where none ever does.
    pub(super) fn after(&self, moment: Timestamp) -> Option<(Timestamp, Ending)> {
        let later = (0, moment.after_secs(1).0)..(0, Timestamp::MAX.0);
        let (&(_, at), ending) = self.spans.range(later).next()?;
        Some((Timestamp(at), *ending))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::ledger::visits;

    fn moment() -> impl Strategy<Value = u64> {
        let near = (0_u64..1 << 36, -3_i64..4).prop_map(|(at, by)| (at >> 12 << 12).saturating_add_signed(by));
        prop_oneof![near, 0_u64..1 << 33, 0_u64..300, Just(u64::MAX), Just(u64::MAX - 1)]
    }

    proptest! {
        #[test]
        fn what_has_ended_is_what_one_by_one_has_ended(
            licenses in prop::collection::vec((moment(), 0_u64..9), 0..60),
            gone in prop::collection::vec(any::<bool>(), 60),
            asked in prop::collection::vec(moment(), 8),
        ) {
            let mut ends = Ends::default();
            let one = |free| Ending { licenses: 1, free };
            for &(at, free) in &licenses {
                ends.add(Timestamp(at), one(free));
            }
            let (gone, left): (Vec<_>, Vec<_>) = licenses.iter().zip(gone).partition(|(_, gone)| *gone);
            for ((at, free), _) in &gone {
                ends.remove(Timestamp(*at), one(*free));
            }
            let beside = left.iter().flat_map(|((at, _), _)| [at.saturating_sub(1), *at]);
            for moment in asked.into_iter().chain(beside).filter(|&moment| moment < u64::MAX) {
                let ended = left.iter().filter(|((at, _), _)| *at <= moment && *at < u64::MAX);
                let sum = ended.fold(Ending::default(), |sum, ((_, free), _)| Ending {
                    licenses: sum.licenses + 1,
                    free: sum.free + free,
                });
                prop_assert_eq!(ends.until(Timestamp(moment)), sum);
                let next = left.iter().map(|((at, _), _)| *at).filter(|at| *at > moment && *at < u64::MAX).min();
                prop_assert_eq!(ends.after(Timestamp(moment)).map(|(at, _)| at.0), next);
            }
            for ((at, free), _) in &left {
                ends.remove(Timestamp(*at), one(*free));
            }
            prop_assert!(ends.is_empty());
        }
    }

    #[test]
    fn a_sum_looks_at_as_many_spans_whether_a_thousand_moments_have_passed_or_a_million() {
        let now = 1_800_000_000;
        let mut ends = Ends::default();
        for licenses in [1_000_u32, 300_000] {
            while ends.until(Timestamp(now)).licenses < licenses {
                let at = now - u64::from(ends.until(Timestamp(now)).licenses) * 97;
                ends.add(Timestamp(at), Ending { licenses: 1, free: 3 });
            }
            let before = visits::so_far();
            assert_eq!(ends.until(Timestamp(now)).free, 3 * u64::from(licenses));
            let looks = visits::so_far() - before;
            assert!(looks <= LOOKS_MAX, "{licenses} licenses: {looks} looked at");
        }
    }
}

//! What an administrator will have to do something about: licenses that end, products of which little is left.

use super::Ledger;
use super::ends::Ending;
use super::index::Index;
use crate::domain::ids::{ProductKey, Serial};
use crate::domain::license::Usage;
use crate::domain::reply::{ENDING_MAX, EndingRow, SCARCE_MAX, ScarceRow};
use crate::domain::time::{DAY_SECS, Now, Timestamp};

impl Ledger {
    /// What ends next of each product and usage, the soonest first.
    ///
    /// It costs two look-ups in indexes for each product that has a license, however many licenses and seats there are.
    pub(super) fn ending(&self, now: Now) -> Vec<EndingRow> {
        let next = |&(product, usage)| self.index.next_end(product, usage, now);
        let mut ends: Vec<_> = self.index.tallies.keys().filter_map(next).collect();
        ends.sort_by_key(|(ends_at, serial, _)| (*ends_at, *serial));
        let row = |(ends_at, serial, ending): (Timestamp, Serial, Ending)| {
            let license = self.licenses.get(&serial)?.clone();
            let days = ends_at.secs_since(now.latest()).div_ceil(DAY_SECS);
            Some(EndingRow {
                product_name: self.product_name(&license.claims.product_key()),
                license,
                ends_at,
                days_left: u32::try_from(days).unwrap_or(u32::MAX),
                licenses: ending.licenses,
            })
        };
        ends.into_iter().take(ENDING_MAX).filter_map(row).collect()
    }

    /// The products with a license that serves, of whose seats or units at least nine in ten are in use.
    ///
    /// It costs as much as counting them all, as PRODUCTS does: some look-ups for each product, however many of its
    /// licenses have ended.
    pub(super) fn scarce(&self, now: Now) -> Vec<ScarceRow> {
        let row = |&(key, usage): &(ProductKey, Usage)| {
            let counts = self.counts(key, usage, now);
            let is_scarce = counts.used.saturating_mul(10) >= (counts.used + counts.available).saturating_mul(9);
            let serves = self.index.standing(key, usage, now).serving > 0;
            (is_scarce && serves).then(|| ScarceRow {
                key,
                product_name: self.product_name(&key),
                usage,
                used: counts.used,
                available: counts.available,
            })
        };
        self.index.tallies.keys().filter_map(row).take(SCARCE_MAX).collect()
    }
}

impl Index {
    /// The next moment at which licenses of a product and usage end, with the first of them; nothing where none ever does.
    fn next_end(&self, product: ProductKey, usage: Usage, now: Now) -> Option<(Timestamp, Serial, Ending)> {
        let (ends_at, ending) = self.ends.get(&(product, usage))?.after(now.latest())?;
        let serial = self.first_ending(product, usage, ends_at)?;
        Some((ends_at, serial, ending))
    }
}

//! Units that are spent: numbered one after the other, also where one command spends several (rules S9, X1).

use std::collections::BTreeMap;

use super::{Ledger, Occasion};
use crate::domain::catalogue::Product;
use crate::domain::change::{Change, EventKind, Fact};
use crate::domain::ids::Serial;
use crate::domain::seat::{Seat, SeatKey, SpentUnit};
use crate::domain::time::Now;

/// The numbers of the next units that one command spends, by license.
#[derive(Debug)]
pub(super) struct NextUnits(BTreeMap<Serial, u32>);

impl NextUnits {
    pub(super) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The number of the next unit of a license.
    pub(super) fn take(&mut self, ledger: &Ledger, serial: Serial) -> u32 {
        let next = self.0.entry(serial).or_insert_with(|| ledger.next_unit(serial));
        *next += 1;
        *next - 1
    }
}

impl Ledger {
    fn next_unit(&self, serial: Serial) -> u32 {
        self.spent
            .range((serial, 0)..=(serial, u32::MAX))
            .next_back()
            .map_or(0, |((_, unit), _)| unit + 1)
    }

    /// Whether a seat keeps to its license: while that serves, and a single-use seat also while it does not serve by a
    /// jump of the clock alone, which may be rejected; its unit could not be taken back.
    pub(super) fn keeps_its_license(&self, seat: &Seat, now: Now) -> bool {
        let serves_at = |at| {
            let license = self.licenses.get(&seat.serial);
            license.is_some_and(|license| license.status(at).serves())
        };
        serves_at(now.latest()) || (seat.single_use && serves_at(now.steady))
    }

    /// Moves a seat off a license that does not serve any more. A single-use one leaves its unit spent (rule S9).
    pub(super) fn leave_license(
        &self,
        occasion: Occasion,
        key: SeatKey,
        seat: &mut Seat,
        to: Serial,
        product: &Product,
        units: &mut NextUnits,
    ) -> (Option<Change>, EventKind) {
        let from = seat.serial;
        let spent = seat.single_use.then(|| {
            let spent = SpentUnit {
                mac: key.mac,
                spent_at: occasion.now.latest(),
                reservation: None,
            };
            Change::from(Fact::SpentPut(from, units.take(self, from), spent))
        });
        seat.serial = to;
        seat.single_use = product.single_use;
        (spent, EventKind::SeatMoved { key, from, to })
    }
}

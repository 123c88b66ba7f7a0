//! The end of a seat: what becomes of its unit, and what is remembered (rules S7, S9).

use std::collections::BTreeMap;

use super::reclaim::FORMER_KEPT_SECS;
use super::{Ledger, Occasion};
use crate::domain::change::{Change, EventKind, Fact};
use crate::domain::ids::Serial;
use crate::domain::seat::{EndCause, FormerSeat, Seat, SeatKey, SpentUnit};
use crate::domain::time::Timestamp;

/// Ends seats of one command: units spent of one license are numbered one after the other.
pub(super) struct Endings<'a> {
    ledger: &'a Ledger,
    occasion: Occasion,
    next_units: BTreeMap<Serial, u32>,
    pub(super) changes: Vec<Change>,
}

impl<'a> Endings<'a> {
    pub(super) const fn new(ledger: &'a Ledger, occasion: Occasion) -> Self {
        Self {
            ledger,
            occasion,
            next_units: BTreeMap::new(),
            changes: Vec::new(),
        }
    }

    /// Ends a seat as of `ended_at`.
    pub(super) fn end(
        &mut self,
        key: SeatKey,
        seat: &Seat,
        cause: EndCause,
        ended_at: Timestamp,
        reason: Option<String>,
    ) {
        let Seat {
            serial,
            single_use: spent,
            ..
        } = *seat;
        let ended = EventKind::SeatEnded {
            key,
            serial,
            cause,
            reason,
            spent,
        };
        self.changes.push(self.occasion.change(Fact::SeatEnded(key), ended));
        let mut also = |fact| {
            self.changes.push(Change {
                fact,
                events: Vec::new(),
            });
        };
        // One that idled out so long ago, while the server was down, is not remembered any more.
        if ended_at.after_secs(FORMER_KEPT_SECS) > self.occasion.now.steady {
            also(Fact::FormerPut(key, FormerSeat { ended_at, cause }));
        }
        if spent {
            let next = self
                .next_units
                .entry(serial)
                .or_insert_with(|| self.ledger.next_unit(serial));
            also(Fact::SpentPut(
                serial,
                *next,
                SpentUnit {
                    mac: key.mac,
                    spent_at: ended_at,
                    reservation: None,
                },
            ));
            *next += 1;
        }
    }
}

impl Ledger {
    /// The number of the next unit of a license that is spent.
    pub(super) fn next_unit(&self, serial: Serial) -> u32 {
        self.spent
            .range((serial, 0)..=(serial, u32::MAX))
            .next_back()
            .map_or(0, |((_, unit), _)| unit + 1)
    }
}

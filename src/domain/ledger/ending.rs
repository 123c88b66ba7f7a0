//! The end of a seat: what becomes of its unit, and what is remembered (rules S7, S9).

use super::reclaim::FORMER_KEPT_SECS;
use super::units::NextUnits;
use super::{Ledger, Occasion};
use crate::domain::change::{Change, EventKind, Fact};
use crate::domain::seat::{EndCause, FormerSeat, Seat, SeatKey, SpentUnit};
use crate::domain::time::Timestamp;

/// Ends seats of one command: units spent of one license are numbered one after the other.
pub(super) struct Endings<'a> {
    ledger: &'a Ledger,
    occasion: Occasion,
    units: NextUnits,
    pub(super) changes: Vec<Change>,
}

impl<'a> Endings<'a> {
    pub(super) const fn new(ledger: &'a Ledger, occasion: Occasion) -> Self {
        Self {
            ledger,
            occasion,
            units: NextUnits::new(),
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
        let mut also = |fact: Fact| {
            self.changes.push(fact.into());
        };
        // One that idled out so long ago, while the server was down, is not remembered any more.
        if ended_at.after_secs(FORMER_KEPT_SECS) > self.occasion.now.steady {
            also(Fact::FormerPut(key, FormerSeat { ended_at, cause }));
        }
        if spent {
            let unit = self.units.take(self.ledger, serial);
            also(Fact::SpentPut(
                serial,
                unit,
                SpentUnit {
                    mac: key.mac,
                    spent_at: ended_at,
                    reservation: None,
                },
            ));
        }
        self.changes.extend(
            self.ledger
                .leave_behind(key, seat.components.iter(), ended_at, self.occasion.now),
        );
    }
}

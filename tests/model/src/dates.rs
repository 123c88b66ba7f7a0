//! Dates that were set while the calendar was wrong.

use crate::ask::{Answer, Denial};
use crate::model::{Model, plain};

impl Model {
    /// "A rejected jump": dates after the mark go back by its size, and are not after the mark then.
    pub fn move_dates_back(&mut self, size: u64, mark: u64) {
        self.move_dates(|date| {
            if date > mark {
                date.saturating_sub(size).min(mark)
            } else {
                date
            }
        });
    }

    pub(crate) fn accept_jump(&mut self) -> Answer {
        if self.clock.accept() {
            self.not_after(self.clock.now().steady);
            Answer::ClockMoved
        } else {
            plain(Denial::NoJumpPending)
        }
    }

    /// "`clock reset`" makes the calendar the mark.
    pub(crate) fn reset_clock(&mut self) -> Answer {
        let mark = self.clock.reset();
        self.not_after(mark);
        Answer::ClockMoved
    }

    /// Dates after the mark become the mark, and so do the moments of bindings.
    pub(crate) fn not_after(&mut self, mark: u64) {
        self.move_dates(|date| date.min(mark));
        for hold in self.seats.iter_mut().flat_map(|seat| &mut seat.holds) {
            if let Some(binding) = &mut hold.binding {
                binding.not_after(mark);
            }
            if let Some(conflict) = &mut hold.conflict {
                conflict.since = conflict.since.min(mark);
                conflict.last_seen = conflict.last_seen.min(mark);
            }
            if let Some(waiting) = &mut hold.waiting {
                waiting.since = waiting.since.min(mark);
            }
        }
    }

    fn move_dates(&mut self, moved: impl Fn(u64) -> u64) {
        for seat in &mut self.seats {
            let renewed_at = moved(seat.renewed_at);
            let back = seat.renewed_at - renewed_at;
            seat.acquired_at = moved(seat.acquired_at);
            seat.renewed_at = renewed_at;
            seat.renew_by = seat.renew_by.map(|at| at - back);
        }
        for license in &mut self.licenses {
            license.first_import = moved(license.first_import);
            license.removed_at = license.removed_at.map(&moved);
            license.spent.iter_mut().for_each(|unit| unit.at = moved(unit.at));
        }
        for (_, former) in &mut self.former {
            former.ended_at = moved(former.ended_at);
        }
        for left in &mut self.left {
            left.at = moved(left.at);
        }
        for reservation in &mut self.reservations {
            let made_at = moved(reservation.made_at);
            reservation.ends_at -= reservation.made_at - made_at;
            reservation.made_at = made_at;
        }
    }
}

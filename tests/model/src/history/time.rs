//! Time passes, clocks go wrong, servers start again.

use super::{History, Step, Turn};
use crate::clock::State;
use crate::words::{DAY, Validity};

/// 2099-01-01 00:00 UTC.
const FAR_AWAY: u64 = 4_070_908_800;

impl History {
    /// Reads both clocks, after a start or in between.
    pub(super) fn read(&mut self, start: bool) -> Turn {
        let calendar = self.real.saturating_add_signed(self.calendar_off);
        let counted = self.real - self.counts_from;
        if start {
            self.model.restart();
        }
        let (now, transition) = self.model.read_clock(calendar, counted);
        self.now = now;
        Turn {
            step: if start {
                Step::Restart { calendar, counted }
            } else {
                Step::Read { calendar, counted }
            },
            now,
            transition: Some(transition),
            freed: crate::Freed::default(),
            answer: None,
        }
    }

    pub(super) fn restart(&mut self) -> Turn {
        let down = match self.random.below(12) {
            0 if self.random.percent(50) => 40 * DAY,
            1 if self.random.percent(50) => 45 * DAY + self.random.below(3),
            2 if self.random.percent(50) => 50 * DAY,
            0..4 => self.random.below(3 * DAY),
            _ => 3 + self.random.below(60),
        };
        self.real += down;
        self.counts_from = self.real - self.random.below(100);
        self.disturb();
        if self.random.percent(15) {
            self.approve = !self.approve;
        }
        self.read(true)
    }

    /// Often to just before, onto or just behind a moment at which something is due.
    pub(super) fn pass_time(&mut self) -> Turn {
        let passed = match self.random.below(200) {
            0..40 => self.random.below(3_600),
            40..120 => self.until_something(),
            120..160 => self.random.below(DAY / 4),
            160..164 => self.random.below(2 * DAY),
            175 => self.random.below(20 * DAY),
            176 if self.random.percent(15) => self.random.below(400 * DAY),
            _ => 0,
        };
        self.real += passed;
        self.disturb();
        self.read(false)
    }

    fn until_something(&mut self) -> u64 {
        let mut due = self.moments();
        due.sort_unstable();
        let far = due.iter().position(|at| *at > self.now.steady + 40 * DAY);
        due.truncate(far.unwrap_or(due.len()).max(1));
        if due.is_empty() {
            return 0;
        }
        let at = match self.random.below(10) {
            0..7 => due[0],
            7..9 => {
                due.truncate(6);
                self.random.pick(&due)
            }
            _ => self.random.pick(&due),
        };
        (at + self.random.below(3)).saturating_sub(1 + self.now.steady)
    }

    /// The moments to come at which something is due.
    fn moments(&self) -> Vec<u64> {
        let seats = self.model.seats.iter().filter_map(|seat| seat.renew_by);
        let holds = self.model.seats.iter().flat_map(|seat| &seat.holds);
        let holds = holds.flat_map(crate::Hold::moments);
        let licenses = self.model.licenses.iter().filter(|one| one.present());
        let licenses = licenses.filter(|one| one.key.validity != Validity::Forever);
        let reservations = self.model.reservations.iter().map(|one| one.ends_at);
        let former = self.model.former.iter().map(|(_, one)| one.ended_at + 365 * DAY);
        seats
            .chain(holds)
            .chain(licenses.map(crate::License::ends_at))
            .chain(reservations)
            .chain(former)
            .filter(|at| *at > self.now.steady)
            .collect()
    }

    /// The calendar goes wrong, or right again.
    fn disturb(&mut self) {
        let wrong = self.calendar_off != 0;
        let behind = self.now.calendar < self.now.steady;
        match self.random.below(100) {
            0..25 if wrong => self.calendar_off = 0,
            // Almost right again: what is left may be accepted.
            25..29 if wrong => self.calendar_off = self.within(2 * DAY),
            29..33 if wrong && !behind => self.calendar_off += self.within(2 * DAY),
            0..2 if !wrong => self.calendar_off = -i64::try_from(self.random.below(40 * DAY)).unwrap_or(0),
            2..4 if !wrong => self.calendar_off = self.within(3_600),
            4..8 if !wrong => self.jump_ahead(),
            _ => {}
        }
    }

    fn jump_ahead(&mut self) {
        let far = FAR_AWAY.saturating_sub(self.real);
        let ahead = match self.random.below(6) {
            0 => DAY + self.random.below(3) - 1,
            1 => 45 * DAY + self.random.below(2 * DAY),
            2 if self.random.percent(50) => far,
            _ => DAY + self.random.below(10 * DAY),
        };
        self.calendar_off = i64::try_from(ahead).unwrap_or(0);
    }

    fn within(&mut self, secs: u64) -> i64 {
        i64::try_from(self.random.below(2 * secs)).unwrap_or(0) - i64::try_from(secs).unwrap_or(0)
    }

    /// How the calendar stands, as far as an administrator has to act.
    pub(super) const fn clock_state(&self) -> State {
        if self.model.clock.pending().is_some() {
            State::Pending
        } else if self.now.calendar + 2 * DAY < self.now.steady {
            State::SetBack
        } else {
            State::Sound
        }
    }
}

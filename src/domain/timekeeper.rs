//! The mark: the highest accepted time (rule T2). Decides, from what the clocks say, which time the ledger goes by.
//!
//! Pure: it is handed readings, and says what must be recorded. The numbers in comments are those of the list
//! "The mark (T2)" in `proto-spec/rules.md`.
//!
//! Seconds are whole, readings of the counting clock are milliseconds. *Elapsed* is rounded down: the mark never gets
//! ahead of what was counted. Parts of a second are not lost: while the mark goes on by the counting clock it moves by
//! whole seconds, and the rest counts towards the next one.

use thiserror::Error;

use super::time::{DAY_SECS, Monotonic, Now, Reading, Timestamp};

/// How far beyond the counting clock the calendar may be, in seconds.
pub const ALLOWANCE_SECS: u64 = DAY_SECS;

/// The same from a start until the mark first moves, in seconds: nobody counts while the server is down.
pub const ALLOWANCE_AT_START_SECS: u64 = 45 * DAY_SECS;

/// A jump that lasts for so many seconds by the counting clock is accepted by itself.
pub const JUMP_LASTS_SECS: u64 = DAY_SECS;

/// What is durable of the time.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ClockState {
    /// The highest accepted time.
    pub mark: Timestamp,
    /// The jump that is pending, if one is.
    pub jump: Option<Jump>,
}

/// A calendar that went ahead further than anybody counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Jump {
    /// How far the calendar was beyond the mark when the jump began, in seconds. Once rejected, dates move back by it.
    pub size_secs: u64,
    /// The mark when it began.
    pub began_at: Timestamp,
}

/// What became of a jump. To be recorded, in the order in which it is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClockChange {
    /// The mark is the calendar, as if there had been no jump.
    Accepted(Jump),
    /// The calendar has jumped. Nothing idles out by it until it is accepted.
    Pending(Jump),
    /// The calendar came back, or went elsewhere.
    Rejected {
        /// The jump that is over.
        jump: Jump,
        /// The mark at that moment, before the calendar's new reading moved it: dates after it were set by the jump.
        mark: Timestamp,
    },
}

/// How the time stands, for people.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// The calendar is the mark.
    Fine,
    /// A jump is pending.
    Jumped {
        /// The jump.
        jump: Jump,
        /// It is accepted by itself after so many seconds by the counting clock, rounded up.
        accepted_in_secs: u64,
    },
    /// The calendar is before the mark, and time stands still until it has caught up.
    SetBack {
        /// By how many seconds.
        secs: u64,
    },
}

/// There is no jump to accept.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("no jump of the clock is pending")]
pub struct NoJumpPending;

/// Keeps the mark. Every reading of the clocks goes through it before anything is decided at that time.
#[derive(Clone, Debug)]
pub struct Timekeeper {
    /// Nothing on a new server until its first reading.
    mark: Option<Timestamp>,
    /// When the mark last moved, by the counting clock. Nothing until the first reading of this start.
    moved_at: Option<Monotonic>,
    /// Whether the mark has moved since this start.
    has_moved: bool,
    /// What was found pending at this start, until the first reading decides about it.
    left_pending: Option<Jump>,
    pending: Option<Pending>,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    jump: Jump,
    /// When its 24 hours began, by the counting clock.
    since: Monotonic,
    /// How far beyond the mark the calendar is to be expected, in seconds. The jump's size, but after a start: the
    /// calendar went on while the server was down, and the mark did not.
    ahead_secs: u64,
}

impl Timekeeper {
    /// Goes on from what is durable: the state, if any was recorded, and the `newest` steady time of a durable round.
    #[must_use]
    pub fn start(state: Option<ClockState>, newest: Option<Timestamp>) -> Self {
        Self {
            // Rounds are younger than the state or as old, and a mark that was set back is the time of its own round.
            mark: state.map(|state| state.mark).max(newest),
            moved_at: None,
            has_moved: false,
            left_pending: state.and_then(|state| state.jump),
            pending: None,
        }
    }

    /// Takes what the clocks say. The changes are to be recorded in their order before anything else of this time; most
    /// readings have none.
    pub fn observe(&mut self, reading: Reading) -> (Now, Vec<ClockChange>) {
        let mut changes = Vec::new();
        if self.mark.is_none() {
            // 1. There is no time before it that anybody could have been down in: it counts as a move.
            self.move_to(reading);
        }
        self.moved_at.get_or_insert(reading.counted);
        match (self.left_pending.take(), self.pending) {
            (Some(jump), _) => self.resume(jump, reading, &mut changes),
            (None, Some(pending)) => self.follow(pending, reading, &mut changes),
            (None, None) => self.judge(reading, &mut changes),
        }
        (self.now(reading), changes)
    }

    /// Accepts the pending jump: the mark becomes the calendar. `reading` is the one that was observed last, so that
    /// what it did to the jump is recorded already.
    ///
    /// # Errors
    /// None is pending, and nothing happens. It may be over, or have been accepted by itself.
    pub fn accept(&mut self, reading: Reading) -> Result<(Now, ClockChange), NoJumpPending> {
        let pending = self.pending.ok_or(NoJumpPending)?;
        let change = self.accepted(pending, reading);
        Ok((self.now(reading), change))
    }

    /// Makes the calendar the mark, forwards or backwards, and forgets a pending jump. The only way back: the round
    /// that records it must be written with the time that is answered.
    pub fn reset(&mut self, reading: Reading) -> Now {
        (self.left_pending, self.pending) = (None, None);
        self.move_to(reading);
        self.now(reading)
    }

    /// What is to be durable. Of a new server only after its first reading; before, the mark is the beginning of time.
    #[must_use]
    pub fn state(&self) -> ClockState {
        ClockState {
            mark: self.mark.unwrap_or_default(),
            jump: self.left_pending.or(self.pending.map(|pending| pending.jump)),
        }
    }

    /// How it stands. `reading` is the one that was observed last, or a later one.
    #[must_use]
    pub fn standing(&self, reading: Reading) -> Standing {
        if let Some(pending) = self.pending {
            let lasts_ms = JUMP_LASTS_SECS * 1_000;
            let left_ms = lasts_ms.saturating_sub(reading.counted.millis_since(pending.since));
            return Standing::Jumped {
                jump: pending.jump,
                accepted_in_secs: left_ms.div_ceil(1_000),
            };
        }
        match self.mark.unwrap_or_default().secs_since(reading.calendar) {
            0 => Standing::Fine,
            secs => Standing::SetBack { secs },
        }
    }

    /// 2 to 4, while no jump is pending.
    fn judge(&mut self, reading: Reading, changes: &mut Vec<ClockChange>) {
        let mark = self.mark.unwrap_or_default();
        let allowance_secs = if self.has_moved {
            ALLOWANCE_SECS
        } else {
            ALLOWANCE_AT_START_SECS
        };
        let limit = mark.after_secs(self.elapsed_secs(reading)).after_secs(allowance_secs);
        if reading.calendar > limit {
            self.jumped(reading, changes);
        } else if reading.calendar > mark {
            self.move_to(reading);
        }
        // Else it was set back and the mark stands still, or it stands where the mark is. Neither is a move, so that
        // elapsed goes on: a calendar that is corrected after weeks may come as far as was counted.
    }

    /// 4, while a jump is pending.
    fn follow(&mut self, pending: Pending, reading: Reading, changes: &mut Vec<ClockChange>) {
        let mark = self.count_on(reading);
        let expected = mark.after_secs(pending.ahead_secs);
        let lasted_ms = reading.counted.millis_since(pending.since);
        if reading.calendar <= mark.after_secs(ALLOWANCE_SECS) {
            self.reject(pending.jump, changes);
            self.judge(reading, changes);
        } else if reading.calendar.0.abs_diff(expected.0) > ALLOWANCE_SECS {
            self.reject(pending.jump, changes);
            self.jumped(reading, changes);
        } else if lasted_ms >= JUMP_LASTS_SECS * 1_000 {
            changes.push(self.accepted(pending, reading));
        }
    }

    /// 5, at the first reading of a start. It goes before the "45 days at the first reading of a start" of 4: else a
    /// restart would reject a jump of less, move dates back by it, and accept the same calendar.
    fn resume(&mut self, jump: Jump, reading: Reading, changes: &mut Vec<ClockChange>) {
        let mark = self.mark.unwrap_or_default();
        let expected = mark.after_secs(jump.size_secs);
        if expected.secs_since(reading.calendar) > ALLOWANCE_SECS {
            self.reject(jump, changes);
            return self.judge(reading, changes);
        }
        self.pending = Some(Pending {
            jump,
            since: reading.counted,
            ahead_secs: reading.calendar.secs_since(mark),
        });
    }

    fn jumped(&mut self, reading: Reading, changes: &mut Vec<ClockChange>) {
        let began_at = self.count_on(reading);
        let size_secs = reading.calendar.secs_since(began_at);
        let jump = Jump { size_secs, began_at };
        self.pending = Some(Pending {
            jump,
            since: reading.counted,
            ahead_secs: size_secs,
        });
        changes.push(ClockChange::Pending(jump));
    }

    fn reject(&mut self, jump: Jump, changes: &mut Vec<ClockChange>) {
        self.pending = None;
        changes.push(ClockChange::Rejected {
            jump,
            mark: self.mark.unwrap_or_default(),
        });
    }

    fn accepted(&mut self, pending: Pending, reading: Reading) -> ClockChange {
        self.pending = None;
        // What was observed last is beyond the mark; only `reset` may go back, whatever this is called with.
        if self.mark <= Some(reading.calendar) {
            self.move_to(reading);
        }
        ClockChange::Accepted(pending.jump)
    }

    fn move_to(&mut self, reading: Reading) {
        self.mark = Some(reading.calendar);
        self.moved_at = Some(reading.counted);
        self.has_moved = true;
    }

    /// Moves the mark on by whole seconds that were counted, and answers it.
    fn count_on(&mut self, reading: Reading) -> Timestamp {
        let elapsed_secs = self.elapsed_secs(reading);
        let mark = self.mark.unwrap_or_default().after_secs(elapsed_secs);
        let moved_at = self.moved_at.unwrap_or(reading.counted);
        self.mark = Some(mark);
        self.moved_at = Some(moved_at.after_millis(elapsed_secs * 1_000));
        self.has_moved |= elapsed_secs > 0;
        mark
    }

    /// What was counted since the mark last moved, in whole seconds.
    fn elapsed_secs(&self, reading: Reading) -> u64 {
        self.moved_at
            .map_or(0, |moved_at| reading.counted.millis_since(moved_at) / 1_000)
    }

    fn now(&self, reading: Reading) -> Now {
        Now {
            steady: self.mark.unwrap_or_default(),
            calendar: reading.calendar,
        }
    }
}

#[cfg(test)]
mod tests;

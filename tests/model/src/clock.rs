//! "Time": the mark, and what the calendar may do (rule T2).

use crate::words::{DAY, Now};

/// How far the calendar may run ahead while the server counts.
const ALLOWANCE_SECS: u64 = DAY;

/// How far it may run ahead while nobody counts.
const DOWNTIME_SECS: u64 = 45 * DAY;

/// The highest accepted time, and what stands against it.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    mark: Option<u64>,
    /// The last reading of the calendar.
    calendar: u64,
    /// The last reading of the clock that only counts.
    counted: u64,
    /// What that one showed when the mark moved last.
    moved_at: u64,
    /// Nothing was read since the start.
    unread: bool,
    /// From a start until the mark first moves.
    fresh: bool,
    pending: Option<Jump>,
}

/// A forward jump of the calendar that is not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Jump {
    /// How far the calendar was beyond the mark when it began.
    pub size: u64,
    /// How far it was beyond when its 24 hours began.
    ahead: u64,
    /// When these began, by the clock that only counts.
    since: u64,
}

/// What a reading meant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Transition {
    /// How things stand now.
    pub state: State,
    /// A jump was rejected: its size, and the mark at that moment.
    pub rejected: Option<(u64, u64)>,
    /// A jump was accepted because it lasted.
    pub accepted: bool,
}

/// How the calendar stands to the mark.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// The mark is the calendar.
    Sound,
    /// The calendar is before the mark, which stands still.
    SetBack,
    /// A jump is pending.
    Pending,
}

impl Clock {
    /// Reads both clocks. The one that only counts starts anywhere after a restart.
    pub fn read(&mut self, calendar: u64, counted: u64) -> (Now, Transition) {
        self.calendar = calendar;
        self.counted = counted;
        let mut transition = Transition {
            state: State::Sound,
            rejected: None,
            accepted: false,
        };
        if self.mark.is_none() {
            // Nobody can have been down before it.
            self.fresh = false;
        }
        if self.mark.is_none() || self.unread {
            self.moved_at = counted;
        }
        let mut mark = self.mark.unwrap_or(calendar);
        let start = std::mem::take(&mut self.unread);
        if let Some(jump) = self.pending {
            if !start {
                mark = self.count_on(mark);
            }
            match self.judge_pending(jump, mark, start) {
                Pending::Still => {
                    self.mark = Some(mark);
                    transition.state = State::Pending;
                    return (self.now(), transition);
                }
                Pending::Accepted => {
                    mark = calendar;
                    self.pending = None;
                    transition.accepted = true;
                }
                Pending::Rejected => {
                    transition.rejected = Some((jump.size, mark));
                    self.pending = None;
                }
                Pending::Replaced => {
                    transition.rejected = Some((jump.size, mark));
                    transition.state = State::Pending;
                    self.jumped(mark);
                    return (self.now(), transition);
                }
            }
        }
        transition.state = self.judge(&mut mark);
        self.mark = Some(mark);
        (self.now(), transition)
    }

    fn judge_pending(&mut self, jump: Jump, mark: u64, start: bool) -> Pending {
        let calendar = self.calendar;
        if start {
            if calendar + DAY < mark + jump.size {
                return Pending::Rejected;
            }
            self.pending = Some(Jump {
                size: jump.size,
                ahead: calendar - mark,
                since: self.counted,
            });
            return Pending::Still;
        }
        if calendar <= mark + ALLOWANCE_SECS {
            return Pending::Rejected;
        }
        if calendar.abs_diff(mark + jump.ahead) > DAY {
            Pending::Replaced
        } else if self.counted - jump.since >= DAY {
            Pending::Accepted
        } else {
            Pending::Still
        }
    }

    /// A reading without a pending jump.
    fn judge(&mut self, mark: &mut u64) -> State {
        let elapsed = self.counted - self.moved_at;
        let allowance = if self.fresh { DOWNTIME_SECS } else { ALLOWANCE_SECS };
        if self.calendar < *mark {
            return State::SetBack;
        }
        if self.calendar <= *mark + elapsed + allowance {
            // Where the mark is already it does not move.
            if self.calendar > *mark {
                *mark = self.calendar;
                self.moved_at = self.counted;
                self.fresh = false;
            }
            return State::Sound;
        }
        *mark = self.count_on(*mark);
        self.jumped(*mark);
        State::Pending
    }

    fn jumped(&mut self, mark: u64) {
        let size = self.calendar - mark;
        self.mark = Some(mark);
        self.pending = Some(Jump {
            size,
            ahead: size,
            since: self.counted,
        });
    }

    /// The mark goes on as the counting clock does.
    const fn count_on(&mut self, mark: u64) -> u64 {
        let elapsed = self.counted - self.moved_at;
        if elapsed > 0 {
            self.fresh = false;
        }
        self.moved_at = self.counted;
        mark + elapsed
    }

    /// The jump that is pending was not recorded, and the power went.
    pub const fn forget_jump(&mut self) {
        self.pending = None;
    }

    /// The server starts again, and with it the clock that only counts.
    pub const fn restart(&mut self) {
        self.unread = true;
        self.fresh = true;
    }

    /// An administrator accepts the jump that is pending. False: there is none.
    pub fn accept(&mut self) -> bool {
        let pending = self.pending.take().is_some();
        if pending {
            self.mark = Some(self.calendar);
            self.moved_at = self.counted;
            self.fresh = false;
        }
        pending
    }

    /// An administrator makes the calendar the mark; answers it.
    pub const fn reset(&mut self) -> u64 {
        self.pending = None;
        self.fresh = false;
        self.mark = Some(self.calendar);
        self.moved_at = self.counted;
        self.calendar
    }

    /// The time of a decision after the last reading.
    #[must_use]
    pub fn now(&self) -> Now {
        Now {
            steady: self.mark.unwrap_or(self.calendar),
            calendar: self.calendar,
        }
    }

    /// Whether nothing was ever read.
    #[must_use]
    pub const fn is_new(&self) -> bool {
        self.mark.is_none()
    }

    /// The jump that is pending.
    #[must_use]
    pub const fn pending(&self) -> Option<Jump> {
        self.pending
    }
}

enum Pending {
    Still,
    Accepted,
    Rejected,
    /// Rejected, and another one is pending.
    Replaced,
}

//! What is recorded of the server's time (rule T2). Which time it is decides the timekeeper.

use super::dates::{Back, MOVED_MAX};
use super::{Decided, Ledger, Occasion};
use crate::domain::change::{ClockEvent, EventKind, Fact};
use crate::domain::denial::Denial;
use crate::domain::reply::Reply;
use crate::domain::time::Timestamp;
use crate::domain::timekeeper::{ClockChange, ClockState, Jump};

impl Ledger {
    /// What is durable of the time; nothing on a server that never recorded any.
    #[must_use]
    pub const fn clock(&self) -> Option<ClockState> {
        self.clock
    }

    /// An administrator accepts the pending jump: the calendar is the time.
    pub(super) fn accept_jump(&self, occasion: Occasion) -> Decided {
        match self.clock.and_then(|clock| clock.jump) {
            None => Decided::refused(Denial::NoJumpPending),
            Some(jump) => put(occasion, occasion.now.calendar, None, ClockEvent::JumpAccepted(jump)),
        }
    }

    /// An administrator makes the calendar the time, either way. The time is recorded before any date moves: a start in
    /// the midst of it must go on from the new time, or the first seats that moved would be overdue by the old one.
    /// [`Ledger::mend_dates`] moves the dates after it.
    pub(super) fn reset_clock(occasion: Occasion) -> Decided {
        let mark = occasion.now.calendar;
        let reset = ClockEvent::Reset {
            from: occasion.now.steady,
            to: mark,
        };
        put(occasion, mark, None, reset)
    }

    /// While no jump is pending no date is after the time. What is, becomes the time: it was set before a reset, or while a
    /// jump was pending and the calendar further ahead than when the jump was accepted. A bounded number of dates: as
    /// long as the answer is [`Reply::Unfinished`], it is to be asked again.
    pub(super) fn mend_dates(&self, occasion: Occasion) -> Decided {
        if self.clock.is_none_or(|clock| clock.jump.is_some()) {
            return Decided::unchanged(Reply::Done);
        }
        let back = Back {
            mark: occasion.now.steady,
            size_secs: None,
        };
        let changes = self.moved_back(back);
        let reply = if changes.len() >= MOVED_MAX {
            Reply::Unfinished
        } else {
            Reply::Done
        };
        Decided { reply, changes }
    }

    /// Records what the timekeeper found. A rejected jump moves dates back, a bounded number of them: as
    /// long as the answer is [`Reply::Unfinished`], it is to be asked again. Until all are moved the jump stays pending.
    pub(super) fn note_clock(&self, occasion: Occasion, change: ClockChange) -> Decided {
        let mark = occasion.now.steady;
        match change {
            ClockChange::Accepted(jump) => put(occasion, mark, None, ClockEvent::JumpAccepted(jump)),
            ClockChange::Pending(jump) => put(occasion, mark, Some(jump), ClockEvent::JumpPending(jump)),
            ClockChange::Rejected { jump, mark } => {
                let size_secs = Some(jump.size_secs);
                self.move_back(occasion, Back { mark, size_secs }, ClockEvent::JumpRejected(jump))
            }
        }
    }

    /// The time is durable even if nothing else happens.
    pub(super) fn keep_time(&self, occasion: Occasion, age_secs: u64) -> Decided {
        let mark = occasion.now.steady;
        let clock = self.clock.unwrap_or_default();
        if mark.secs_since(clock.mark) < age_secs.max(1) {
            return Decided::unchanged(Reply::Done);
        }
        Decided {
            reply: Reply::Done,
            changes: vec![Fact::ClockPut(ClockState { mark, ..clock }).into()],
        }
    }

    fn move_back(&self, occasion: Occasion, back: Back, event: ClockEvent) -> Decided {
        let changes = self.moved_back(back);
        if changes.len() >= MOVED_MAX {
            return Decided {
                reply: Reply::Unfinished,
                changes,
            };
        }
        let mut decided = put(occasion, back.mark, None, event);
        decided.changes.splice(0..0, changes);
        decided
    }
}

fn put(occasion: Occasion, mark: Timestamp, jump: Option<Jump>, event: ClockEvent) -> Decided {
    let fact = Fact::ClockPut(ClockState { mark, jump });
    Decided {
        reply: Reply::Done,
        changes: vec![occasion.change(fact, EventKind::ClockChanged(event))],
    }
}

//! The only reader of the operating system's time (rule T1). It says what the clocks say; which time counts is decided
//! by [`crate::domain::timekeeper`].

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::domain::time::{Monotonic, Reading, Timestamp};

/// Where time comes from: the system's clocks, or two that a demonstration or a test moves by hand.
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    System,
    /// Under one lock, since a calendar that moves before the counting clock does looks like a jump.
    Manual(Arc<Mutex<Reading>>),
}

impl Clock {
    /// The system's clocks.
    #[must_use]
    pub const fn system() -> Self {
        Self { source: Source::System }
    }

    /// Clocks that stand still, the calendar at `at`, until they are moved by hand. Clones move together.
    #[must_use]
    pub fn manual(at: Timestamp) -> Self {
        let reading = Reading {
            calendar: at,
            counted: Monotonic::default(),
        };
        Self {
            source: Source::Manual(Arc::new(Mutex::new(reading))),
        }
    }

    /// Lets `secs` seconds pass on manual clocks, on the calendar and the counting clock alike. The system's clocks are
    /// not ours to move: nothing happens.
    pub fn advance_secs(&self, secs: u64) {
        self.turn(|reading| {
            reading.calendar = reading.calendar.after_secs(secs);
            reading.counted = reading.counted.after_millis(secs.saturating_mul(1_000));
        });
    }

    /// Sets a manual calendar ahead by `secs` seconds, or back, as somebody does who sets a clock: no time passes. On
    /// the system's clocks nothing happens.
    pub fn jump_secs(&self, secs: i64) {
        self.turn(|reading| {
            reading.calendar = Timestamp(reading.calendar.0.saturating_add_signed(secs));
        });
    }

    /// What the clocks say, for the writer's next round.
    #[must_use]
    pub fn reading(&self) -> Reading {
        match &self.source {
            Source::System => Reading {
                calendar: Timestamp(system_secs()),
                counted: monotonic(),
            },
            Source::Manual(reading) => *locked(reading),
        }
    }

    /// What the wall clock says, to tell it to others.
    #[must_use]
    pub fn calendar(&self) -> Timestamp {
        self.reading().calendar
    }

    fn turn(&self, turn: impl FnOnce(&mut Reading)) {
        if let Source::Manual(reading) = &self.source {
            turn(&mut locked(reading));
        }
    }
}

/// Two numbers are whole whatever became of a thread that held the lock.
fn locked(reading: &Mutex<Reading>) -> MutexGuard<'_, Reading> {
    reading.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Milliseconds since this process first asked, on a clock that no administrator can set.
#[must_use]
pub fn monotonic() -> Monotonic {
    Monotonic(monotonic_micros() / 1_000)
}

/// Microseconds since this process first asked; for measuring round trips.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is where time enters")]
pub fn monotonic_micros() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let start = *START;
    u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX)
}

#[expect(clippy::disallowed_methods, reason = "this is where time enters")]
fn system_secs() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_700_000_000);

    // proves T1
    #[test]
    fn manual_clocks_pass_together_and_jump_by_the_calendar_alone() {
        let clock = Clock::manual(START);
        let begin = clock.reading();
        assert_eq!(clock.reading(), begin, "nothing passes by itself");
        clock.clone().advance_secs(60);
        let later = clock.reading();
        assert_eq!(later.calendar, START.after_secs(60));
        assert_eq!(later.counted.millis_since(begin.counted), 60_000);
        clock.jump_secs(-100);
        assert_eq!(
            (clock.calendar(), clock.reading().counted),
            (Timestamp(START.0 - 40), later.counted)
        );
        clock.jump_secs(140);
        assert_eq!(clock.calendar(), START.after_secs(100));
    }

    // proves T1
    #[test]
    fn manual_clocks_stop_at_the_ends_of_time() {
        let clock = Clock::manual(START);
        clock.jump_secs(i64::MIN);
        assert_eq!(clock.calendar(), Timestamp(0));
        clock.advance_secs(u64::MAX);
        clock.jump_secs(i64::MAX);
        assert_eq!(
            clock.reading(),
            Reading {
                calendar: Timestamp::MAX,
                counted: Monotonic(u64::MAX),
            }
        );
    }

    #[test]
    fn the_systems_clocks_are_not_moved() {
        let clock = Clock::system();
        clock.advance_secs(1_000_000);
        clock.jump_secs(1_000_000);
        assert!(Clock::system().calendar().secs_since(clock.calendar()) < 1_000);
        assert!(clock.calendar() < START.after_secs(1_000_000_000));
    }
}

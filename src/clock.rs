//! The only reader of the operating system's time (rule T1).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::domain::time::{Monotonic, Now, Timestamp};

/// Where time comes from: the system's clock, or one that a demonstration or a test moves by hand.
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
    /// The highest time ever answered, so that it never goes back.
    steady: Arc<AtomicU64>,
}

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// The system's clock. `floor` is the newest time on disk: the steady time never goes behind it.
    #[must_use]
    pub fn system(floor: Timestamp) -> Self {
        Self {
            source: Source::System,
            steady: Arc::new(AtomicU64::new(floor.0)),
        }
    }

    /// A clock that stands at `at` until it is moved with [`Clock::advance_secs`]. Clones move together.
    #[must_use]
    pub fn manual(at: Timestamp) -> Self {
        Self {
            source: Source::Manual(Arc::new(AtomicU64::new(at.0))),
            steady: Arc::new(AtomicU64::new(at.0)),
        }
    }

    /// Moves a manual clock forward. The system's clock is not ours to move: nothing happens.
    pub fn advance_secs(&self, secs: u64) {
        if let Source::Manual(time) = &self.source {
            time.fetch_add(secs, Ordering::SeqCst);
        }
    }

    /// Raises the steady time to at least `floor`, the newest time on disk.
    pub fn raise(&self, floor: Timestamp) {
        self.steady.fetch_max(floor.0, Ordering::SeqCst);
    }

    /// The time for the next decision.
    #[must_use]
    pub fn now(&self) -> Now {
        let calendar = match &self.source {
            Source::System => system_secs(),
            Source::Manual(time) => time.load(Ordering::SeqCst),
        };
        let steady = self.steady.fetch_max(calendar, Ordering::SeqCst).max(calendar);
        Now {
            steady: Timestamp(steady),
            calendar: Timestamp(calendar),
        }
    }
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

//! The domain's time (rule T1): whole seconds, handed in with every command.

use std::fmt;

/// Seconds in a day.
pub const DAY_SECS: u64 = 86_400;

/// A point in time: seconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The last point in time that can be said; stands for "never" in ordered indexes.
    pub const MAX: Self = Self(u64::MAX);

    /// This point in time and `secs` seconds; [`Timestamp::MAX`] where that overflows.
    #[must_use]
    pub const fn after_secs(self, secs: u64) -> Self {
        Self(self.0.saturating_add(secs))
    }

    /// Seconds from `earlier` to here; 0 if `earlier` is later.
    #[must_use]
    pub const fn secs_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Timestamp {
    /// Seconds as a number: calendars belong to whoever shows a time to people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Milliseconds on a clock that only counts, for waits and limits; not a date. It starts anywhere.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Monotonic(pub u64);

impl Monotonic {
    /// This moment and `millis` milliseconds.
    #[must_use]
    pub const fn after_millis(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to here; 0 if `earlier` is later.
    #[must_use]
    pub const fn millis_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// What the clocks say, read together.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Reading {
    /// What the wall clock says.
    pub calendar: Timestamp,
    /// What a clock says that only counts.
    pub counted: Monotonic,
}

/// What the domain may know of time.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Now {
    /// The mark: never goes back, and passes over a forward jump only once that is accepted. Idleness is tested against
    /// it.
    pub steady: Timestamp,
    /// What the wall clock says.
    pub calendar: Timestamp,
}

impl Now {
    /// Both times alike, as they are while the wall clock behaves.
    #[must_use]
    pub const fn at(secs: u64) -> Self {
        Self {
            steady: Timestamp(secs),
            calendar: Timestamp(secs),
        }
    }

    /// The later of the two: dates are set from it and expiry is tested against it.
    #[must_use]
    pub fn latest(self) -> Timestamp {
        self.steady.max(self.calendar)
    }
}

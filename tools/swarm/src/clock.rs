//! The only reader of time here: what is measured is measured with it.

use std::time::{Duration, Instant};

/// A moment of the counting clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(Instant);

impl Moment {
    /// This moment.
    #[expect(
        clippy::disallowed_methods,
        reason = "a load tool measures real time; nothing here decides by it"
    )]
    pub(crate) fn now() -> Self {
        Self(Instant::now())
    }

    /// How long ago it was.
    pub(crate) fn ago(self) -> Duration {
        Self::now().since(self)
    }

    /// How long after `earlier` it is; nothing if it is before.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        self.0.saturating_duration_since(earlier.0)
    }

    /// The moment `later`.
    pub(crate) fn after(self, later: Duration) -> Self {
        Self(self.0 + later)
    }

    /// Waits until it is there; at once if it has passed.
    pub(crate) async fn reached(self) {
        tokio::time::sleep_until(self.0.into()).await;
    }
}

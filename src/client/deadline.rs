//! One deadline for all that is done on the way to an answer.

use std::time::Duration;

use crate::clock;
use crate::domain::time::Monotonic;

/// A moment after which nobody waits any more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Deadline(Monotonic);

impl Deadline {
    /// The moment `wait` from now; whole milliseconds.
    #[must_use]
    pub fn after(wait: Duration) -> Self {
        let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        Self(clock::monotonic().after_millis(millis))
    }

    /// How long it is until then; zero if it has passed.
    #[must_use]
    pub fn left(self) -> Duration {
        Duration::from_millis(self.0.millis_since(clock::monotonic()))
    }

    /// The earlier of this and the moment `wait` from now.
    #[must_use]
    pub fn at_most(self, wait: Duration) -> Self {
        Self(self.0.min(Self::after(wait).0))
    }

    /// What `work` comes to, or nothing if that takes until after the deadline.
    pub async fn bound<T>(self, work: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(self.left(), work).await.ok()
    }
}

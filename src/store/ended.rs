//! Waiting for the end of a thread, but not forever: a disk that hangs must not keep a process from ending.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

/// How long a thread of the store is waited for. A service has 10 seconds to stop in good order.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a thread has as long as it runs.
#[derive(Debug)]
pub(super) struct Running {
    _tell: Sender<()>,
}

/// What is told of its end.
#[derive(Debug)]
pub(super) struct Ended {
    /// Nothing where nobody wants to know.
    told: Option<Receiver<()>>,
}

impl Running {
    /// For a thread that is about to be started.
    pub(super) fn new() -> (Self, Ended) {
        let (tell, told) = mpsc::channel();
        (Self { _tell: tell }, Ended { told: Some(told) })
    }
}

impl Ended {
    /// For where there is no thread.
    pub(super) const fn already() -> Self {
        Self { told: None }
    }

    /// Nobody is to wait for the end.
    pub(super) fn forget(&mut self) {
        self.told = None;
    }

    /// Waits for the end, or until patience ends, which is told. A panic in the thread was told by its own message.
    pub(super) fn wait(&mut self, what: &str) {
        let Some(told) = self.told.take() else { return };
        if told.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!(
                "{what} has not ended in {} s and is left to itself; nothing that was answered depends on it: check the disk",
                PATIENCE.as_secs()
            );
        }
    }
}

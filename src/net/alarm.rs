//! The timer of a connection.

use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Sleep;

use crate::clock::monotonic;
use crate::domain::time::Monotonic;

/// Tells when a time is up that is put off again and again and hardly ever comes, as that of a silent peer is with each
/// request. The timer beneath is set anew only where it would ring too late; where it rings too early it is set again then.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    set: Option<Set>,
}

#[derive(Debug)]
struct Set {
    rings_at: Monotonic,
    timer: Pin<Box<Sleep>>,
}

impl Alarm {
    /// Returns when `due` is over; never where nothing is due. Dropping this loses nothing.
    pub(super) async fn until(&mut self, due: Option<Monotonic>) {
        match due {
            Some(due) => poll_fn(|context| self.poll(due, context)).await,
            None => pending().await,
        }
    }

    fn poll(&mut self, due: Monotonic, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let set = match &mut self.set {
                Some(set) if set.rings_at <= due => set,
                other => {
                    let now = monotonic();
                    if due <= now {
                        return Poll::Ready(());
                    }
                    let timer = Box::pin(tokio::time::sleep(Duration::from_millis(due.millis_since(now))));
                    other.insert(Set { rings_at: due, timer })
                }
            };
            if set.timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.set = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_returns_when_what_is_due_now_is_over_however_often_that_was_put_off_or_brought_forward() {
        let mut alarm = Alarm::default();
        let begin = monotonic();
        let at = |millis| Some(Monotonic(begin.0 + millis));
        for due in [40_000, 500_000, 20_000, 60_000] {
            tokio::select! {
                biased;
                () = alarm.until(at(due)) => panic!("{due} ms are not over"),
                () = std::future::ready(()) => {}
            }
        }
        // Brought forward, looked at, and put off before it rings.
        tokio::select! {
            biased;
            () = alarm.until(at(30)) => {}
            () = std::future::ready(()) => {}
        }
        alarm.until(at(60)).await;
        let waited = monotonic().millis_since(begin);
        assert!((60..20_000).contains(&waited), "{waited} ms");
        alarm.until(at(0)).await;
        tokio::select! {
            biased;
            () = alarm.until(None) => panic!("nothing is due"),
            () = std::future::ready(()) => {}
        }
    }
}

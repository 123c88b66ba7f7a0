//! A thread that owns the storage engine, so that whatever the engine does ends as an error and not as silence.
//!
//! sled 0.34 panics on many a damaged file, some of them in threads of its own; whoever waits for such a thread then
//! waits forever. Here a panic becomes an error, and an answer that does not come becomes one too.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use super::StoreError;

/// How long an ended thread is waited for. The engine writes what it has left when it is closed.
const CLOSE_PATIENCE: Duration = Duration::from_secs(10);

/// Answers whether the engine is still sound.
type Task<E> = Box<dyn FnOnce(&mut E) -> bool + Send>;

/// The thread and what is known of it.
#[derive(Debug)]
pub(super) struct Worker<E> {
    place: String,
    /// Nothing once the thread is asked to end.
    tasks: Option<Sender<Task<E>>>,
    /// How closing the engine went; closed when the thread has ended.
    ended: Receiver<Result<(), StoreError>>,
    is_stuck: bool,
}

impl<E: 'static> Worker<E> {
    /// Starts the thread and opens the engine in it. `place` is what errors name.
    pub(super) fn start(
        place: String,
        patience: Duration,
        open: impl FnOnce() -> Result<E, StoreError> + Send + 'static,
    ) -> Result<Self, StoreError> {
        let (tasks, inbox) = mpsc::channel::<Task<E>>();
        let (opened, answer) = mpsc::sync_channel(1);
        let (ending, ended) = mpsc::channel();
        let name = place.clone();
        let run = move || {
            let ending: Sender<Result<(), StoreError>> = ending;
            let mut engine = match caught(&name, open) {
                Ok(engine) => engine,
                Err(error) => return drop(opened.send(Err(error))),
            };
            drop(opened.send(Ok(())));
            for task in inbox {
                if !task(&mut engine) {
                    // Closing an engine that panicked could panic again or never end; the process is about to stop.
                    return mem::forget(engine);
                }
            }
            let closed = caught(&name, move || {
                drop(engine);
                Ok(())
            });
            // Whoever does not ask how it went does not listen.
            drop(ending.send(closed));
        };
        thread::Builder::new()
            .name("ledger".into())
            .spawn(run)
            .map_err(|source| StoreError::Engine {
                place: place.clone(),
                source: source.into(),
            })?;
        let mut worker = Self {
            place,
            tasks: Some(tasks),
            ended,
            is_stuck: false,
        };
        worker.wait(&answer, "opening", patience)?;
        Ok(worker)
    }

    /// Has `work` done by the engine and waits for its answer.
    pub(super) fn ask<T: Send + 'static>(
        &mut self,
        doing: &'static str,
        patience: Duration,
        work: impl FnOnce(&mut E) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = mpsc::sync_channel(1);
        let place = self.place.clone();
        let task: Task<E> = Box::new(move |engine| {
            let result = caught(&place, || work(engine));
            let is_sound = !matches!(result, Err(StoreError::Panicked { .. }));
            // Whoever gave up waiting has an error already.
            drop(reply.send(result));
            is_sound
        });
        match self.tasks.as_ref().map(|tasks| tasks.send(task)) {
            Some(Ok(())) => self.wait(&answer, doing, patience),
            None | Some(Err(_)) => Err(StoreError::Poisoned),
        }
    }

    /// Closes the engine: what it had left is in its files then.
    pub(super) fn close(mut self, patience: Duration) -> Result<(), StoreError> {
        drop(self.tasks.take());
        match self.ended.recv_timeout(patience) {
            Ok(closed) => closed,
            // It ended after an error that was told.
            Err(RecvTimeoutError::Disconnected) => Err(StoreError::Poisoned),
            Err(RecvTimeoutError::Timeout) => Err(self.hung("closing", patience)),
        }
    }

    fn hung(&mut self, doing: &'static str, patience: Duration) -> StoreError {
        self.is_stuck = true;
        StoreError::Hung {
            place: self.place.clone(),
            doing,
            secs: patience.as_secs(),
        }
    }

    fn wait<T>(
        &mut self,
        answer: &Receiver<Result<T, StoreError>>,
        doing: &'static str,
        patience: Duration,
    ) -> Result<T, StoreError> {
        match answer.recv_timeout(patience) {
            Ok(result) => result,
            Err(RecvTimeoutError::Disconnected) => Err(StoreError::Poisoned),
            Err(RecvTimeoutError::Timeout) => Err(self.hung(doing, patience)),
        }
    }
}

impl<E> Drop for Worker<E> {
    /// Waits until the engine is closed, so that its files are free for the next one.
    fn drop(&mut self) {
        drop(self.tasks.take());
        if !self.is_stuck {
            // Ends when the thread does, or when patience does.
            let _ended = self.ended.recv_timeout(CLOSE_PATIENCE);
        }
    }
}

fn caught<T>(place: &str, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        Err(StoreError::Panicked {
            place: place.to_owned(),
            text: panic_text(panic.as_ref()),
        })
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "the database gave no reason".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn worker() -> Worker<u32> {
        Worker::start("here".into(), PATIENCE, || Ok(1)).unwrap()
    }

    #[test]
    fn a_panic_while_opening_is_an_error_that_names_the_place() {
        let error = Worker::<u32>::start("here".into(), PATIENCE, || panic!("bad page {}", 7)).unwrap_err();
        assert!(matches!(&error, StoreError::Panicked { place, text } if place == "here" && text == "bad page 7"));
    }

    #[test]
    fn after_a_panic_nothing_is_done_any_more() {
        let mut worker = worker();
        let error = worker
            .ask::<()>("reading", PATIENCE, |_| panic!("bad page"))
            .unwrap_err();
        assert!(matches!(error, StoreError::Panicked { .. }));
        assert!(worker.ask("reading", PATIENCE, |engine| Ok(*engine)).is_err());
    }

    #[test]
    fn an_answer_that_does_not_come_is_an_error() {
        let mut worker = worker();
        let (release, held) = mpsc::channel::<()>();
        let error = worker
            .ask("reading", Duration::from_millis(20), move |_| {
                let _released = held.recv();
                Ok(())
            })
            .unwrap_err();
        assert!(matches!(error, StoreError::Hung { doing: "reading", .. }));
        drop(release);
    }

    /// An engine whose closing ends when it is let go, in a panic.
    struct Bad(Receiver<()>);

    impl Drop for Bad {
        fn drop(&mut self) {
            let _released = self.0.recv();
            panic!("cannot be closed");
        }
    }

    #[test]
    fn closing_tells_how_it_went() {
        assert!(worker().close(PATIENCE).is_ok());
        let (release, held) = mpsc::channel::<()>();
        let slow = Worker::start("here".into(), PATIENCE, || Ok(Bad(held))).unwrap();
        let error = slow.close(Duration::from_millis(20)).unwrap_err();
        assert!(matches!(error, StoreError::Hung { doing: "closing", .. }));
        drop(release);
        let (_, held) = mpsc::channel::<()>();
        let bad = Worker::start("here".into(), PATIENCE, || Ok(Bad(held))).unwrap();
        let error = bad.close(PATIENCE).unwrap_err();
        assert!(
            matches!(&error, StoreError::Panicked { place, text } if place == "here" && text == "cannot be closed")
        );
    }

    #[test]
    fn a_worker_answers_in_order() {
        let mut worker = worker();
        for expected in 1..5 {
            let answer = worker.ask("counting", PATIENCE, |engine| {
                *engine += 1;
                Ok(*engine - 1)
            });
            assert_eq!(answer.unwrap(), expected);
        }
    }
}

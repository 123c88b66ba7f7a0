//! Checkpoints on a thread of their own, so that the writer waits for none of them; or at once, where a test wants every
//! call of the disk in one order.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::domain::change::Fact;

use super::StoreError;
use super::checkpoint::{Building, Keeper, Made, Start};
use super::ended::{Ended, Running};
use super::history::Retention;
use super::lock::Lock;
use crate::domain::time::Timestamp;

/// Portions that are on their way to the thread, at most.
const PORTIONS_MAX: u32 = 2;

/// What is asked of it.
#[derive(Debug)]
pub(super) enum Task {
    /// Start a checkpoint.
    Begin(Start),
    /// Go on with it.
    Put(Vec<Fact>),
    /// Keep so much of what happened from this time on, and have the rest gone.
    Keep(Retention, Timestamp),
    /// End it; the number is that of the last round that may be in it.
    Finish(u64),
}

/// What became of a checkpoint.
pub(super) type Outcome = Result<Made, StoreError>;

/// Called when the writer may go on.
pub(super) type Wake = Box<dyn Fn() + Send>;

/// Where checkpoints are made.
#[derive(Debug)]
pub(super) enum Background {
    /// Here and now.
    Inline(Box<Inline>),
    /// On a thread.
    Threaded(Thread),
}

/// Checkpoints that are made while the writer waits.
#[derive(Debug)]
pub(super) struct Inline {
    work: Work,
    outcome: Option<Outcome>,
}

/// A thread that makes checkpoints.
pub(super) struct Thread {
    /// Nothing once it is asked to end, or has ended.
    tasks: Option<Sender<Task>>,
    outcomes: Receiver<Outcome>,
    /// Portions that it has not taken yet.
    waiting: Arc<AtomicU32>,
    /// Whether what it was asked for is wanted no more.
    is_closing: Arc<AtomicBool>,
    wake: Arc<Mutex<Option<Wake>>>,
    ended: Ended,
}

impl Background {
    pub(super) fn inline(keeper: Keeper) -> Self {
        keeper.clear();
        Self::Inline(Box::new(Inline {
            work: Work::new(keeper),
            outcome: None,
        }))
    }

    /// Has checkpoints made by a thread, which has `lock` as long as it lives: nobody else may use the directory before.
    pub(super) fn threaded(keeper: Keeper, lock: Arc<Lock>) -> std::io::Result<Self> {
        let (tasks, inbox) = mpsc::channel();
        let (tell, outcomes) = mpsc::channel();
        let waiting = Arc::new(AtomicU32::new(0));
        let is_closing = Arc::new(AtomicBool::new(false));
        let wake: Arc<Mutex<Option<Wake>>> = Arc::default();
        let (running, ended) = Running::new();
        let run = {
            let (waiting, is_closing, wake) = (Arc::clone(&waiting), Arc::clone(&is_closing), Arc::clone(&wake));
            move || {
                let _kept = (lock, running);
                keeper.clear();
                let mut work = Work::new(keeper);
                for task in inbox {
                    if is_closing.load(Ordering::Acquire) {
                        return;
                    }
                    let is_portion = matches!(task, Task::Put(_));
                    let outcome = work.perform(task);
                    if is_portion {
                        waiting.fetch_sub(1, Ordering::Release);
                    }
                    if outcome.is_some_and(|outcome| tell.send(outcome).is_err()) {
                        return;
                    }
                    if let Some(wake) = &*wake.lock().unwrap_or_else(PoisonError::into_inner) {
                        wake();
                    }
                }
            }
        };
        thread::Builder::new().name("checkpoint".into()).spawn(run)?;
        Ok(Self::Threaded(Thread {
            tasks: Some(tasks),
            outcomes,
            waiting,
            is_closing,
            wake,
            ended,
        }))
    }

    /// Whether another portion would be taken now.
    pub(super) fn is_ready(&self) -> bool {
        match self {
            Self::Inline(_) => true,
            Self::Threaded(thread) => thread.waiting.load(Ordering::Acquire) < PORTIONS_MAX,
        }
    }

    pub(super) fn ask(&mut self, task: Task) {
        match self {
            Self::Inline(inline) => {
                if let Some(outcome) = inline.work.perform(task) {
                    inline.outcome = Some(outcome);
                }
            }
            Self::Threaded(thread) => {
                if matches!(task, Task::Put(_)) {
                    thread.waiting.fetch_add(1, Ordering::AcqRel);
                }
                // A thread that is gone is found out when its outcome is asked for.
                if let Some(tasks) = &thread.tasks {
                    drop(tasks.send(task));
                }
            }
        }
    }

    /// What became of the checkpoint, once that is known.
    pub(super) fn outcome(&mut self) -> Option<Outcome> {
        match self {
            Self::Inline(inline) => inline.outcome.take(),
            Self::Threaded(thread) => match thread.outcomes.try_recv() {
                Ok(outcome) => Some(outcome),
                Err(TryRecvError::Empty) => None,
                // Told once: nothing is asked of it any more.
                Err(TryRecvError::Disconnected) => thread.tasks.take().map(|_| Err(StoreError::NoCheckpoints)),
            },
        }
    }

    /// Has `wake` called whenever the thread has done something.
    pub(super) fn on_progress(&self, wake: Wake) {
        if let Self::Threaded(thread) = self {
            *thread.wake.lock().unwrap_or_else(PoisonError::into_inner) = Some(wake);
        }
    }
}

impl std::fmt::Debug for Thread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Thread").finish_non_exhaustive()
    }
}

impl Background {
    /// Whether checkpoints can be made.
    pub(super) const fn is_there(&self) -> bool {
        match self {
            Self::Inline(_) => true,
            Self::Threaded(thread) => thread.tasks.is_some(),
        }
    }

    /// Has what is under way left as it is, without waiting for it: the process is about to end.
    pub(super) fn abandon(&mut self) {
        if let Self::Threaded(thread) = self {
            thread.ended.forget();
        }
    }
}

impl Drop for Thread {
    /// A checkpoint that is not finished is left as it is: the next one, or the next start, throws it away.
    fn drop(&mut self) {
        self.is_closing.store(true, Ordering::Release);
        drop(self.tasks.take());
        self.ended.wait("the checkpoint");
    }
}

/// The checkpoint in work.
#[derive(Debug)]
pub(super) struct Work {
    keeper: Keeper,
    /// Nothing between checkpoints, and once one has failed.
    building: Option<Building>,
    failure: Option<StoreError>,
}

impl Work {
    const fn new(keeper: Keeper) -> Self {
        Self {
            keeper,
            building: None,
            failure: None,
        }
    }

    fn perform(&mut self, task: Task) -> Option<Outcome> {
        match task {
            Task::Begin(start) => {
                self.failure = None;
                match self.keeper.begin(start) {
                    Ok(building) => self.building = Some(building),
                    Err(error) => self.failure = Some(error),
                }
                None
            }
            Task::Put(facts) => {
                if let Some(Err(error)) = self.building.as_mut().map(|building| building.put(facts)) {
                    self.building = None;
                    self.failure = Some(error);
                }
                None
            }
            Task::Keep(retention, now) => {
                self.keeper.retention = retention;
                self.keeper.now = now;
                self.keeper.trim();
                None
            }
            Task::Finish(through) => Some(self.finish(through)),
        }
    }

    fn finish(&mut self, through: u64) -> Outcome {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let building = self.building.take().ok_or(StoreError::NotLoaded)?;
        let made = self.keeper.finish(building, through)?;
        self.keeper.clear();
        Ok(made)
    }
}

//! The queue in front of the writer: bounded, and a round takes all that waits (style: work in rounds).

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};

use super::event_log::EventLog;
use super::facts::Facts;
use super::settings::Settings;
use super::writer::{Request, Writer};
use crate::clock::Clock;
use crate::domain::command::{Actor, Command};
use crate::domain::reply::Reply;
use crate::domain::source::source_of;
use crate::store::{Progress, Store, StoreError};

/// Commands that may wait, at most; then the answer is BUSY with a time to retry.
pub const QUEUE_MAX: usize = 4_096;

/// One source may have this fraction of the free places of the queue.
const SHARE: usize = 4;

/// Commands of one round, at most.
const ROUND_COMMANDS_MAX: usize = 1_024;

/// Bytes of the commands of one round, at most; a single larger command makes a round of its own.
const ROUND_BYTES_MAX: usize = 1 << 20;

struct Job {
    request: Request,
    weight: usize,
    /// Counts it until it is taken out of the queue.
    _share: Option<Share>,
    answer: oneshot::Sender<Reply>,
}

/// What the writer wakes up for.
#[derive(Debug)]
enum Call {
    /// Something to decide.
    Job(Job),
    /// A checkpoint can go on.
    Progress,
    /// Other settings.
    Settings(Settings),
}

/// Why a command was not taken.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum SubmitError {
    /// Too many commands wait, of this source or in all; ask again shortly.
    #[error("the queue is full")]
    Busy,
    /// The writer has stopped.
    #[error("the writer has stopped")]
    Stopped,
}

/// The writer's handle: cheap to clone. The writer ends when the last one is dropped and its queue is empty.
#[derive(Clone, Debug)]
pub struct Service {
    calls: mpsc::Sender<Call>,
    shares: Shares,
    facts: watch::Receiver<Facts>,
    clock: Clock,
    event_log: EventLog,
}

impl Service {
    /// The events that are durable.
    #[must_use]
    pub const fn event_log(&self) -> &EventLog {
        &self.event_log
    }

    /// Hands a command to the writer. `weight` is its size on the wire in bytes.
    ///
    /// A source may have a quarter as many commands in the queue as there are places left. However many sources take all
    /// that they may, four times as much as each of them has stays free, and nobody waits behind thousands of one source.
    ///
    /// # Errors
    /// The queue is full, or has no room for more of this source, or the writer has stopped. Nothing was decided.
    pub fn submit(
        &self,
        actor: Actor,
        command: Command,
        weight: usize,
    ) -> Result<oneshot::Receiver<Reply>, SubmitError> {
        let share = match actor {
            Actor::Peer { address, .. } => {
                let most = self.calls.capacity().div_ceil(SHARE);
                Some(
                    self.shares
                        .take(source_of(address), most)
                        .ok_or_else(|| self.no_room())?,
                )
            }
            Actor::Server => None,
        };
        let (answer, reply) = oneshot::channel();
        let job = Job {
            request: Request { actor, command },
            weight,
            _share: share,
            answer,
        };
        match self.calls.try_send(Call::Job(job)) {
            Ok(()) => Ok(reply),
            Err(mpsc::error::TrySendError::Full(_)) => Err(SubmitError::Busy),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(SubmitError::Stopped),
        }
    }

    /// Waits until the queue has a place; at once where the writer has stopped. Somebody else may take it.
    pub async fn room(&self) {
        drop(self.calls.reserve().await);
    }

    /// Has the writer go by other settings. They count for all that is asked behind this, and it may be for what waits.
    ///
    /// # Errors
    /// The writer has stopped.
    pub async fn configure(&self, settings: Settings) -> Result<(), SubmitError> {
        let sent = self.calls.send(Call::Settings(settings)).await;
        sent.map_err(|_| SubmitError::Stopped)
    }

    /// Commands that the writer has not taken yet.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.calls.max_capacity() - self.calls.capacity()
    }

    fn no_room(&self) -> SubmitError {
        if self.calls.is_closed() {
            SubmitError::Stopped
        } else {
            SubmitError::Busy
        }
    }

    /// The facts as of the last round that changed them.
    #[must_use]
    pub fn facts(&self) -> Facts {
        self.facts.borrow().clone()
    }

    /// Looks at the facts without copying them.
    pub fn with_facts<T>(&self, look: impl FnOnce(&Facts) -> T) -> T {
        look(&self.facts.borrow())
    }

    /// Follows the facts as they change.
    #[must_use]
    pub fn watch_facts(&self) -> watch::Receiver<Facts> {
        self.facts.clone()
    }

    /// The clock that decisions are made by.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }
}

/// How many commands of each source wait. Its memory is bounded by the queue.
#[derive(Clone, Debug, Default)]
struct Shares(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A place in the queue that a source has until this is dropped.
#[derive(Debug)]
struct Share {
    shares: Shares,
    source: IpAddr,
}

impl Shares {
    /// A place for a source that may have at most so many.
    fn take(&self, source: IpAddr, most: usize) -> Option<Share> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_source = waiting.get(&source).copied().unwrap_or(0);
        if of_source >= most {
            return None;
        }
        waiting.insert(source, of_source + 1);
        let shares = self.clone();
        Some(Share { shares, source })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut waiting = self.shares.0.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting.get_mut(&self.source) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(waiting.remove(&self.source)),
        }
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job")
            .field("weight", &self.weight)
            .finish_non_exhaustive()
    }
}

/// Starts the writer on a thread of its own. The thread ends with the last handle, or with the store's first error:
/// then nobody is answered any more, and the process must stop.
///
/// # Errors
/// The system cannot start a thread.
pub fn spawn<S: Store>(
    writer: Writer<S>,
    clock: Clock,
) -> std::io::Result<(Service, JoinHandle<Result<(), StoreError>>)> {
    let (service, rounds) = rounds(writer, clock, QUEUE_MAX);
    let thread = std::thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || rounds.run())?;
    Ok((service, thread))
}

/// The writer behind a queue with so many `places`, for whoever says itself when it goes on: [`spawn`] has a thread do it.
#[must_use]
pub fn rounds<S: Store>(mut writer: Writer<S>, clock: Clock, places: usize) -> (Service, Rounds<S>) {
    let (calls, queue) = mpsc::channel(places);
    // Weak, so that the writer ends with the last handle. Where the queue is full, the writer is awake anyway.
    let waker = calls.downgrade();
    writer.on_progress(Box::new(move || {
        if let Some(calls) = waker.upgrade() {
            drop(calls.try_send(Call::Progress));
        }
    }));
    let (publish, facts) = watch::channel(writer.take_facts().unwrap_or_default());
    let service = Service {
        calls,
        shares: Shares::default(),
        facts,
        clock: clock.clone(),
        event_log: EventLog::new(writer.chronicle()),
    };
    let rounds = Rounds {
        writer,
        queue,
        calls: Vec::with_capacity(ROUND_COMMANDS_MAX),
        taken: VecDeque::new(),
        clock,
        publish,
    };
    (service, rounds)
}

/// A writer and the end of its queue, a step at a time.
#[derive(Debug)]
pub struct Rounds<S> {
    writer: Writer<S>,
    queue: mpsc::Receiver<Call>,
    /// Room for what comes out of the queue at once; empty in between.
    calls: Vec<Call>,
    /// What came out of the queue and is not decided.
    taken: VecDeque<Job>,
    clock: Clock,
    publish: watch::Sender<Facts>,
}

impl<S: Store> Rounds<S> {
    fn run(mut self) -> Result<(), StoreError> {
        let outcome = self.serve();
        // Whoever waits for an answer is told first: closing a store whose disk has failed may take its time.
        let Self {
            writer, queue, taken, ..
        } = self;
        drop((queue, taken));
        drop(writer);
        outcome
    }

    fn serve(&mut self) -> Result<(), StoreError> {
        while self.wait()? {
            while self.decide()? > 0 {}
        }
        self.writer.finish(self.clock.reading())
    }

    /// Waits for something to decide; where nothing is there and a checkpoint can go on, returns with nothing. False at
    /// the end.
    fn wait(&mut self) -> Result<bool, StoreError> {
        if self.checkpoint()? == Progress::Going {
            return Ok(self.take());
        }
        let is_open = self.queue.blocking_recv_many(&mut self.calls, ROUND_COMMANDS_MAX) > 0;
        let mut calls = std::mem::take(&mut self.calls);
        calls.drain(..).for_each(|call| self.sort(call));
        // Its room is used again.
        self.calls = calls;
        Ok(is_open)
    }

    /// Takes what is in the queue, as much as a round may hold. False once nobody can ask any more and nothing is left.
    pub fn take(&mut self) -> bool {
        while self.taken.len() < ROUND_COMMANDS_MAX {
            match self.queue.try_recv() {
                Ok(call) => self.sort(call),
                Err(mpsc::error::TryRecvError::Empty) => break,
                Err(mpsc::error::TryRecvError::Disconnected) => return !self.taken.is_empty(),
            }
        }
        true
    }

    fn sort(&mut self, call: Call) {
        match call {
            Call::Job(job) => self.taken.push_back(job),
            Call::Progress => {}
            Call::Settings(settings) => self.writer.configure(&settings),
        }
    }

    /// Commands that were taken and are not decided.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.taken.len()
    }

    /// Decides as much of what was taken as one round may hold, and answers it once it is durable. How many commands
    /// that were; 0 where nothing is left.
    ///
    /// # Errors
    /// The store failed: nobody is answered, and the process must stop (invariant 5).
    pub fn decide(&mut self) -> Result<usize, StoreError> {
        if self.taken.is_empty() {
            return Ok(0);
        }
        let jobs = next_round(&mut self.taken);
        let count = jobs.len();
        // Made in their full size: as they grow, requests of hundreds of bytes would be moved again and again.
        let (mut requests, mut answers) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for job in jobs {
            requests.push(job.request);
            answers.push(job.answer);
        }
        let replies = self.writer.round(&requests, self.clock.reading())?;
        if let Some(facts) = self.writer.take_facts() {
            self.publish.send_replace(facts);
        }
        for (answer, reply) in answers.into_iter().zip(replies) {
            // The caller may have hung up; its command is durable all the same.
            drop(answer.send(reply));
        }
        Ok(requests.len())
    }

    /// Goes on with a checkpoint: see [`Writer::checkpoint`].
    ///
    /// # Errors
    /// As of [`Writer::checkpoint`].
    pub fn checkpoint(&mut self) -> Result<Progress, StoreError> {
        self.writer.checkpoint()
    }

    /// Ends the writer: see [`Writer::finish`].
    ///
    /// # Errors
    /// As of [`Writer::finish`].
    pub fn finish(mut self) -> Result<(), StoreError> {
        self.writer.finish(self.clock.reading())
    }

    /// The writer, to look at.
    #[must_use]
    pub const fn writer(&self) -> &Writer<S> {
        &self.writer
    }
}

fn next_round(waiting: &mut VecDeque<Job>) -> impl ExactSizeIterator<Item = Job> {
    let mut weight = 0;
    let fitting = waiting.iter().take_while(|job| {
        weight += job.weight;
        weight <= ROUND_BYTES_MAX
    });
    let count = fitting.count().max(1);
    waiting.drain(..count)
}

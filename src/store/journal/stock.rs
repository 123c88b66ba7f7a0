//! Segments made ahead, by a thread of their own: a round never waits for one to be filled, and a disk that gets full is
//! known while there is still room for what must go on.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::sector::SECTOR_LEN;
use super::segment::{FIRST_SECTOR, Segment};
use crate::store::disk::Disk;
use crate::store::ended::{Ended, Running};
use crate::store::lock::Lock;

/// Segments that are kept ready.
pub(super) const READY: usize = 2;

/// How long after a failure making a segment is tried again: room on a disk comes without an event.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Whether the journal can go on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Room {
    /// Segments are ready, or are being made.
    Enough,
    /// The next segment could not be made.
    Short {
        /// Bytes that rounds can still take up in those that are there.
        left: u64,
    },
}

/// The segments that are ready.
#[derive(Debug)]
pub(super) struct Stock {
    shared: Arc<Shared>,
    is_threaded: bool,
    ended: Ended,
}

#[derive(Debug)]
struct Shared {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    /// Sectors of a segment.
    sectors: u32,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    ready: VecDeque<Segment>,
    next_number: u64,
    /// Why the last segment could not be made.
    failure: Option<io::Error>,
    is_closing: bool,
}

impl Stock {
    /// A stock of what is `ready` in `dir`. `next_number` is greater than that of any segment there. With a `lock`, which
    /// its thread has as long as it lives, it fills itself up at once and always; otherwise it does when something is taken,
    /// and tries again what failed when the room is asked for.
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        dir: &Path,
        sectors: u32,
        ready: VecDeque<Segment>,
        next_number: u64,
        lock: Option<Arc<Lock>>,
    ) -> io::Result<Self> {
        let state = State {
            ready,
            next_number,
            failure: None,
            is_closing: false,
        };
        let shared = Arc::new(Shared {
            disk,
            dir: dir.to_owned(),
            sectors,
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let Some(lock) = lock else {
            shared.fill_up();
            return Ok(Self {
                shared,
                is_threaded: false,
                ended: Ended::already(),
            });
        };
        let (running, ended) = Running::new();
        let filled = Arc::clone(&shared);
        let fill = move || {
            let _kept = (lock, running);
            filled.keep_full();
        };
        thread::Builder::new().name("journal".into()).spawn(fill)?;
        Ok(Self {
            shared,
            is_threaded: true,
            ended,
        })
    }

    /// The next segment, of `sectors` sectors at least.
    ///
    /// # Errors
    /// None is ready and none could be made.
    pub(super) fn take(&self, sectors: u32) -> io::Result<Segment> {
        if sectors > self.shared.sectors {
            return self.shared.make_large(sectors);
        }
        if !self.is_threaded {
            let taken = self.shared.lock().ready.pop_front();
            self.shared.fill_up();
            return taken.map_or_else(|| self.shared.taken_or_failure(), Ok);
        }
        let mut state = self.shared.lock();
        loop {
            if let Some(segment) = state.ready.pop_front() {
                self.shared.changed.notify_all();
                return Ok(segment);
            }
            if let Some(failure) = &state.failure {
                return Err(copy(failure));
            }
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Why the next segment could not be made, if it could not.
    pub(super) fn failure(&self) -> Option<io::Error> {
        self.shared.lock().failure.as_ref().map(copy)
    }

    /// Nobody is to wait for the segment that is being made: the process is about to end.
    pub(super) fn abandon(&mut self) {
        self.ended.forget();
    }

    /// Whether the next segment could be made. `left` is what is left of the one in use, in bytes.
    pub(super) fn room(&self, left: u64) -> Room {
        if !self.is_threaded && self.shared.lock().failure.is_some() {
            self.shared.fill_up();
        }
        let state = self.shared.lock();
        match state.failure {
            Some(_) => Room::Short {
                left: left + state.ready.iter().map(usable_bytes).sum::<u64>(),
            },
            None => Room::Enough,
        }
    }
}

/// Bytes of a segment that records can take up.
pub(super) fn usable_bytes(segment: &Segment) -> u64 {
    u64::from(segment.sectors.saturating_sub(FIRST_SECTOR)) * SECTOR_LEN as u64
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs in the thread until the stock goes.
    fn keep_full(&self) {
        let mut state = self.lock();
        while !state.is_closing {
            if state.ready.len() >= READY {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let number = state.next_number;
            drop(state);
            let made = Segment::create(&*self.disk, &self.dir, number, self.sectors);
            state = self.lock();
            let is_made = made.is_ok();
            keep(&mut state, number, made);
            self.changed.notify_all();
            if !is_made {
                let waited = self
                    .changed
                    .wait_timeout_while(state, RETRY_AFTER, |state| !state.is_closing);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }

    /// Makes what is missing here and now.
    fn fill_up(&self) {
        let mut state = self.lock();
        while state.ready.len() < READY {
            let number = state.next_number;
            let made = Segment::create(&*self.disk, &self.dir, number, self.sectors);
            keep(&mut state, number, made);
            if state.failure.is_some() {
                return;
            }
        }
    }

    fn taken_or_failure(&self) -> io::Result<Segment> {
        let mut state = self.lock();
        match (state.ready.pop_front(), &state.failure) {
            (Some(segment), _) => Ok(segment),
            (None, Some(failure)) => Err(copy(failure)),
            (None, None) => Err(io::Error::other("no segment was made")),
        }
    }

    /// A record that does not fit into a common segment gets one of its own. Those that are ready come after it in time
    /// but before it by number, so they go; on a full disk they stay, for they are all the room there is.
    fn make_large(&self, sectors: u32) -> io::Result<Segment> {
        let mut state = self.lock();
        // One that the thread is making just now has the next number; it is empty, which a segment in between may be.
        let number = state.next_number + 1;
        let made = Segment::create(&*self.disk, &self.dir, number, sectors)?;
        state.next_number = number + 1;
        for unused in std::mem::take(&mut state.ready) {
            drop(unused.file);
            self.disk.remove(&unused.path)?;
        }
        self.changed.notify_all();
        Ok(made)
    }
}

fn keep(state: &mut State, number: u64, made: io::Result<Segment>) {
    match made {
        // A large segment was made meanwhile: this one comes too late to be used, and stays empty.
        Ok(_) if number != state.next_number => {}
        Ok(segment) => {
            if state.failure.take().is_some() {
                tracing::info!("the journal has room again");
            }
            state.next_number = number + 1;
            state.ready.push_back(segment);
        }
        Err(error) => {
            if state.failure.is_none() {
                tracing::error!(
                    "the journal's next segment cannot be made: {error}; check the disk of the data directory, and whether it \
                     has room"
                );
            }
            state.failure = Some(error);
        }
    }
}

/// The same error again: the kind and the operating system's number tell what to do.
fn copy(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(number) => io::Error::from_raw_os_error(number),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

impl Drop for Stock {
    fn drop(&mut self) {
        self.shared.lock().is_closing = true;
        self.shared.changed.notify_all();
        self.ended.wait("making a segment of the journal");
    }
}

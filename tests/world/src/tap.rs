//! Listens to what the writer has its store do, and checks what the store holds when it is loaded.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use seatkeeper::domain::change::{Change, Fact};
use seatkeeper::domain::ledger::Ledger;
use seatkeeper::domain::time::{Now, Timestamp};
use seatkeeper::store::{DiskStore, Loaded, Progress, Room, Round, Store, StoreError};

/// What was made durable. Clones are the same book.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
pub(crate) struct Entries {
    /// All rounds that the store took.
    pub(crate) ledger: Ledger,
    /// How many these are.
    pub(crate) round: u64,
    /// The time of the last of them.
    pub(crate) now: Now,
    /// The round that the store did not take, and its time: after the next start it is there wholly, or not at all.
    in_flight: Option<(Vec<Change>, Now)>,
    /// What a start found. Nothing before the store was loaded.
    pub(crate) found: Option<Found>,
    /// What the store said to whoever asked whether its disk is full, since this was last forgotten.
    pub(crate) rooms: Rooms,
    /// Checkpoints that came to an end.
    pub(crate) checkpoints: u64,
    /// Where the last one is.
    progress: Option<Progress>,
}

/// What was there at a start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    /// Whether the round that the store did not take was.
    pub(crate) survived: bool,
    /// The highest accepted time that is durable.
    pub(crate) mark: Timestamp,
}

/// Which answers there were.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rooms {
    pub(crate) enough: bool,
    pub(crate) short: bool,
}

impl Book {
    pub(crate) fn look(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A store whose rounds are written down.
#[derive(Debug)]
pub(crate) struct Tapped {
    store: DiskStore,
    book: Book,
}

impl Tapped {
    pub(crate) const fn new(store: DiskStore, book: Book) -> Self {
        Self { store, book }
    }
}

impl Store for Tapped {
    fn load(&mut self, visit: &mut dyn FnMut(Fact)) -> Result<Loaded, StoreError> {
        let mut ledger = Ledger::default();
        let loaded = self.store.load(&mut |fact| {
            ledger.record(&fact);
            visit(fact);
        })?;
        let mut book = self.book.look();
        let mut survived = false;
        if loaded.round == book.round + 1
            && let Some((changes, now)) = book.in_flight.take()
        {
            for change in &changes {
                book.ledger.evolve(change);
            }
            book.round += 1;
            book.now = now;
            survived = true;
        }
        book.in_flight = None;
        book.found = Some(Found {
            survived,
            mark: book.now.steady,
        });
        assert_eq!(loaded.round, book.round, "the last round that is durable");
        let now = (loaded.round > 0).then_some(book.now);
        assert_eq!(loaded.now, now, "the time of round {}", loaded.round);
        // No `assert_eq`: nobody reads two whole ledgers.
        assert!(ledger == book.ledger, "what is there after round {}", book.round);
        book.progress = None;
        Ok(loaded)
    }

    fn commit(&mut self, round: &Round<'_>) -> Result<(), StoreError> {
        let outcome = self.store.commit(round);
        let mut book = self.book.look();
        match &outcome {
            Ok(()) => {
                assert_eq!(round.number, book.round + 1, "rounds are numbered one by one");
                for change in round.changes {
                    book.ledger.evolve(change);
                }
                book.round += 1;
                book.now = round.now;
            }
            Err(_) => book.in_flight = Some((round.changes.to_vec(), round.now)),
        }
        outcome
    }

    fn checkpoint(&mut self, ledger: &Ledger) -> Progress {
        let progress = self.store.checkpoint(ledger);
        let mut book = self.book.look();
        // What is handed over must not hold more than the journal does.
        if matches!(book.progress, Some(Progress::Going | Progress::Waiting)) {
            assert!(*ledger == book.ledger, "a portion of what is not durable");
        }
        if progress == Progress::Ending && book.progress != Some(Progress::Ending) {
            book.checkpoints += 1;
        }
        book.progress = Some(progress);
        progress
    }

    fn on_progress(&mut self, wake: Box<dyn Fn() + Send>) {
        self.store.on_progress(wake);
    }

    fn ending(&mut self) {
        self.store.ending();
    }

    fn seal(&mut self) -> Result<(), StoreError> {
        self.store.seal()
    }

    fn room(&self) -> Room {
        let room = self.store.room();
        let rooms = &mut self.book.look().rooms;
        match room {
            Room::Enough => rooms.enough = true,
            Room::Short { .. } => rooms.short = true,
        }
        room
    }
}

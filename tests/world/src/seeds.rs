//! The seeds of a campaign, on as many threads as the machine has cores: no seed knows of another.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// What `of` makes of each seed, in their order.
///
/// # Panics
/// `of` panicked. No further seed is begun then.
#[must_use]
pub fn each_seed<T: Send>(seeds: Range<u64>, of: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let (next, of) = (AtomicU64::new(seeds.start), &of);
    let (next, end) = (&next, seeds.end);
    let work = move || {
        let stop = StopIfPanicking { next, end };
        let mut made = Vec::new();
        loop {
            let seed = stop.next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return made;
            }
            made.push((seed, of(seed)));
        }
    };
    let mut made: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let joined = workers.into_iter().map(thread::ScopedJoinHandle::join);
        // The words of the one that panicked are told already.
        joined
            .flat_map(|made| made.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    made.sort_by_key(|(seed, _)| *seed);
    made.into_iter().map(|(_, made)| made).collect()
}

struct StopIfPanicking<'a> {
    next: &'a AtomicU64,
    end: u64,
}

impl Drop for StopIfPanicking<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.next.store(self.end, Ordering::Relaxed);
        }
    }
}

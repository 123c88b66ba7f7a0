//! What refusals noted, beside a checkpoint and a clock that is set.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::domain::timekeeper::Standing;
use crate::store::Progress;

/// A server whose one seat is held, with a checkpoint that stays as far as that; its disk, and its commits.
fn served(progress: Progress) -> (Writer<CountingStore>, MemoryStore, Arc<AtomicUsize>) {
    let inner = MemoryStore::new();
    let (disk, commits) = (inner.reopen(), Arc::new(AtomicUsize::new(0)));
    let mut writer = writer(CountingStore {
        inner,
        progress,
        commits: Arc::clone(&commits),
    });
    let mut requests = setup(1);
    requests.push(checkout(1, 1));
    writer.round(&requests, at(START)).expect("commits");
    assert_eq!(writer.checkpoint().expect("no commit"), progress);
    commits.store(0, Ordering::SeqCst);
    (writer, disk, commits)
}

// proves V3
#[test]
fn a_refusal_syncs_before_a_portion_is_taken_and_not_while_a_checkpoint_ends() {
    for (progress, expected) in [
        (Progress::Resting, 0),
        (Progress::Going, 1),
        (Progress::Waiting, 1),
        (Progress::Ending, 0),
    ] {
        let (mut writer, _, commits) = served(progress);
        writer.round(&[stranger(2)], at(START + 1)).expect("noted");
        writer.checkpoint().expect("commits");
        assert_eq!(commits.load(Ordering::SeqCst), expected, "{progress:?}");
    }
}

// proves T2
#[test]
fn what_was_refused_after_a_reset_does_not_bring_the_time_before_back() {
    let far = START + 4_000 * DAY_SECS;
    let (mut writer, disk, commits) = served(Progress::Going);
    writer
        .round(&[as_server(Command::ClockAccept), checkout(1, 1)], at(far))
        .expect("commits");
    let mended = START + DAY_SECS;
    writer
        .round(&[as_server(Command::ClockReset), stranger(2)], at(mended))
        .expect("commits");
    // Before a portion is taken, what is noted becomes durable.
    let before = commits.load(Ordering::SeqCst);
    writer.checkpoint().expect("commits");
    assert_eq!(commits.load(Ordering::SeqCst), before + 1);
    let mut after = super::writer(disk);
    let replies = after
        .round(&[as_server(Command::Status)], at(mended))
        .expect("no commit");
    let Reply::Status(status) = &replies[0] else {
        panic!("{replies:?}")
    };
    assert_eq!(status.clock, Some((Timestamp(mended), Standing::Fine)));
}

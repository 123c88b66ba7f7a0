//! The whole system under one seeded scheduler. The long campaign is `seatsoak world`.
//!
//! `SEATKEEPER_SEED=17` lives that world alone. `tools/mutants.sh` plants faults and demands that this test finds each.

#![expect(clippy::print_stdout, reason = "a failed test says how to run it again")]

use seatkeeper_world::{Report, live};

const SEEDS: u64 = 300;
const STEPS: u64 = 220;

/// What has to be seen, at least so often. A simulation that never gets there proves nothing.
const SEEN: [(&str, u64); 57] = [
    // What the writer answers.
    ("Aborted", 200),
    ("Added", 3_000),
    ("CatalogueImported", 300),
    ("ClockMoved", 50),
    ("Committed", 500),
    ("Conflict", 10),
    ("DiskFull", 500),
    ("EngagedAgain", 300),
    ("Granted", 1_000),
    ("LicenseInUse", 20),
    ("NotCounted", 500),
    ("NothingHeld", 1_000),
    ("RebindPending", 200),
    ("Released", 500),
    ("Removed", 200),
    ("Renewed", 3_000),
    ("Reserved", 500),
    ("Resolved", 100),
    ("SeatsExhausted", 100),
    ("SlowDown", 200),
    // What becomes of connections.
    ("HelloDeadline", 100),
    ("Malformed", 30),
    ("OutOfOrder", 5),
    ("PeerClosed", 300),
    ("Silent", 500),
    ("SlowFrame", 50),
    ("Stopping", 500),
    ("a client leaves", 500),
    ("a client waits", 100),
    ("a damaged line ended", 100),
    ("client: Ended", 500),
    ("client: Reply", 5),
    ("client: Unasked", 20),
    ("cuts", 1_000),
    ("damaged down", 50),
    ("damaged up", 200),
    ("decided for nobody", 200),
    ("greeted", 5_000),
    ("heard", 10_000),
    ("heard BUSY", 200),
    ("looks", 200),
    ("partitions of all", 200),
    ("partitions of one", 300),
    // What becomes of the server.
    ("Fails in a round", 20),
    ("Fails in a start", 10),
    ("Fails in a stop", 1),
    ("IsFull in a round", 5),
    ("PowerCut in a checkpoint", 10),
    ("PowerCut in a round", 50),
    ("PowerCut in a start", 30),
    ("PowerCut in a stop", 2),
    ("checkpoints", 200),
    ("graceful stops", 300),
    ("killed at rest", 50),
    ("killed with a round taken", 50),
    // What becomes of the time.
    ("2099", 10),
    ("noted behind a commit", 1),
];

/// Says how to live a failed world again.
struct Replay {
    seed: u64,
    step: u64,
}

impl Drop for Replay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!(
                "seed {} failed at step {}; again: SEATKEEPER_SEED={} cargo test -p seatkeeper --test system world",
                self.seed, self.step, self.seed
            );
        }
    }
}

fn world(seed: u64) -> Report {
    let mut replay = Replay { seed, step: 0 };
    live(seed, STEPS, |step| replay.step = step)
}

// proves S2
// proves S6
// proves T2
// proves V3
#[test]
fn the_whole_system_answers_as_the_rules_do_whatever_becomes_of_network_disk_and_clocks() {
    let only = std::env::var("SEATKEEPER_SEED").ok().map(|seed| seed.parse().unwrap());
    let mut all = Report::default();
    for seed in only.map_or(0..SEEDS, |seed| seed..seed + 1) {
        all.and(&world(seed));
    }
    if only.is_none() {
        for (what, least) in SEEN {
            assert!(all.count_of(what) >= least, "{what}, of {least} at least, in\n{all}");
        }
    }
}

#[test]
fn a_seed_is_the_same_world_every_time_and_another_seed_another_one() {
    let (once, again) = (world(7), world(7));
    assert_eq!(once, again);
    assert_ne!(once.trace, world(8).trace);
}

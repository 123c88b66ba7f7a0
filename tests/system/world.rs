//! The whole system under one seeded scheduler. The long campaign is `seatsoak world`.
//!
//! `SEATKEEPER_SEED=17` lives that world alone. `tools/mutants.sh` plants faults and demands that this test finds each.

#![expect(clippy::print_stdout, reason = "a failed world says how to live it again")]

use seatkeeper_world::{Report, each_seed, live};

const SEEDS: u64 = 300;
const STEPS: u64 = 220;

/// What has to be seen, at least so often. A simulation that never gets there proves nothing.
const SEEN: [(&str, u64); 56] = [
    // What the writer answers.
    ("Aborted", 150),
    ("Added", 2_650),
    ("CatalogueImported", 150),
    ("ClockMoved", 30),
    ("Committed", 400),
    ("Conflict", 7),
    ("DiskFull", 1_000),
    ("EngagedAgain", 100),
    ("Granted", 550),
    ("LicenseInUse", 7),
    ("NotCounted", 200),
    ("NothingHeld", 550),
    ("RebindPending", 100),
    ("Released", 250),
    ("Removed", 100),
    ("Renewed", 1_650),
    ("Reserved", 350),
    ("Resolved", 90),
    ("SeatsExhausted", 60),
    ("SlowDown", 75),
    // What becomes of connections.
    ("HelloDeadline", 200),
    ("Malformed", 15),
    ("OutOfOrder", 7),
    ("PeerClosed", 150),
    ("Silent", 850),
    ("SlowFrame", 100),
    ("Stopping", 1_450),
    ("a client leaves", 400),
    ("a client waits", 700),
    ("a damaged line ended", 70),
    ("client: Ended", 1_600),
    ("client: Reply", 6),
    ("client: Unasked", 20),
    ("cuts", 600),
    ("damaged down", 30),
    ("damaged up", 100),
    ("decided for nobody", 200),
    ("greeted", 3_050),
    ("heard", 8_350),
    ("heard BUSY", 100),
    ("looks", 250),
    ("partitions of all", 150),
    ("partitions of one", 250),
    // What becomes of the server.
    ("Fails in a round", 25),
    ("Fails in a start", 15),
    ("Fails in a stop", 3),
    ("IsFull in a round", 2),
    ("PowerCut in a checkpoint", 10),
    ("PowerCut in a round", 35),
    ("PowerCut in a start", 25),
    ("PowerCut in a stop", 4),
    ("checkpoints", 200),
    ("graceful stops", 300),
    ("killed at rest", 65),
    ("killed with a round taken", 40),
    // What becomes of the time.
    ("2099", 7),
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
    for one in each_seed(only.map_or(0..SEEDS, |seed| seed..seed + 1), world) {
        all.and(&one);
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

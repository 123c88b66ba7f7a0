//! `kill -9` at any moment loses nothing that was answered.

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use seatkeeper::domain::change::{Fact, FactKey};
use seatkeeper::domain::time::Now;
use seatkeeper::store::{DiskStore, Round, Store};

use crate::support::{changes, record, seat_key, seat_put};

/// Tells the child which directory to write to.
const CHILD_DIR: &str = "SEATKEEPER_TEST_STORE_DIR";

/// What the child says before the number of each round that is durable.
const ANSWERED: &str = "answered ";

/// Round `number` puts four seats, renews one and ends one.
fn round_facts(number: u64) -> Vec<Fact> {
    let n = u32::try_from(number).unwrap() * 4;
    let mut facts: Vec<_> = (n..n + 4).map(|n| seat_put(n, 1_000)).collect();
    facts.push(seat_put(0, 1_000 + number));
    facts.push(Fact::SeatEnded(seat_key(n.saturating_sub(3))));
    facts
}

/// What a ledger holds after the rounds up to `last`.
fn facts_after(last: u64) -> BTreeMap<FactKey, Fact> {
    let mut facts = BTreeMap::new();
    (1..=last)
        .flat_map(round_facts)
        .for_each(|fact| record(&mut facts, fact));
    facts
}

/// The part of the test that is killed; it runs only where its parent starts it.
#[test]
fn child() {
    let Some(dir) = env::var_os(CHILD_DIR) else { return };
    let mut store = DiskStore::open(Path::new(&dir)).unwrap();
    let last = store.load(&mut |_| ()).unwrap().round;
    let mut out = std::io::stdout();
    for number in last + 1.. {
        let round = Round {
            number,
            now: Now::at(number),
            changes: &changes(round_facts(number)),
        };
        store.commit(&round).unwrap();
        writeln!(out, "{ANSWERED}{number}").unwrap();
        out.flush().unwrap();
    }
}

/// Lets a child answer some rounds, kills it, and says which it answered last.
fn answered_before_kill(dir: &Path, rounds: usize) -> u64 {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "store_kill::child", "--nocapture"])
        .env(CHILD_DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let number = |line: String| Some(line.split_once(ANSWERED)?.1.parse::<u64>().unwrap());
    let mut last = lines.by_ref().filter_map(number).nth(rounds).unwrap();
    child.kill().unwrap();
    // What was written before the kill was answered too.
    last = lines.filter_map(number).last().unwrap_or(last);
    child.wait().unwrap();
    last
}

#[test]
fn a_kill_at_any_moment_loses_no_answered_round() {
    let dir = tempfile::tempdir().unwrap();
    for kill in 0..20 {
        let answered = answered_before_kill(dir.path(), kill * 7 % 11);
        let mut store = DiskStore::open(dir.path()).unwrap();
        let mut facts = BTreeMap::new();
        let loaded = store.load(&mut |fact| record(&mut facts, fact)).unwrap();
        assert!(
            (answered..=answered + 1).contains(&loaded.round),
            "kill {kill}: answered {answered}, found {}",
            loaded.round
        );
        assert!(
            facts == facts_after(loaded.round),
            "kill {kill}: the facts are not those of the rounds"
        );
    }
}

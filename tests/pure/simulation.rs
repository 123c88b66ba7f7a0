//! The ledger against the naive model, over random histories that replay from their seed.
//!
//! `SEATKEEPER_SEED=17` runs that seed alone, `SEATKEEPER_SEEDS=10000` a long run of so many, in which a checkpoint begins
//! at every step of each history. `tools/mutants.sh` plants faults in the ledger and demands that this test
//! finds each of them.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod catalogue;
mod compare;
mod explain;
mod translate;
mod walk;

use std::collections::BTreeMap;
use std::fmt::Debug;

use seatkeeper::domain::change::Change;
use seatkeeper::domain::command::{Actor, Command};
use seatkeeper::domain::denial::Denial;
use seatkeeper::domain::ledger::Ledger;
use seatkeeper::domain::reply::Reply;
use seatkeeper::domain::time::{Monotonic, Now, Reading, Timestamp};
use seatkeeper::domain::timekeeper::{ClockChange, Timekeeper};
use seatkeeper_model::{Answer, Ask, Checkout, History, Identity, ImportOutcome, Random, Role, Step, Turn};
use seatkeeper_world::each_seed;
use seatkeeper_world::reply::{answer, comparable};

use translate::{command, fingerprint, peer, product_key, vendor};
use walk::Walks;

const SEEDS: u64 = 300;
const TURNS: u32 = 300;

/// Answers that have to be seen, at least 50 times each.
const ANSWERS: [&str; 60] = [
    "Added",
    "AlreadyCommitted",
    "AlreadyPresent",
    "AlternatingIdentity",
    "BlacklistImported",
    "BlacklistNotNewer",
    "Blacklisted",
    "CatalogueImported",
    "CatalogueNotNewer",
    "ClockMoved",
    "Conflict",
    "Counts",
    "Covered",
    "DeploymentOnly",
    "EngagedAgain",
    "Expired",
    "FewerSeatsThanUsed",
    "GivenBack",
    "Granted",
    "Held",
    "IdentityNotBound",
    "JumpAccepted",
    "JumpRejected",
    "LicenseBlacklisted",
    "LicenseExpired",
    "LicenseInUse",
    "LicenseSuperseded",
    "NoJumpPending",
    "NoLicense",
    "NotARenewal",
    "NotCounted",
    "NothingHeld",
    "NothingReserved",
    "Pending",
    "RebindPending",
    "ReboundRecently",
    "Reclaimed",
    "Refused",
    "Released",
    "Removed",
    "Renewed",
    "RequiredProduct",
    "ReservationTaken",
    "ReservationTooLong",
    "Resolved",
    "Seat",
    "SeatsExhausted",
    "SerialTaken",
    "SetBack",
    "Spent",
    "StaleContinuation",
    "Superseded",
    "TooManyComponents",
    "Unit",
    "UnknownComponent",
    "UnknownProduct",
    "UnknownReservation",
    "UnknownSerial",
    "UnknownVendor",
    "UsageNotOffered",
];

/// Identities that no component of a history has: of somebody without a role, and of a deployer.
const AGENT: Identity = 60_001;
const DEPLOYER: Identity = 60_002;

/// Says how to run a failed history again.
struct Replay {
    seed: u64,
    turn: u32,
    is_long: bool,
}

impl Drop for Replay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let (seed, long) = (self.seed, if self.is_long { " SEATKEEPER_SEEDS=1" } else { "" });
            println!(
                "seed {seed} failed at step {}; again: SEATKEEPER_SEED={seed}{long} cargo test --test pure simulation",
                self.turn
            );
        }
    }
}

// proves S1
// proves S2
// proves S3
// proves S4
// proves S6
// proves S7
// proves S8
// proves S9
// proves S11
// proves S12
// proves S13
// proves S14
// proves S15
// proves I1
// proves I2
// proves I3
// proves I4
// proves I7
// proves X1
// proves X2
// proves X3
// proves X4
// proves X5
// proves K4
// proves K5
// proves K6
// proves C3
// proves T1
// proves T2
// proves V2
#[test]
fn the_ledger_answers_as_the_rules_do_over_random_histories() {
    let number = |name| std::env::var(name).ok().map(|number| number.parse::<u64>().unwrap());
    let (only, seeds) = (number("SEATKEEPER_SEED"), number("SEATKEEPER_SEEDS"));
    let range = only.map_or(0..seeds.unwrap_or(SEEDS), |seed| seed..seed + 1);
    let told = each_seed(range, |seed| {
        let mut tallies = BTreeMap::new();
        World::new(seed, seeds.is_some()).run(&mut tallies);
        tallies
    });
    let mut tallies = BTreeMap::<String, u32>::new();
    for (answer, count) in told.into_iter().flatten() {
        *tallies.entry(answer).or_default() += count;
    }
    // A simulation that never gets there proves nothing.
    if only.is_none() && seeds.is_none_or(|seeds| seeds >= SEEDS) {
        for answer in ANSWERS {
            let count = tallies.get(answer).copied().unwrap_or(0);
            assert!(count >= 50, "{answer} in {tallies:?}");
        }
    }
}

struct World {
    replay: Replay,
    history: History,
    ledger: Ledger,
    log: Vec<Change>,
    checkpoints: Walks,
    timekeeper: Timekeeper,
    reading: Reading,
    now: Now,
}

impl World {
    fn new(seed: u64, is_long: bool) -> Self {
        let mut world = Self {
            replay: Replay { seed, turn: 0, is_long },
            history: History::new(seed),
            ledger: Ledger::default(),
            log: Vec::new(),
            checkpoints: Walks::new(seed, is_long),
            timekeeper: Timekeeper::start(None, None),
            reading: Reading::default(),
            now: Now::at(0),
        };
        for number in History::TRUSTED {
            let trust = Command::TrustVendor {
                public_key: [number; 32],
                vendor: vendor(number),
            };
            world.apply(Actor::Server, &trust);
        }
        let deployer = Command::AddAdmin {
            fingerprint: fingerprint(DEPLOYER),
            role: seatkeeper::domain::command::Role::Deployer,
            label: String::new(),
        };
        world.apply(Actor::Server, &deployer);
        world
    }

    fn run(mut self, tallies: &mut BTreeMap<String, u32>) {
        for turn in 0..TURNS {
            self.replay.turn = turn;
            let turn = self.history.turn();
            match &turn.step {
                Step::Read { calendar, counted } => self.read(*calendar, *counted, &turn, tallies),
                Step::Restart { calendar, counted } => {
                    self.reload();
                    self.timekeeper = Timekeeper::start(self.ledger.clock(), Some(self.now.steady));
                    self.read(*calendar, *counted, &turn, tallies);
                }
                Step::Ask { identity, ask } => self.ask(*identity, ask, &turn, tallies),
            }
            self.checkpoints.go_on(&self.ledger, &self.log);
        }
        self.reload();
    }

    fn apply(&mut self, actor: Actor, command: &Command) -> Reply {
        let (reply, changes) = self.ledger.apply(actor, command, self.now);
        self.log.extend(changes);
        reply
    }

    /// Both clocks are read, and what the timekeeper found is noted.
    fn read(&mut self, calendar: u64, counted: u64, turn: &Turn, tallies: &mut BTreeMap<String, u32>) {
        self.reading = Reading {
            calendar: Timestamp(calendar),
            counted: Monotonic(counted * 1_000),
        };
        let (now, changes) = self.timekeeper.observe(self.reading);
        self.now = now;
        for change in changes {
            let reply = self.apply(Actor::Server, &Command::NoteClock(change));
            assert_eq!(reply, Reply::Done, "{change:?}");
            if matches!(change, ClockChange::Accepted(_)) {
                assert_eq!(self.apply(Actor::Server, &Command::MendDates), Reply::Done);
            }
        }
        self.compare_time(turn.now);
        let transition = turn.transition.unwrap();
        count(&transition.state, tallies);
        *tallies.entry("JumpRejected".to_owned()).or_default() += u32::from(transition.rejected.is_some());
        *tallies.entry("JumpAccepted".to_owned()).or_default() += u32::from(transition.accepted);
        compare::compare(&mut self.ledger, self.history.model(), self.now, turn.now);
    }

    fn compare_time(&self, expected: seatkeeper_model::Now) {
        assert_eq!(
            (self.now.steady.0, self.now.calendar.0),
            (expected.steady, expected.calendar),
            "steady and calendar"
        );
        let pending = self.timekeeper.state().jump.map(|jump| jump.size_secs);
        let expected = self.history.model().clock().pending();
        assert_eq!(pending, expected.map(|jump| jump.size), "the jump that is pending");
    }

    fn ask(&mut self, identity: Identity, ask: &Ask, turn: &Turn, tallies: &mut BTreeMap<String, u32>) {
        let reply = self.apply(Actor::Server, &Command::Reclaim);
        let freed = turn.freed.seats + turn.freed.reservations;
        assert_eq!(reply, Reply::Reclaimed(usize::try_from(freed).unwrap()));
        *tallies.entry("Reclaimed".to_owned()).or_default() += freed;
        let due = self.ledger.next_due();
        assert!(due.is_none_or(|at| self.now.steady < at), "overdue after a reclaim");
        let before = self.log.len();
        let (actor, command) = command(identity, ask);
        self.ask_above_their_roles(ask, &command);
        let explained = explain::explain(&mut self.ledger, actor, &command, self.now);
        let reply = self.apply(actor, &command);
        if let Some(explained) = explained {
            assert_eq!(explained.outcome, reply, "explained otherwise: {:?}", explained.steps);
        }
        let expected = turn.answer.as_ref().unwrap();
        assert_eq!(answer(ask, &reply), comparable(expected), "{ask:?}");
        tally(expected, turn, tallies);
        if matches!(ask, Ask::Availability(_)) {
            assert_eq!(self.log.len(), before, "asking changes something");
        }
        if let (Reply::Seat(grant), Ask::Checkout(asked)) = (&reply, ask) {
            let number = (grant.continuation != 0).then_some(grant.continuation);
            self.history.told(number);
            self.ask_again(actor, &command, asked);
        }
        match (ask, &reply) {
            (Ask::ClockReset, Reply::Done) => {
                self.now = self.timekeeper.reset(self.reading);
                assert_eq!(self.apply(Actor::Server, &Command::MendDates), Reply::Done);
            }
            (Ask::ClockAccept, Reply::Done) => {
                self.now = self.timekeeper.accept(self.reading).unwrap().0;
                assert_eq!(self.apply(Actor::Server, &Command::MendDates), Reply::Done);
            }
            _ => {}
        }
        let now = self.history.now();
        self.compare_time(now);
        compare::compare(&mut self.ledger, self.history.model(), self.now, now);
    }

    /// Those without the role for it are refused, and nothing changes (rules X2, V2).
    fn ask_above_their_roles(&mut self, ask: &Ask, command: &Command) {
        for (role, number) in [(Role::Agent, AGENT), (Role::Deployer, DEPLOYER)] {
            if ask.role() > role {
                let (reply, changes) = self.ledger.apply(peer(number), command, self.now);
                let is_refused = matches!(&reply, Reply::Denied(denied) if denied.denial == Denial::NotAuthorized);
                assert!(is_refused && changes.is_empty(), "{role:?}: {command:?}: {reply:?}");
            }
        }
    }

    /// The same checkout once more, on a copy: its answer was lost. It must never take a second seat (rule I2).
    fn ask_again(&mut self, actor: Actor, command: &Command, asked: &Checkout) {
        let mut again = self.ledger.clone();
        let (reply, _) = again.apply(actor, command, self.now);
        assert!(matches!(reply, Reply::Seat(_)), "{reply:?}");
        let product = product_key(asked.seat.product);
        let counts = |ledger: &Ledger| ledger.counts(product, seatkeeper::domain::license::Usage::Machine, self.now);
        assert_eq!(counts(&again), counts(&self.ledger), "a second seat for {command:?}");
    }

    /// A restart: the ledger through its log, and through the last fact of each key in the order of the keys and in none.
    fn reload(&mut self) {
        let mut replayed = Ledger::default();
        self.log.iter().for_each(|change| replayed.evolve(change));
        // No `assert_eq`: nobody reads two whole ledgers.
        assert!(replayed == self.ledger, "through the log");
        let mut facts = BTreeMap::new();
        for change in &self.log {
            if change.fact.is_deletion() {
                facts.remove(&change.fact.key());
            } else {
                facts.insert(change.fact.key(), &change.fact);
            }
        }
        let mut facts: Vec<_> = facts.into_values().collect();
        let mut random = Random::new(self.replay.seed);
        for order in ["the keys", "the dice"] {
            let mut loaded = Ledger::default();
            for fact in &facts {
                loaded.record(fact);
            }
            assert!(loaded == self.ledger, "in the order of {order}");
            assert_eq!(loaded.audit(), Ok(()));
            for place in (1..facts.len()).rev() {
                facts.swap(place, usize::try_from(random.below(place as u64 + 1)).unwrap());
            }
        }
    }
}

fn tally(expected: &Answer, turn: &Turn, tallies: &mut BTreeMap<String, u32>) {
    match expected {
        Answer::Denied { denial, .. } => count(denial, tallies),
        Answer::Imported(ImportOutcome::Refused(refusal)) => count(refusal, tallies),
        Answer::Imported(outcome) => count(outcome, tallies),
        Answer::Seat { kind, conflict, .. } => {
            count(kind, tallies);
            if let Some(fresh) = conflict.filter(|seen| seen.last_seen == turn.now.steady) {
                count(&fresh.kind, tallies);
            }
        }
        Answer::Reserved { machines, held, .. } => {
            for row in machines {
                count(&row.1, tallies);
            }
            *tallies.entry("Held".to_owned()).or_default() += u32::try_from(held.len()).unwrap();
        }
        Answer::Committed(rows) => {
            for row in rows {
                count(&row.1, tallies);
            }
        }
        Answer::Aborted(rows) => {
            for row in rows {
                count(&row.1, tallies);
            }
        }
        other => count(other, tallies),
    }
}

/// Counts by the first word of a name.
fn count(thing: &impl Debug, tallies: &mut BTreeMap<String, u32>) {
    let name = format!("{thing:?}");
    let word = name.chars().take_while(char::is_ascii_alphanumeric).collect();
    *tallies.entry(word).or_default() += 1;
}

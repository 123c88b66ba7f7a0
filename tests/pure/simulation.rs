//! The ledger against the naive model, over random histories that replay from their seed.
//!
//! `SEATKEEPER_SEED=17` runs that seed alone. `tools/mutants.sh` plants faults in the ledger and demands that this test
//! finds each of them.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod catalogue;
mod random;
mod translate;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use seatkeeper::domain::change::Change;
use seatkeeper::domain::command::{Actor, Checkout, Command, Page, ProductName, Release, SeatsPage};
use seatkeeper::domain::ids::{ComponentId, Fingerprint, Mac, ProductKey, Serial, VendorId};
use seatkeeper::domain::ledger::Ledger;
use seatkeeper::domain::license::{Claims, Kind, Usage, Validity, VerifiedKey};
use seatkeeper::domain::reply::{Counts, Listing, Reply};
use seatkeeper::domain::seat::{MachineNote, SeatKey};
use seatkeeper::domain::time::{Now, Timestamp};

use crate::model::{self, Answer, Model, Outcome};
use catalogue::catalogue;
use random::Random;
use translate::{answer, place_of};

const SEEDS: u64 = 160;
const STEPS: u32 = 300;
const DAY: u64 = 86_400;
const START: u64 = 1_767_225_600;

/// Says how to run a failed history again.
struct Replay {
    seed: u64,
    step: u32,
}

impl Drop for Replay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!(
                "seed {} failed at step {}; again: SEATKEEPER_SEED={} cargo test --test pure simulation",
                self.seed, self.step, self.seed
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
// proves S13
// proves S14
// proves I1
// proves I2
// proves I7
// proves T1
#[test]
fn the_ledger_answers_as_the_rules_do_over_random_histories() {
    let only = std::env::var("SEATKEEPER_SEED").ok().map(|seed| seed.parse().unwrap());
    let mut seen = BTreeMap::new();
    for seed in only.map_or(0..SEEDS, |seed| seed..seed + 1) {
        World::new(seed).run(&mut seen);
    }
    // A simulation that never gets there proves nothing.
    if only.is_none() {
        for answer in [
            "AlternatingIdentity",
            "EngagedAgain",
            "Granted",
            "IdentityNotBound",
            "LicenseExpired",
            "LicenseInUse",
            "NoLicense",
            "NotCounted",
            "NothingHeld",
            "ReboundRecently",
            "Reclaimed",
            "Released",
            "Removed",
            "SeatsExhausted",
            "SerialTaken",
            "StaleContinuation",
        ] {
            assert!(seen.get(answer).copied().unwrap_or(0) >= 50, "{answer} in {seen:?}");
        }
    }
}

struct World {
    random: Random,
    replay: Replay,
    ledger: Ledger,
    model: Model,
    log: Vec<Change>,
    steady: u64,
    now: Now,
    /// What each installed component remembers: the number that it was answered last, as far as the answer came.
    remembered: BTreeMap<(Fingerprint, SeatKey, ComponentId), u64>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut world = Self {
            random: Random(seed),
            replay: Replay { seed, step: 0 },
            ledger: Ledger::default(),
            model: Model::default(),
            log: Vec::new(),
            steady: START,
            now: Now::at(START),
            remembered: BTreeMap::new(),
        };
        for number in [1, 2] {
            world.apply(
                Actor::Server,
                &Command::TrustVendor {
                    public_key: [number; 32],
                    vendor: VendorId([number; 16]),
                },
            );
            let catalogue = catalogue(number);
            for (id, product) in &catalogue.products {
                let components = product.components.iter();
                world.model.products.push(model::Product {
                    key: ProductKey {
                        vendor: catalogue.vendor,
                        product: *id,
                    },
                    idle_secs: (product.idle_days > 0).then_some(u64::from(product.idle_days) * DAY),
                    single_use: product.single_use,
                    components: components
                        .map(|(id, flags)| (*id, flags.counted, flags.ephemeral))
                        .collect(),
                });
            }
            world.apply(Actor::Server, &Command::ImportCatalogue(Box::new(catalogue)));
        }
        world
    }

    fn run(mut self, seen: &mut BTreeMap<String, u32>) {
        for step in 0..STEPS {
            self.replay.step = step;
            self.pass_time();
            let expected = self.model.reclaim(self.now);
            let reply = self.apply(Actor::Server, &Command::Reclaim);
            self.tally(seen, &expected);
            assert_eq!(answer(&reply), expected);
            let due = self.ledger.next_due();
            assert!(due.is_none_or(|at| self.now.steady < at), "overdue after a reclaim");
            let expected = self.act();
            self.tally(seen, &expected);
            self.compare();
            if step % 100 == 99 {
                self.reload();
            }
        }
        self.reload();
    }

    fn tally(&self, seen: &mut BTreeMap<String, u32>, expected: &Answer) {
        let name = match expected {
            Answer::Denied { denial, .. } => format!("{denial:?}"),
            Answer::Imported(Outcome::Refused(refusal)) => format!("{refusal:?}"),
            Answer::Reclaimed(0) => return,
            Answer::Seat { kind, conflict, .. } => {
                let fresh = conflict.filter(|seen| seen.last_seen == self.now.steady.0);
                if let Some(fresh) = fresh {
                    *seen.entry(format!("{:?}", fresh.kind)).or_default() += 1;
                }
                format!("{kind:?}")
            }
            other => format!("{other:?}"),
        };
        let word: String = name.chars().take_while(char::is_ascii_alphanumeric).collect();
        *seen.entry(word).or_default() += 1;
    }

    fn apply(&mut self, actor: Actor, command: &Command) -> Reply {
        let (reply, changes) = self.ledger.apply(actor, command, self.now);
        self.log.extend(changes);
        reply
    }

    /// Moves time; often to just before, onto or just behind a moment at which something is due.
    fn pass_time(&mut self) {
        let passed = match self.random.below(100) {
            0..55 => 0,
            55..75 => self.random.below(3_600),
            75..84 => {
                let due = self.model.seats.iter().filter_map(|seat| seat.renew_by).min();
                self.until(due)
            }
            84..88 => {
                let licenses = self.model.licenses.iter().map(model::License::ends);
                let end = licenses.filter(|end| *end != u64::MAX && *end > self.steady).min();
                self.until(end)
            }
            88..97 => self.random.below(DAY / 2),
            97..99 => self.random.below(20 * DAY),
            _ if self.random.percent(10) => self.random.below(400 * DAY),
            _ => self.random.below(3 * DAY),
        };
        self.steady += passed;
        let calendar = match self.random.below(20) {
            0 => self.steady - self.random.below(40 * DAY),
            1 => self.steady + self.random.below(40 * DAY),
            _ => self.steady,
        };
        self.now = Now {
            steady: Timestamp(self.steady),
            calendar: Timestamp(calendar),
        };
    }

    fn until(&mut self, moment: Option<u64>) -> u64 {
        let off = self.random.below(3);
        moment.map_or(0, |at| (at + off).saturating_sub(1).saturating_sub(self.steady))
    }

    fn act(&mut self) -> Answer {
        match self.random.below(100) {
            0..55 => self.check_out(),
            55..70 => self.release(),
            70..75 => self.end_seat(),
            75..92 => self.import(),
            92..96 => self.remove(),
            _ => self.ask_availability(),
        }
    }

    /// Often the key of a seat that is held.
    fn seat_key(&mut self) -> SeatKey {
        if !self.model.seats.is_empty() && self.random.percent(50) {
            let place = usize::try_from(self.random.below(self.model.seats.len() as u64)).unwrap();
            return self.model.seats[place].key;
        }
        let product = self.product();
        SeatKey {
            vendor: product.vendor,
            product: product.product,
            mac: Mac::new([2, 0, 0, 0, 0, u8::try_from(self.random.below(7)).unwrap()]).unwrap(),
        }
    }

    fn product(&mut self) -> ProductKey {
        let vendor = if self.random.percent(80) { 1 } else { 2 };
        let product = if self.random.percent(50) {
            "SERVER"
        } else {
            self.random.pick(&["FOREVER", "WIPE", "WORK"])
        };
        ProductKey {
            vendor: VendorId([vendor; 16]),
            product: product.parse().unwrap(),
        }
    }

    fn identity(&mut self, key: SeatKey) -> Fingerprint {
        let [.., machine] = key.mac.bytes();
        // Mostly none; now and then one of several installations that take turns.
        let reinstalled = match self.random.below(100) {
            0..85 => 0,
            85..92 => 10,
            _ => self.random.pick(&[20, 30, 40, 50, 60]),
        };
        Fingerprint([1 + machine + reinstalled; 32])
    }

    fn component(&mut self) -> ComponentId {
        let name = match self.random.below(100) {
            0..60 => "agent",
            60..80 => "cli",
            80..90 => "disc",
            90..97 => "console",
            _ => "unknown",
        };
        name.parse().unwrap()
    }

    fn check_out(&mut self) -> Answer {
        let mut key = self.seat_key();
        match self.random.below(100) {
            0 => key.vendor = VendorId([3; 16]),
            1 => key.product = "UNKNOWN".parse().unwrap(),
            _ => {}
        }
        let (identity, component) = (self.identity(key), self.component());
        let memory = (identity, key, component);
        let remembered = self.remembered.get(&memory).copied().unwrap_or(0);
        let continuation = if self.random.percent(95) {
            remembered
        } else {
            self.random.below(remembered + 3)
        };
        let asked = Checkout {
            key,
            component,
            continuation,
            machine: MachineNote::default(),
        };
        let expected = self.model.checkout(identity, &asked, self.now);
        let command = Command::Checkout(asked.clone());
        let reply = self.apply(peer(identity), &command);
        assert_eq!(answer(&reply), expected, "{asked:?}");
        if let Reply::Seat(grant) = &reply {
            self.model.answered(&asked, grant.continuation);
            if self.random.percent(85) {
                self.remembered.insert(memory, grant.continuation);
            }
            let product = self.model.products.iter().find(|one| one.key == key.product_key());
            let idle_secs = product.unwrap().idle_secs;
            let renew_by = idle_secs.map(|secs| self.now.latest().after_secs(secs));
            assert_eq!(grant.renew_by, renew_by, "a grant sets the renew date");
            if self.random.percent(40) {
                self.ask_again(identity, &command, key);
            }
        }
        expected
    }

    /// The same checkout once more, on a copy: its answer was lost. It must never take a second seat (rule I2).
    fn ask_again(&mut self, identity: Fingerprint, command: &Command, key: SeatKey) {
        let mut again = self.ledger.clone();
        let (reply, _) = again.apply(peer(identity), command, self.now);
        assert!(matches!(reply, Reply::Seat(_)), "{reply:?}");
        let product = key.product_key();
        let counts = again.counts(product, self.now);
        assert_eq!(
            counts,
            self.ledger.counts(product, self.now),
            "a second seat for {command:?}"
        );
    }

    fn release(&mut self) -> Answer {
        let key = self.seat_key();
        let (identity, component) = (self.identity(key), self.component());
        let expected = self.model.release(identity, key, component, self.now);
        let reply = self.apply(peer(identity), &Command::Release(Release { key, component }));
        assert_eq!(answer(&reply), expected, "release of {key:?} {component:?}");
        expected
    }

    fn end_seat(&mut self) -> Answer {
        let key = self.seat_key();
        let component = self.random.percent(50).then(|| self.component());
        let expected = self.model.end_seat(key, component, self.now);
        let reply = self.apply(
            Actor::Server,
            &Command::EndSeat {
                mac: key.mac,
                product: ProductName {
                    vendor: Some(key.vendor),
                    product: key.product,
                },
                component,
                reason: "the dice".to_owned(),
            },
        );
        assert_eq!(answer(&reply), expected, "end of {key:?} {component:?}");
        expected
    }

    fn import(&mut self) -> Answer {
        let key = self.key();
        let expected = self.model.import(&key, self.now);
        let reply = self.apply(Actor::Server, &Command::Import(vec![key.clone()]));
        assert_eq!(answer(&reply), expected, "{key:?}");
        expected
    }

    /// A key that may be new, here already, here with other terms, or removed before.
    fn key(&mut self) -> VerifiedKey {
        if !self.model.licenses.is_empty() && self.random.percent(40) {
            let place = usize::try_from(self.random.below(self.model.licenses.len() as u64)).unwrap();
            let mut key = self.model.licenses[place].key.clone();
            if self.random.percent(40) {
                key.claims.seats = self.seats();
                key.certificate = Bytes::from(self.random.next().to_be_bytes().to_vec());
            }
            return key;
        }
        let product = self.product();
        let unknown = self.random.percent(3);
        let validity = match self.random.below(10) {
            0..3 => Validity::Forever,
            3..7 => Validity::Days(u32::try_from(self.random.below(40)).unwrap()),
            _ => {
                let day = self.steady / DAY + self.random.below(40);
                Validity::ThroughDay(u32::try_from(day).unwrap().saturating_sub(1))
            }
        };
        let [.., first, second] = self.random.next().to_be_bytes();
        VerifiedKey {
            claims: Claims {
                vendor: if self.random.percent(2) {
                    VendorId([3; 16])
                } else {
                    product.vendor
                },
                serial: Serial::from_random([first & 15, second & 3, 0, 0, 0, 0, 0, 0, 0, 0]),
                product: if unknown {
                    "UNKNOWN".parse().unwrap()
                } else {
                    product.product
                },
                seats: self.seats(),
                kind: Kind::Commercial,
                usage: if self.random.percent(20) {
                    Usage::Deployment
                } else {
                    Usage::Machine
                },
                issued_at: Timestamp(START),
                validity,
                support_until_day: None,
                auto_renew: false,
            },
            certificate: Bytes::from(self.random.next().to_be_bytes().to_vec()),
        }
    }

    fn seats(&mut self) -> u32 {
        u32::try_from(1 + self.random.below(3)).unwrap()
    }

    fn remove(&mut self) -> Answer {
        let serials: Vec<_> = self.model.licenses.iter().map(|one| one.key.claims.serial).collect();
        if serials.is_empty() {
            return self.ask_availability();
        }
        let (serial, end_seats) = (self.random.pick(&serials), self.random.percent(50));
        let expected = self.model.remove(serial, end_seats, self.now);
        let reply = self.apply(Actor::Server, &Command::RemoveLicense { serial, end_seats });
        assert_eq!(answer(&reply), expected, "removal of {serial}");
        expected
    }

    fn ask_availability(&mut self) -> Answer {
        let product = self.product();
        let expected = Answer::Counts(self.model.counts(product, self.now));
        let name = ProductName {
            vendor: Some(product.vendor),
            product: product.product,
        };
        let before = self.log.len();
        let reply = self.apply(peer(Fingerprint([9; 32])), &Command::Availability(name));
        assert_eq!((answer(&reply), self.log.len()), (expected.clone(), before));
        expected
    }

    /// Every license and every seat, as the views show them, against the model.
    fn compare(&mut self) {
        let page = Page {
            after: None,
            limit: 256,
        };
        let Reply::Licenses(Listing { rows, more: false }) = self.apply(Actor::Server, &Command::Licenses(page)) else {
            panic!("no listing of licenses");
        };
        let present = self.model.licenses.iter().filter(|one| one.present).count();
        assert_eq!(rows.len(), present, "licenses");
        for row in &rows {
            let (total, serial) = (row.license.claims.seats, row.license.claims.serial);
            let license = self.model.license(serial);
            let (used, free) = (self.model.used(serial), self.model.free(serial));
            let available = if license.serves(self.now) { free } else { 0 };
            assert_eq!(
                (row.used, row.free(), row.available()),
                (used, free, available),
                "{serial}"
            );
            assert_eq!(total, row.used + row.free(), "{serial}");
            assert_eq!(row.license.imported_at.0, license.first_import, "{serial}");
        }
        for product in &self.model.products {
            let rows = rows
                .iter()
                .filter(|row| row.license.claims.product_key() == product.key);
            let sums = rows.fold(Counts::default(), |sums, row| Counts {
                licenses: sums.licenses + 1,
                total: sums.total + u64::from(row.license.claims.seats),
                used: sums.used + u64::from(row.used),
                free: sums.free + u64::from(row.free()),
                available: sums.available + u64::from(row.available()),
            });
            assert_eq!(self.ledger.counts(product.key, self.now), sums, "{:?}", product.key);
        }
        let page = SeatsPage {
            mac: None,
            page: Page {
                after: None,
                limit: 256,
            },
        };
        let Reply::Seats(Listing { rows, more: false }) = self.apply(Actor::Server, &Command::Seats(page)) else {
            panic!("no listing of seats");
        };
        assert_eq!(rows.len(), self.model.seats.len(), "seats");
        for seat in &self.model.seats {
            let held: Vec<_> = rows.iter().filter(|row| row.key == seat.key).collect();
            let [row] = held[..] else {
                panic!("{} rows of {:?}", held.len(), seat.key);
            };
            assert_eq!((row.seat.serial, row.seat.single_use), (seat.serial, seat.single_use));
            assert_eq!(
                (row.seat.acquired_at.0, row.seat.renewed_at.0),
                (seat.acquired_at, seat.renewed_at)
            );
            assert_eq!(row.seat.renew_by.map(|at| at.0), seat.renew_by, "{:?}", seat.key);
            assert_eq!(row.seat.components.len(), seat.components.len(), "{:?}", seat.key);
            let held = |one: &model::Component| row.seat.components.contains_key(&one.id);
            assert!(seat.components.iter().all(held), "{:?}", seat.key);
        }
        assert_eq!(self.ledger.audit(), Ok(()));
    }

    /// A restart: the ledger through its log, and through the last fact of each key in the order of the keys and in none.
    fn reload(&mut self) {
        let mut replayed = Ledger::default();
        self.log.iter().for_each(|change| replayed.evolve(change));
        assert_eq!(replayed, self.ledger, "through the log");
        let mut facts = BTreeMap::new();
        for change in &self.log {
            let (key, put) = place_of(&change.fact);
            if put {
                facts.insert(key, &change.fact);
            } else {
                facts.remove(&key);
            }
        }
        let mut facts: Vec<_> = facts.into_values().collect();
        for order in ["the keys", "the dice"] {
            let mut loaded = Ledger::default();
            for fact in &facts {
                loaded.record(fact);
            }
            assert_eq!(loaded, self.ledger, "in the order of {order}");
            assert_eq!(loaded.audit(), Ok(()));
            for place in (1..facts.len()).rev() {
                facts.swap(place, usize::try_from(self.random.below(place as u64 + 1)).unwrap());
            }
        }
    }
}

const fn peer(identity: Fingerprint) -> Actor {
    Actor::Peer {
        identity,
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
    }
}

mod enrolment;
mod explaining;
mod full;
mod noted;
mod time;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use bytes::Bytes;

use super::queue::{QUEUE_MAX, SubmitError, spawn};
use super::{NewSeatLimits, Request, Writer};
use crate::clock::Clock;
use crate::domain::catalogue::{Catalogue, Component, Offers, OnConflict, Product};
use crate::domain::change::Fact;
use crate::domain::command::{Actor, Checkout, Command, Page, ProductName, Rebind, SeatsPage};
use crate::domain::denial::{Denial, Denied};
use crate::domain::ids::{Fingerprint, Mac, ProductId, Serial, VendorId};
use crate::domain::ledger::Ledger;
use crate::domain::license::{Claims, Kind, Usage, Validity, VerifiedKey};
use crate::domain::reply::Reply;
use crate::domain::seat::{MachineNote, SeatKey};
use crate::domain::time::{DAY_SECS, Monotonic, Reading, Timestamp};
use crate::store::{Loaded, MemoryStore, Progress, Round, Store, StoreError};

const VENDOR: VendorId = VendorId([7; 16]);
const START: u64 = 1_700_000_000;

/// Tests of the writer stand still on the clock that only counts: what they need to pass does so between two starts.
fn at(secs: u64) -> Reading {
    Reading {
        calendar: Timestamp(secs),
        counted: Monotonic(1),
    }
}

fn product() -> ProductId {
    "BKSRV".parse().expect("good")
}

/// A store that fails when its commits are used up: the disk is full.
struct FailingStore {
    inner: MemoryStore,
    commits_left: u32,
}

impl Store for FailingStore {
    fn load(&mut self, visit: &mut dyn FnMut(Fact)) -> Result<Loaded, StoreError> {
        self.inner.load(visit)
    }

    fn commit(&mut self, round: &Round<'_>) -> Result<(), StoreError> {
        let Some(left) = self.commits_left.checked_sub(1) else {
            return Err(StoreError::Io {
                doing: "writing",
                path: "injected".into(),
                source: std::io::ErrorKind::StorageFull.into(),
            });
        };
        self.commits_left = left;
        self.inner.commit(round)
    }
}

/// A store that counts its commits, with a checkpoint that is as far as it is told.
struct CountingStore {
    inner: MemoryStore,
    progress: Progress,
    commits: Arc<AtomicUsize>,
}

impl Store for CountingStore {
    fn load(&mut self, visit: &mut dyn FnMut(Fact)) -> Result<Loaded, StoreError> {
        self.inner.load(visit)
    }

    fn commit(&mut self, round: &Round<'_>) -> Result<(), StoreError> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        self.inner.commit(round)
    }

    fn checkpoint(&mut self, _ledger: &Ledger) -> Progress {
        self.progress
    }
}

/// Another identity asks for machine 1's seat, where a new one has to be approved: refused and noted.
fn stranger(identity: u8) -> Request {
    let mut request = checkout(identity, 1);
    if let Command::Checkout(checkout) = &mut request.command {
        checkout.rebind = Rebind::Approve;
    }
    request
}

fn as_server(command: Command) -> Request {
    Request {
        actor: Actor::Server,
        command,
    }
}

/// The commands that set up a vendor with one product and one license.
fn setup(seats: u32) -> Vec<Request> {
    let component = Component {
        counted: true,
        lenient: false,
        ephemeral: false,
    };
    let entry = Product {
        name: "Backup".to_owned(),
        idle_days: 30,
        single_use: false,
        offline_days: 0,
        offers: Offers::default(),
        required: None,
        on_conflict: OnConflict::default(),
        components: BTreeMap::from([("agent".parse().expect("good"), component)]),
        signed_entry: Bytes::from_static(b"entry"),
    };
    let catalogue = Catalogue {
        vendor: VENDOR,
        vendor_name: "Vendor".to_owned(),
        version: 1,
        issued_at: Timestamp(START),
        products: BTreeMap::from([(product(), entry)]),
        signed: Bytes::from_static(b"catalogue"),
    };
    let claims = Claims {
        vendor: VENDOR,
        serial: Serial::from_random([1; 10]),
        product: product(),
        seats,
        kind: Kind::Commercial,
        usage: Usage::Machine,
        issued_at: Timestamp(START),
        validity: Validity::Forever,
        support_until_day: None,
        auto_renew: false,
    };
    vec![
        as_server(Command::TrustVendor {
            public_key: [1; 32],
            vendor: VENDOR,
        }),
        as_server(Command::ImportCatalogue {
            catalogue: Box::new(catalogue),
            dry_run: false,
        }),
        as_server(Command::Import(vec![VerifiedKey {
            claims,
            certificate: Bytes::from_static(b"certificate"),
        }])),
    ]
}

fn checkout(identity: u8, mac: u8) -> Request {
    let key = SeatKey {
        vendor: VENDOR,
        product: product(),
        mac: Mac::new([2, 0, 0, 0, 0, mac]).expect("unicast"),
    };
    let command = Command::Checkout(Checkout {
        key,
        component: "agent".parse().expect("good"),
        continuation: 0,
        machine: MachineNote::default(),
        rebind: Rebind::Honour,
    });
    let actor = Actor::Peer {
        identity: Fingerprint([identity; 32]),
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    Request { actor, command }
}

fn writer<S: Store>(store: S) -> Writer<S> {
    Writer::load(store, NewSeatLimits::default()).expect("loads")
}

fn seats_listed(reply: &Reply) -> usize {
    match reply {
        Reply::Seats(listing) => listing.rows.len(),
        other => panic!("not seats: {other:?}"),
    }
}

fn all_seats() -> Request {
    as_server(Command::Seats(SeatsPage {
        mac: None,
        product: None,
        page: Page {
            after: None,
            limit: 256,
        },
    }))
}

// proves S1 S2
#[test]
fn commands_of_one_round_see_one_another() {
    let mut writer = writer(MemoryStore::new());
    let mut requests = setup(1);
    requests.extend([checkout(1, 1), all_seats(), checkout(2, 2)]);
    let replies = writer.round(&requests, at(START)).expect("commits");
    assert!(matches!(replies[3], Reply::Seat(_)));
    assert_eq!(seats_listed(&replies[4]), 1);
    assert!(matches!(
        &replies[5],
        Reply::Denied(Denied {
            denial: Denial::SeatsExhausted,
            ..
        })
    ));
}

// proves K7
#[test]
fn what_was_answered_is_there_after_a_restart() {
    let store = MemoryStore::new();
    let disk = store.reopen();
    let mut before = writer(store);
    let mut requests = setup(2);
    requests.push(checkout(1, 1));
    before.round(&requests, at(START)).expect("commits");
    assert_eq!(before.ledger(), writer(disk).ledger());
}

// proves S6
#[test]
fn what_is_overdue_is_freed_before_the_port_opens_and_before_any_command() {
    let store = MemoryStore::new();
    let disk = store.reopen();
    let mut requests = setup(1);
    requests.push(checkout(1, 1));
    writer(store).round(&requests, at(START)).expect("commits");
    let due = START + 30 * DAY_SECS;

    let mut early = writer(disk.reopen());
    early.reclaim(at(due - 1)).expect("commits");
    assert_eq!(early.ledger().next_due(), Some(Timestamp(due)));

    let mut at_start = writer(disk.reopen());
    at_start.reclaim(at(due)).expect("commits");
    assert_eq!(at_start.ledger().next_due(), None);

    let mut later = writer(disk);
    let replies = later.round(&[checkout(2, 2)], at(due)).expect("commits");
    assert!(matches!(replies[0], Reply::Seat(_)));
}

#[test]
fn more_than_a_portion_of_overdue_seats_is_freed_in_one_go() {
    let store = MemoryStore::new();
    let disk = store.reopen();
    let mut before = writer(store);
    before.round(&setup(3_000), at(START)).expect("commits");
    for machine in 0..2_500_u16 {
        let [high, low] = machine.to_be_bytes();
        let mut request = checkout(high, low);
        request.actor = Actor::Peer {
            identity: Fingerprint([high; 32]),
            address: IpAddr::V4(Ipv4Addr::new(10, high, low, 1)),
        };
        if let Command::Checkout(checkout) = &mut request.command {
            checkout.key.mac = Mac::new([2, 0, 0, 0, high, low]).expect("unicast");
        }
        // The limiter is not what this test is about: every machine is an identity and a source of its own.
        if let Actor::Peer { identity, .. } = &mut request.actor {
            identity.0[..2].copy_from_slice(&[high, low]);
        }
        before.round(&[request], at(START)).expect("commits");
    }
    let mut after = writer(disk);
    let replies = after.round(&[all_seats()], at(START + 30 * DAY_SECS)).expect("commits");
    assert_eq!(seats_listed(&replies[0]), 0);
}

#[test]
fn an_identity_that_asks_for_too_many_machines_is_slowed_down_and_takes_nothing() {
    let mut writer = writer(MemoryStore::new());
    writer.round(&setup(10), at(START)).expect("commits");
    let requests: Vec<_> = (1..=5).map(|mac| checkout(1, mac)).collect();
    let replies = writer.round(&requests, at(START)).expect("commits");
    assert!(replies[..4].iter().all(|reply| matches!(reply, Reply::Seat(_))));
    assert!(matches!(
        &replies[4],
        Reply::Denied(Denied {
            denial: Denial::SlowDown { retry_secs: 86_400 },
            ..
        })
    ));
    let replies = writer
        .round(&[all_seats(), checkout(1, 1)], at(START))
        .expect("commits");
    assert_eq!(seats_listed(&replies[0]), 4);
    assert!(matches!(replies[1], Reply::Seat(_)), "a renewal is not slowed down");
}

#[test]
fn limits_go_on_while_the_calendar_stands_still() {
    let mut writer = writer(MemoryStore::new());
    writer.round(&setup(10), at(START)).expect("commits");
    let requests: Vec<_> = (1..=5).map(|mac| checkout(1, mac)).collect();
    writer.round(&requests, at(START)).expect("commits");
    let later = Reading {
        counted: Monotonic(1 + DAY_SECS * 1_000),
        ..at(START)
    };
    let replies = writer.round(&[checkout(1, 5)], later).expect("commits");
    assert!(matches!(replies[0], Reply::Seat(_)), "{:?}", replies[0]);
}

#[test]
fn a_failed_commit_answers_nobody_and_ends_the_writer() {
    let mut writer = writer(FailingStore {
        inner: MemoryStore::new(),
        commits_left: 1,
    });
    writer.round(&setup(1), at(START)).expect("commits");
    let (service, thread) = spawn(writer, Clock::manual(Timestamp(START))).expect("a thread");
    let Request { actor, command } = checkout(1, 1);
    let answer = service.submit(actor, command, 1).expect("room");
    assert!(
        answer.blocking_recv().is_err(),
        "an answer left although the commit failed"
    );
    assert!(thread.join().expect("no panic").is_err());
    let Request { actor, command } = all_seats();
    assert_eq!(service.submit(actor, command, 1).err(), Some(SubmitError::Stopped));
}

#[test]
fn a_full_queue_says_busy_and_loses_nothing_that_it_took() {
    let (gate, service, thread) = gated();
    let mut answers = Vec::new();
    // So many sources that their shares are the whole queue.
    let refused = loop {
        let Request { command, .. } = checkout(1, 1);
        let actor = of_source(u32::try_from(answers.len()).expect("few"));
        match service.submit(actor, command, 1) {
            Ok(answer) => answers.push(answer),
            Err(error) => break error,
        }
    };
    assert_eq!(refused, SubmitError::Busy);
    assert!(answers.len() >= QUEUE_MAX);
    drop(gate);
    for answer in answers {
        assert!(matches!(answer.blocking_recv(), Ok(Reply::Seat(_))));
    }
    drop(service);
    thread.join().expect("no panic").expect("no error");
}

#[test]
fn sources_that_take_all_of_the_queue_that_they_may_leave_room_for_others() {
    let (gate, service, thread) = gated();
    let ask = |source: u32| service.submit(of_source(source), all_seats().command, 1);
    let fill = |source: u32| std::iter::from_fn(|| ask(source).ok()).count();
    // The writer takes one command into a round that does not end yet: what follows stays in the queue.
    let Request { actor, command } = checkout(1, 1);
    let first = service.submit(actor, command, 1).expect("room");
    while service.waiting() > 0 {
        std::thread::yield_now();
    }
    let shares: Vec<_> = (100..108).map(fill).collect();
    assert!(shares[0] >= QUEUE_MAX / 5, "{shares:?}");
    assert!(
        service.waiting() + 4 * (shares[7] - 1) <= QUEUE_MAX,
        "four times what the last one has is free: {shares:?}"
    );
    assert_eq!(ask(100).err(), Some(SubmitError::Busy));
    assert!(ask(1).is_ok(), "another source is served: {shares:?}");
    drop(gate);
    assert!(matches!(first.blocking_recv(), Ok(Reply::Seat(_))));
    // What waited is decided, and the shares come back.
    while ask(100).is_err() {
        std::thread::yield_now();
    }
    drop(service);
    thread.join().expect("no panic").expect("no error");
}

fn of_source(number: u32) -> Actor {
    Actor::Peer {
        identity: Fingerprint([1; 32]),
        address: IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + number)),
    }
}

/// A store whose commits wait until they are let through.
struct GatedStore {
    inner: MemoryStore,
    wait: std::sync::mpsc::Receiver<()>,
}

impl Store for GatedStore {
    fn load(&mut self, visit: &mut dyn FnMut(Fact)) -> Result<Loaded, StoreError> {
        self.inner.load(visit)
    }

    fn commit(&mut self, round: &Round<'_>) -> Result<(), StoreError> {
        // A dropped gate is open.
        let _let_through = self.wait.recv();
        self.inner.commit(round)
    }
}

/// A service with one seat, whose commits wait at the gate.
fn gated() -> (
    std::sync::mpsc::Sender<()>,
    super::Service,
    JoinHandle<Result<(), StoreError>>,
) {
    let (gate, wait) = std::sync::mpsc::channel();
    let mut writer = writer(GatedStore {
        inner: MemoryStore::new(),
        wait,
    });
    gate.send(()).expect("listening");
    writer.round(&setup(1), at(START)).expect("commits");
    let (service, thread) = spawn(writer, Clock::manual(Timestamp(START))).expect("a thread");
    (gate, service, thread)
}

#[test]
fn facts_are_published_once_they_are_durable() {
    let mut writer = writer(MemoryStore::new());
    assert!(writer.take_facts().is_some());
    assert!(writer.take_facts().is_none());
    writer.round(&setup(1), at(START)).expect("commits");
    let facts = writer.take_facts().expect("changed");
    assert_eq!(facts.vendor_keys.get(&VENDOR), Some(&[1; 32]));
    assert_eq!(facts.products.len(), 1);
    let asked = ProductName {
        vendor: None,
        product: product(),
    };
    writer
        .round(&[as_server(Command::Availability(asked))], at(START))
        .expect("nothing to commit");
    assert!(writer.take_facts().is_none());
}

/// Seats that the service lists now.
fn seats_at(service: &super::Service) -> usize {
    let Request { actor, command } = all_seats();
    let answer = service.submit(actor, command, 1).expect("room");
    seats_listed(&answer.blocking_recv().expect("answered"))
}

// proves S6 T2
#[test]
fn seats_idle_out_by_time_that_passed_and_not_by_a_calendar_that_jumped() {
    let store = MemoryStore::new();
    let disk = store.reopen();
    let clock = Clock::manual(Timestamp(START));
    let mut writer = writer(store);
    let mut requests = setup(1);
    requests.push(checkout(1, 1));
    writer.round(&requests, clock.reading()).expect("commits");
    let (service, thread) = spawn(writer, clock.clone()).expect("a thread");

    clock.jump_secs(1_000_000_000);
    assert_eq!(seats_at(&service), 1);
    drop(service);
    thread.join().expect("no panic").expect("no error");
    let (service, _thread) = spawn(self::writer(disk), clock.clone()).expect("a thread");
    assert_eq!(seats_at(&service), 1, "after a restart too");
    clock.jump_secs(-1_000_000_000);
    assert_eq!(seats_at(&service), 1);
    clock.advance_secs(30 * DAY_SECS - 1);
    assert_eq!(seats_at(&service), 1);
    clock.advance_secs(1);
    assert_eq!(seats_at(&service), 0);
}

// proves T2
#[test]
fn while_the_clock_is_set_back_no_seat_idles_out() {
    let clock = Clock::manual(Timestamp(START));
    let mut writer = writer(MemoryStore::new());
    let mut requests = setup(1);
    requests.push(checkout(1, 1));
    writer.round(&requests, clock.reading()).expect("commits");
    let (service, _thread) = spawn(writer, clock.clone()).expect("a thread");

    clock.jump_secs(-40 * i64::try_from(DAY_SECS).expect("small"));
    assert_eq!(seats_at(&service), 1);
    clock.advance_secs(69 * DAY_SECS);
    assert_eq!(seats_at(&service), 1);
    clock.advance_secs(DAY_SECS);
    assert_eq!(seats_at(&service), 0);
}

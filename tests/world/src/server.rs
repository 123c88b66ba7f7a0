//! The server's process: its writer over a store on the simulated disk, and its queue.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use seatkeeper::clock::Clock;
use seatkeeper::domain::command::{Actor, Command, Rebind, Role};
use seatkeeper::domain::ids::ServerId;
use seatkeeper::domain::reply::Reply;
use seatkeeper::domain::time::{Monotonic, Timestamp};
use seatkeeper::service::{Request, Rounds, Service, StartError, Writer, rounds};
use seatkeeper::session::{LeaseKey, RequestTag, SessionConfig};
use seatkeeper::store::StoreError;
use seatkeeper_harm::Place;
use seatkeeper_model::History;
use tokio::sync::oneshot;

use crate::limits::LIMITS;
use crate::request::Speaker;
use crate::seen::{Seen, fingerprint};
use crate::tap::{Book, Tapped};

/// Places of the queue: so few that it is full now and then.
const PLACES: usize = 24;

/// Of these one source may have.
const SHARE: usize = PLACES.div_ceil(4);

/// A command in the queue.
#[derive(Debug)]
pub(crate) struct Submitted {
    /// Whose request it is, if it is anybody's.
    pub(crate) line: Option<(u64, RequestTag)>,
    pub(crate) actor: Actor,
    pub(crate) command: Command,
    pub(crate) reply: oneshot::Receiver<Reply>,
}

/// What was submitted and is not decided, in order.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: VecDeque<Submitted>,
    /// Commands that found no place.
    pub(crate) busy: u64,
    /// How many of them were taken out of the queue, to be decided.
    pub(crate) taken: usize,
}

impl Submitted {
    fn source(&self) -> Option<IpAddr> {
        match self.actor {
            Actor::Peer { address, .. } => Some(address),
            Actor::Server => None,
        }
    }
}

impl Queue {
    pub(crate) fn push(&mut self, submitted: Submitted) {
        let source = submitted.source();
        self.waiting.push_back(submitted);
        let waiting = || self.waiting.iter().skip(self.taken);
        let in_all = waiting().count();
        assert!(in_all <= PLACES, "{in_all} commands wait where {PLACES} may");
        let of_source = waiting().filter(|one| one.source() == source).count();
        assert!(
            source.is_none() || of_source <= SHARE,
            "{of_source} commands of {source:?} wait where {SHARE} may"
        );
    }

    pub(crate) fn first(&self, count: usize) -> impl Iterator<Item = &Submitted> {
        self.waiting.iter().take(count)
    }

    pub(crate) fn take(&mut self, count: usize) -> Vec<Submitted> {
        self.waiting.drain(..count.min(self.waiting.len())).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Submitted> {
        self.waiting.iter_mut()
    }
}

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) rounds: Rounds<Tapped>,
    pub(crate) service: Service,
    pub(crate) queue: Queue,
    pub(crate) config: Arc<SessionConfig>,
    clock: Clock,
    /// What the clock showed when it was turned last, in seconds.
    counted: u64,
}

/// What is there before anybody connects: the server has a name, its administrators, and the vendors' keys.
pub(crate) fn found(place: &Place, book: &Book, seen: &Seen) {
    let store = place.open().expect("a new store");
    let mut writer = Writer::load(Tapped::new(store, book.clone()), LIMITS).expect("empty");
    let admin = |speaker, role| Command::AddAdmin {
        fingerprint: fingerprint(speaker),
        role,
        label: "the world".to_owned(),
    };
    let mut commands = vec![
        Command::Found { id: ServerId([1; 16]) },
        admin(Speaker::Administrator, Role::Administrator),
        admin(Speaker::Deployer, Role::Deployer),
    ];
    for vendor in History::TRUSTED {
        let key = seen.vendors.key(vendor).expect("a vendor").vendor_key();
        commands.push(Command::TrustVendor {
            public_key: key.bytes(),
            vendor: key.id(),
        });
    }
    let requests = commands.into_iter().map(|command| Request {
        actor: Actor::Server,
        command,
    });
    let requests: Vec<_> = requests.collect();
    let (calendar, _) = History::new(0).reading();
    let reading = Clock::manual(Timestamp(calendar)).reading();
    writer.round(&requests, reading).expect("a disk that is well");
    // That was no start: what the next one finds is to be told by it alone.
    book.look().found = None;
}

impl Server {
    /// Starts over what the disk holds. The store may fail at any call.
    pub(crate) fn start(
        place: &Place,
        book: &Book,
        (calendar, counted): (u64, u64),
        rebind: Rebind,
        at: Monotonic,
    ) -> Result<Self, StartError> {
        let clock = Clock::manual(Timestamp(0));
        turn(&clock, calendar, counted);
        let store = place.open()?;
        let mut writer = Writer::load(Tapped::new(store, book.clone()), LIMITS)?;
        writer.reclaim(clock.reading())?;
        let (service, rounds) = rounds(writer, clock.clone(), PLACES);
        let mut config = SessionConfig::new("the world".to_owned(), "1".to_owned(), at);
        config.rebind = rebind;
        config.lease_key = Some(Arc::new(LeaseKey::from_seed([7; 32])));
        Ok(Self {
            rounds,
            service,
            queue: Queue::default(),
            config: Arc::new(config),
            clock,
            counted,
        })
    }

    /// Lets time pass until the clocks say this.
    pub(crate) fn turn_clocks(&mut self, (calendar, counted): (u64, u64)) {
        turn(&self.clock, calendar, counted - self.counted);
        self.counted = counted;
    }

    pub(crate) fn calendar(&self) -> Timestamp {
        self.clock.calendar()
    }

    /// The server keeps the time once a day, and nobody waits for it.
    pub(crate) fn keep_time(&mut self) {
        let command = Command::KeepTime(86_400);
        if let Ok(reply) = self.service.submit(Actor::Server, command.clone(), 0) {
            self.queue.push(Submitted {
                line: None,
                actor: Actor::Server,
                command,
                reply,
            });
        }
    }

    /// Stops in good order.
    pub(crate) fn finish(self) -> Result<(), StoreError> {
        self.rounds.finish()
    }
}

fn turn(clock: &Clock, calendar: u64, passed: u64) {
    clock.advance_secs(passed);
    let off = i128::from(calendar) - i128::from(clock.calendar().0);
    clock.jump_secs(i64::try_from(off).unwrap_or_default());
}

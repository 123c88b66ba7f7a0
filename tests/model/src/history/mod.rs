//! What happens, made up from a seed with an eye on the model, so that interesting things happen often.

mod asks;
mod catalogue;
mod keys;
mod observed;
mod proposals;
mod time;

use std::collections::{BTreeMap, VecDeque};

use crate::ask::{Answer, Ask};
use crate::clock::Transition;
use crate::model::{Freed, Model};
use crate::random::Random;
use crate::words::{Identity, Now, ProductKey, SeatKey};

pub use catalogue::base_catalogue;
pub use proposals::Proposal;

/// The calendar of the first reading: 2026-01-01 00:00 UTC.
const START: u64 = 1_767_225_600;

/// A history and the model that lives it.
#[derive(Clone, Debug)]
pub struct History {
    random: Random,
    model: Model,
    /// The time as it is.
    real: u64,
    /// How wrong the calendar is.
    calendar_off: i64,
    /// When the clock that only counts showed 0.
    counts_from: u64,
    now: Now,
    /// The products that are asked for most.
    focus: Vec<ProductKey>,
    /// Whether the server has the option `rebind = "approve"`.
    approve: bool,
    /// Asks that are to come before any others.
    planned: VecDeque<(Identity, Ask)>,
    /// What each installation remembers, the last number last, as far as the answers came.
    memory: BTreeMap<Installation, Vec<u64>>,
    /// Who asked for the checkout that was decided last.
    last: Option<Installation>,
    catalogue_versions: BTreeMap<u8, u64>,
    blacklist_versions: BTreeMap<u8, u64>,
}

/// A component on a disk.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Installation {
    /// 1: a copy of the disk.
    disk: u8,
    identity: Identity,
    seat: SeatKey,
    component: &'static str,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Time passes and both clocks are read.
    Read {
        /// UTC seconds.
        calendar: u64,
        /// The seconds of the clock that only counts.
        counted: u64,
    },
    /// The server starts again and reads both clocks; the one that only counts has started again too.
    Restart {
        /// UTC seconds.
        calendar: u64,
        /// The seconds of the clock that only counts.
        counted: u64,
    },
    /// Somebody asks.
    Ask {
        /// Who; agents' asks are judged by it.
        identity: Identity,
        /// What.
        ask: Ask,
    },
}

/// A step and what the model says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// What happened.
    pub step: Step,
    /// The time at which an ask was decided, or which a reading found.
    pub now: Now,
    /// What a reading meant.
    pub transition: Option<Transition>,
    /// What was overdue, and freed before the ask was decided.
    pub freed: Freed,
    /// What an ask was answered.
    pub answer: Option<Answer>,
}

impl History {
    /// The vendors that are trusted from the start; there is a third one that is not.
    pub const TRUSTED: [u8; 2] = [1, 2];

    /// The history of a seed. Its first turns read the clock and import the catalogues of [`base_catalogue`].
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut history = Self {
            random: Random::new(seed),
            model: Model::default(),
            real: START,
            calendar_off: 0,
            counts_from: START - 60,
            now: Now::at(START),
            focus: Vec::new(),
            approve: seed % 4 == 3,
            planned: VecDeque::new(),
            memory: BTreeMap::new(),
            last: None,
            catalogue_versions: BTreeMap::new(),
            blacklist_versions: BTreeMap::new(),
        };
        for vendor in Self::TRUSTED {
            history.model.trust(vendor);
            history.catalogue_versions.insert(vendor, 1);
            let ask = Ask::ImportCatalogue {
                vendor,
                version: 1,
                products: base_catalogue(vendor),
            };
            history.planned.push_back((0, ask));
        }
        history.focus = history.some_products();
        history
    }

    /// What happens next. Behind a granted checkout [`History::told`] has to be called.
    pub fn turn(&mut self) -> Turn {
        self.last = None;
        if self.model.clock().is_new() {
            return self.read(false);
        }
        if let Some((identity, ask)) = self.planned.pop_front() {
            return self.ask(identity, ask);
        }
        let few = self.model.licenses.len() < 18;
        match self.random.below(1_000) {
            _ if few => {
                let ask = Ask::Import(self.some_key());
                self.ask(0, ask)
            }
            0..8 => self.restart(),
            8..170 => self.pass_time(),
            _ => {
                let (identity, ask) = self.some_ask();
                self.ask(identity, ask)
            }
        }
    }

    /// The number that the server answered to the checkout just granted; none for a component that binds nothing. Now
    /// and then the answer is lost on its way.
    pub fn told(&mut self, number: Option<u64>) {
        self.model.told(number);
        let arrives = self.random.percent(85);
        if let (Some(number), Some(installation)) = (number.filter(|_| arrives), self.last) {
            self.remember(installation, number);
        }
    }

    /// The model as it is now.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// The time as it was read last.
    #[must_use]
    pub const fn now(&self) -> Now {
        self.now
    }

    fn ask(&mut self, identity: Identity, ask: Ask) -> Turn {
        let now = self.now;
        let freed = self.model.free_overdue(now);
        let answer = self.model.decide(identity, &ask, now);
        if matches!(ask, Ask::ClockAccept | Ask::ClockReset) {
            self.now = self.model.clock().now();
        }
        Turn {
            step: Step::Ask { identity, ask },
            now,
            transition: None,
            freed,
            answer: Some(answer),
        }
    }
}

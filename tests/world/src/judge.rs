//! The reference model beside the server: what the server may hold, and what may be durable of it.
//!
//! After a cut in the midst of a round that has several commits (one that sets the clock) more than one state may be
//! durable. All of them are followed until an answer or a view tells which one it is; none left is a fault.

use std::net::IpAddr;

use seatkeeper::domain::command::{Actor, Command, Role};
use seatkeeper::domain::denial::Denial;
use seatkeeper::domain::ledger::Ledger;
use seatkeeper::domain::reply::Reply;
use seatkeeper::domain::time::{self, Timestamp};
use seatkeeper::domain::timekeeper::ClockChange;
use seatkeeper_model::{Answer, Ask, GrantKind, Model, Now};

use crate::limits::Engaged;
use crate::reply::answer;
use crate::seen::{Meant, Seen};
use crate::tap::Rooms;
use crate::views::Catalogues;

/// What the server may hold.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) model: Model,
    pub(crate) catalogues: Catalogues,
    /// What was engaged since the start; nobody keeps it over a restart.
    engaged: Engaged,
}

/// A command as the writer got it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) actor: Actor,
    pub(crate) role: Role,
    pub(crate) command: Command,
}

/// What a command must be answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Told {
    /// By the rules.
    Rules(Answer),
    /// By something that stands before the rules.
    Denied(Denial),
    /// Something that is not compared here.
    Anything,
}

/// All states that may be.
#[derive(Debug)]
pub(crate) struct Judge {
    pub(crate) now: Vec<State>,
    durable: Vec<State>,
    /// States in the midst of what was done last that may be durable by themselves.
    pending: Vec<State>,
}

/// A round as it is decided.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// UTC seconds.
    pub(crate) calendar: u64,
    /// Seconds of the clock that only counts.
    pub(crate) counted: u64,
    /// What the store said of its room meanwhile.
    pub(crate) rooms: Rooms,
}

/// What is known of the writer's replies.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Heard<'a> {
    /// All of them.
    All(&'a [Reply]),
    /// None: the round failed. Its numbers are found out with the ledger as it was before.
    Nothing {
        /// That ledger.
        before: &'a Ledger,
    },
}

impl Judge {
    /// A server that is founded and knows its vendors.
    pub(crate) fn new(model: Model) -> Self {
        let state = State {
            model,
            catalogues: Catalogues::new(),
            engaged: Engaged::default(),
        };
        Self {
            now: vec![state.clone()],
            durable: vec![state],
            pending: Vec::new(),
        }
    }

    /// The state to make up asks by.
    pub(crate) fn model(&self) -> &Model {
        &self.now[0].model
    }

    /// The server starts over what is durable, and frees what is overdue. What it may be durable of that is pending.
    pub(crate) fn start(&mut self, survived: bool, moment: Moment) {
        self.settle(survived);
        let mut now = self.durable.clone();
        let mut pending = Vec::new();
        for state in &mut now {
            state.model.restart();
            state.engaged = Engaged::default();
            let before = state.clone();
            state.read(moment, &mut pending);
            // Dates that a reset did not come to are moved before anything is read.
            pending.push(before);
            let time = state.model.clock().now();
            state.model.free_overdue(time);
        }
        (self.now, self.pending) = (now, pending);
    }

    /// Decides a round as the rules do. Each reply that was heard must be what a state says; states that say otherwise are
    /// not the server's. What each was told, as the first state that is left says.
    pub(crate) fn round(&mut self, asked: &[Asked], heard: Heard<'_>, seen: &mut Seen, moment: Moment) -> Vec<Told> {
        let mut told = None;
        let (mut left, mut all_pending) = (Vec::new(), Vec::new());
        let mut fault = None;
        for mut state in std::mem::take(&mut self.now) {
            let mut pending = Vec::new();
            match state.round(asked, heard, seen, moment, &mut pending) {
                Ok(said) => {
                    told.get_or_insert(said);
                    all_pending.extend(pending);
                    left.push(state);
                }
                Err(error) => drop(fault.get_or_insert(error)),
            }
        }
        assert!(!left.is_empty(), "{}", fault.unwrap_or_default());
        (self.now, self.pending) = (left, all_pending);
        told.unwrap_or_default()
    }

    /// The clocks are read for the last time before a stop.
    pub(crate) fn finish(&mut self, moment: Moment) {
        let mut pending = Vec::new();
        for state in &mut self.now {
            state.read(moment, &mut pending);
        }
        self.pending = pending;
    }

    /// What was done went well. Whether anything of it is durable, and all of it.
    pub(crate) fn done(&mut self, some: bool, all: bool) {
        if all {
            self.durable.clone_from(&self.now);
        } else if some {
            // Refusals were noted behind the last commit.
            self.durable = std::mem::take(&mut self.pending);
        }
        self.pending.clear();
    }

    /// What was done did not go well. Where some of it is durable already, what was durable before is not what is there.
    pub(crate) fn failed(&mut self, some: bool) {
        if some {
            self.durable = self.whole_or_in_part();
        }
    }

    fn settle(&mut self, survived: bool) {
        if survived {
            self.durable = self.whole_or_in_part();
        }
        self.pending.clear();
    }

    fn whole_or_in_part(&self) -> Vec<State> {
        self.pending.iter().chain(&self.now).cloned().collect()
    }

    /// Keeps the states that agree with a view.
    pub(crate) fn keep(&mut self, mut agrees: impl FnMut(&State) -> Result<(), String>) {
        let mut fault = None;
        self.now.retain(|state| match agrees(state) {
            Ok(()) => true,
            Err(error) => {
                fault.get_or_insert(error);
                false
            }
        });
        assert!(!self.now.is_empty(), "{}", fault.unwrap_or_default());
    }
}

impl State {
    fn round(
        &mut self,
        asked: &[Asked],
        heard: Heard<'_>,
        seen: &mut Seen,
        moment: Moment,
        pending: &mut Vec<Self>,
    ) -> Result<Vec<Told>, String> {
        let mut scratch = match heard {
            Heard::All(_) => None,
            Heard::Nothing { before } => Some(before.clone()),
        };
        let rejected = self.read(moment, pending);
        self.model.free_overdue(self.time());
        if let Some(ledger) = &mut scratch {
            catch_up(ledger, rejected, domain(self.time()));
        }
        let mut said = Vec::new();
        for (place, one) in asked.iter().enumerate() {
            let sets_clock = matches!(one.command, Command::ClockAccept | Command::ClockReset);
            if sets_clock {
                pending.push(self.clone());
            }
            let now = domain(self.time());
            let reply = match heard {
                Heard::All(replies) => Some(&replies[place]),
                Heard::Nothing { .. } => None,
            };
            let (told, agrees) = self.decide(one, reply, scratch.as_mut(), seen, moment);
            if reply.is_some() && !agrees {
                return Err(format!(
                    "{:?} by {:?}\n  the model says:  {told:?}\n  the writer says: {reply:?}\n  at {now:?}",
                    one.command, one.actor
                ));
            }
            said.push(told);
            if sets_clock {
                pending.push(self.clone());
                // What follows is of another time, and nothing is overdue at it.
                self.model.free_overdue(self.time());
                if let Some(ledger) = &mut scratch {
                    let now = domain(self.time());
                    ledger.apply(Actor::Server, &Command::MendDates, now);
                    ledger.apply(Actor::Server, &Command::Reclaim, now);
                }
            }
        }
        Ok(said)
    }

    /// Reads both clocks; where that is recorded, the state is one that may be durable by itself. The mark at which a jump
    /// was rejected, if one was.
    fn read(&mut self, moment: Moment, pending: &mut Vec<Self>) -> Option<u64> {
        let before = self.model.clock().pending();
        let (_, transition) = self.model.read_clock(moment.calendar, moment.counted);
        let is_recorded =
            transition.rejected.is_some() || transition.accepted || self.model.clock().pending() != before;
        if is_recorded {
            pending.push(self.clone());
        }
        if transition.rejected.is_some() && self.model.clock().pending().is_some() {
            // That one jump is over is recorded before that another one has begun.
            let mut between = self.clone();
            between.model.forget_jump();
            pending.push(between);
        }
        transition.rejected.map(|(_, mark)| mark)
    }

    /// What a command must be answered, and whether it was.
    fn decide(
        &mut self,
        asked: &Asked,
        reply: Option<&Reply>,
        scratch: Option<&mut Ledger>,
        seen: &mut Seen,
        moment: Moment,
    ) -> (Told, bool) {
        let denied = reply.and_then(|reply| match reply {
            Reply::Denied(denied) => Some(denied.denial),
            _ => None,
        });
        let is = |denial: Denial| (Told::Denied(denial), denied == Some(denial));
        if !asked.may() {
            return is(Denial::NotAuthorized);
        }
        let meant = seen.meant(asked.actor, &asked.command, &self.model);
        let (identity, ask) = match meant {
            Meant::Rules(identity, ask) => (identity, ask),
            // Import of no key at all is full's business too.
            Meant::Nothing => return (Told::Anything, denied.is_none_or(|denial| denial == Denial::DiskFull)),
            Meant::Unclear => return (Told::Anything, reply.is_none() || denied.is_some()),
        };
        let engages = match &ask {
            Ask::Checkout(checkout) if self.model.would_engage(checkout) => Some(checkout.seat.mac),
            _ => None,
        };
        let takes_room = engages.is_some() || asked.command.grows();
        let is_full = match moment.rooms {
            Rooms { short: false, .. } => false,
            Rooms { enough: false, .. } => true,
            // It changed in the midst of the round, which has several commits then.
            Rooms { .. } => denied == Some(Denial::DiskFull),
        };
        if is_full && takes_room {
            return is(Denial::DiskFull);
        }
        let source = asked.source();
        if let Some(retry_secs) = engages.and_then(|mac| self.engaged.wait(identity, mac, source?, moment.counted)) {
            return is(Denial::SlowDown { retry_secs });
        }
        let now = self.time();
        let decided = self.model.decide(identity, &ask, now);
        // Behind what stands before the rules: that changes nothing there either.
        let lost = scratch.map(|ledger| ledger.apply(asked.actor, &asked.command, domain(now)).0);
        self.remember(&ask, &decided);
        if let Some(Denial::DiskFull | Denial::SlowDown { .. } | Denial::NotAuthorized | Denial::AmbiguousProduct) =
            denied
        {
            return (Told::Rules(decided), false);
        }
        let expected = crate::reply::comparable(&decided);
        let agrees = reply.is_none_or(|reply| answer(&ask, reply) == expected);
        if agrees && let Answer::Seat { kind, .. } = &decided {
            let number = match reply.or(lost.as_ref()) {
                Some(Reply::Seat(grant)) => (grant.continuation != 0).then_some(grant.continuation),
                other => panic!("{ask:?} is granted, and the number is in {other:?}"),
            };
            self.model.told(number);
            if let (Some(mac), Some(source), false) = (engages, source, matches!(kind, GrantKind::Renewed)) {
                self.engaged.note(identity, mac, source, moment.counted);
            }
        }
        (Told::Rules(decided), agrees)
    }

    fn remember(&mut self, ask: &Ask, decided: &Answer) {
        if let (
            Ask::ImportCatalogue {
                vendor,
                version,
                products,
            },
            Answer::CatalogueImported(_),
        ) = (ask, decided)
        {
            self.catalogues.insert(*vendor, (*version, products.clone()));
        }
    }

    /// The time of the last reading.
    pub(crate) fn time(&self) -> Now {
        self.model.clock().now()
    }
}

/// A time in the server's words.
pub(crate) const fn domain(now: Now) -> time::Now {
    time::Now {
        steady: Timestamp(now.steady),
        calendar: Timestamp(now.calendar),
    }
}

/// What a round does before it decides anything.
fn catch_up(ledger: &mut Ledger, rejected: Option<u64>, now: time::Now) {
    let jump = ledger.clock().and_then(|clock| clock.jump);
    if let (Some(mark), Some(jump)) = (rejected.map(Timestamp), jump) {
        let change = ClockChange::Rejected { jump, mark };
        ledger.apply(Actor::Server, &Command::NoteClock(change), now);
    }
    ledger.apply(Actor::Server, &Command::Reclaim, now);
}

impl Asked {
    fn may(&self) -> bool {
        self.actor == Actor::Server || self.command.roles().iter().any(|least| self.role.includes(*least))
    }

    fn source(&self) -> Option<IpAddr> {
        match self.actor {
            Actor::Peer { address, .. } => Some(address),
            Actor::Server => None,
        }
    }
}

//! The reference model beside the server: what the server may hold, and what may be durable of it.
//!
//! After a cut in the midst of a round that has several commits (one that sets the clock) more than one state may be
//! durable. All of them are followed until an answer or a view tells which one it is; none left is a fault. Once
//! everybody is answered only what no answer speaks against may be: see [`Trail`].

use std::net::IpAddr;

use seatkeeper::domain::command::{Actor, Command};
use seatkeeper::domain::denial::Denial;
use seatkeeper::domain::ledger::Ledger;
use seatkeeper::domain::reply::Reply;
use seatkeeper::domain::time::{self, Timestamp};
use seatkeeper::domain::timekeeper::ClockChange;
use seatkeeper_model::{Answer, Ask, Freed, GrantKind, Model, Now, Role};

use crate::gate;
use crate::limits::Engaged;
use crate::reply::answer;
use crate::seen::{Meant, Seen};
use crate::tap::Rooms;
use crate::trail::Trail;
use crate::views::Catalogues;

/// What the server may hold.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) model: Model,
    pub(crate) catalogues: Catalogues,
    /// What was engaged since the start; nobody keeps it over a restart.
    engaged: Engaged,
    /// How it came about since everybody was answered last.
    trail: Trail,
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

/// What is durable of something that went well.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kept {
    /// All of it, the last of it at this time.
    All(time::Now),
    /// It has commits, but refusals were noted behind the last one.
    Some,
    /// Nothing was committed.
    Nothing,
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
            trail: Trail::default(),
        };
        Self {
            now: vec![state.clone()],
            durable: vec![state],
        }
    }

    /// The state to make up asks by.
    pub(crate) fn model(&self) -> &Model {
        &self.now[0].model
    }

    /// The server starts over what is durable, at the `mark` that is, and frees what is overdue.
    pub(crate) fn start(&mut self, survived: bool, mark: Timestamp, moment: Moment) {
        if survived {
            self.durable = self.whole_or_in_part();
        }
        let times: Vec<_> = self.durable.iter().map(State::time).collect();
        self.durable.retain(|state| state.time().steady == mark.0);
        assert!(
            !self.durable.is_empty(),
            "{mark:?} is durable, and it is none of {times:?}"
        );
        self.now.clone_from(&self.durable);
        for state in &mut self.now {
            state.model.restart();
            state.engaged = Engaged::default();
            // Dates that a reset did not come to are moved before anything is read.
            state.may_be_durable();
            state.read(moment);
            state.free_overdue();
        }
    }

    /// Decides a round as the rules do. Each reply that was heard must be what a state says; states that say otherwise are
    /// not the server's. What each was told, as the first state that is left says.
    pub(crate) fn round(&mut self, asked: &[Asked], heard: Heard<'_>, seen: &mut Seen, moment: Moment) -> Vec<Told> {
        let mut told = None;
        let mut left = Vec::new();
        let mut fault = None;
        for mut state in std::mem::take(&mut self.now) {
            match state.round(asked, heard, seen, moment) {
                Ok(said) => {
                    told.get_or_insert(said);
                    left.push(state);
                }
                Err(error) => drop(fault.get_or_insert(error)),
            }
        }
        assert!(!left.is_empty(), "{}", fault.unwrap_or_default());
        self.now = left;
        told.unwrap_or_default()
    }

    /// The clocks are read for the last time before a stop.
    pub(crate) fn finish(&mut self, moment: Moment) {
        for state in &mut self.now {
            state.read(moment);
        }
    }

    /// The server stopped in good order: all that it had is durable.
    pub(crate) fn end(&mut self) {
        self.durable = self.now.iter().map(State::alone).collect();
    }

    /// What was done went well, and everybody hears of it: what had to be durable is. States that say otherwise are not
    /// the server's.
    pub(crate) fn done(&mut self, kept: Kept) {
        let before = self.now.len();
        match kept {
            Kept::All(now) => self.now.retain(|state| domain(state.time()) == now),
            Kept::Some => self.now.retain(|state| state.trail.may_end_in_part()),
            Kept::Nothing => self.now.retain(|state| !state.trail.is_owed()),
        }
        assert!(
            !self.now.is_empty(),
            "answered, and not durable: {kept:?} of {before} states"
        );
        match kept {
            Kept::All(_) => self.durable = self.now.iter().map(State::alone).collect(),
            // Refusals were noted behind the last commit.
            Kept::Some => self.durable = self.now.iter().flat_map(|state| state.trail.ends()).cloned().collect(),
            Kept::Nothing => {}
        }
        for state in &mut self.now {
            state.trail = Trail::default();
        }
    }

    /// What was done did not go well. Where some of it is durable already, what was durable before is not what is there.
    pub(crate) fn failed(&mut self, some: bool) {
        if some {
            self.durable = self.whole_or_in_part();
        }
    }

    fn whole_or_in_part(&self) -> Vec<State> {
        let parts = self.now.iter().flat_map(|state| state.trail.parts());
        parts.cloned().chain(self.now.iter().map(State::alone)).collect()
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
    ) -> Result<Vec<Told>, String> {
        let mut scratch = match heard {
            Heard::All(_) => None,
            Heard::Nothing { before } => Some(before.clone()),
        };
        let rejected = self.read(moment);
        self.free_overdue();
        if let Some(ledger) = &mut scratch {
            catch_up(ledger, rejected, domain(self.time()));
        }
        let mut said = Vec::new();
        for (place, one) in asked.iter().enumerate() {
            let sets_clock = matches!(one.command, Command::ClockAccept | Command::ClockReset);
            if sets_clock {
                self.may_be_durable();
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
            let is_set = matches!(told, Told::Rules(Answer::ClockMoved));
            said.push(told);
            if is_set {
                self.is_durable();
                // What follows is of another time, and nothing is overdue at it.
                self.free_overdue();
                if let Some(ledger) = &mut scratch {
                    let now = domain(self.time());
                    ledger.apply(Actor::Server, &Command::MendDates, now);
                    ledger.apply(Actor::Server, &Command::Reclaim, now);
                }
            }
        }
        Ok(said)
    }

    /// Reads both clocks; what is recorded of that is durable by itself. The mark at which a jump was rejected, if one was.
    fn read(&mut self, moment: Moment) -> Option<u64> {
        let was_pending = self.model.clock().pending().is_some();
        let (_, transition) = self.model.read_clock(moment.calendar, moment.counted);
        if transition.rejected.is_some() && self.model.clock().pending().is_some() {
            // That one jump is over is recorded before that another one has begun.
            let mut between = self.alone();
            between.model.forget_jump();
            self.trail.may_end_at(between);
        }
        // A jump that a start finds pending goes on, and nothing of that is recorded.
        let has_begun = self.model.clock().pending().is_some() && !was_pending;
        let is_recorded = transition.rejected.is_some() || transition.accepted || has_begun;
        if is_recorded {
            self.is_durable();
        }
        transition.rejected.map(|(_, mark)| mark)
    }

    fn free_overdue(&mut self) {
        if self.model.free_overdue(self.time()) != Freed::default() {
            self.trail.owe();
        }
    }

    /// This state without how it came about.
    fn alone(&self) -> Self {
        Self {
            model: self.model.clone(),
            catalogues: self.catalogues.clone(),
            engaged: self.engaged.clone(),
            trail: Trail::default(),
        }
    }

    /// A commit may end here.
    fn may_be_durable(&mut self) {
        let part = self.alone();
        self.trail.may_end_at(part);
    }

    /// A commit ends here, and no answer leaves before it.
    fn is_durable(&mut self) {
        self.trail.owe();
        self.may_be_durable();
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
        let meant = seen.meant(asked.actor, &asked.command, &self.model);
        if asked.actor != Actor::Server && asked.role < gate::least_role(&meant, &asked.command) {
            return is(Denial::NotAuthorized);
        }
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
        // By what the store said; what needs room is the judge's own list.
        let is_full = match moment.rooms {
            Rooms { short: false, .. } => false,
            Rooms { enough: false, .. } => true,
            // It changed in the midst of the round, which has several commits then.
            Rooms { .. } => denied == Some(Denial::DiskFull),
        };
        if is_full && gate::needs_room(identity, &ask, &self.model, self.time()) {
            return is(Denial::DiskFull);
        }
        let source = asked.source();
        if let Some(retry_secs) = engages.and_then(|mac| self.engaged.wait(identity, mac, source?, moment.counted)) {
            return is(Denial::SlowDown { retry_secs });
        }
        let now = self.time();
        let before = self.model.clone();
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
        // A refusal may leave a note, which waits for the next commit (rule V3).
        if !matches!(decided, Answer::Denied { .. }) && !self.model.holds_the_same_as(&before) {
            self.trail.owe();
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
    fn source(&self) -> Option<IpAddr> {
        match self.actor {
            Actor::Peer { address, .. } => Some(address),
            Actor::Server => None,
        }
    }
}

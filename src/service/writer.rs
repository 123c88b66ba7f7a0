mod explain;

use std::net::IpAddr;

use thiserror::Error;

use super::enrolment::{Enrolment, Gate};
use super::facts::Facts;
use super::limiter::{NewSeatLimiter, NewSeatLimits};
use super::narrate;
use super::refusals::Refusals;
use super::settings::Settings;
use crate::domain::change::{Change, Fact};
use crate::domain::command::{Actor, Checkout, Command};
use crate::domain::denial::{Denial, Denied, Subject};
use crate::domain::event_log::{EventPlace, EventsPage, EventsRead};
use crate::domain::ids::{Fingerprint, Mac};
use crate::domain::ledger::{AuditError, Ledger};
use crate::domain::reply::{GrantKind, RECLAIM_MAX, Reply};
use crate::domain::time::{Monotonic, Now, Reading, Timestamp};
use crate::domain::timekeeper::{ClockChange, Standing, Timekeeper};
use crate::store::{Chronicle, Progress, Room, Round, Store, StoreError};

/// Who asks what.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who asks.
    pub actor: Actor,
    /// What.
    pub command: Command,
}

/// Why the server cannot start with what is on disk.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The records are readable, but contradict each other.
    #[error(
        "the data directory holds what cannot be; restore a backup of it (`seatkeeper restore`), or ask for help with the \
         directory as it is"
    )]
    Audit(#[from] AuditError),
    /// The records cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Owns the ledger and its store; nobody else writes either.
#[derive(Debug)]
pub struct Writer<S> {
    ledger: Ledger,
    store: S,
    number: u64,
    limiter: NewSeatLimiter,
    gate: Gate,
    timekeeper: Timekeeper,
    /// Whether it was told that the clock is set back, so that it is told once.
    set_back: bool,
    /// What refusals noted and no commit has taken along yet: a refusal causes no disk sync of its own (rule V3).
    noted: Vec<Change>,
    /// The refusals themselves, until they are events.
    refusals: Refusals,
    /// The time of the last decision.
    decided_at: Now,
    checkpoint: Progress,
    facts_changed: bool,
    /// Whether nothing follows what is being committed.
    is_ending: bool,
}

/// Notes of refusals that wait for a commit, at most; then they are committed by themselves.
const NOTED_MAX: usize = 1_024;

impl<S: Store> Writer<S> {
    /// Loads what is on disk and checks it. Time goes on from the newest that is there.
    ///
    /// # Errors
    /// A record is unreadable, or the ledger contradicts itself: the start stops.
    pub fn load(mut store: S, limits: NewSeatLimits) -> Result<Self, StartError> {
        let mut ledger = Ledger::default();
        let loaded = store.load(&mut |fact| ledger.record(&fact))?;
        ledger.audit()?;
        let timekeeper = Timekeeper::start(ledger.clock(), loaded.now.map(|now| now.steady));
        Ok(Self {
            ledger,
            store,
            number: loaded.round,
            limiter: NewSeatLimiter::new(limits),
            gate: Gate::new(Enrolment::default()),
            timekeeper,
            set_back: false,
            noted: Vec::new(),
            refusals: Refusals::default(),
            decided_at: loaded.now.unwrap_or_default(),
            checkpoint: Progress::Resting,
            facts_changed: true,
            is_ending: false,
        })
    }

    /// Serves whom the site's configuration says; whoever connects, unless this is called.
    #[must_use]
    pub fn serving(self, policy: Enrolment) -> Self {
        Self {
            gate: Gate::new(policy),
            ..self
        }
    }

    /// Goes by other settings from now on. What was decided stays, and who engaged new seats lately is remembered.
    pub fn configure(&mut self, settings: &Settings) {
        let Settings {
            new_seats,
            enrolment,
            wrong_tokens,
            checkpoint_bytes,
            retention,
        } = *settings;
        self.limiter.set_limits(new_seats);
        self.gate.set_policy(enrolment, wrong_tokens);
        self.store.keep(checkpoint_bytes, retention);
    }

    /// Frees everything that is overdue. To be done before the port opens (rule S6).
    ///
    /// # Errors
    /// The store failed: what is on disk is unknown, the process must stop.
    pub fn reclaim(&mut self, reading: Reading) -> Result<(), StoreError> {
        // A reset may have been interrupted: dates that it did not come to are after the time that it made.
        let mark = self.timekeeper.state().mark;
        if self.ledger.clock().is_some() {
            let then = Now {
                steady: mark,
                calendar: mark,
            };
            self.apply_all(Actor::Server, &Command::MendDates, then)?;
        }
        let now = self.observe(reading)?;
        let left = self.reclaim_full_rounds(now)?;
        self.commit(left, now)
    }

    /// Decides requests in their order, all at one time, and makes what was decided durable before it returns. Limits go
    /// by the counting clock: they go on while the calendar stands still.
    ///
    /// # Errors
    /// The store failed: nobody may be answered, and the process must stop (invariant 5).
    pub fn round(&mut self, requests: &[Request], reading: Reading) -> Result<Vec<Reply>, StoreError> {
        let mut now = self.observe(reading)?;
        let mut changes = self.reclaim_full_rounds(now)?;
        let mut is_granted = !changes.is_empty();
        let mut replies = Vec::with_capacity(requests.len());
        for request in requests {
            if matches!(request.command, Command::ClockAccept | Command::ClockReset) {
                // What was decided so far is of the time before; what follows is of the time after, reclaimed first.
                self.commit(std::mem::take(&mut changes), now)?;
                let reply;
                (reply, now) = self.set_clock(request, reading, now)?;
                changes = self.reclaim_full_rounds(now)?;
                is_granted = !changes.is_empty();
                replies.push(reply);
                continue;
            }
            let (mut reply, decided) = self.decide(request, now, reading.counted);
            if let Reply::Status(status) = &mut reply {
                status.needs_enrolment = self.gate.is_closed();
                status.clock = Some((now.steady, self.timekeeper.standing(reading)));
                status.checkpoint = self.store.checkpointed();
                status.disk_left = match self.store.room() {
                    Room::Enough => None,
                    Room::Short { left } => Some(left),
                };
            }
            if let Reply::Explained(explanation) = &mut reply {
                self.prepend(explanation, now, reading);
            }
            self.refusals.note(&self.ledger, request, &reply, now.latest());
            is_granted |= !decided.is_empty() && !matches!(reply, Reply::Denied(_));
            changes.extend(decided);
            replies.push(reply);
        }
        if is_granted || self.noted.len() + changes.len() >= NOTED_MAX {
            self.commit(changes, now)?;
        } else {
            self.noted.append(&mut changes);
        }
        self.fill_in_events(requests, &mut replies);
        Ok(replies)
    }

    /// Tells who reads events how far they are durable by now, and what is not written yet.
    fn fill_in_events(&self, requests: &[Request], replies: &mut [Reply]) {
        for (request, reply) in requests.iter().zip(replies) {
            match (&request.command, reply) {
                (Command::Events(page), Reply::Events(read)) => {
                    **read = self.counted(page);
                    read.through = self.number;
                }
                (Command::EventsVerify(_), Reply::EventsVerified(read)) => read.through = self.number,
                _ => {}
            }
        }
    }

    /// The refusals that are still counted, each with its place among them.
    fn counted(&self, page: &EventsPage) -> EventsRead {
        let skipped = match page.after {
            Some(EventPlace {
                round: EventPlace::COUNTED,
                index,
            }) => index.saturating_add(1),
            // They come first where the newest do.
            Some(_) if page.newest_first => return EventsRead::default(),
            _ => 0,
        };
        let (events, more) = self.refusals.page(page, usize::try_from(skipped).unwrap_or(usize::MAX));
        let place = |index| EventPlace {
            round: EventPlace::COUNTED,
            index,
        };
        let rows: Vec<_> = (skipped..).map(place).zip(events).collect();
        EventsRead {
            next: rows.last().map(|(place, _)| *place),
            rows,
            more,
            ..EventsRead::default()
        }
    }

    /// Makes durable what refusals noted, and the time; for the end.
    ///
    /// # Errors
    /// The store failed: what is on disk is unknown, the process must stop.
    pub fn finish(&mut self, reading: Reading) -> Result<(), StoreError> {
        self.store.ending();
        self.is_ending = true;
        let now = self.observe(reading)?;
        self.apply_all(Actor::Server, &Command::KeepTime(0), now)?;
        self.store.seal()
    }

    /// Goes on with a checkpoint, or starts one where it is due; to be called between rounds.
    ///
    /// # Errors
    /// The store failed: nobody may be answered, and the process must stop (invariant 5). A checkpoint that fails is
    /// none of it: the store tells it and tries again.
    pub fn checkpoint(&mut self) -> Result<Progress, StoreError> {
        // A portion must hold nothing that is not in the journal. What begins or ends a checkpoint takes none.
        let takes_portion = matches!(self.checkpoint, Progress::Going | Progress::Waiting);
        if takes_portion && !self.noted.is_empty() {
            self.commit(Vec::new(), self.decided_at)?;
        }
        self.checkpoint = self.store.checkpoint(&self.ledger);
        Ok(self.checkpoint)
    }

    /// Has `wake` called when a checkpoint that waits can go on.
    pub fn on_progress(&mut self, wake: Box<dyn Fn() + Send>) {
        self.store.on_progress(wake);
    }

    /// The published facts, if they changed since this was last asked.
    pub fn take_facts(&mut self) -> Option<Facts> {
        std::mem::take(&mut self.facts_changed).then(|| Facts::of(&self.ledger))
    }

    /// A reader of the events that are durable, where the store keeps them.
    pub fn chronicle(&self) -> Option<Chronicle> {
        self.store.chronicle()
    }

    /// The number of the last round.
    pub const fn last_round(&self) -> u64 {
        self.number
    }

    /// When it was decided; nothing before the first.
    pub fn last_round_at(&self) -> Option<Timestamp> {
        (self.number > 0).then(|| self.decided_at.latest())
    }

    /// The ledger, to look at.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The time of this reading (rule T2), after what it changed was noted.
    fn observe(&mut self, reading: Reading) -> Result<Now, StoreError> {
        let (now, changes) = self.timekeeper.observe(reading);
        self.decided_at = now;
        for change in changes {
            self.apply_all(Actor::Server, &Command::NoteClock(change), now)?;
            if matches!(change, ClockChange::Accepted(_)) {
                // The calendar may have been further ahead while the jump was pending.
                self.apply_all(Actor::Server, &Command::MendDates, now)?;
            }
        }
        let standing = self.timekeeper.standing(reading);
        let was_set_back = std::mem::replace(&mut self.set_back, matches!(standing, Standing::SetBack { .. }));
        match standing {
            Standing::SetBack { secs } if !was_set_back => narrate::clock_set_back(secs),
            Standing::Fine | Standing::Jumped { .. } if was_set_back => narrate::clock_caught_up(),
            _ => {}
        }
        Ok(now)
    }

    /// An administrator sets the time: the answer, and the time from then on.
    fn set_clock(&mut self, request: &Request, reading: Reading, now: Now) -> Result<(Reply, Now), StoreError> {
        let Request { actor, command } = request;
        let (reply, changes) = self.ledger.apply(*actor, command, now);
        if !matches!(reply, Reply::Done) {
            return Ok((reply, now));
        }
        let after = match command {
            Command::ClockReset => self.timekeeper.reset(reading),
            // The ledger knows that a jump is pending from the timekeeper alone.
            _ => self.timekeeper.accept(reading).map_or(now, |(now, _)| now),
        };
        // Written with the time from then on, or a start would go on from the time before.
        self.commit(changes, after)?;
        self.decided_at = after;
        self.apply_all(Actor::Server, &Command::MendDates, after)?;
        Ok((reply, after))
    }

    /// Decides a command that may move many dates, a portion at a time, and makes all of it durable.
    fn apply_all(&mut self, actor: Actor, command: &Command, now: Now) -> Result<(), StoreError> {
        loop {
            let (reply, changes) = self.ledger.apply(actor, command, now);
            self.commit(changes, now)?;
            if !matches!(reply, Reply::Unfinished) {
                return Ok(());
            }
        }
    }

    /// Reclaims until less than a full portion is left, and hands that portion to be committed with what follows.
    fn reclaim_full_rounds(&mut self, now: Now) -> Result<Vec<Change>, StoreError> {
        loop {
            let (reply, changes) = self.ledger.apply(Actor::Server, &Command::Reclaim, now);
            if !matches!(reply, Reply::Reclaimed(count) if count == RECLAIM_MAX) {
                return Ok(changes);
            }
            self.commit(changes, now)?;
        }
    }

    fn decide(&mut self, request: &Request, now: Now, at: Monotonic) -> (Reply, Vec<Change>) {
        let Request { actor, command } = request;
        if let Some(denied) = self.gate.refuses(&self.ledger, *actor, command, at) {
            return (Reply::Denied(denied), Vec::new());
        }
        let (Actor::Peer { identity, address }, Command::Checkout(checkout)) = (actor, command) else {
            // What the server asks of itself goes on as long as there is any room.
            let is_refused = *actor != Actor::Server && self.has_no_room_for(command, now);
            if is_refused && self.ledger.may(*actor, command) {
                return (Reply::Denied(Denial::DiskFull.into()), Vec::new());
            }
            let (reply, changes) = match command {
                Command::Explain(ask) => self.explain(*actor, ask, now),
                _ => self.ledger.apply(*actor, command, now),
            };
            self.gate.note(*actor, &reply, at);
            return (reply, changes);
        };
        let mac = checkout.key.mac;
        if let Some(denied) = self.turns_away(*identity, *address, checkout, at) {
            return (Reply::Denied(denied), Vec::new());
        }
        let (reply, changes) = self.ledger.apply(*actor, command, now);
        if let Reply::Denied(denied) = &reply {
            tracing::debug!(%mac, product = %checkout.key.product, denial = ?denied.denial, "checkout refused");
        }
        if matches!(&reply, Reply::Seat(grant) if !matches!(grant.kind, GrantKind::Renewed)) {
            self.limiter.note(*identity, mac, *address, at);
        }
        (reply, changes)
    }

    /// The refusal that a checkout meets which would engage a seat that may not be, whatever the rules say.
    fn turns_away(
        &mut self,
        identity: Fingerprint,
        address: IpAddr,
        checkout: &Checkout,
        at: Monotonic,
    ) -> Option<Denied> {
        if !self.ledger.would_engage(checkout) {
            return None;
        }
        let denial = self.admit(identity, checkout.key.mac, address, at).err()?;
        let subject = Subject {
            product: Some(checkout.key.product),
            component: Some(checkout.component),
            mac: Some(checkout.key.mac),
            serial: None,
        };
        Some(Denied {
            subject,
            ..denial.into()
        })
    }

    /// Whether a new seat may be engaged, whatever the rules say: there is room for it, and not too many come at once.
    fn admit(&mut self, identity: Fingerprint, mac: Mac, address: IpAddr, at: Monotonic) -> Result<(), Denial> {
        if self.is_full() {
            return Err(Denial::DiskFull);
        }
        let limited = self.limiter.check(identity, mac, address, at);
        limited.map_err(|retry_secs| Denial::SlowDown { retry_secs })
    }

    /// Whether the disk is full and this would put on it what is not there yet.
    fn has_no_room_for(&self, command: &Command, now: Now) -> bool {
        match command {
            Command::Commit(settle) => self.is_full() && self.ledger.would_give_anew(settle, now),
            _ => command.grows() && self.is_full(),
        }
    }

    fn is_full(&self) -> bool {
        matches!(self.store.room(), Room::Short { .. })
    }

    /// Makes changes durable, behind what refusals noted before.
    fn commit(&mut self, changes: Vec<Change>, now: Now) -> Result<(), StoreError> {
        let mut all = std::mem::take(&mut self.noted);
        all.extend(changes);
        if all.is_empty() && self.is_ending && !self.refusals.is_empty() {
            // Nothing else follows that they could ride with: the time is written once more as it is.
            all.extend(self.ledger.clock().map(|clock| Fact::ClockPut(clock).into()));
        }
        let Some(last) = all.last_mut() else {
            return Ok(());
        };
        // On a full disk what is left is for what goes on.
        if !self.is_full() {
            last.events.extend(if self.is_ending {
                self.refusals.take_all()
            } else {
                self.refusals.take_over(now.latest())
            });
        }
        self.store.commit(&Round {
            number: self.number + 1,
            now,
            changes: &all,
        })?;
        self.number += 1;
        narrate::events(&all);
        self.facts_changed |= all.iter().any(Facts::are_touched_by);
        Ok(())
    }
}

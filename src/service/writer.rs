use thiserror::Error;

use super::facts::Facts;
use super::limiter::{NewSeatLimiter, NewSeatLimits};
use super::narrate;
use crate::domain::change::Change;
use crate::domain::command::{Actor, Command};
use crate::domain::denial::{Denial, Denied, Subject};
use crate::domain::ledger::{AuditError, Ledger};
use crate::domain::reply::{GrantKind, RECLAIM_MAX, Reply};
use crate::domain::time::{Monotonic, Now, Reading};
use crate::domain::timekeeper::{ClockChange, Standing, Timekeeper};
use crate::store::{Round, Store, StoreError};

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
    #[error("the data directory holds what cannot be; restore a backup, or ask for help with the directory as it is")]
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
    timekeeper: Timekeeper,
    /// Whether it was told that the clock is set back, so that it is told once.
    set_back: bool,
    facts_changed: bool,
}

impl<S: Store> Writer<S> {
    /// Loads what is on disk and checks it. Time goes on from the newest that is there.
    ///
    /// # Errors
    /// A record is unreadable, or the ledger contradicts itself: the start stops.
    pub fn load(mut store: S, limits: NewSeatLimits) -> Result<Self, StartError> {
        let mut ledger = Ledger::default();
        let loaded = store.load(&mut |fact| ledger.record(&fact))?;
        ledger.audit()?;
        // The ledger says nothing of the clock yet; what it says of it goes in here.
        let clock_state = None;
        let timekeeper = Timekeeper::start(clock_state, loaded.now.map(|now| now.steady));
        Ok(Self {
            ledger,
            store,
            number: loaded.round,
            limiter: NewSeatLimiter::new(limits),
            timekeeper,
            set_back: false,
            facts_changed: true,
        })
    }

    /// Frees everything that is overdue. To be done before the port opens (rule S6).
    ///
    /// # Errors
    /// The store failed: what is on disk is unknown, the process must stop.
    pub fn reclaim(&mut self, reading: Reading) -> Result<(), StoreError> {
        let now = self.observe(reading);
        let left = self.reclaim_full_rounds(now)?;
        self.commit(&left, now)
    }

    /// Decides requests in their order, all at one time, and makes what was decided durable before it returns. Limits go
    /// by the counting clock: they go on while the calendar stands still.
    ///
    /// # Errors
    /// The store failed: nobody may be answered, and the process must stop (invariant 5).
    pub fn round(&mut self, requests: &[Request], reading: Reading) -> Result<Vec<Reply>, StoreError> {
        let now = self.observe(reading);
        let mut changes = self.reclaim_full_rounds(now)?;
        let mut replies = Vec::with_capacity(requests.len());
        for request in requests {
            let (reply, decided) = self.decide(request, now, reading.counted);
            changes.extend(decided);
            replies.push(reply);
        }
        self.commit(&changes, now)?;
        Ok(replies)
    }

    /// The published facts, if they changed since this was last asked.
    pub fn take_facts(&mut self) -> Option<Facts> {
        std::mem::take(&mut self.facts_changed).then(|| Facts::of(&self.ledger))
    }

    /// The ledger, to look at.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The time of this reading (rule T2), after what it changed was noted.
    fn observe(&mut self, reading: Reading) -> Now {
        let (now, changes) = self.timekeeper.observe(reading);
        for change in changes {
            self.note(change);
        }
        let standing = self.timekeeper.standing(reading);
        let was_set_back = std::mem::replace(&mut self.set_back, matches!(standing, Standing::SetBack { .. }));
        match standing {
            Standing::SetBack { secs } if !was_set_back => narrate::clock_set_back(secs),
            Standing::Fine | Standing::Jumped { .. } if was_set_back => narrate::clock_caught_up(),
            _ => {}
        }
        now
    }

    /// What a jump of the clock leaves behind.
    #[expect(
        clippy::unused_self,
        reason = "what is recorded of it goes through the writer's ledger"
    )]
    fn note(&mut self, change: ClockChange) {
        narrate::clock_change(change);
    }

    /// Reclaims until less than a full portion is left, and hands that portion to be committed with what follows.
    fn reclaim_full_rounds(&mut self, now: Now) -> Result<Vec<Change>, StoreError> {
        loop {
            let (reply, changes) = self.ledger.apply(Actor::Server, &Command::Reclaim, now);
            if !matches!(reply, Reply::Reclaimed(count) if count == RECLAIM_MAX) {
                return Ok(changes);
            }
            self.commit(&changes, now)?;
        }
    }

    fn decide(&mut self, request: &Request, now: Now, at: Monotonic) -> (Reply, Vec<Change>) {
        let Request { actor, command } = request;
        let (Actor::Peer { identity, address }, Command::Checkout(checkout)) = (actor, command) else {
            return self.ledger.apply(*actor, command, now);
        };
        let mac = checkout.key.mac;
        if self.ledger.would_engage(checkout)
            && let Err(retry_secs) = self.limiter.check(*identity, mac, *address, at)
        {
            let subject = Subject {
                product: Some(checkout.key.product),
                component: Some(checkout.component),
                mac: Some(mac),
                serial: None,
            };
            let denied = Denied {
                subject,
                ..Denial::SlowDown { retry_secs }.into()
            };
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

    fn commit(&mut self, changes: &[Change], now: Now) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.store.commit(&Round {
            number: self.number + 1,
            now,
            changes,
        })?;
        self.number += 1;
        narrate::events(changes);
        self.facts_changed |= changes.iter().any(Facts::are_touched_by);
        Ok(())
    }
}

//! Turns away who did not enrol, where a site has agents enrol by token, and slows down who guesses tokens.
//!
//! The policy is configuration: the ledger knows tokens and whom they enrolled, and decides the same whatever it is.

use std::net::IpAddr;

use super::limiter::Recent;
use crate::domain::command::{Actor, Command, Role};
use crate::domain::denial::{Denial, Denied, Subject};
use crate::domain::ledger::Ledger;
use crate::domain::reply::Reply;
use crate::domain::source::source_of;
use crate::domain::time::Monotonic;

/// Whom a server serves as an agent. A site's configuration says it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Enrolment {
    /// Whoever connects.
    #[default]
    Open,
    /// Who has a role, was enrolled with a token, or holds already what it asks for.
    Token,
}

/// Wrong tokens that one source (IPv4 address, IPv6 /64) may bring in a minute, unless a site changes it.
pub const WRONG_TOKENS_PER_SOURCE: u32 = 10;

const MINUTE_MS: u64 = 60_000;

/// Keeps to the policy. What it remembers of guessers is not durable: a restart forgives.
#[derive(Debug)]
pub(super) struct Gate {
    policy: Enrolment,
    wrong_max: u32,
    wrong: Recent<IpAddr, ()>,
}

impl Gate {
    pub(super) const fn new(policy: Enrolment) -> Self {
        Self {
            policy,
            wrong_max: WRONG_TOKENS_PER_SOURCE,
            wrong: Recent::new(MINUTE_MS),
        }
    }

    /// Keeps to another policy from now on, and lets a source bring so many wrong tokens in a minute.
    pub(super) const fn set_policy(&mut self, policy: Enrolment, wrong_max: u32) {
        self.policy = policy;
        self.wrong_max = wrong_max;
    }

    /// Whether agents have to enrol.
    pub(super) fn is_closed(&self) -> bool {
        self.policy == Enrolment::Token
    }

    /// The refusal that a command meets before the ledger is asked, if it meets one. What needs more than the role of an
    /// agent is the ledger's to judge, by the role.
    pub(super) fn refuses(
        &mut self,
        ledger: &Ledger,
        actor: Actor,
        command: &Command,
        at: Monotonic,
    ) -> Option<Denied> {
        let Actor::Peer { identity, address } = actor else {
            return None;
        };
        if matches!(command, Command::Enrol { .. }) {
            self.wrong.forget_before(at);
            let room = self.wrong.room(&source_of(address), self.wrong_max, at);
            return room
                .err()
                .map(|retry_secs| Denial::TooManyWrongTokens { retry_secs }.into());
        }
        let is_agents = command.roles().contains(&Role::Agent);
        if self.policy == Enrolment::Open || !is_agents || ledger.serves(&identity, command) {
            return None;
        }
        tracing::debug!(%identity, %address, "not enrolled");
        Some(Denied {
            subject: subject_of(command),
            ..Denial::EnrolmentRequired.into()
        })
    }

    /// Remembers whose token was wrong.
    pub(super) fn note(&mut self, actor: Actor, reply: &Reply, at: Monotonic) {
        if let (Actor::Peer { address, .. }, Reply::Denied(denied)) = (actor, reply)
            && denied.denial == Denial::TokenRefused
        {
            self.wrong.add(source_of(address), (), at);
        }
    }
}

fn subject_of(command: &Command) -> Subject {
    let (key, component) = match command {
        Command::Checkout(asked) => (asked.key, asked.component),
        Command::Release(asked) => (asked.key, asked.component),
        _ => return Subject::default(),
    };
    Subject {
        product: Some(key.product),
        component: Some(component),
        mac: Some(key.mac),
        serial: None,
    }
}

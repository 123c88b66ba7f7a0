//! Which identity a component is bound to, and how copies show themselves (rule I7).

use crate::state::ConflictKind;
use crate::words::{DAY, Identity};

/// An identity that came back is compared with so many that lost their place last.
const DISPLACED_MAX: usize = 4;

/// The days for which an identity that took another one's place cannot release.
const REBOUND_SECS: u64 = 30 * DAY;

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Binding {
    pub(crate) identity: Identity,
    /// With what the last answered checkout came; none before an approved identity has come: any number is good then.
    sent: Option<u64>,
    /// What it was answered.
    answered: u64,
    /// The largest number that was answered on this binding.
    highest: u64,
    /// Since when the identity is in another one's place.
    took_place_at: Option<u64>,
    /// Who lost its place and has not got it back, and when; the last one last.
    displaced: Vec<(Identity, u64)>,
}

impl Binding {
    pub(crate) const fn new(identity: Identity, sent: u64) -> Self {
        Self {
            identity,
            sent: Some(sent),
            answered: 0,
            highest: 0,
            took_place_at: None,
            displaced: Vec::new(),
        }
    }

    /// An administrator approved the identity, which has not come since.
    pub(crate) fn approved(identity: Identity) -> Self {
        let mut binding = Self::new(identity, 0);
        binding.sent = None;
        binding
    }

    /// With what the last answered checkout came, and what it was answered.
    pub(crate) const fn numbers(&self) -> (Option<u64>, u64) {
        (self.sent, self.answered)
    }

    /// What the component leaves behind when it lets go; nothing where no number was answered.
    pub(crate) fn left_behind(&self) -> Option<Self> {
        self.sent?;
        Some(Self {
            took_place_at: None,
            displaced: Vec::new(),
            ..self.clone()
        })
    }

    /// How a checkout with this number would show a copy.
    pub(crate) fn copy_shown(&self, identity: Identity, sent: u64, steady: u64) -> Option<ConflictKind> {
        if identity == self.identity {
            let accepted = self.sent.is_none_or(|last| sent == last || sent == self.answered);
            return (!accepted).then_some(ConflictKind::StaleContinuation);
        }
        let place = self.displaced.iter().position(|(one, _)| *one == identity)?;
        let lost_later = self.displaced.len() - 1 - place;
        let within = steady.saturating_sub(self.displaced[place].1) < DAY;
        (within && lost_later < DISPLACED_MAX).then_some(ConflictKind::AlternatingIdentity)
    }

    /// The time was set back to `mark`: nothing happened after it.
    pub(crate) fn not_after(&mut self, mark: u64) {
        self.took_place_at = self.took_place_at.map(|at| at.min(mark));
        for (_, at) in &mut self.displaced {
            *at = (*at).min(mark);
        }
    }

    /// A checkout that is answered.
    pub(crate) fn visit(&mut self, identity: Identity, sent: u64, steady: u64) {
        if identity != self.identity {
            let gone = self.identity;
            // After 24 hours it cannot show a copy any more, also if the clock is reset later.
            self.displaced.retain(|(_, at)| steady.saturating_sub(*at) < DAY);
            self.displaced.retain(|(one, _)| *one != identity && *one != gone);
            self.displaced.push((gone, steady));
            self.identity = identity;
            self.took_place_at = Some(steady);
        }
        self.sent = Some(sent);
    }

    /// The number that the checkout just decided was answered.
    pub(crate) fn told(&mut self, number: u64) {
        assert!(number != 0, "0 was answered");
        let sent = self.sent.expect("a checkout came");
        assert!(number != sent, "{number} was answered to {number}");
        // At 1, unless that is what was sent.
        let starts_again = number <= 2 && sent.max(self.highest) == u64::MAX;
        assert!(
            number > self.highest || starts_again,
            "{number} was answered after {}",
            self.highest
        );
        self.highest = number;
        self.answered = number;
    }

    /// A number that the laws allow to answer.
    pub(crate) fn next_number(&self) -> u64 {
        let sent = self.sent.unwrap_or(0);
        let last = sent.max(self.highest);
        last.checked_add(1).unwrap_or(if sent == 1 { 2 } else { 1 })
    }

    /// Until when the identity cannot release.
    pub(crate) fn rebound_until(&self, steady: u64) -> Option<u64> {
        let until = self.took_place_at? + REBOUND_SECS;
        (steady < until).then_some(until)
    }

    /// When waits end that run from here.
    pub(crate) fn moments(&self) -> Vec<u64> {
        let lost = self.displaced.iter().map(|(_, at)| at + DAY);
        let took = self.took_place_at.map(|at| at + REBOUND_SECS);
        lost.chain(took).collect()
    }
}

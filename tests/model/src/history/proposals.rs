//! Asks that are made up first and decided later: for a driver that sends many before it hears an answer.

use super::{History, Installation, Turn};
use crate::ask::Ask;
use crate::clock::Transition;
use crate::words::{Identity, Now};

/// Licenses that must be known before anything else than imports is worth asking.
const FEW_LICENSES: usize = 18;

/// Something that somebody will ask.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Who.
    pub identity: Identity,
    /// What.
    pub ask: Ask,
    pub(super) installation: Option<Installation>,
    /// Whether a checkout comes with the number that its installation remembers, whichever that is when it is sent.
    remembers: bool,
}

impl Proposal {
    /// Whether both are checkouts of the same component on the same disk: the answer to one tells the other its number.
    #[must_use]
    pub fn hangs_on(&self, other: &Self) -> bool {
        self.installation.is_some() && self.installation == other.installation
    }
}

impl History {
    /// Whether licenses are still so few that only imports are proposed.
    #[must_use]
    pub const fn is_young(&self) -> bool {
        self.model.licenses.len() < FEW_LICENSES
    }

    /// Whether the server has the option `rebind = "approve"`; a restart may change it.
    #[must_use]
    pub const fn approve(&self) -> bool {
        self.approve
    }

    /// What somebody could ask, made up with an eye on the model as it is now. Nothing is decided yet.
    pub fn propose(&mut self) -> Proposal {
        self.last = None;
        let planned = self.planned.pop_front();
        let (identity, ask) = match planned {
            Some(planned) => planned,
            None if self.is_young() => (0, Ask::Import(self.some_key())),
            None => self.some_ask(),
        };
        let installation = match &ask {
            Ask::Checkout(asked) => Some(self.last.unwrap_or(Installation {
                disk: 0,
                identity,
                seat: asked.seat,
                component: asked.component,
            })),
            _ => None,
        };
        let remembers = match (&ask, installation) {
            (Ask::Checkout(asked), Some(installation)) => asked.continuation == self.remembered(installation),
            _ => false,
        };
        Proposal {
            identity,
            ask,
            installation,
            remembers,
        }
    }

    /// Brings a proposal up to date before it is sent: what its installation remembers, and how the server stands.
    pub fn refresh(&self, proposal: &mut Proposal) {
        let remembered = proposal.installation.map(|installation| self.remembered(installation));
        if let Ask::Checkout(asked) = &mut proposal.ask {
            asked.approve = self.approve;
            if let Some(number) = remembered.filter(|_| proposal.remembers) {
                asked.continuation = number;
            }
        }
    }

    /// Decides a proposal. Behind a granted checkout [`History::told`] has to be called.
    pub fn decide(&mut self, proposal: &Proposal) -> Turn {
        self.last = proposal.installation;
        self.ask(proposal.identity, proposal.ask.clone())
    }

    /// Lets time pass and reads both clocks.
    pub fn let_time_pass(&mut self) -> Turn {
        self.pass_time()
    }

    /// The server starts again; both clocks are read.
    pub fn start_again(&mut self) -> Turn {
        self.restart()
    }

    /// Reads both clocks once more at the same moment, as a server does in each round. That means something once: the
    /// reading behind a start's first one judges what the start left pending.
    pub fn read_again(&mut self) -> (Now, Transition) {
        let calendar = self.real.saturating_add_signed(self.calendar_off);
        let (now, transition) = self.model.read_clock(calendar, self.real - self.counts_from);
        self.now = now;
        (now, transition)
    }

    /// The first reading of a new server.
    pub fn first_reading(&mut self) -> Turn {
        debug_assert!(self.model.clock().is_new(), "a server has one first reading");
        self.read(false)
    }
}

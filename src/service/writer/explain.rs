//! What the writer adds to an explanation: who was refused lately, and what turns a checkout away before the ledger is asked
//! (rule V2).

use super::Writer;
use crate::domain::change::Change;
use crate::domain::command::{Actor, Command};
use crate::domain::denial::Denial;
use crate::domain::explain::{Explain, Explanation, Step};
use crate::domain::reply::Reply;
use crate::domain::time::{Now, Reading};
use crate::store::Store;

impl<S: Store> Writer<S> {
    /// Asks the ledger, and tells it whom it means where nobody is named.
    pub(super) fn explain(&mut self, actor: Actor, ask: &Explain, now: Now) -> (Reply, Vec<Change>) {
        let product = self.ledger.resolve_for_explanation(ask.product).ok();
        let refused = product.and_then(|product| self.refusals.newest(&product.seat(ask.mac), ask.component));
        let ask = Box::new(Explain { refused, ..*ask });
        self.ledger.apply(actor, &Command::Explain(ask), now)
    }

    /// Puts in front of what the ledger explains what a checkout meets before the ledger is asked: found out by the very
    /// code that turns a checkout away.
    pub(super) fn prepend(&mut self, explanation: &mut Explanation, now: Now, reading: Reading) {
        let (identity, address, checkout) = (explanation.identity, explanation.address, &explanation.checkout);
        let mut steps = vec![Step::Clock {
            mark: now.steady,
            standing: self.timekeeper.standing(reading),
        }];
        let actor = Actor::Peer { identity, address };
        let command = Command::Checkout(checkout.clone());
        let stranger = self.gate.refuses(&self.ledger, actor, &command, reading.counted);
        steps.push(Step::Enrolment {
            is_asked: self.gate.is_closed(),
            is_served: stranger.is_none(),
        });
        let turned_away = match stranger {
            None => self.turns_away(identity, address, checkout, reading.counted),
            stranger => stranger,
        };
        match turned_away.as_ref().map(|denied| denied.denial) {
            Some(Denial::DiskFull) => steps.push(Step::Room { is_enough: false }),
            Some(Denial::SlowDown { retry_secs }) => steps.extend([
                Step::Room { is_enough: true },
                Step::Pace {
                    retry_secs: Some(retry_secs),
                },
            ]),
            None if self.ledger.would_engage(checkout) => {
                steps.extend([Step::Room { is_enough: true }, Step::Pace { retry_secs: None }]);
            }
            _ => {}
        }
        match turned_away {
            Some(denied) => {
                explanation.outcome = Reply::Denied(denied);
                explanation.beside.holders = Vec::new();
            }
            None => steps.append(&mut explanation.steps),
        }
        explanation.steps = steps;
    }
}

//! What no view shows and a restart must keep: by what copies are known, and which seats were held before.

use seatkeeper::domain::change::Fact;
use seatkeeper::domain::ids::Fingerprint;
use seatkeeper::domain::ledger::Ledger;
use seatkeeper::domain::seat::{Binding, SeatKey};
use seatkeeper_model::Model;

use crate::reply::former;
use crate::request::Speaker;
use crate::seen::{Seen, fingerprint};

/// More facts than any world has.
const FACTS_MAX: usize = 10_000;

/// One thing of it, in words that both sides can say.
type Row = (SeatKey, String);

/// What a ledger holds.
pub(crate) fn of_ledger(ledger: &Ledger) -> Vec<Row> {
    let mut rows = Vec::new();
    for fact in ledger.facts_after(None, FACTS_MAX) {
        match fact {
            Fact::SeatPut(key, seat) => {
                for (component, binding) in seat.components.iter() {
                    if let Binding::Identity(bound) = binding {
                        let numbers = (bound.continuation_before, bound.continuation);
                        rows.push((key, told(component.as_str(), true, bound.identity, numbers)));
                    }
                }
            }
            Fact::LeftPut(key, left) => {
                for (component, last) in left.components.iter() {
                    let numbers = (Some(last.continuation_before), last.continuation);
                    rows.push((key, told(component.as_str(), false, last.identity, numbers)));
                }
            }
            Fact::FormerPut(key, one) => rows.push((key, format!("{:?}", former(one)))),
            _ => {}
        }
    }
    rows.sort();
    rows
}

/// What a model says.
pub(crate) fn of_model(model: &Model, seen: &Seen) -> Vec<Row> {
    let numbers = model.numbers().map(|one| {
        let identity = fingerprint(Speaker::Agent(one.identity));
        let numbers = (one.sent, one.answered);
        (
            seen.seat_key(one.seat),
            told(one.component, one.is_held, identity, numbers),
        )
    });
    let former = model.former().iter();
    let former = former.map(|(seat, one)| (seen.seat_key(*seat), format!("{one:?}")));
    let mut rows: Vec<Row> = numbers.chain(former).collect();
    rows.sort();
    rows
}

fn told(component: &str, is_held: bool, identity: Fingerprint, (before, last): (Option<u64>, u64)) -> String {
    format!("{component} {is_held} {identity} {before:?} {last}")
}

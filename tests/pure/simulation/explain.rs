//! EXPLAIN says beforehand what a checkout is answered, and by which step (rule V2).

use seatkeeper::domain::command::{Actor, Command, ProductName};
use seatkeeper::domain::denial::Denial;
use seatkeeper::domain::explain::{Explain, Explanation, Meeting, Step};
use seatkeeper::domain::ledger::Ledger;
use seatkeeper::domain::license::{LicenseStatus, Usage};
use seatkeeper::domain::reply::Reply;
use seatkeeper::domain::time::Now;

/// What is said of the checkout that `command` is; nothing where it is none.
pub(super) fn explain(ledger: &mut Ledger, actor: Actor, command: &Command, now: Now) -> Option<Explanation> {
    let (Command::Checkout(checkout), Actor::Peer { identity, .. }) = (command, actor) else {
        return None;
    };
    let key = checkout.key;
    let ask = Explain {
        mac: key.mac,
        product: ProductName {
            vendor: Some(key.vendor),
            product: key.product,
        },
        component: Some(checkout.component),
        identity: Some(identity),
        continuation: Some(checkout.continuation),
        refused: None,
        rebind: checkout.rebind,
    };
    // Whatever is left out, something is said.
    asked(
        ledger,
        Explain {
            component: None,
            identity: None,
            continuation: None,
            ..ask
        },
        now,
    );
    Some(asked(ledger, ask, now))
}

fn asked(ledger: &mut Ledger, ask: Explain, now: Now) -> Explanation {
    let (reply, changes) = ledger.apply(Actor::Server, &Command::Explain(Box::new(ask)), now);
    assert!(changes.is_empty(), "explaining changes something: {changes:?}");
    let Reply::Explained(explanation) = reply else {
        panic!("{ask:?}: {reply:?}");
    };
    assert!(decides(&explanation), "{explanation:?}");
    *explanation
}

/// Whether the last step is the one that the outcome comes from.
fn decides(explanation: &Explanation) -> bool {
    let last = explanation.steps.last().expect("a step");
    let earlier = &explanation.steps[..explanation.steps.len() - 1];
    assert!(
        !earlier.iter().any(refuses),
        "it goes on behind a refusal: {explanation:?}"
    );
    match (&explanation.outcome, last) {
        (Reply::NotCounted { .. }, Step::Counted { is_counted: false }) => true,
        (Reply::Seat(grant), Step::SeatLicense { serial, why_not: None } | Step::SetAside(Some((_, serial)))) => {
            grant.serial == *serial
        }
        (Reply::Seat(grant), Step::Licenses(looked)) => {
            let first = looked.licenses.first().expect("a license");
            looked.serves == Some(grant.serial)
                && first.serial == grant.serial
                && first.status == LicenseStatus::Valid
                && first.usage == Usage::Machine
                && first.free > 0
        }
        (Reply::Denied(denied), step) => refuses(step) && refused_for(denied.denial, step),
        _ => false,
    }
}

fn refuses(step: &Step) -> bool {
    match step {
        Step::Binding { meeting, .. } => matches!(meeting, Meeting::Refused(_)),
        Step::Component { is_known } | Step::Product { is_known } => !is_known,
        Step::Components { is_full, .. } => *is_full,
        Step::Licenses(looked) => looked.serves.is_none(),
        Step::Required { is_missing, .. } => *is_missing,
        Step::Vendor { is_trusted } => !is_trusted,
        _ => false,
    }
}

fn refused_for(denial: Denial, step: &Step) -> bool {
    match denial {
        Denial::Conflict | Denial::RebindPending => {
            matches!(step, Step::Binding { meeting: Meeting::Refused(why), .. } if *why == denial)
        }
        Denial::RequiredProduct { product } => {
            matches!(step, Step::Required { product: Some(required), .. } if *required == product)
        }
        Denial::TooManyComponents => matches!(step, Step::Components { .. }),
        Denial::UnknownComponent => matches!(step, Step::Component { .. }),
        Denial::UnknownProduct => matches!(step, Step::Product { .. }),
        Denial::UnknownVendor => matches!(step, Step::Vendor { .. }),
        _ => matches!(step, Step::Licenses(_)),
    }
}

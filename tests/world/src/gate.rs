//! What stands before the rules, once more and without the server's tables: who may ask what, and what needs room.

use seatkeeper::domain::command::Command;
use seatkeeper_model::{Answer, Ask, CommitRow, Identity, Model, Now, Role};

use crate::seen::Meant;

/// The least role that may ask this.
pub(crate) const fn least_role(meant: &Meant, command: &Command) -> Role {
    match (meant, command) {
        (Meant::Rules(_, ask), _) => ask.role(),
        // Of a product that is not clear.
        (_, Command::Availability(_)) => Role::Agent,
        (_, Command::Abort(_) | Command::Commit(_) | Command::Reserve(_) | Command::Reservations(_)) => Role::Deployer,
        // Lists, and what only administrators do. No world has a viewer.
        _ => Role::Administrator,
    }
}

/// Whether a full disk has no room for it: whatever would be there that is not there yet. What is held goes on.
pub(crate) fn needs_room(identity: Identity, ask: &Ask, model: &Model, now: Now) -> bool {
    match ask {
        Ask::Checkout(checkout) => model.would_engage(checkout),
        Ask::Commit { id, .. } => {
            let reservations = model.reservations();
            let here = reservations.iter().find(|one| one.id == *id);
            let is_reserved = |mac| here.is_some_and(|one| one.units().any(|unit| unit.0 == mac));
            let Answer::Committed(rows) = model.clone().decide(identity, ask, now) else {
                return false;
            };
            rows.iter().any(|(mac, row)| match row {
                CommitRow::Seat => true,
                CommitRow::Spent(_) => !is_reserved(*mac),
                CommitRow::AlreadyCommitted | CommitRow::Covered | CommitRow::Refused(_) => false,
            })
        }
        Ask::Import(_) | Ask::ImportBlacklist { .. } | Ask::ImportCatalogue { .. } | Ask::Reserve { .. } => true,
        Ask::Abort { .. }
        | Ask::Availability(_)
        | Ask::ClockAccept
        | Ask::ClockReset
        | Ask::EndSeat { .. }
        | Ask::Release { .. }
        | Ask::Remove { .. }
        | Ask::Resolve { .. } => false,
    }
}

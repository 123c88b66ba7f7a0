//! The server's own facts and who may administer it.

use std::sync::Arc;

use super::{Decided, Ledger, Occasion};
use crate::domain::backup::{Backup, EPOCH_FIRST};
use crate::domain::change::{Admin, Change, EventKind, Fact, Server};
use crate::domain::command::Role;
use crate::domain::denial::Denial;
use crate::domain::ids::{Fingerprint, ServerId};
use crate::domain::reply::Reply;
use crate::domain::seat::{Binding, Seat};
use crate::domain::time::Timestamp;
use crate::domain::timekeeper::ClockState;

/// Seats whose numbers are forgotten in one round, at most.
const FORGOTTEN_MAX: usize = 1_000;

impl Ledger {
    pub(super) fn found(&self, occasion: Occasion, id: ServerId) -> Decided {
        if self.server.is_some() {
            return Decided::unchanged(Reply::Done);
        }
        let server = Server {
            id,
            epoch: EPOCH_FIRST,
            founded_at: occasion.now.latest(),
            last_backup: None,
        };
        let change = occasion.change(Fact::ServerPut(server), EventKind::ServerFounded { id });
        Decided {
            reply: Reply::Done,
            changes: vec![change],
        }
    }

    /// That the configuration is read again. The ledger keeps nothing of it: the time that it knows anyway carries the event.
    pub(super) fn note_reload(&self, occasion: Occasion, applied: u32, dry_run: bool) -> Decided {
        if dry_run {
            return Decided::unchanged(Reply::Done);
        }
        let clock = ClockState {
            mark: occasion.now.steady,
            ..self.clock.unwrap_or_default()
        };
        let reloaded = EventKind::ConfigReloaded { applied };
        Decided {
            reply: Reply::Done,
            changes: vec![occasion.change(Fact::ClockPut(clock), reloaded)],
        }
    }

    /// Whoever has met a server at this epoch refuses one of the same name at a lower one. What was never founded has
    /// none to raise.
    pub(super) fn restore(&self, occasion: Occasion, made_at: Timestamp, epoch: u32) -> Decided {
        let Some(before) = self.server else {
            return Decided::unchanged(Reply::Done);
        };
        let changes = self.numbers_forgotten();
        if !changes.is_empty() {
            let reply = Reply::Unfinished;
            return Decided { reply, changes };
        }
        let epoch = before.epoch.saturating_add(1).max(epoch);
        let server = Server { epoch, ..before };
        let restored = EventKind::ServerRestored { epoch, made_at };
        Decided {
            reply: Reply::Done,
            changes: vec![occasion.change(Fact::ServerPut(server), restored)],
        }
    }

    /// Has the next checkout of every component that is bound count with any number, a portion of them at a time: machines
    /// have renewed at the server that the backup is of since it was made, and are no copies for that (rule I7).
    fn numbers_forgotten(&self) -> Vec<Change> {
        let seats = self.seats.iter().filter_map(|(key, seat)| {
            let mut seat = numbered(seat)?.clone();
            seat.components
                .iter_mut()
                .for_each(|(_, binding)| forget_number(binding));
            Some(Fact::SeatPut(key, Arc::new(seat)))
        });
        let left = self.left.keys().map(|key| Fact::LeftDropped(*key));
        seats.chain(left).take(FORGOTTEN_MAX).map(Change::from).collect()
    }

    /// The ledger does not know the server's identity: only the event is new.
    pub(super) fn note_identity(&self, occasion: Occasion, from: Fingerprint, to: Fingerprint) -> Decided {
        let replaced = EventKind::ServerIdentityReplaced { from, to };
        let changes = self
            .server
            .map(|server| occasion.change(Fact::ServerPut(server), replaced));
        Decided {
            reply: Reply::Done,
            changes: changes.into_iter().collect(),
        }
    }

    /// That a backup was made. The one that was made last is kept, whichever is told last, and one with identities before any
    /// without them: it is what the server can be restored from. The same one again changes nothing.
    pub(super) fn note_backup(&self, occasion: Occasion, told: Backup) -> Decided {
        let Some(before) = self.server else {
            return Decided::unchanged(Reply::Done);
        };
        // By the clock of whoever made it, which must not put a backup into the future (rule T3).
        let backup = Backup {
            made_at: told.made_at.min(occasion.now.latest()),
            ..told
        };
        if before.last_backup == Some(backup) {
            return Decided::unchanged(Reply::Done);
        }
        let worth = |one: &Backup| (one.has_identities, one.made_at);
        let better = before.last_backup.filter(|last| worth(last) > worth(&backup));
        let server = Server {
            last_backup: better.or(Some(backup)),
            ..before
        };
        Decided {
            reply: Reply::Done,
            changes: vec![occasion.change(Fact::ServerPut(server), EventKind::BackedUp(backup))],
        }
    }

    pub(super) fn add_admin(&self, occasion: Occasion, fingerprint: Fingerprint, role: Role, label: &str) -> Decided {
        match self.admins.get(&fingerprint) {
            Some(admin) if admin.role == role && admin.label == label => return Decided::unchanged(Reply::Done),
            Some(admin) if admin.role == Role::Administrator && role != admin.role && self.is_last(fingerprint) => {
                return Decided::refused(Denial::LastAdministrator);
            }
            _ => {}
        }
        let admin = Admin {
            role,
            label: label.to_owned(),
            added_at: occasion.now.latest(),
        };
        let added = EventKind::AdminAdded { fingerprint, role };
        Decided {
            reply: Reply::Done,
            changes: vec![occasion.change(Fact::AdminPut(fingerprint, admin), added)],
        }
    }

    pub(super) fn remove_admin(&self, occasion: Occasion, fingerprint: Fingerprint) -> Decided {
        if !self.admins.contains_key(&fingerprint) {
            return Decided::refused(Denial::UnknownAdministrator);
        }
        if self.is_last(fingerprint) {
            return Decided::refused(Denial::LastAdministrator);
        }
        let removed = EventKind::AdminRemoved { fingerprint };
        Decided {
            reply: Reply::Done,
            changes: vec![occasion.change(Fact::AdminRemoved(fingerprint), removed)],
        }
    }

    /// Whether the identity is an administrator and no other one is.
    fn is_last(&self, fingerprint: Fingerprint) -> bool {
        let mut administrators = self
            .admins
            .iter()
            .filter(|(_, admin)| admin.role == Role::Administrator);
        matches!((administrators.next(), administrators.next()), (Some((only, _)), None) if *only == fingerprint)
    }
}

/// The seat, if a component of it has a number to send.
fn numbered(seat: &Seat) -> Option<&Seat> {
    let has_number =
        |binding: &Binding| matches!(binding, Binding::Identity(bound) if bound.continuation_before.is_some());
    seat.components.values().any(has_number).then_some(seat)
}

/// As where an administrator approved the identity: it is honoured with any number, once.
const fn forget_number(binding: &mut Binding) {
    if let Binding::Identity(bound) = binding {
        bound.continuation = 0;
        bound.continuation_before = None;
    }
}

//! Freeing what is overdue (rules S6, X4), a bounded number at a time.

use std::collections::BTreeSet;

use super::ending::Endings;
use super::{Decided, Ledger, Occasion};
use crate::domain::change::{Change, EventKind, Fact};
use crate::domain::reply::{RECLAIM_MAX, Reply};
use crate::domain::seat::{EndCause, SeatKey};
use crate::domain::time::{DAY_SECS, Timestamp};

/// For so long it is remembered that a machine held a seat, in seconds.
pub(super) const FORMER_KEPT_SECS: u64 = 365 * DAY_SECS;

/// Former seats remembered, at most; the oldest are forgotten first.
const FORMER_MAX: usize = 100_000;

impl Ledger {
    pub(super) fn reclaim(&self, occasion: Occasion) -> Decided {
        let mut endings = Endings::new(self, occasion);
        let mut count = 0;
        for (renew_by, key) in self.index.due.until(occasion.now.steady).take(RECLAIM_MAX) {
            if let Some(seat) = self.seats.get(&key) {
                endings.end(key, seat, EndCause::Idle, renew_by, None);
            }
            count += 1;
        }
        let mut changes = endings.changes;
        let lapsed = self.index.lapses().take_while(|(at, _)| *at <= occasion.now.steady);
        for (_, id) in lapsed.take(RECLAIM_MAX - count) {
            let event = EventKind::ReservationEnded {
                reservation: *id,
                lapsed: true,
            };
            changes.push(occasion.change(Fact::ReservationEnded(*id), event));
            count += 1;
        }
        let left = changes.iter().filter_map(|change| match &change.fact {
            Fact::LeftPut(key, _) => Some(*key),
            _ => None,
        });
        let left = left.collect();
        changes.extend(self.forget_former(occasion, left));
        Decided {
            reply: Reply::Reclaimed(count),
            changes,
        }
    }

    /// Former seats, and what components left behind, that are not remembered any more.
    /// Of the seats that end with this very command and leave something behind, in `renewed`, it is new.
    fn forget_former(&self, occasion: Occasion, renewed: BTreeSet<SeatKey>) -> impl Iterator<Item = Change> {
        let former = forgotten(&self.index.former_ended, occasion).map(|key| Fact::FormerDropped(*key));
        let left = forgotten(&self.index.left_at, occasion)
            .filter(move |key| !renewed.contains(key))
            .map(|key| Fact::LeftDropped(*key));
        former.chain(left).map(Change::from)
    }
}

/// The oldest of what is remembered, as far as it is too old or there is too much of it; a bounded number.
fn forgotten(remembered: &BTreeSet<(Timestamp, SeatKey)>, occasion: Occasion) -> impl Iterator<Item = &SeatKey> {
    let surplus = remembered.len().saturating_sub(FORMER_MAX);
    let is_old = move |at: Timestamp| at.after_secs(FORMER_KEPT_SECS) <= occasion.now.steady;
    remembered
        .iter()
        .enumerate()
        .take_while(move |(place, (at, _))| *place < surplus || is_old(*at))
        .take(RECLAIM_MAX)
        .map(|(_, (_, key))| key)
}

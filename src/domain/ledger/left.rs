//! What components leave behind when they let go of a seat, so that a copy shows itself also behind a release (rule I7).

use std::ops::Bound;

use super::Ledger;
use super::reclaim::FORMER_KEPT_SECS;
use crate::domain::catalogue::COMPONENTS_MAX;
use crate::domain::change::{Change, Fact};
use crate::domain::ids::{ComponentId, Mac, ProductKey};
use crate::domain::seat::{Binding, LastNumbers, LeftBehind, SeatKey};
use crate::domain::time::{Now, Timestamp};

impl Ledger {
    /// What these components leave behind, besides what others left before.
    pub(super) fn leave_behind<'a>(
        &self,
        key: SeatKey,
        components: impl IntoIterator<Item = (&'a ComponentId, &'a Binding)>,
        left_at: Timestamp,
        now: Now,
    ) -> Option<Change> {
        let before = self.left.get(&key);
        let mut left = before.cloned().unwrap_or_default();
        let mut is_more = false;
        for (component, binding) in components {
            if let Some(numbers) = numbers(binding)
                && (left.components.len() < COMPONENTS_MAX || left.components.contains_key(component))
            {
                left.components.insert(*component, numbers);
                is_more = true;
            }
        }
        // One that idled out so long ago, while the server was down, is not remembered any more.
        let left_at = left.left_at.max(left_at);
        let is_remembered = left_at.after_secs(FORMER_KEPT_SECS) > now.steady;
        (is_more && is_remembered).then(|| put(key, LeftBehind { left_at, ..left }))
    }

    /// What is left behind without this component, which binds anew.
    pub(super) fn take_up(&self, key: SeatKey, component: ComponentId) -> Option<Change> {
        let mut left = self.left.get(&key)?.clone();
        left.components.remove(&component)?;
        Some(put(key, left))
    }

    /// The products of whose components something is remembered, each once; products may be without a license by now.
    pub(super) fn left_products(&self) -> impl Iterator<Item = ProductKey> {
        let after = |last: Option<&SeatKey>| match last {
            None => self.left.keys().next(),
            Some(&last) => {
                let end_of_product = SeatKey { mac: Mac::LAST, ..last };
                let beyond = (Bound::Excluded(end_of_product), Bound::Unbounded);
                self.left.range(beyond).next().map(|(key, _)| key)
            }
        };
        std::iter::successors(after(None), move |last| after(Some(last))).map(SeatKey::product_key)
    }

    /// The numbers that this component had when it let go.
    pub(super) fn last_numbers(&self, key: SeatKey, component: ComponentId) -> Option<&LastNumbers> {
        self.left.get(&key)?.components.get(&component)
    }
}

/// Nothing where no number was answered: there is nothing that a copy could show.
fn numbers(binding: &Binding) -> Option<LastNumbers> {
    match binding {
        Binding::Identity(bound) => Some(LastNumbers {
            identity: bound.identity,
            continuation: bound.continuation,
            continuation_before: bound.continuation_before?,
        }),
        Binding::Unbound => None,
    }
}

fn put(key: SeatKey, left: LeftBehind) -> Change {
    let fact = if left.components.is_empty() {
        Fact::LeftDropped(key)
    } else {
        Fact::LeftPut(key, Box::new(left))
    };
    // The release, the end or the checkout tells it.
    fact.into()
}

//! Answers that wait for their time, so that not all servers answer everybody's question at once.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// The most answers that wait. With 2,000 a second for at most 100 ms there are never more than 200 of an honest load.
pub(super) const WAITING_MAX: usize = 4_096;

/// Things in the order of their time.
#[derive(Debug)]
pub(super) struct Delayed<T> {
    waiting: BinaryHeap<Reverse<Entry<T>>>,
}

#[derive(Debug)]
struct Entry<T> {
    due_millis: u64,
    item: T,
}

impl<T> Delayed<T> {
    pub(super) const fn new() -> Self {
        Self {
            waiting: BinaryHeap::new(),
        }
    }

    /// Keeps `item` until `due_millis`; false if [`WAITING_MAX`] wait already, and it is dropped.
    pub(super) fn push(&mut self, due_millis: u64, item: T) -> bool {
        let room = self.waiting.len() < WAITING_MAX;
        if room {
            self.waiting.push(Reverse(Entry { due_millis, item }));
        }
        room
    }

    /// The earliest time at which something is due.
    pub(super) fn next_due_millis(&self) -> Option<u64> {
        self.waiting.peek().map(|Reverse(entry)| entry.due_millis)
    }

    /// Takes something that is due at `now_millis`, the earliest first.
    pub(super) fn pop(&mut self, now_millis: u64) -> Option<T> {
        if self.next_due_millis()? > now_millis {
            return None;
        }
        self.waiting.pop().map(|Reverse(entry)| entry.item)
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.due_millis.cmp(&other.due_millis)
    }
}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.due_millis == other.due_millis
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_come_in_the_order_of_their_time_and_not_before_it() {
        let mut delayed = Delayed::new();
        for due in [30, 10, 20] {
            assert!(delayed.push(due, due));
        }
        assert_eq!(delayed.next_due_millis(), Some(10));
        assert_eq!(delayed.pop(9), None);
        assert_eq!(
            [delayed.pop(25), delayed.pop(25), delayed.pop(25)],
            [Some(10), Some(20), None]
        );
        assert_eq!(delayed.pop(30), Some(30));
        assert_eq!(delayed.next_due_millis(), None);
    }

    #[test]
    fn what_has_no_room_is_dropped() {
        let mut delayed = Delayed::new();
        assert!((0..WAITING_MAX).all(|_| delayed.push(1, ())));
        assert!(!delayed.push(0, ()));
        assert_eq!(delayed.next_due_millis(), Some(1));
    }
}

//! Who is connected, and who gives way when there is no room: bounds in all, of one source, and on what is held in memory.
//!
//! Pure: it decides, `limits` carries it out. The rules, so that whoever takes much cannot keep others out:
//! - A source that has all its connections gets another one in the place of its own oldest that has not said HELLO.
//! - When all places are taken, the source with the most connections makes room: by its oldest that has not said HELLO
//!   for a source with fewer, by its oldest for one with at least two fewer. Of several with the most, one that has any
//!   without HELLO does. A source for which there is no room so gets a place of its own as above.
//! - When connections hold too much memory together, the source that holds the most loses the one that holds the most of
//!   it. By source, since otherwise one that spreads what it holds over many connections would outlive one that has few.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::limits::ConnectionLimits;

/// The number of a connection: they count up, so that the lowest is the oldest.
pub(super) type Number = u64;

/// The connections that are there. Its memory is bounded by the connections that it admits.
#[derive(Debug)]
pub(super) struct Crowd<T> {
    limits: ConnectionLimits,
    next: Number,
    members: BTreeMap<Number, Member<T>>,
    sources: HashMap<IpAddr, Source>,
    /// The sources by how many connections they have, then by whether any of those has not said HELLO.
    by_size: BTreeSet<(usize, bool, IpAddr)>,
    /// The sources that hold anything, by how much.
    by_held: BTreeSet<(usize, IpAddr)>,
    held: usize,
}

/// A connection; `handle` is what ends it.
#[derive(Debug)]
struct Member<T> {
    source: IpAddr,
    held: usize,
    handle: T,
}

/// The connections of one source.
#[derive(Debug, Default)]
struct Source {
    strangers: BTreeSet<Number>,
    greeted: BTreeSet<Number>,
    /// How many have said HELLO, for their own tasks to see.
    fellows: Arc<AtomicUsize>,
    /// Those that hold anything, by how much; of equals the oldest is the last.
    by_held: BTreeSet<(usize, Reverse<Number>)>,
    held: usize,
}

impl Source {
    fn len(&self) -> usize {
        self.strangers.len() + self.greeted.len()
    }

    /// A connection of it holds `bytes` where it held `before`.
    fn hold(&mut self, number: Number, before: usize, bytes: usize) {
        self.held = self.held - before + bytes;
        self.by_held.remove(&(before, Reverse(number)));
        if bytes > 0 {
            self.by_held.insert((bytes, Reverse(number)));
        }
    }

    fn leave(&mut self, number: Number, held: usize) {
        self.hold(number, held, 0);
        self.strangers.remove(&number);
        self.greeted.remove(&number);
    }
}

/// A connection that was let in.
#[derive(Debug)]
pub(super) struct Admitted<T> {
    pub(super) number: Number,
    /// How many connections of its source have said HELLO, now and later.
    pub(super) fellows: Arc<AtomicUsize>,
    /// Whose place it takes: that one is to be ended.
    pub(super) gives_way: Option<T>,
}

impl<T> Crowd<T> {
    pub(super) fn new(limits: ConnectionLimits) -> Self {
        Self {
            limits,
            next: 0,
            members: BTreeMap::new(),
            sources: HashMap::new(),
            by_size: BTreeSet::new(),
            by_held: BTreeSet::new(),
            held: 0,
        }
    }

    pub(super) const fn set_limits(&mut self, limits: ConnectionLimits) {
        self.limits = limits;
    }

    pub(super) const fn limits(&self) -> &ConnectionLimits {
        &self.limits
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// What ends each of them.
    pub(super) fn handles(&mut self) -> impl Iterator<Item = &mut T> {
        self.members.values_mut().map(|member| &mut member.handle)
    }

    /// All of them are to go.
    pub(super) fn clear(&mut self) {
        while let Some((&number, _)) = self.members.first_key_value() {
            drop(self.leave(number));
        }
    }

    /// Lets in a connection from `source`; nothing when there is no room for it.
    pub(super) fn admit(&mut self, source: IpAddr, handle: T) -> Option<Admitted<T>> {
        let of_source = self.sources.get(&source).map_or(0, Source::len);
        let place = if of_source >= self.limits.per_source {
            Some(self.stranger_of(source)?)
        } else if self.len() >= self.limits.total {
            Some(self.most_crowded_out(source, of_source)?)
        } else {
            None
        };
        let gives_way = place.and_then(|number| self.leave(number));
        let number = self.next;
        self.next += 1;
        let held = 0;
        self.members.insert(number, Member { source, held, handle });
        let fellows = self.change(source, |of| {
            of.strangers.insert(number);
            Arc::clone(&of.fellows)
        });
        Some(Admitted {
            number,
            fellows,
            gives_way,
        })
    }

    /// A connection has said HELLO.
    pub(super) fn greet(&mut self, number: Number) {
        if let Some(source) = self.members.get(&number).map(|member| member.source) {
            self.change(source, |of| of.strangers.remove(&number) && of.greeted.insert(number));
        }
    }

    /// A connection holds so many bytes now; answers those that are to be ended for it.
    pub(super) fn hold(&mut self, number: Number, bytes: usize) -> Vec<T> {
        let Some(member) = self.members.get_mut(&number) else {
            return Vec::new();
        };
        let before = std::mem::replace(&mut member.held, bytes);
        let source = member.source;
        self.held = self.held - before + bytes;
        self.change(source, |of| of.hold(number, before, bytes));
        let mut ended = Vec::new();
        while self.held > self.limits.held_len {
            let Some(largest) = self.largest() else {
                break;
            };
            ended.extend(self.leave(largest));
        }
        ended
    }

    /// A connection is gone, or is to go: its place is free.
    pub(super) fn leave(&mut self, number: Number) -> Option<T> {
        let member = self.members.remove(&number)?;
        self.held -= member.held;
        self.change(member.source, |of| of.leave(number, member.held));
        Some(member.handle)
    }

    /// The connection that holds the most of the source that holds the most.
    fn largest(&self) -> Option<Number> {
        let (_, source) = self.by_held.last()?;
        let (_, Reverse(number)) = self.sources.get(source)?.by_held.last()?;
        Some(*number)
    }

    fn stranger_of(&self, source: IpAddr) -> Option<Number> {
        self.sources.get(&source)?.strangers.first().copied()
    }

    /// Who makes room for one more connection of a source that has `of_source`, when all places are taken.
    fn most_crowded_out(&self, newcomer: IpAddr, of_source: usize) -> Option<Number> {
        let (size, has_strangers, crowded) = self.by_size.last().copied()?;
        if size > of_source && has_strangers {
            return self.stranger_of(crowded);
        }
        // Taking one from a source that has just one more would be paid back with the next connection.
        if size > of_source + 1 {
            return self.sources.get(&crowded)?.greeted.first().copied();
        }
        self.stranger_of(newcomer)
    }

    fn change<R>(&mut self, source: IpAddr, change: impl FnOnce(&mut Source) -> R) -> R {
        let of = self.sources.entry(source).or_default();
        self.by_size.remove(&(of.len(), !of.strangers.is_empty(), source));
        self.by_held.remove(&(of.held, source));
        let changed = change(of);
        of.fellows.store(of.greeted.len(), Ordering::Relaxed);
        if of.held > 0 {
            self.by_held.insert((of.held, source));
        }
        if of.len() > 0 {
            self.by_size.insert((of.len(), !of.strangers.is_empty(), source));
        } else {
            self.sources.remove(&source);
        }
        changed
    }
}

#[cfg(test)]
mod tests;

//! Who is connected, and who gives way when there is no room: bounds in all, of one source, and on what is held in memory.
//!
//! Pure: it decides, `limits` carries it out. The rules, so that whoever takes much cannot keep others out:
//! - A source that has all its connections gets another one in the place of its own oldest that has not said HELLO.
//! - When all places are taken, the source with the most connections makes room for one with fewer: by its oldest that
//!   has not said HELLO, or else by its oldest.
//! - When connections hold too much memory together, the one that holds the most goes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

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
    /// The sources by how many connections they have.
    by_size: BTreeSet<(usize, IpAddr)>,
    /// The connections that hold anything, by how much; of equals the oldest is the last.
    by_held: BTreeSet<(usize, Reverse<Number>)>,
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
}

impl Source {
    fn len(&self) -> usize {
        self.strangers.len() + self.greeted.len()
    }
}

/// A connection that was let in.
#[derive(Debug)]
pub(super) struct Admitted<T> {
    pub(super) number: Number,
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

    pub(super) fn len(&self) -> usize {
        self.members.len()
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
        self.change(source, |of| of.strangers.insert(number));
        Some(Admitted { number, gives_way })
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
        self.held = self.held - before + bytes;
        self.by_held.remove(&(before, Reverse(number)));
        if bytes > 0 {
            self.by_held.insert((bytes, Reverse(number)));
        }
        let mut ended = Vec::new();
        while self.held > self.limits.held_len {
            let Some((_, Reverse(largest))) = self.by_held.last().copied() else {
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
        self.by_held.remove(&(member.held, Reverse(number)));
        self.change(member.source, |of| {
            of.strangers.remove(&number) || of.greeted.remove(&number)
        });
        Some(member.handle)
    }

    fn stranger_of(&self, source: IpAddr) -> Option<Number> {
        self.sources.get(&source)?.strangers.first().copied()
    }

    /// Whom the most crowded source gives up for one more connection of a source that has `of_source`.
    fn most_crowded_out(&self, newcomer: IpAddr, of_source: usize) -> Option<Number> {
        let (size, crowded) = self.by_size.last().copied()?;
        if size <= of_source {
            return self.stranger_of(newcomer);
        }
        // Taking one from a source that has just one more would be paid back with the next connection.
        let oldest = || self.sources.get(&crowded)?.greeted.first().copied();
        self.stranger_of(crowded)
            .or_else(|| oldest().filter(|_| size > of_source + 1))
    }

    fn change<R>(&mut self, source: IpAddr, change: impl FnOnce(&mut Source) -> R) {
        let of = self.sources.entry(source).or_default();
        let before = of.len();
        change(of);
        let after = of.len();
        if after == 0 {
            self.sources.remove(&source);
        }
        if before != after {
            self.by_size.remove(&(before, source));
            if after > 0 {
                self.by_size.insert((after, source));
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! The paths by which servers are looked for, and what came of each.
//!
//! All that are switched on begin at once and end with the same deadline: one that leads nowhere costs the others nothing.

mod named;
mod site;
mod srv;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

pub(super) use self::named::look_up;
pub use self::site::{
    INTERFACES_VARIABLE, PATHS_VARIABLE, SERVERS_MAX, SERVERS_VARIABLE, SITE_FILE, SITE_FILE_MAX, SITE_FILE_VARIABLE,
    Site,
};
pub(super) use self::srv::ask as ask_dns;
use super::connect::Target;

/// What is kept of one path's questions and faults, at most.
const TOLD_MAX: usize = 32;

/// One of the paths by which servers are looked for.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Way {
    /// The addresses at which servers that are pinned answered last.
    Remembered,
    /// The servers that a user or an administrator named.
    Servers,
    /// A question to everybody on the networks of this machine.
    Lan,
    /// The servers that the records of the site's DNS name.
    Dns,
}

impl Way {
    /// Every path, in the order in which they are told.
    pub const ALL: [Self; 4] = [Self::Remembered, Self::Servers, Self::Lan, Self::Dns];

    /// Its name in options, files and JSON; stable.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Remembered => "remembered",
            Self::Servers => "servers",
            Self::Lan => "lan",
            Self::Dns => "dns",
        }
    }

    /// The paths in a list such as `servers, lan`: commas or blanks between them.
    ///
    /// # Errors
    /// [`WayError`]: one of them is none, or there is none at all.
    pub fn list(text: &str) -> Result<BTreeSet<Self>, WayError> {
        let ways: BTreeSet<Self> = words(text).map(str::parse).collect::<Result<_, _>>()?;
        if ways.is_empty() {
            return Err(WayError { wrong: String::new() });
        }
        Ok(ways)
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Remembered => "remembered addresses",
            Self::Servers => "named servers",
            Self::Lan => "this network",
            Self::Dns => "DNS",
        })
    }
}

impl FromStr for Way {
    type Err = WayError;

    fn from_str(text: &str) -> Result<Self, WayError> {
        let found = Self::ALL.into_iter().find(|way| way.code() == text);
        found.ok_or_else(|| WayError { wrong: text.to_owned() })
    }
}

/// Not a path by which servers are looked for.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("'{wrong}' is no path to look for servers by; write one or more of {}", all_codes())]
pub struct WayError {
    wrong: String,
}

fn all_codes() -> String {
    Way::ALL.map(Way::code).join(", ")
}

/// What stands between commas and blanks.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let between = |c: char| c == ',' || c.is_whitespace();
    text.split(between).filter(|word| !word.is_empty())
}

/// What came of one path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// The path.
    pub way: Way,
    /// What was asked: servers as they were written, addresses, or the interfaces on which everybody was asked. At most
    /// 32.
    pub asked: Vec<String>,
    /// How many servers answered by it first.
    pub answered: usize,
    /// Why servers were of no use, one sentence each; at most 32.
    pub faults: Vec<String>,
    /// Why there was nobody to ask.
    pub note: Option<String>,
}

impl Verdict {
    const fn new(way: Way) -> Self {
        Self {
            way,
            asked: Vec::new(),
            answered: 0,
            faults: Vec::new(),
            note: None,
        }
    }
}

impl Verdict {
    /// What came of it, in words, without the name of the path.
    #[must_use]
    pub fn told(&self) -> String {
        if !self.faults.is_empty() {
            return self.faults.join(", ");
        }
        match (&self.note, self.answered) {
            (Some(note), _) => note.clone(),
            (None, 0) if self.asked.is_empty() => "nobody was asked".to_owned(),
            (None, 0) => format!("nobody answered ({})", self.asked.join(", ")),
            (None, count) => format!("{count} answered"),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.way, self.told())
    }
}

/// What came of every path of one search.
#[derive(Clone, Debug, Default)]
pub(super) struct Verdicts(BTreeMap<Way, Verdict>);

impl Verdicts {
    /// Nothing was asked yet on these.
    pub(super) fn of(ways: &BTreeSet<Way>) -> Self {
        Self(ways.iter().map(|&way| (way, Verdict::new(way))).collect())
    }

    fn at(&mut self, way: Way) -> &mut Verdict {
        self.0.entry(way).or_insert_with(|| Verdict::new(way))
    }

    pub(super) fn asked(&mut self, way: Way, what: String) {
        keep(&mut self.at(way).asked, what);
    }

    pub(super) fn answered(&mut self, way: Way) {
        self.at(way).answered += 1;
    }

    pub(super) fn fault(&mut self, way: Way, told: String) {
        keep(&mut self.at(way).faults, told);
    }

    pub(super) fn note(&mut self, way: Way, told: String) {
        let note = &mut self.at(way).note;
        *note = Some(match note.take() {
            Some(before) => format!("{before}, {told}"),
            None => told,
        });
    }

    /// In the order of the paths.
    pub(super) fn all(&self) -> Vec<Verdict> {
        self.0.values().cloned().collect()
    }
}

fn keep(list: &mut Vec<String>, one: String) {
    if list.len() < TOLD_MAX && !list.contains(&one) {
        list.push(one);
    }
}

/// What a path tells while a search goes on.
#[derive(Clone, Debug)]
pub(super) enum Clue<L> {
    /// Something was asked.
    Asked(Way, String),
    /// A server may be there.
    Lead(L),
    /// Something went wrong, in one sentence; by which path, where it is one.
    Fault(Option<Way>, String),
    /// There is nobody to ask, and that may be as it should.
    Note(Way, String),
}

/// A server that was named: where it is, and its place among those that were named, the first of which is preferred.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Named {
    pub(super) target: Target,
    /// Who named it.
    pub(super) way: Way,
    pub(super) place: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_paths_is_read_and_what_is_none_is_named_with_those_that_are() {
        let list = |text| Way::list(text).map(Vec::from_iter);
        assert_eq!(list("lan, servers"), Ok(vec![Way::Servers, Way::Lan]));
        assert_eq!(list("remembered lan"), Ok(vec![Way::Remembered, Way::Lan]));
        for text in ["", " , ", "LAN", "lan,wan"] {
            let error = list(text).expect_err(text).to_string();
            assert!(error.contains("remembered, servers, lan, dns"), "{error}");
        }
    }

    #[test]
    fn a_verdict_says_what_was_asked_or_why_nobody_was() {
        let mut verdicts = Verdicts::of(&Way::ALL.into());
        verdicts.note(Way::Remembered, "none yet".to_owned());
        verdicts.asked(Way::Lan, "eth0".to_owned());
        verdicts.asked(Way::Lan, "lo".to_owned());
        verdicts.note(Way::Dns, "no such record".to_owned());
        verdicts.note(Way::Dns, "no other".to_owned());
        for _ in 0..2 * TOLD_MAX {
            verdicts.fault(Way::Servers, "one: not reachable".to_owned());
        }
        let told = |verdicts: &Verdicts| verdicts.all().iter().map(Verdict::to_string).collect::<Vec<_>>();
        assert_eq!(
            told(&verdicts),
            [
                "remembered addresses: none yet",
                "named servers: one: not reachable",
                "this network: nobody answered (eth0, lo)",
                "DNS: no such record, no other"
            ]
        );
        verdicts.answered(Way::Lan);
        assert_eq!(told(&verdicts)[2], "this network: 1 answered");
        for number in 0..2 * TOLD_MAX {
            verdicts.asked(Way::Lan, number.to_string());
        }
        assert_eq!(verdicts.all()[2].asked.len(), TOLD_MAX, "whatever is told");
    }
}

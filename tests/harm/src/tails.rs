//! `repair --cut-tail` on a disk that loses the power: what it gave up does not come back, what it kept stays, and what was
//! cut off is kept aside.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use seatkeeper::domain::ledger::Ledger;
use seatkeeper::store::Examined;
use seatkeeper_model::Random;

use crate::event::Event;
use crate::store::{Options, Site};

/// What a campaign of cut tails went through.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tails {
    /// Tails that were cut off.
    pub cut: u64,
    /// Those that took more than one try, since the power went in the first.
    pub again: u64,
}

impl AddAssign for Tails {
    fn add_assign(&mut self, other: Self) {
        self.cut += other.cut;
        self.again += other.again;
    }
}

/// Rounds before the damage.
const ROUNDS: u64 = 40;

/// Times that the power goes in the midst of each repair.
const CUTS: u64 = 3;

/// Damages every other sector of the journal in a history of its own, and cuts the tail off behind it. The power goes at any
/// call of that, or when it is done.
///
/// # Panics
/// A server does not start with what is left, or starts with other rounds, or what was cut off is not kept.
#[must_use]
pub fn tails(options: Options) -> Tails {
    let mut sound = Site::new(options);
    let mut ledgers = vec![Ledger::default()];
    let mut store = sound.start().expect("a disk that is well");
    while sound.round < ROUNDS {
        sound.step(&mut store).expect("a disk that is well");
        ledgers.push(sound.answered.clone());
    }
    drop(store);
    // What is lost from here on is lost of a repair.
    sound.disk.power_on();
    let mut dice = Random::new(options.seed);
    let mut told = Tails::default();
    for name in sound.place.names("journal") {
        let path = format!("journal/{name}");
        let bytes = sound.place.file(&path).len();
        for byte in (600..bytes).step_by(1_024) {
            let site = sound.fork();
            site.place.flip(&path, byte);
            let what = format!("{path} damaged at {byte}, seed {}", options.seed);
            let Some(calls) = cut(site.fork(), &ledgers, None, &what, &mut told) else {
                continue;
            };
            for _ in 0..CUTS {
                let site = site.fork();
                site.disk.reseed(dice.below(u64::MAX));
                let at = 1 + dice.below(calls);
                cut(site, &ledgers, Some(at), &what, &mut told);
            }
        }
    }
    told
}

/// Cuts the tail off, where that is what helps; the calls that it took. The power goes at call `at`.
fn cut(mut site: Site, ledgers: &[Ledger], at: Option<u64>, what: &str, told: &mut Tails) -> Option<u64> {
    let last = last_round(&site.place.repair().expect("examined").examine())?;
    let journal = files(&site, "journal");
    let what = format!("{what}, the power gone at call {at:?}");
    let mut calls = 0;
    let mut tries = 0;
    loop {
        let repair = site.place.repair().unwrap_or_else(|error| panic!("{what}: {error}"));
        let examined = repair.examine();
        // Where the power went when all was done but the answer, there is nothing left to do.
        if tries > 0 && examined.starts() {
            break;
        }
        assert_eq!(last_round(&examined), Some(last), "{what}: what can be kept");
        if let Some(at) = at.filter(|_| tries == 0) {
            site.disk.plan(at, Event::PowerCut);
        }
        tries += 1;
        let before = site.disk.calls();
        let outcome = repair.cut_tail(&examined);
        calls = site.disk.calls() - before;
        if let Err(error) = &outcome {
            site.disk.blame(error);
        }
        site.disk.power_on();
        assert!(
            files(&site, "journal") == journal || is_aside(&site, &journal),
            "{what}: something was cut off and is not kept"
        );
        if outcome.is_ok() {
            break;
        }
    }
    site.round = last;
    site.answered = ledgers[usize::try_from(last).expect("a round")].clone();
    drop(site.start().unwrap_or_else(|error| panic!("{what}: {error}")));
    told.cut += 1;
    told.again += u64::from(tries > 1);
    Some(calls)
}

/// The last round that can be kept where something must be cut off.
fn last_round(examined: &Examined) -> Option<u64> {
    let journal = examined.journal.as_ref().filter(|_| examined.can_start());
    journal.filter(|_| !examined.starts()).map(|journal| journal.last_round)
}

/// Whether the journal as it was is kept in a directory of its own.
fn is_aside(site: &Site, journal: &BTreeMap<String, Vec<u8>>) -> bool {
    let names = site.place.names("").into_iter();
    let mut aside = names.filter(|name| name.starts_with("cut."));
    aside.any(|name| files(site, &name) == *journal)
}

/// The files in a directory below the data directory, with what they hold.
fn files(site: &Site, dir: &str) -> BTreeMap<String, Vec<u8>> {
    let names = site.place.names(dir).into_iter();
    names
        .map(|name| {
            let bytes = site.place.file(&format!("{dir}/{name}"));
            (name, bytes)
        })
        .collect()
}

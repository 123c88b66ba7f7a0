//! A full, failing or vanishing disk, at every call.

use std::io;
use std::ops::AddAssign;

use seatkeeper::store::StoreError;
use seatkeeper_model::Random;

use crate::event::Event;
use crate::store::{Options, Site};

/// What a campaign of faults went through.
#[derive(Clone, Copy, Debug, Default)]
pub struct Failed {
    /// Calls that were made to fail.
    pub calls: u64,
    /// Faults after which the store refused to go on until it was started anew.
    pub refused: u64,
    /// Faults that service went on through.
    pub survived: u64,
}

impl AddAssign for Failed {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.refused += other.refused;
        self.survived += other.survived;
    }
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kinds {
    /// An error of the device, and at every other call, by turns, one of the others: what one seed has of a call the next
    /// ones have of another.
    ByTurns,
    /// Everything.
    All,
}

/// The others: for want of room, from then on or once, and a device that is gone from then on.
const OTHERS: [Event; 3] = [Event::Full, Event::Fail(io::ErrorKind::StorageFull), Event::Gone];

impl Kinds {
    fn of(self, turn: u64) -> Vec<Event> {
        let mut all = vec![Event::Fail(io::ErrorKind::Other)];
        match self {
            Self::All => all.extend(OTHERS),
            Self::ByTurns if turn.is_multiple_of(2) => {
                let place = turn / 2 % OTHERS.len() as u64;
                all.extend(OTHERS.get(usize::try_from(place).unwrap_or(0)));
            }
            Self::ByTurns => {}
        }
        all
    }
}

/// Rounds of the history whose calls fail.
const ROUNDS: u64 = 32;

/// Rounds that follow a fault: a checkpoint is among them.
const ROUNDS_AFTER: u64 = 10;

/// A site between two processes, from where histories branch off: what comes before is the same for all of them.
struct Branch {
    site: Site,
    dice: Random,
}

/// Makes each `every`th call of the same history fail, in a history that is its own from there on: with an error of the
/// device, for want of room, for this call alone or from then on.
///
/// # Panics
/// Something that was answered is not there, or something is there that was not, or the store does not start once the
/// disk is well again.
#[must_use]
pub fn faults(options: Options, every: usize, kinds: Kinds) -> Failed {
    let mut told = Failed::default();
    let (branches, calls) = sound(options);
    for at in (1..=calls).step_by(every) {
        let before = branches.iter().rev().find(|branch| branch.site.disk.calls() < at);
        let Some(branch) = before else { continue };
        for event in kinds.of(at / every as u64 + options.seed) {
            history(branch, (at, event), &mut told);
            told.calls += 1;
        }
    }
    told
}

/// The history without a fault: where processes begin in it, and the calls that it takes.
fn sound(options: Options) -> (Vec<Branch>, u64) {
    let mut site = Site::new(options);
    let mut dice = Random::new(options.seed);
    let mut branches = Vec::new();
    while site.round < ROUNDS {
        branches.push(Branch {
            site: site.fork(),
            dice: dice.clone(),
        });
        let outcome = rounds(&mut site, &mut dice, |site| site.round >= ROUNDS);
        outcome.unwrap_or_else(|error| panic!("on a disk that is well: {error}"));
    }
    (branches, site.disk.calls())
}

/// One history with a fault.
fn history(branch: &Branch, fault: (u64, Event), told: &mut Failed) {
    let (mut site, mut dice) = (branch.site.fork(), branch.dice.clone());
    let (at, event) = fault;
    site.disk.plan(at - site.disk.calls(), event);
    let mut struck = None;
    // A full disk may be one only where something is made that is not made any more.
    let mut is_over = |site: &Site| {
        if site.disk.has_struck() {
            struck.get_or_insert(site.round);
        }
        site.round >= struck.unwrap_or(ROUNDS) + ROUNDS_AFTER
    };
    let mut is_refused = false;
    let mut tries = 0;
    while !is_over(&site) {
        tries += 1;
        let outcome = rounds(&mut site, &mut dice, &mut is_over);
        assert!(
            tries < 100,
            "{fault:?}: no way forward from round {}: {outcome:?}",
            site.round
        );
        if let Err(error) = outcome {
            site.disk.blame(&error);
            is_refused = true;
            if event == Event::Gone {
                // Whoever is started again meanwhile fails by it too, and does no harm.
                let error = site.start().expect_err("started without a device");
                site.disk.blame(&error);
            }
            // The disk is well again: room was made, or the device is back.
            site.disk.no_plan();
        } else if is_refused && dice.percent(50) {
            // What a failed sync lost must not be among what was answered since.
            site.disk.power_on();
        }
    }
    site.disk.power_on();
    if let Err(error) = site.start() {
        panic!("{fault:?}: {error}");
    }
    if is_refused {
        told.refused += 1;
    } else {
        told.survived += 1;
    }
}

/// A start, and rounds until one fails or it is time to start anew.
fn rounds(site: &mut Site, dice: &mut Random, mut is_over: impl FnMut(&Site) -> bool) -> Result<(), StoreError> {
    let mut store = site.start()?;
    while !is_over(site) {
        site.step(&mut store)?;
        if dice.percent(10) {
            return Ok(());
        }
    }
    Ok(())
}

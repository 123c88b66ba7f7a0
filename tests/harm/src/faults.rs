//! A full or failing disk, at every call.

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

/// Rounds of each history.
const ROUNDS: u64 = 25;

/// Makes each `every`th call of the same history fail, one history for each: with an error of the device, and for want of room, for
/// this call alone or from then on by turns: what one seed has of a call alone the next one has from then on.
///
/// # Panics
/// Something that was answered is not there, or something is there that was not, or the store does not start once the
/// disk is well again.
#[must_use]
pub fn faults(options: Options, every: usize) -> Failed {
    let mut told = Failed::default();
    let calls = history(options, None, &mut told);
    told = Failed::default();
    for at in (1..=calls).step_by(every) {
        let is_full = if (at / every as u64 + options.seed).is_multiple_of(2) {
            Event::Full
        } else {
            Event::Fail(io::ErrorKind::StorageFull)
        };
        for event in [Event::Fail(io::ErrorKind::Other), is_full] {
            history(options, Some((at, event)), &mut told);
            told.calls += 1;
        }
    }
    told
}

/// One history; the calls that it took.
fn history(options: Options, fault: Option<(u64, Event)>, told: &mut Failed) -> u64 {
    let mut site = Site::new(options);
    let mut dice = Random::new(options.seed);
    if let Some((at, event)) = fault {
        site.disk.plan(at, event);
    }
    let mut is_refused = false;
    let mut tries = 0;
    while site.round < ROUNDS {
        tries += 1;
        let outcome = rounds(&mut site, &mut dice);
        assert!(
            tries < 100,
            "{fault:?}: no way forward from round {}: {outcome:?}",
            site.round
        );
        if let Err(error) = outcome {
            site.disk.blame(&error);
            is_refused = true;
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
    site.disk.calls()
}

/// A start, and rounds until one fails or it is time to start anew.
fn rounds(site: &mut Site, dice: &mut Random) -> Result<(), StoreError> {
    let mut store = site.start()?;
    while site.round < ROUNDS {
        site.step(&mut store)?;
        if dice.percent(6) {
            return Ok(());
        }
    }
    Ok(())
}

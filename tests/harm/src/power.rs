//! Lost power at any call of the disk.

use std::ops::AddAssign;

use seatkeeper_model::Random;

use crate::event::Event;
use crate::spare::{does_without_the_newest, goes_on, newest_generation};
use crate::store::{Options, Site};

/// What a campaign of power cuts went through.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cuts {
    /// Cuts.
    pub cuts: u64,
    /// Cuts in the midst of a start.
    pub in_starts: u64,
    /// Rounds that were answered.
    pub rounds: u64,
    /// Checkpoints that were finished.
    pub checkpoints: u64,
    /// Cuts after which a copy of the site did without what had been made last.
    pub without_newest: u64,
}

impl AddAssign for Cuts {
    fn add_assign(&mut self, other: Self) {
        self.cuts += other.cuts;
        self.in_starts += other.in_starts;
        self.rounds += other.rounds;
        self.checkpoints += other.checkpoints;
        self.without_newest += other.without_newest;
    }
}

/// One cut in so many is one after which a copy does without what was made last; after the next one a copy goes on.
const CUTS_BETWEEN_COPIES: u64 = 3;

/// Cuts the power `cuts` times, each time at some call of the disk, and checks after each that what was answered is there,
/// that the start goes on from what the newest manifest names, and that it could do without that, or that more rounds
/// follow.
///
/// # Panics
/// Something that was answered is not there, or something is there that was not, or what is kept twice is not.
#[must_use]
pub fn power(options: Options, cuts: u64) -> Cuts {
    let mut site = Site::new(options);
    let mut dice = Random::new(options.seed);
    let mut told = Cuts::default();
    while told.cuts < cuts {
        // No cut leaves a manifest behind that names what is not there.
        let mut newest = newest_generation(&site);
        // Mostly soon, so that starts are hit too; now and then late, so that checkpoints come to an end.
        let within = dice.pick(&[30, 120, 400]);
        site.disk.plan(1 + dice.below(within), Event::PowerCut);
        while !site.disk.is_dead() {
            run(&mut site, &mut dice, &mut told, newest.take());
        }
        site.disk.power_on();
        told.cuts += 1;
        match told.cuts % CUTS_BETWEEN_COPIES {
            0 => told.without_newest += u64::from(does_without_the_newest(&site, &mut dice)),
            1 => goes_on(&site),
            _ => {}
        }
    }
    drop(
        site.start()
            .unwrap_or_else(|error| panic!("after the last cut: {error}")),
    );
    Cuts {
        rounds: site.round,
        checkpoints: site.checkpoints,
        ..told
    }
}

/// Cuts the power at each of the first `calls` calls of a disk that holds nothing yet, and checks after each that what was
/// answered is there: of all that a founding names nothing is lost that an answer hangs on.
///
/// # Panics
/// Something that was answered is not there, or something is there that was not.
#[must_use]
pub fn foundings(options: Options, calls: u64) -> Cuts {
    let mut told = Cuts::default();
    for at in 1..=calls {
        let mut site = Site::new(Options {
            seed: options.seed << 32 | at,
            ..options
        });
        let mut dice = Random::new(at);
        site.disk.plan(at, Event::PowerCut);
        while !site.disk.is_dead() {
            run(&mut site, &mut dice, &mut told, None);
        }
        site.disk.power_on();
        told.cuts += 1;
        drop(
            site.start()
                .unwrap_or_else(|error| panic!("after a cut at call {at}: {error}")),
        );
        told.rounds += site.round;
        told.checkpoints += site.checkpoints;
    }
    told
}

/// A start, from the `newest` generation if that is known, and rounds until the power goes or the store is closed in good
/// order.
fn run(site: &mut Site, dice: &mut Random, told: &mut Cuts, newest: Option<u64>) {
    use seatkeeper::store::Store;
    let mut store = match site.start() {
        Ok(store) => store,
        Err(error) => {
            site.disk.blame(&error);
            told.in_starts += 1;
            return;
        }
    };
    if newest.is_some() {
        let used = store.checkpointed().map(|checkpoint| checkpoint.generation);
        assert_eq!(used, newest, "the generation that a start goes on from");
    }
    loop {
        if let Err(error) = site.step(&mut store) {
            site.disk.blame(&error);
            return;
        }
        if dice.percent(2) {
            if let Err(error) = store.seal() {
                site.disk.blame(&error);
            }
            return;
        }
    }
}

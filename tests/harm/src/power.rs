//! Lost power at any call of the disk.

use std::ops::AddAssign;

use seatkeeper_model::Random;

use crate::event::Event;
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
}

impl AddAssign for Cuts {
    fn add_assign(&mut self, other: Self) {
        self.cuts += other.cuts;
        self.in_starts += other.in_starts;
        self.rounds += other.rounds;
        self.checkpoints += other.checkpoints;
    }
}

/// Cuts the power `cuts` times, each time at some call of the disk, and checks after each that what was answered is there.
///
/// # Panics
/// Something that was answered is not there, or something is there that was not.
#[must_use]
pub fn power(options: Options, cuts: u64) -> Cuts {
    let mut site = Site::new(options);
    let mut dice = Random::new(options.seed);
    let mut told = Cuts::default();
    while told.cuts < cuts {
        // Mostly soon, so that starts are hit too; now and then late, so that checkpoints come to an end.
        let within = dice.pick(&[30, 120, 400]);
        site.disk.plan(1 + dice.below(within), Event::PowerCut);
        while !site.disk.is_dead() {
            run(&mut site, &mut dice, &mut told);
        }
        site.disk.power_on();
        told.cuts += 1;
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

/// A start, and rounds until the power goes or the store is closed in good order.
fn run(site: &mut Site, dice: &mut Random, told: &mut Cuts) {
    use seatkeeper::store::Store;
    let mut store = match site.start() {
        Ok(store) => store,
        Err(error) => {
            site.disk.blame(&error);
            told.in_starts += 1;
            return;
        }
    };
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

//! The store's long campaigns: lost power, failing and full disks, damaged files.

use std::fmt;

use seatkeeper_harm::{Cuts, Damaged, Failed, Kinds, Options, Tails, damage, faults, foundings, power, tails};

/// Power cuts of one seed, before the next one.
const CUTS_OF_A_SEED: u64 = 1_000;

/// Calls of a founding at which the power is cut, and a little behind it.
const CALLS_OF_A_FOUNDING: u64 = 120;

/// Times that each file of a directory is harmed in each way.
const HARMS_OF_A_FILE: u64 = 20;

/// What the campaigns went through.
#[derive(Debug)]
pub(crate) struct DiskReport {
    seeds: u64,
    cuts: Cuts,
    founded: Cuts,
    tails: Tails,
    failed: Failed,
    damaged: Damaged,
}

/// Goes through the campaigns of seeds from `first` on, until the power was cut `cuts` times; `told` hears of each seed.
///
/// It panics where something that was answered is not there.
pub(crate) fn run(first: u64, cuts: u64, mut told: impl FnMut(u64)) -> DiskReport {
    let mut report = DiskReport {
        seeds: 0,
        cuts: Cuts::default(),
        founded: Cuts::default(),
        tails: Tails::default(),
        failed: Failed::default(),
        damaged: Damaged::default(),
    };
    while report.cuts.cuts < cuts {
        let seed = first.wrapping_add(report.seeds);
        told(seed);
        let options = Options::new(seed);
        report.cuts += power(options, CUTS_OF_A_SEED.min(cuts - report.cuts.cuts));
        report.founded += foundings(options, CALLS_OF_A_FOUNDING);
        report.tails += tails(options);
        report.failed += faults(options, 1, Kinds::All);
        report.damaged += damage(seed, HARMS_OF_A_FILE);
        report.seeds += 1;
    }
    report
}

impl fmt::Display for DiskReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seeds,
            cuts,
            founded,
            tails,
            failed,
            damaged,
        } = self;
        writeln!(
            f,
            "{seeds} seeds: {} power cuts, {} of them in starts, over {} rounds and {} checkpoints",
            cuts.cuts, cuts.in_starts, cuts.rounds, cuts.checkpoints
        )?;
        writeln!(
            f,
            "{} power cuts in foundings and right behind them, {} repairs, {} of them cut",
            founded.cuts, tails.cut, tails.again
        )?;
        writeln!(
            f,
            "{} failing calls: {} stopped the store, which went on at the next start, {} did not",
            failed.calls, failed.refused, failed.survived
        )?;
        write!(
            f,
            "{} damaged directories: {} refused, {} healed",
            damaged.harms, damaged.refused, damaged.healed
        )
    }
}

//! `repair`: what holds of a data directory, and giving up what follows damage.

use std::path::Path;

use serde::Serialize;

use super::args::{Everywhere, RepairOptions};
use super::error::CliError;
use super::{consent, local, output, ownership};
use crate::client::with_causes;
use crate::store::{Examined, ExaminedGeneration, Repair};

/// What `repair --json` prints.
#[derive(Serialize)]
struct Told {
    starts: bool,
    generations: Vec<Generation>,
    last_round: Option<u64>,
    is_torn: bool,
    damage: Option<String>,
    unsound: Option<String>,
    cut_aside: Option<String>,
}

#[derive(Serialize)]
struct Generation {
    id: u64,
    records: u64,
    after_round: u64,
    through_round: u64,
    fault: Option<String>,
}

pub(super) async fn run(everywhere: Everywhere, options: RepairOptions) -> Result<(), CliError> {
    let data = local::data_dir(everywhere.data.as_deref())?;
    tokio::task::spawn_blocking(move || repair(everywhere.json, &data, options))
        .await
        .map_err(|error| CliError::because("the examination panicked", error))?
}

fn repair(json: bool, data: &Path, options: RepairOptions) -> Result<(), CliError> {
    let repair =
        Repair::open(data).map_err(|error| CliError::because(format!("cannot examine {}", data.display()), error))?;
    let outcome = go_on(json, data, options, repair);
    // Its lock alone would keep the user that runs the server from starting it.
    outcome.and(ownership::hand_over(data))
}

fn go_on(json: bool, data: &Path, options: RepairOptions, repair: Repair) -> Result<(), CliError> {
    let examined = repair.examine();
    let mut told = told(&examined);
    if !json {
        tell(&examined)?;
    }
    let goes_on = options.cut_tail && examined.can_start() && !told.starts;
    if !goes_on || options.consent.dry_run {
        if json {
            output::json(&told)?;
        } else if told.starts {
            output::line(&sound(&examined))?;
        } else if goes_on {
            consent::nothing_done()?;
        }
        return match told.starts {
            true => Ok(()),
            // The JSON value says it, or what was printed of the dry run.
            false if json || goes_on => Err(CliError::Program(1)),
            false => Err(CliError::failed(remedy(&examined))),
        };
    }
    let last = examined.journal.as_ref().map_or(0, |journal| journal.last_round);
    let question = format!("give up every round behind round {last}, for good?");
    consent::ask(json, options.consent, &question)?;
    let aside = repair
        .cut_tail(&examined)
        .map_err(|error| CliError::because(format!("cannot repair {}", data.display()), error))?;
    told.cut_aside = Some(aside.display().to_string());
    if json {
        return output::json(&told);
    }
    output::line(&format!(
        "a server starts with it again, after round {last}; the journal as it was is in {}",
        aside.display()
    ))
}

fn tell(examined: &Examined) -> Result<(), CliError> {
    for one in &examined.generations {
        let what = match &one.fault {
            None => format!("holds: {} records, round {}", one.records, one.after),
            Some(fault) => format!("cannot be used: {}", with_causes(fault)),
        };
        output::line(&format!("generation {:<4} {what}", one.number))?;
    }
    let Some(journal) = &examined.journal else {
        return output::line("journal         cannot be read from any generation");
    };
    output::line(&format!(
        "journal         holds through round {}, after generation {}",
        journal.last_round, journal.generation
    ))?;
    if journal.is_torn {
        output::line("                its end was torn when the power went: that was never answered, and is cut off")?;
    }
    if let Some(damage) = &journal.damage {
        output::line(&format!("                then: {}", with_causes(damage)))?;
    }
    match &examined.unsound {
        Some(unsound) => output::line(&format!("records         {}", with_causes(unsound))),
        None => Ok(()),
    }
}

/// That there is nothing to do here; of what a server does without, that it does.
fn sound(examined: &Examined) -> String {
    let lost: Vec<_> = examined.lost().map(|number| number.to_string()).collect();
    if lost.is_empty() {
        return "a server starts with it; there is nothing to repair".to_owned();
    }
    format!(
        "a server starts with it and nothing is lost, but generation {} is: the server makes another one when it starts; there is \
         nothing to repair, check the disk",
        lost.join(" and ")
    )
}

fn remedy(examined: &Examined) -> String {
    match &examined.journal {
        Some(journal) if examined.can_start() => format!(
            "no server starts with it; restore a backup (`seatkeeper restore`), or give up everything that was answered after \
             round {} with `seatkeeper repair --cut-tail`",
            journal.last_round
        ),
        _ => "no server starts with it, and nothing can be cut off to change that; restore a backup (`seatkeeper restore`)"
            .to_owned(),
    }
}

fn told(examined: &Examined) -> Told {
    let generation = |one: &ExaminedGeneration| Generation {
        id: one.number,
        records: one.records,
        after_round: one.after,
        through_round: one.through,
        fault: one.fault.as_ref().map(|fault| with_causes(fault)),
    };
    let journal = examined.journal.as_ref();
    Told {
        starts: examined.starts(),
        generations: examined.generations.iter().map(generation).collect(),
        last_round: journal.map(|journal| journal.last_round),
        is_torn: journal.is_some_and(|journal| journal.is_torn),
        damage: journal
            .and_then(|journal| journal.damage.as_ref())
            .map(|damage| with_causes(damage)),
        unsound: examined.unsound.as_ref().map(|unsound| with_causes(unsound)),
        cut_aside: None,
    }
}

//! The real binary over loopback: a file for each group of claims.

mod administration;
mod agents;
mod authority;
mod barrier;
mod clock;
mod clones;
mod colleague;
mod crashes;
mod damage;
mod demo;
mod deployment;
mod enrolment;
mod events;
mod explain;
mod export;
mod failures;
mod imports;
mod interrupted;
mod kept;
mod keys;
mod limits;
mod lists;
mod moving;
mod names;
mod other_keys;
mod outage;
mod peers;
mod program;
mod reload;
mod repair;
mod replay;
mod resumption;
mod roles;
mod rotation;
mod seats;
mod secrets;
mod short_lists;
mod startup;
mod status;
mod stolen;
mod stopping;
mod terminal;
mod views;

/// Why a command failed: the line behind the program's name.
#[track_caller]
fn cause(output: &crate::process::Output) -> &str {
    let told = output.stderr.lines().find_map(|line| line.strip_prefix("seatkeeper: "));
    told.unwrap_or_else(|| panic!("no cause is told: {output:?}"))
}

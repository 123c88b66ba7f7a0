//! The real binary over loopback: a file for each group of claims.

mod administration;
mod agents;
mod barrier;
mod crashes;
mod imports;
mod limits;
mod outage;
mod peers;
mod program;
mod roles;
mod seats;
mod startup;
mod stopping;
mod views;

/// The cause in what a command said of its failure, without the program's name in front.
fn cause(output: &crate::process::Output) -> &str {
    output.stderr.strip_prefix("seatkeeper: ").unwrap_or(&output.stderr)
}

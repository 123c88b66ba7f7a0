use clap::Args;

use super::{OwnArgs, RunArgs};

#[derive(Args, Debug)]
pub(crate) struct Start {
    /// Machines with a seat.
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..=3_000_000))]
    pub(crate) machines: u32,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(flatten)]
    pub(crate) own: OwnArgs,
}

use clap::Args;
use clap::builder::TypedValueParser;

use super::{OwnArgs, RunArgs};

#[derive(Args, Debug)]
pub(crate) struct Checkpoint {
    /// Machines with a seat. At least one for each connection.
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..=3_000_000))]
    pub(crate) machines: u32,
    /// Connections.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=16_384).map(usize::from))]
    pub(crate) connections: usize,
    /// Renewals a second in all, at times that are set beforehand; a quarter of what the floor answers if absent.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) rate: Option<u32>,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(flatten)]
    pub(crate) own: OwnArgs,
}

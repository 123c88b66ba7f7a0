use clap::Args;
use clap::builder::TypedValueParser;

use super::{PlotArgs, RunArgs, ServerArgs};

#[derive(Args, Debug)]
pub(crate) struct Storm {
    /// Machines that start, each once in a run.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) machines: u32,
    /// How many start in a second; all at once if absent.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) rate: Option<u32>,
    /// How many are connected at a time, at most; the others wait until one of them is done.
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u16).range(1..=16_384).map(usize::from))]
    pub(crate) open: usize,
    /// Have machines start that never had a seat, in each run others. Without it they had theirs before, and renew.
    #[arg(long)]
    pub(crate) fresh: bool,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(flatten)]
    pub(crate) plot: PlotArgs,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

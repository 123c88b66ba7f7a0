use clap::Args;

use super::{LoadArgs, PlotArgs, RunArgs, ServerArgs, TimeArgs};

#[derive(Args, Debug)]
pub(crate) struct Growth {
    /// Machines with a seat at first; then ten times as many, again and again. At least one for each connection.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=4_000_000))]
    pub(crate) least: u32,
    /// Machines with a seat in the end, at most.
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=4_000_000))]
    pub(crate) most: u32,
    #[command(flatten)]
    pub(crate) load: LoadArgs,
    #[command(flatten)]
    pub(crate) time: TimeArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(flatten)]
    pub(crate) plot: PlotArgs,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

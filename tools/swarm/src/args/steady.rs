use clap::Args;

use super::{LoadArgs, PlotArgs, RunArgs, ServerArgs, TimeArgs};
use crate::mix::Mix;

#[derive(Args, Debug)]
pub(crate) struct Steady {
    #[command(flatten)]
    pub(crate) load: LoadArgs,
    /// Machines with a seat, dealt out among the connections: at least one for each. With fewer of them than requests under
    /// way, fewer are under way, since no machine asks twice at once.
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=4_000_000))]
    pub(crate) machines: u32,
    /// What is asked, and how often each by the others: renew, checkout, release, query (how many seats are available) and
    /// explain. checkout and release have the same weight; with explain in it connections are those of viewers.
    #[arg(long, value_name = "KIND=WEIGHT,...", default_value_t = Mix::renewals())]
    pub(crate) mix: Mix,
    /// What the order is made from in which each connection asks: the same order from the same seed.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) time: TimeArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(flatten)]
    pub(crate) plot: PlotArgs,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

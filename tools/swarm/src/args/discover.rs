use clap::Args;

use super::{RunArgs, ServerArgs, TimeArgs};

#[derive(Args, Debug)]
pub(crate) struct Discover {
    /// Sockets that ask, each from a network (/24) of its own, in turn.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u8).range(1..=200))]
    pub(crate) sockets: u8,
    /// Questions a second in all. A server answers 2,000 a second, and 200 a second to each network.
    #[arg(long, value_name = "N", default_value_t = 1_500, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) rate: u32,
    #[command(flatten)]
    pub(crate) time: TimeArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

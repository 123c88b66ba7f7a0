use clap::Args;
use clap::builder::TypedValueParser;

use super::ServerArgs;

#[derive(Args, Debug)]
pub(crate) struct Hold {
    /// Connections; fewer where the system allows a process fewer open files.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000).map(|count| count as usize))]
    pub(crate) connections: usize,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

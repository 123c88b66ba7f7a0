use clap::Args;

use super::{LoadArgs, OwnArgs, RunArgs};

#[derive(Args, Debug)]
pub(crate) struct Writes {
    /// Machines with a seat. At least one for each connection.
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..=4_000_000))]
    pub(crate) machines: u32,
    /// KiB of journal before a checkpoint is made, as `journal.checkpoint_kib` in the configuration; more where the ledger is
    /// larger.
    #[arg(long, value_name = "KIB", default_value_t = 128 << 10, value_parser = clap::value_parser!(u32).range(16..=1 << 20))]
    pub(crate) checkpoint_kib: u32,
    #[command(flatten)]
    pub(crate) load: LoadArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(flatten)]
    pub(crate) own: OwnArgs,
}

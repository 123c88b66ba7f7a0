use std::path::PathBuf;

use clap::Args;

use super::ServerArgs;

#[derive(Args, Debug)]
#[command(after_help = USES)]
pub(crate) struct Fill {
    /// Machines that get a seat.
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=4_000_000))]
    pub(crate) machines: u32,
    /// Leave the fresh server's data directory here, which is not there yet: all seats in a checkpoint, and ended in good order.
    #[arg(long, value_name = "DIR", conflicts_with = "server")]
    pub(crate) keep: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

const USES: &str = "What it is good for: to see how long a site takes to come to its seats, and what a server needs for them; to \
have a server with so many seats to try views, backups, upgrades and other tools on; to measure one beside which other \
things run.

  seatswarm fill --machines 1000000 --keep big && seatkeeper serve --data big
  seatswarm fill --server 127.0.0.1:17328 --admin /var/lib/seatkeeper/admin.pem

A server that runs already gives this host so many seats only where its limits let it: new_macs_per_identity_and_day and \
new_seats_per_source_and_minute in its configuration.";

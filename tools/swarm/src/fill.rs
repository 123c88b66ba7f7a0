//! `fill`: a server with so many seats, how fast it came to them, and what they take of its memory.

use std::time::Duration;

use serde::Serialize;

use crate::args::Fill;
use crate::error::SwarmError;
use crate::fleet::{FILLERS, Fleet};
use crate::generations::{Due, Generations, make_one};
use crate::latency::{Summary, shown};
use crate::own::Home;
use crate::process::resident_len;
use crate::report::{print, progress, table};
use crate::site::Site;

/// What `fill --json` prints.
#[derive(Debug, Serialize)]
struct Report {
    machines: u32,
    /// How long it took until all had their seats, in microseconds.
    fill_us: u64,
    /// Seats a second.
    rate: f64,
    /// How long each checkout waited.
    server: Summary,
    /// What of the server's memory each seat takes, in bytes; absent where that cannot be seen.
    memory_per_seat: Option<u64>,
    /// What the server has in memory with all of them, likewise.
    memory: Option<u64>,
}

pub(crate) async fn run(args: &Fill) -> Result<(), SwarmError> {
    let seats = args.machines.saturating_add(1);
    let config = Due::Late.config();
    let site = match &args.keep {
        Some(dir) => Site::own(Home::with_data(&args.server.own, &config, dir)?, seats).await?,
        None => Site::open(&args.server, &config, seats).await?,
    };
    let mut fleet = Fleet::open(site, FILLERS).await?;
    let filled = fleet.fill(args.machines).await?;
    let is_settled = Generations::settled(&fleet.site).await?;
    let report = Report {
        machines: args.machines,
        fill_us: micros(filled.took),
        rate: filled.rate(),
        server: filled.answered().summary(),
        memory_per_seat: fleet.memory_per_seat().filter(|_| is_settled),
        memory: fleet.site.pid.and_then(resident_len).filter(|_| is_settled),
    };
    fleet.drive.close().await;
    if let Some(dir) = &args.keep {
        if Generations::of(&fleet.site).await?.made().await? == 0 {
            make_one(&fleet.site).await?;
        }
        fleet.site.stop().await?;
        progress(&format!("kept: seatkeeper serve --data {}", dir.display()));
    } else {
        fleet.site.end().await?;
    }
    print(&report, args.json, Report::told)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl Report {
    fn told(&self) -> String {
        let mut table = table(["seats", "took", "a second", "p50", "p99", "p99.9", "max"]);
        let [took, rate] = [shown(self.fill_us), format!("{:.0}", self.rate)];
        table.add_row([&[self.machines.to_string(), took, rate], self.server.cells().as_slice()].concat());
        let memory = self.memory_per_seat.zip(self.memory);
        let memory = memory.map_or_else(
            || "the server's memory while it makes no checkpoint cannot be seen".to_owned(),
            |(each, all)| format!("memory: {each} bytes for each seat, {} MiB in all", all >> 20),
        );
        format!("{table}\n{memory}")
    }
}

//! `start`: how long a server takes until it serves, against reading as much from a copy of the same files.

mod bare;

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use self::bare::{Read, read_copy};
use crate::args::Start;
use crate::clock::Moment;
use crate::error::SwarmError;
use crate::fleet::{FILLERS, Fleet};
use crate::generations::{Due, len_of, make_one, newest_dir};
use crate::latency::{median, shown};
use crate::own::{Home, scratch_dir};
use crate::report::{print, progress, table};
use crate::site::Site;

/// Renewals a second that are in the journal and not in the generation, and for how long.
const RENEWALS_PER_SECOND: u32 = 1_000;
const RENEWALS_FOR: Duration = Duration::from_secs(1);

/// What `start --json` prints.
#[derive(Debug, Serialize)]
struct Report {
    machines: u32,
    /// Rows of the generation that is read.
    rows: u64,
    /// Bytes of its rows.
    row_bytes: u64,
    /// Bytes of its files.
    generation_bytes: u64,
    runs: Vec<Run>,
    /// The server's time by the floor's, of each run; the middle one.
    ratio: f64,
}

/// Floor and server, one behind the other.
#[derive(Clone, Copy, Debug, Serialize)]
struct Run {
    /// From when the process was started until it took connections, in microseconds.
    server_us: u64,
    /// From when the copy was begun until the last row was read, likewise.
    floor_us: u64,
}

impl Run {
    fn ratio(&self) -> f64 {
        crate::report::ratio(self.server_us, self.floor_us.max(1))
    }
}

pub(crate) async fn run(args: &Start) -> Result<(), SwarmError> {
    let mut home = furnished(args).await?;
    let generation = newest_dir(&home)?;
    let generation_bytes = len_of(&generation).map_err(|error| SwarmError::of("looking at a generation")(&error))?;
    // The first reading warms the page cache for both.
    let first = bare(&generation, home.scratch()).await?;
    let mut runs = Vec::new();
    for number in 1..=args.run.runs {
        let floor = bare(&generation, home.scratch()).await?;
        if (floor.rows, floor.len) != (first.rows, first.len) {
            return Err(SwarmError::because(
                "reading a generation",
                "it is another one than before",
            ));
        }
        let begun = Moment::now();
        let (own, _) = home.serve().await?;
        let server = begun.ago();
        home = own.stop().await?;
        let [server_us, floor_us] = [server, floor.took].map(micros);
        let run = Run { server_us, floor_us };
        progress(&format!(
            "run {number}: server {}, floor {}, ratio {:.2}",
            shown(server_us),
            shown(floor_us),
            run.ratio()
        ));
        runs.push(run);
    }
    let report = Report {
        machines: args.machines,
        rows: first.rows,
        row_bytes: first.len,
        generation_bytes,
        ratio: median(runs.iter().map(Run::ratio).collect()),
        runs,
    };
    print(&report, args.run.json, Report::told)
}

/// The files of a server that ended in good order: seats in a generation, and a short journal behind it.
async fn furnished(args: &Start) -> Result<Home, SwarmError> {
    let home = Home::new(&args.own, &Due::Late.config())?;
    let site = Site::own(home, args.machines.saturating_add(1)).await?;
    let mut fleet = Fleet::open(site, FILLERS).await?;
    fleet.fill(args.machines).await?;
    make_one(&fleet.site).await?;
    progress("they are in a checkpoint");
    let waiting = async {
        tokio::time::sleep(RENEWALS_FOR).await;
        Ok(())
    };
    let (renewed, ()) = fleet.drive.pace_while(RENEWALS_PER_SECOND, waiting).await?;
    if let Some((said, count)) = renewed.refused.first_key_value() {
        return Err(SwarmError::because("renewing seats", format!("{count} times: {said}")));
    }
    fleet.drive.close().await;
    let home = fleet.site.stop().await?;
    home.ok_or_else(|| SwarmError::because("ending the server", "it is not ours"))
}

/// The floor.
async fn bare(generation: &Path, scratch: &Path) -> Result<Read, SwarmError> {
    let dir = scratch_dir(Some(scratch))?;
    let generation = generation.to_owned();
    let reading = tokio::task::spawn_blocking(move || read_copy(&generation, &dir.path().join("copy")));
    let read = reading.await;
    read.map_err(|error| SwarmError::of("reading a copy of a generation")(&error))?
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl Report {
    fn told(&self) -> String {
        let mut table = table(["run", "server, until it serves", "floor, copied and read", "ratio"]);
        for (number, run) in (1..).zip(&self.runs) {
            let [server, floor] = [run.server_us, run.floor_us].map(shown);
            table.add_row([format!("{number}"), server, floor, format!("{:.2}", run.ratio())]);
        }
        [
            table.to_string(),
            format!(
                "{} machines with a seat; a generation of {} rows, {} MiB in them, {} MiB of files; page cache warm.",
                self.machines,
                self.rows,
                self.row_bytes >> 20,
                self.generation_bytes >> 20
            ),
            format!("ratio of the middle run: {:.2}", self.ratio),
        ]
        .join("\n")
    }
}

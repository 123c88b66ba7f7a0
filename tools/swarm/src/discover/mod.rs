//! `discover`: what it costs a server to answer who is there.
//!
//! A server answers no more than its limits let it, whatever its machine could do, so no rate tells what an answer costs.
//! Its processor time does: it is compared with that of a loop that echoes, asked as often.

mod asking;

use std::time::Duration;

use serde::Serialize;

use self::asking::{Answers, Asked, Plan, ask};
use crate::args::Discover;
use crate::error::SwarmError;
use crate::floor;
use crate::latency::median;
use crate::process::Meter;
use crate::report::{Compared, print, progress, table};
use crate::site::Site;

/// What `discover --json` prints.
#[derive(Debug, Serialize)]
struct Report {
    sockets: u8,
    /// Questions a second, of all sockets together.
    rate: u32,
    secs: u64,
    runs: Vec<Run>,
    /// The server's processor time of an answer by the floor's, of each run; the middle one. Absent where that cannot be seen.
    cpu_ratio: Option<f64>,
    /// From when each question was sent until it was answered.
    waited: Compared,
    /// Questions that were never answered: the server's limits, or the system's buffers.
    unanswered: u64,
    floor_unanswered: u64,
}

/// Server and floor, one behind the other.
#[derive(Debug, Serialize)]
struct Run {
    /// Processor time of an answer, in microseconds; absent where that cannot be seen.
    server_cpu_us: Option<f64>,
    floor_cpu_us: Option<f64>,
}

pub(crate) async fn run(args: &Discover) -> Result<(), SwarmError> {
    let site = Site::open(&args.server, "", 1).await?;
    let (floor, floor_address) = floor::start_udp().await?;
    let plan = Plan {
        sockets: args.sockets,
        rate: args.rate,
        time: Duration::from_secs(args.time.secs),
    };
    let (mut runs, mut asked) = (Vec::new(), Vec::new());
    for number in 1..=args.run.runs {
        let meter = Meter::start_fine(Some(floor.pid()));
        let bare = ask(floor_address, Answers::Echoes, plan).await?;
        let floor_cpu_us = each(&meter, &bare);
        let meter = Meter::start_fine(site.pid);
        let offers = ask(site.server, Answers::Offers, plan).await?;
        let run = Run {
            server_cpu_us: each(&meter, &offers),
            floor_cpu_us,
        };
        let told = run
            .ratio()
            .map_or_else(|| "not seen".to_owned(), |ratio| format!("{ratio:.2}"));
        progress(&format!("run {number}: ratio of processor time {told}"));
        runs.push(run);
        asked.push((offers, bare));
    }
    floor.end().await?;
    site.end().await?;
    let pairs = asked.iter().map(|(offers, bare)| (&offers.answered, &bare.answered));
    let ratios: Option<Vec<f64>> = runs.iter().map(Run::ratio).collect();
    let report = Report {
        sockets: args.sockets,
        rate: args.rate,
        secs: args.time.secs,
        runs,
        cpu_ratio: ratios.map(median),
        waited: Compared::of(&pairs.collect::<Vec<_>>()),
        unanswered: asked.iter().map(|(offers, _)| offers.unanswered()).sum(),
        floor_unanswered: asked.iter().map(|(_, bare)| bare.unanswered()).sum(),
    };
    print(&report, args.run.json, Report::told)
}

/// Processor time of an answer, in microseconds.
fn each(meter: &Meter, asked: &Asked) -> Option<f64> {
    let count = u32::try_from(asked.answered.summary().count)
        .ok()
        .filter(|&count| count > 0)?;
    meter.read().map(|cpu| cpu.as_secs_f64() * 1e6 / f64::from(count))
}

impl Run {
    fn ratio(&self) -> Option<f64> {
        self.server_cpu_us
            .zip(self.floor_cpu_us)
            .map(|(server, floor)| server / floor)
    }
}

impl Report {
    fn told(&self) -> String {
        let mut table = table(["", "p50", "p99", "p99.9", "max", "unanswered"]);
        for (name, summary, unanswered) in [
            ("server", self.waited.server, self.unanswered),
            ("floor, echo", self.waited.floor, self.floor_unanswered),
        ] {
            let mut row = vec![name.to_owned()];
            row.extend(summary.cells());
            row.push(unanswered.to_string());
            table.add_row(row);
        }
        let cpu = self.cpu_ratio.map_or_else(
            || "the server's processor time cannot be seen: name its process with --pid".to_owned(),
            |ratio| format!("the server's processor time of an answer by the floor's: {ratio:.2}"),
        );
        [
            table.to_string(),
            format!(
                "{} questions a second from {} sockets; {} runs of {} s, floor and server in turn.",
                self.rate,
                self.sockets,
                self.runs.len(),
                self.secs
            ),
            format!("p99, ratio of the middle run: {:.2}", self.waited.p99_ratio),
            cpu,
        ]
        .join("\n")
    }
}

//! `storm`: how many machines a second get their seats when all start at once, as after a power cut.

mod crowd;
mod start;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;

use self::crowd::{Crowd, Pace, Stormed};
use self::start::Aim;
use crate::args::Storm;
use crate::child::Child;
use crate::error::SwarmError;
use crate::files::allow_files;
use crate::floor;
use crate::latency::{Latencies, median};
use crate::plot;
use crate::process::{Meter, most_resident_len};
use crate::report::{Compared, Counts, print, progress, sum, table};
use crate::site::{MANY_MACHINES, Site};

/// What `storm --json` prints.
#[derive(Debug, Serialize)]
struct Report {
    machines: u32,
    /// How many started in a second; absent where all did at once.
    rate: Option<u32>,
    open: usize,
    fresh: bool,
    runs: Vec<Run>,
    /// Starts a second of the server by those of the floor, of each run; the middle one.
    ratio: f64,
    /// The server's processor time of a start by the floor's, of each run; the middle one. Absent where that cannot be seen.
    cpu_ratio: Option<f64>,
    /// From when each start was due until it was done.
    waited: Compared,
    /// From when each first connected until it was done.
    served: Compared,
    /// The most that the server ever had in memory, in bytes; absent where that cannot be seen.
    server_memory: Option<u64>,
    /// How often a machine was told to ask again later, by the status.
    put_off: Counts,
    /// What went wrong at the server, and how often; whoever met with it tried again.
    failed: Counts,
    floor_failed: Counts,
    /// Who was not served in the end.
    lost: u64,
    floor_lost: u64,
}

/// Server and floor, one behind the other.
#[derive(Debug, Serialize)]
struct Run {
    /// Starts a second.
    server_rate: f64,
    floor_rate: f64,
    /// Processor time of a start, in microseconds; absent where that cannot be seen.
    server_cpu_us: Option<f64>,
    floor_cpu_us: Option<f64>,
}

impl Run {
    fn cpu_ratio(&self) -> Option<f64> {
        self.server_cpu_us
            .zip(self.floor_cpu_us)
            .map(|(server, floor)| server / floor)
    }
}

/// The two at which machines start.
struct Sides {
    site: Site,
    floor: Child,
    floor_address: SocketAddr,
}

pub(crate) async fn run(args: &Storm) -> Result<(), SwarmError> {
    allow_files()?;
    // Each run of fresh machines engages as many seats, and so does the first of others.
    let seats = args.machines.saturating_mul(if args.fresh { args.run.runs } else { 1 });
    let site = Site::open(&args.server, MANY_MACHINES, seats).await?;
    let (floor, floor_address) = floor::start_accept().await?;
    progress(&format!("making {} identities ...", args.machines));
    let mut crowd = Crowd::new(args.machines, site.server)?;
    let sides = Sides {
        site,
        floor,
        floor_address,
    };
    let storms = sides.measure(args, &mut crowd).await?;
    let server_memory = sides.site.pid.and_then(most_resident_len);
    sides.floor.end().await?;
    sides.site.end().await?;
    let (runs, storms): (Vec<_>, Vec<_>) = storms.into_iter().unzip();
    print(
        &Report::of(args, runs, &storms, server_memory),
        args.run.json,
        Report::told,
    )?;
    // Behind what was measured, which a file that cannot be written does not take away.
    if let Some(file) = &args.plot.svg {
        let server = Latencies::all(storms.iter().map(|(server, _)| &server.served));
        let floor = Latencies::all(storms.iter().map(|(_, floor)| &floor.served));
        plot::waits(file, "storm: a start", &server, &floor)?;
    }
    Ok(())
}

impl Sides {
    /// Runs floor and server in turn; what came of each, the server's first.
    async fn measure(&self, args: &Storm, crowd: &mut Crowd) -> Result<Vec<(Run, (Stormed, Stormed))>, SwarmError> {
        let pace = Pace {
            rate: args.rate,
            open: args.open,
        };
        let aim = Aim::Seat(self.site.vendor);
        if !args.fresh {
            let first = crowd.start(self.site.server, aim, Pace { rate: None, ..pace }).await?;
            progress(&format!("the machines have their seats, {:.0} a second", first.rate()));
        }
        let mut storms = Vec::new();
        for number in 0..args.run.runs {
            let floor_meter = Meter::start(Some(self.floor.pid()));
            let bare = crowd.start(self.floor_address, Aim::Handshake, pace).await?;
            let floor_cpu = floor_meter.read();
            if args.fresh {
                crowd.renumber(args.machines.saturating_mul(number));
            }
            let meter = Meter::start(self.site.pid);
            let stormed = crowd.start(self.site.server, aim, pace).await?;
            let each = |cpu: Duration| cpu.as_secs_f64() * 1e6 / f64::from(args.machines);
            let run = Run {
                server_rate: stormed.rate(),
                floor_rate: bare.rate(),
                server_cpu_us: meter.read().map(each),
                floor_cpu_us: floor_cpu.map(each),
            };
            progress(&format!(
                "run {}: server {:.0}/s, floor {:.0}/s, ratio {:.2}",
                number + 1,
                run.server_rate,
                run.floor_rate,
                run.server_rate / run.floor_rate
            ));
            storms.push((run, (stormed, bare)));
        }
        Ok(storms)
    }
}

impl Report {
    fn of(args: &Storm, runs: Vec<Run>, storms: &[(Stormed, Stormed)], server_memory: Option<u64>) -> Self {
        let compared = |which: fn(&Stormed) -> &Latencies| {
            let pairs = storms.iter().map(|(server, floor)| (which(server), which(floor)));
            Compared::of(&pairs.collect::<Vec<_>>())
        };
        let cpu: Option<Vec<f64>> = runs.iter().map(Run::cpu_ratio).collect();
        Self {
            machines: args.machines,
            rate: args.rate,
            open: args.open,
            fresh: args.fresh,
            ratio: median(runs.iter().map(|run| run.server_rate / run.floor_rate).collect()),
            cpu_ratio: cpu.map(median),
            runs,
            waited: compared(|storm| &storm.waited),
            served: compared(|storm| &storm.served),
            server_memory,
            put_off: sum(storms.iter().map(|(server, _)| &server.put_off)),
            failed: sum(storms.iter().map(|(server, _)| &server.failed)),
            floor_failed: sum(storms.iter().map(|(_, floor)| &floor.failed)),
            lost: storms.iter().map(|(server, _)| server.lost).sum(),
            floor_lost: storms.iter().map(|(_, floor)| floor.lost).sum(),
        }
    }

    fn told(&self) -> String {
        let mut table = table(["", "a second, middle run", "from", "p50", "p99", "p99.9", "max"]);
        let middle = |rate: fn(&Run) -> f64| median(self.runs.iter().map(rate).collect());
        for (name, rate, waited, served) in [
            (
                "server, seat",
                middle(|run| run.server_rate),
                &self.waited.server,
                &self.served.server,
            ),
            (
                "floor, handshake",
                middle(|run| run.floor_rate),
                &self.waited.floor,
                &self.served.floor,
            ),
        ] {
            let first = [name.to_owned(), format!("{rate:.0}"), "when due".to_owned()];
            table.add_row([first.as_slice(), &waited.cells()].concat());
            let second = [String::new(), String::new(), "connecting".to_owned()];
            table.add_row([second.as_slice(), &served.cells()].concat());
        }
        let come = self
            .rate
            .map_or_else(|| "all at once".to_owned(), |rate| format!("{rate} a second"));
        let mut lines = vec![
            table.to_string(),
            format!(
                "{} machines start {come}, {} connected at a time at most; {} runs, floor and server in turn.",
                self.machines,
                self.open,
                self.runs.len()
            ),
            format!(
                "ratios of the middle run: starts a second {:.2}, p99 from connecting {:.2}",
                self.ratio, self.served.p99_ratio
            ),
        ];
        lines.extend(
            self.cpu_ratio
                .map(|ratio| format!("the server's processor time of a start by the floor's: {ratio:.2}")),
        );
        lines.extend(
            self.server_memory
                .map(|len| format!("the server's memory, at the most: {} MiB", len >> 20)),
        );
        for (what, counts) in [
            ("told to ask again later", &self.put_off),
            ("went wrong and was tried again", &self.failed),
            ("at the floor, went wrong and was tried again", &self.floor_failed),
        ] {
            lines.extend(
                counts
                    .iter()
                    .map(|(said, count)| format!("{what}, {count} times: {said}")),
            );
        }
        lines.push(format!(
            "lost: {} of the server's, {} of the floor's",
            self.lost, self.floor_lost
        ));
        lines.join("\n")
    }
}

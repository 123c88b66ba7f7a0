//! `steady`: how many renewals a second a server makes durable while all ask as fast as they are answered.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use seatkeeper::tls::Identity;
use serde::Serialize;

use crate::args::Steady;
use crate::drive::{Drive, Driving, Until};
use crate::error::SwarmError;
use crate::files::allow_files;
use crate::floor;
use crate::latency::{Latencies, Summary, median, shown};
use crate::mold::Mold;
use crate::process::{cpu_time, resident_len};
use crate::site::{Site, identity};
use crate::syncs;

/// What lets one host be many machines; all else is as it is by default.
const MANY_MACHINES: &str =
    "[limits]\nnew_macs_per_identity_and_day = 4000000000\nnew_seats_per_source_and_minute = 4000000000\n";

/// Requests under way on each connection while machines get their seats.
const FILL_DEPTH: usize = 4;

/// For how long bare syncs are measured.
const SYNCS_FOR: Duration = Duration::from_secs(1);

/// What `steady --json` prints.
#[derive(Debug, Serialize)]
struct Report {
    connections: usize,
    depth: usize,
    machines: u32,
    secs: u64,
    runs: Vec<Run>,
    /// Renewals a second of the server by answers a second of the floor, of each run; the middle one.
    ratio: f64,
    /// The middle run's time of a renewal by that of one sync of as many bytes and one exchange with the floor, where one
    /// request is under way at a time.
    lone_ratio: Option<f64>,
    /// How long renewals waited, all runs together.
    server: Summary,
    floor: Summary,
    /// What of the server's memory the machines' seats take, in bytes each; absent where that cannot be seen.
    memory_per_seat: Option<u64>,
    /// What was refused, and how often.
    refused: Vec<(String, u64)>,
}

/// Server and floor, one behind the other.
#[derive(Debug, Serialize)]
struct Run {
    /// Durable renewals a second.
    server_rate: f64,
    /// Answers a second without state.
    floor_rate: f64,
    /// Processor seconds that the server took for a million renewals; absent where that cannot be seen.
    server_cpu_secs_per_million: Option<f64>,
    /// One bare sync of as many bytes as a renewal, in microseconds.
    sync_us: f64,
}

pub(crate) async fn run(args: &Steady) -> Result<(), SwarmError> {
    allow_files()?;
    let machines = args.machines.max(u32::try_from(args.connections).unwrap_or(u32::MAX));
    let site = Site::open(&args.server, MANY_MACHINES, machines.saturating_add(1)).await?;
    let identities: Result<Vec<Identity>, SwarmError> = (0..args.connections).map(|_| identity()).collect();
    let identities = identities?;
    let answers = floor::answers_of(&site, &identity()?, u32::MAX).await?;
    let (floor, floor_address) = floor::start_tls(&answers).await?;
    let mold = Mold::new(site.vendor).map_err(|error| SwarmError::of("making requests")(&error))?;
    let connect = |server: SocketAddr, depth| Drive::connect(server, &mold, &identities, machines, depth);
    let empty = site.pid.and_then(resident_len);
    // Over connections of their own: the more are under way on each, the more addresses they need.
    let mut filling = connect(site.server, FILL_DEPTH).await?;
    let filled = filling.run(FILL_DEPTH, Until::Rounds(1)).await?;
    if let Some((said, count)) = filled.refused.first_key_value() {
        return Err(SwarmError::because("engaging seats", format!("{count} times: {said}")));
    }
    progress(&format!("{machines} seats engaged, {:.0} a second", filled.rate()));
    let full = site.pid.and_then(resident_len);
    let mut server = if args.depth == FILL_DEPTH {
        filling
    } else {
        filling.moved(&identities, args.depth).await?
    };
    let mut bare = connect(floor_address, args.depth).await?;
    let (runs, drivings) = measure(args, &site, mold.len(), &mut server, &mut bare).await?;
    server.close().await;
    bare.close().await;
    floor.end().await?;
    site.end().await?;
    let report = Report::of(args, machines, runs, &drivings, empty.zip(full));
    let text = if args.json {
        serde_json::to_string_pretty(&report).map_err(|error| SwarmError::of("making JSON")(&error))?
    } else {
        report.told()
    };
    writeln!(std::io::stdout(), "{text}").map_err(SwarmError::Output)
}

/// Runs floor and server in turn.
async fn measure(
    args: &Steady,
    site: &Site,
    request_len: usize,
    server: &mut Drive,
    bare: &mut Drive,
) -> Result<(Vec<Run>, Vec<(Driving, Driving)>), SwarmError> {
    let time = Until::Time(Duration::from_secs(args.secs));
    let (mut runs, mut drivings) = (Vec::new(), Vec::new());
    for number in 1..=args.runs {
        let bare = bare.run(args.depth, time).await?;
        let before = site.pid.and_then(cpu_time);
        let driving = server.run(args.depth, time).await?;
        let cpu = site
            .pid
            .and_then(cpu_time)
            .zip(before)
            .map(|(after, before)| after.saturating_sub(before));
        let sync = syncs::mean(args.server.scratch.as_deref(), request_len, SYNCS_FOR)?;
        let run = Run {
            server_rate: driving.rate(),
            floor_rate: bare.rate(),
            server_cpu_secs_per_million: cpu
                .map(|cpu| cpu.as_secs_f64() * 1e6 / (driving.rate() * driving.took.as_secs_f64())),
            sync_us: sync.as_secs_f64() * 1e6,
        };
        progress(&format!(
            "run {number}: server {:.0}/s, floor {:.0}/s, ratio {:.2}",
            run.server_rate,
            run.floor_rate,
            run.server_rate / run.floor_rate
        ));
        runs.push(run);
        drivings.push((driving, bare));
    }
    Ok((runs, drivings))
}

fn progress(line: &str) {
    // Nobody may be reading it.
    drop(writeln!(std::io::stderr(), "{line}"));
}

impl Report {
    fn of(
        args: &Steady,
        machines: u32,
        runs: Vec<Run>,
        drivings: &[(Driving, Driving)],
        memory: Option<(u64, u64)>,
    ) -> Self {
        let all = |which: fn(&(Driving, Driving)) -> &Driving| {
            let mut all = Latencies::new();
            for pair in drivings {
                all.and(&which(pair).answered);
            }
            all.summary()
        };
        let mut refused = std::collections::BTreeMap::new();
        for (said, count) in drivings.iter().flat_map(|(server, _)| &server.refused) {
            *refused.entry(said.clone()).or_insert(0) += count;
        }
        // One at a time: the time of each is what the rate leaves for it.
        let lone = |run: &Run| (1e6 / run.server_rate) / (run.sync_us + 1e6 / run.floor_rate);
        let is_lone = args.connections == 1 && args.depth == 1;
        Self {
            connections: args.connections,
            depth: args.depth,
            machines,
            secs: args.secs,
            ratio: median(runs.iter().map(|run| run.server_rate / run.floor_rate).collect()),
            lone_ratio: is_lone.then(|| median(runs.iter().map(lone).collect())),
            runs,
            server: all(|(server, _)| server),
            floor: all(|(_, floor)| floor),
            memory_per_seat: memory.map(|(empty, full)| full.saturating_sub(empty) / u64::from(machines.max(1))),
            refused: refused.into_iter().collect(),
        }
    }

    fn told(&self) -> String {
        let mut table = Table::new();
        table
            .load_style(UTF8_FULL_CONDENSED)
            .set_header(["", "a second, middle run", "p50", "p99", "p99.9", "max"]);
        let middle = |rate: fn(&Run) -> f64| median(self.runs.iter().map(rate).collect());
        for (name, rate, summary) in [
            ("server, durable", middle(|run| run.server_rate), self.server),
            ("floor, no state", middle(|run| run.floor_rate), self.floor),
        ] {
            let waits = [summary.p50_us, summary.p99_us, summary.p999_us, summary.max_us].map(shown);
            table.add_row([&[name.to_owned(), format!("{rate:.0}")], waits.as_slice()].concat());
        }
        let mut lines = vec![
            table.to_string(),
            format!(
                "{} connections, {} under way on each, {} machines; {} runs of {} s, floor and server in turn.",
                self.connections,
                self.depth,
                self.machines,
                self.runs.len(),
                self.secs
            ),
            format!("ratio of the middle run: {:.2}", self.ratio),
        ];
        lines.extend(
            self.lone_ratio
                .map(|ratio| format!("a renewal by one sync and one exchange: {ratio:.2}")),
        );
        lines.extend(
            self.memory_per_seat
                .map(|len| format!("memory: {len} bytes for each seat")),
        );
        let cpu = self
            .runs
            .iter()
            .filter_map(|run| run.server_cpu_secs_per_million)
            .collect::<Vec<_>>();
        if !cpu.is_empty() {
            lines.push(format!(
                "the server's processor time: {:.1} s for a million renewals",
                median(cpu)
            ));
        }
        lines.extend(
            self.refused
                .iter()
                .map(|(said, count)| format!("refused {count} times: {said}")),
        );
        lines.join("\n")
    }
}

//! `steady`: how many renewals a second a server makes durable while all ask as fast as they are answered, or how many requests
//! of several kinds it answers.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::args::Steady;
use crate::error::SwarmError;
use crate::field::{Field, Measured, OneKind, Run};
use crate::latency::{Summary, median};
use crate::mix::Mix;
use crate::plot;
use crate::report::{Counts, print, table};

/// What `steady --json` prints.
#[derive(Debug, Serialize)]
struct Report {
    connections: usize,
    depth: usize,
    machines: u32,
    secs: u64,
    /// The weight of each kind of request.
    mix: BTreeMap<&'static str, u32>,
    /// What their order was made from.
    seed: u64,
    runs: Vec<Run>,
    /// Answers a second of the server by answers a second of the floor, of each run; the middle one.
    ratio: f64,
    /// The middle run's time of a renewal by that of one sync of as many bytes and one exchange with the floor, where one
    /// request is under way at a time.
    lone_ratio: Option<f64>,
    /// How long requests waited, all runs together.
    server: Summary,
    floor: Summary,
    /// Each kind of request by itself.
    kinds: Vec<OneKind>,
    /// What of the server's memory the machines' seats take, in bytes each; absent where that cannot be seen.
    memory_per_seat: Option<u64>,
    /// What was refused, and how often.
    refused: Counts,
}

pub(crate) async fn run(args: &Steady) -> Result<(), SwarmError> {
    let machines = args
        .machines
        .max(u32::try_from(args.load.connections).unwrap_or(u32::MAX));
    let mut field = Field::open(&args.server, args.load, machines, &args.mix).await?;
    field.fill(machines).await?;
    let memory = field.memory_per_seat();
    field.mix(&args.mix, args.seed);
    let measured = field.measure(args.run, args.time).await?;
    field.close().await?;
    let (server, floor) = (measured.server(), measured.floor());
    print(
        &Report::of(args, machines, measured, memory),
        args.run.json,
        Report::told,
    )?;
    // Behind what was measured, which a file that cannot be written does not take away.
    if let Some(file) = &args.plot.svg {
        let title = if args.mix == Mix::renewals() {
            "steady: a renewal".to_owned()
        } else {
            format!("steady: a request ({})", args.mix)
        };
        plot::waits(file, &title, &server, &floor)?;
    }
    Ok(())
}

impl Report {
    fn of(args: &Steady, machines: u32, measured: Measured, memory_per_seat: Option<u64>) -> Self {
        // One at a time: the time of each is what the rate leaves for it.
        let lone = |run: &Run| (1e6 / run.server_rate) / (run.sync_us + 1e6 / run.floor_rate);
        let is_lone = args.load.connections == 1 && args.load.depth == 1 && args.mix == Mix::renewals();
        let (server, floor) = (measured.server().summary(), measured.floor().summary());
        let refused = measured.refused();
        let kinds = args.mix.kinds().map(|kind| measured.of(kind)).collect();
        let runs = measured.runs;
        Self {
            connections: args.load.connections,
            depth: args.load.depth,
            machines,
            secs: args.time.secs,
            mix: args.mix.weights().collect(),
            seed: args.seed,
            ratio: median(runs.iter().map(|run| run.server_rate / run.floor_rate).collect()),
            lone_ratio: is_lone.then(|| median(runs.iter().map(lone).collect())),
            runs,
            server,
            floor,
            kinds,
            memory_per_seat,
            refused,
        }
    }

    fn told(&self) -> String {
        let mut table = table(["", "a second, middle run", "p50", "p99", "p99.9", "max"]);
        let middle = |rate: fn(&Run) -> f64| median(self.runs.iter().map(rate).collect());
        for (name, rate, summary) in [
            ("server, durable", middle(|run| run.server_rate), self.server),
            ("floor, no state", middle(|run| run.floor_rate), self.floor),
        ] {
            table.add_row([&[name.to_owned(), format!("{rate:.0}")], summary.cells().as_slice()].concat());
        }
        let mut lines = vec![table.to_string()];
        if self.kinds.len() > 1 {
            lines.push(self.told_by_kind());
        }
        lines.extend([
            format!(
                "{} connections, {} under way on each, {} machines; {} runs of {} s, floor and server in turn.",
                self.connections,
                self.depth,
                self.machines,
                self.runs.len(),
                self.secs
            ),
            format!("ratio of the middle run: {:.2}", self.ratio),
        ]);
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
                "the server's processor time: {:.1} s for a million requests",
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

    fn told_by_kind(&self) -> String {
        let mut table = table([
            "",
            "a second, middle run",
            "p50",
            "p99",
            "p99.9",
            "max",
            "p99, by the floor",
        ]);
        for one in &self.kinds {
            let mut row = vec![one.kind.name().to_owned(), format!("{:.0}", one.server_rate)];
            row.extend(one.compared.server.cells());
            row.push(format!("{:.2}", one.compared.p99_ratio));
            table.add_row(row);
        }
        format!("{table}\nin an order of the seed {}.", self.seed)
    }
}

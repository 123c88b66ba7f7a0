//! `growth`: what becomes of renewals, of single operations and of pages while a server has ever more seats.

use serde::Serialize;

use crate::args::Growth;
use crate::error::SwarmError;
use crate::field::{Field, Run};
use crate::latency::{Summary, median, shown};
use crate::mix::Mix;
use crate::operations::Timed;
use crate::pages::Page;
use crate::plot;
use crate::report::{self, Counts, print, ratio, table};

/// Seats are so many times as many in each step.
const TIMES: u32 = 10;

/// What `growth --json` prints.
#[derive(Debug, Serialize)]
struct Report {
    connections: usize,
    depth: usize,
    secs: u64,
    steps: Vec<Step>,
}

/// The server with so many seats.
#[derive(Debug, Serialize)]
struct Step {
    machines: u32,
    runs: Vec<Run>,
    /// Renewals a second of the server by answers a second of the floor, of each run; the middle one.
    ratio: f64,
    /// Renewals a second of the middle run, by those of the first step.
    rate_to_first: f64,
    /// That ratio by the first step's: what is left of it once the machine's own ups and downs are out.
    ratio_to_first: f64,
    /// p99 of what a renewal waits, all runs together, by that of the first step.
    p99_to_first: f64,
    /// How long renewals waited, all runs together.
    server: Summary,
    floor: Summary,
    /// What of the server's memory the machines' seats take, in bytes each; absent where that cannot be seen.
    memory_per_seat: Option<u64>,
    /// What was refused, and how often.
    refused: Counts,
    /// How long each operation took, one at a time.
    operations: Vec<Growing>,
    /// How long the first page of each view took, one at a time.
    pages: Vec<Page>,
}

/// An operation, by what it was in the first step.
#[derive(Debug, Serialize)]
struct Growing {
    #[serde(flatten)]
    operation: Timed,
    /// How long half of them took, by that of the first step.
    p50_to_first: f64,
    /// The server's processor time likewise; absent where that cannot be seen.
    cpu_to_first: Option<f64>,
}

impl Growing {
    fn since(first: Option<&Self>, operation: Timed) -> Self {
        let first = first.map(|first| &first.operation);
        let p50 = |of: &Timed| of.took.p50_us.max(1);
        let cpu = |of: &Timed| of.server_cpu_us.filter(|micros| *micros > 0.0);
        let cpus = cpu(&operation).zip(first.map_or_else(|| cpu(&operation), cpu));
        Self {
            p50_to_first: first.map_or(1.0, |first| ratio(p50(&operation), p50(first))),
            cpu_to_first: cpus.map(|(now, first)| now / first),
            operation,
        }
    }
}

pub(crate) async fn run(args: &Growth) -> Result<(), SwarmError> {
    let connections = u32::try_from(args.load.connections).unwrap_or(u32::MAX);
    let least = args.least.max(connections);
    let most = args.most.max(least);
    let mut field = Field::open(&args.server, args.load, most, &Mix::renewals()).await?;
    let mut report = Report {
        connections: args.load.connections,
        depth: args.load.depth,
        secs: args.time.secs,
        steps: Vec::new(),
    };
    let sizes = std::iter::successors(Some(least), |machines| machines.checked_mul(TIMES));
    for machines in sizes.take_while(|&machines| machines <= most) {
        field.license(machines).await?;
        field.fill(machines).await?;
        let step = measured(&mut field, args, report.steps.first()).await?;
        report.steps.push(step);
    }
    field.close().await?;
    print(&report, args.run.json, Report::told)?;
    // Behind what was measured, which a file that cannot be written does not take away.
    if let Some(file) = &args.plot.svg {
        let point = |step: &Step| plot::Grown {
            seats: step.machines,
            rate: step.rate_to_first,
            rate_by_floor: step.ratio_to_first,
            p99: step.p99_to_first,
        };
        plot::growth(file, &report.steps.iter().map(point).collect::<Vec<_>>())?;
    }
    Ok(())
}

async fn measured(field: &mut Field, args: &Growth, first: Option<&Step>) -> Result<Step, SwarmError> {
    let memory_per_seat = field.memory_per_seat();
    let measured = field.measure(args.run, args.time).await?;
    let operations = field.operations().await?;
    let pages = field.pages().await?;
    let (server, floor) = (measured.server().summary(), measured.floor().summary());
    let refused = measured.refused();
    let runs = measured.runs;
    let ratio = median(runs.iter().map(|run| run.server_rate / run.floor_rate).collect());
    let rate = |runs: &[Run]| median(runs.iter().map(|run| run.server_rate).collect());
    Ok(Step {
        machines: field.machines(),
        ratio,
        ratio_to_first: first.map_or(1.0, |first| ratio / first.ratio),
        rate_to_first: first.map_or(1.0, |first| rate(&runs) / rate(&first.runs)),
        p99_to_first: first.map_or(1.0, |first| report::ratio(server.p99_us, first.server.p99_us.max(1))),
        server,
        floor,
        memory_per_seat,
        refused,
        operations: operations
            .into_iter()
            .enumerate()
            .map(|(place, operation)| Growing::since(first.and_then(|first| first.operations.get(place)), operation))
            .collect(),
        pages,
        runs,
    })
}

impl Report {
    fn told(&self) -> String {
        let mut table = table([
            "seats",
            "renewals a second, by the first",
            "by the floor",
            "that by the first",
            "p99, by the first",
            "p50",
            "p99",
            "p99.9",
            "max",
            "bytes a seat",
        ]);
        for step in &self.steps {
            let mut row = vec![step.machines.to_string()];
            row.extend(
                [step.rate_to_first, step.ratio, step.ratio_to_first, step.p99_to_first]
                    .map(|ratio| format!("{ratio:.2}")),
            );
            row.extend(step.server.cells());
            row.push(step.memory_per_seat.map_or_else(String::new, |len| len.to_string()));
            table.add_row(row);
        }
        let mut lines = vec![
            table.to_string(),
            format!(
                "{} connections, {} under way on each; runs of {} s, floor and server in turn, in one server.",
                self.connections, self.depth, self.secs
            ),
        ];
        lines.push(self.operations());
        lines.push(self.pages());
        for step in &self.steps {
            let refused = step.refused.iter();
            lines
                .extend(refused.map(|(said, count)| format!("{} seats: refused {count} times: {said}", step.machines)));
        }
        lines.join("\n")
    }

    /// Each operation: how long half of them took at first, and by how much more or less later; and the processor time.
    fn operations(&self) -> String {
        let first = || self.steps.iter().take(1).flat_map(|step| &step.operations);
        let later = |place, of: fn(&Growing) -> Option<f64>| {
            let steps = self.steps.iter().skip(1).map(move |step| step.operations.get(place));
            steps.map(move |later| later.and_then(of)).collect::<Vec<_>>()
        };
        let name = |first: &Growing| first.operation.operation;
        let waits = first().enumerate().map(|(place, first)| {
            let at_first = shown(first.operation.took.p50_us);
            let by_first = later(place, |later| Some(later.p50_to_first));
            (name(first), at_first, by_first)
        });
        let cpus = first().enumerate().filter_map(|(place, first)| {
            let at_first = format!("{:.0} us", first.operation.server_cpu_us?);
            Some((name(first), at_first, later(place, |later| later.cpu_to_first)))
        });
        let waits = self.by_first(["one at a time", "p50 at first"], waits);
        let cpus = self.by_first(["processor time of the server", "each at first"], cpus);
        format!("{waits}\n{cpus}")
    }

    /// The first page of each view, likewise.
    fn pages(&self) -> String {
        let first = self.steps.iter().take(1).flat_map(|step| &step.pages);
        let rows = first.enumerate().map(|(place, page)| {
            let p50 = page.took.p50_us;
            let steps = self.steps.iter().skip(1).map(|step| step.pages.get(place));
            let by_first = steps.map(|later| later.map(|later| ratio(later.took.p50_us, p50.max(1))));
            (page.view, shown(p50), by_first.collect())
        });
        self.by_first(["first page of", "p50 at first"], rows)
    }

    /// What something was at first, and by that in each later step.
    fn by_first(
        &self,
        header: [&str; 2],
        rows: impl Iterator<Item = (&'static str, String, Vec<Option<f64>>)>,
    ) -> String {
        let mut table = table([""]);
        let sizes = self.steps.iter().skip(1);
        let sizes = sizes.map(|step| format!("at {} seats, by the first", step.machines));
        table.set_header(header.map(str::to_owned).into_iter().chain(sizes));
        for (name, at_first, by_first) in rows {
            let mut row = vec![name.to_owned(), at_first];
            row.extend(
                by_first
                    .into_iter()
                    .map(|ratio| ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"))),
            );
            table.add_row(row);
        }
        table.to_string()
    }
}

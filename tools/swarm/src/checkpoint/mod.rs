//! `checkpoint`: what renewals wait while a server with many seats makes a checkpoint, against a server that only answers
//! while as much is written beside it.

mod watch;
mod writer;

use std::path::Path;
use std::time::Duration;

use seatkeeper::tls::Identity;
use serde::Serialize;

use self::watch::Seen;
use self::writer::Trace;
use crate::args::{Checkpoint, LoadArgs};
use crate::child::Child;
use crate::clock::Moment;
use crate::drive::{Drive, Until};
use crate::error::SwarmError;
use crate::fleet::{FILL_DEPTH, Fleet};
use crate::floor;
use crate::generations::Due;
use crate::latency::{Latencies, Summary, shown};
use crate::own::{Home, scratch_dir};
use crate::report::{Compared, Counts, print, progress, ratio, sum, table};
use crate::site::{Site, identities, identity};

/// For how long the floor is asked as fast as it answers, to set the pace.
const TRIED_FOR: Duration = Duration::from_secs(2);

/// The part of what the floor answers then that is asked of both.
const PART: f64 = 0.25;

/// For how long the floor is asked before anything is written beside it.
const LEAD: Duration = Duration::from_secs(1);

/// What `checkpoint --json` prints.
#[derive(Debug, Serialize)]
struct Report {
    machines: u32,
    connections: usize,
    /// Renewals a second.
    rate: u32,
    runs: Vec<Run>,
    /// What renewals waited from when they were due, during a checkpoint, and with as much written beside the floor.
    waited: Compared,
    /// The same beside a floor that syncs what it is asked before it answers.
    waited_synced: Compared,
    /// What renewals waited in the seconds before each checkpoint.
    quiet: Summary,
    /// The most that the server took of memory during one, beyond what it had before, in bytes; absent where that cannot be seen.
    extra_memory: Option<u64>,
    /// What was refused, and how often.
    refused: Counts,
}

/// A checkpoint, and the floor beside a writer.
#[derive(Clone, Copy, Debug, Serialize)]
struct Run {
    /// How long the checkpoint took, in microseconds.
    checkpoint_us: u64,
    /// What it wrote, in bytes.
    checkpoint_bytes: u64,
    /// p99 of renewals meanwhile by p99 of the floor's answers.
    p99_ratio: f64,
    /// By that of the floor that syncs.
    p99_ratio_synced: f64,
    extra_memory: Option<u64>,
}

/// What waited, of a run.
struct Waited {
    during: Latencies,
    quiet: Latencies,
    floor: Latencies,
    synced: Latencies,
}

/// All sides.
struct Sides {
    fleet: Fleet,
    floor: Bare,
    synced: Bare,
}

/// A floor, and the connections to it.
struct Bare {
    process: Child,
    drive: Drive,
}

pub(crate) async fn run(args: &Checkpoint) -> Result<(), SwarmError> {
    let machines = args.machines.max(u32::try_from(args.connections).unwrap_or(u32::MAX));
    let mut sides = Sides::open(args, machines).await?;
    let rate = match args.rate {
        Some(rate) => rate,
        None => sides.pace().await?,
    };
    progress(&format!("{rate} renewals a second"));
    let (mut runs, mut waited, mut refused) = (Vec::new(), Vec::new(), Counts::new());
    for number in 1..=args.run.runs {
        if number > 1 {
            // One is due again when the journal is as long as what the last one wrote of the ledger.
            let renewed = sides.fleet.drive.run(FILL_DEPTH, Until::Rounds(1)).await?;
            refused = sum([&refused, &renewed.refused]);
        }
        let watching = Box::pin(watch::checkpoint(&sides.fleet.site));
        let (paced, seen) = sides.fleet.drive.pace_while(rate, watching).await?;
        refused = sum([&refused, &paced.refused]);
        let these = Waited {
            during: paced.between(seen.begun, seen.done),
            quiet: paced.between(seen.quiet_from, seen.begun),
            floor: sides.floor.beside(rate, &seen.trace, args).await?,
            synced: sides.synced.beside(rate, &seen.trace, args).await?,
        };
        let run = Run::of(&seen, &these);
        progress(&run.told(number, &these));
        runs.push(run);
        waited.push(these);
    }
    sides.close().await?;
    let pairs: Vec<_> = waited.iter().map(|one| (&one.during, &one.floor)).collect();
    let synced: Vec<_> = waited.iter().map(|one| (&one.during, &one.synced)).collect();
    let report = Report {
        machines,
        connections: args.connections,
        rate,
        waited: Compared::of(&pairs),
        waited_synced: Compared::of(&synced),
        quiet: Latencies::all(waited.iter().map(|one| &one.quiet)).summary(),
        extra_memory: runs.iter().filter_map(|run| run.extra_memory).max(),
        runs,
        refused,
    };
    print(&report, args.run.json, Report::told)
}

impl Sides {
    async fn open(args: &Checkpoint, machines: u32) -> Result<Self, SwarmError> {
        let load = LoadArgs {
            connections: args.connections,
            depth: FILL_DEPTH,
        };
        let home = Home::new(&args.own, &Due::Late.config())?;
        let site = Site::own(home, machines.saturating_add(1)).await?;
        let answers = floor::answers_of(&site, &identity()?, u32::MAX).await?;
        let disk = site
            .home()
            .map_or_else(std::env::temp_dir, |home| home.scratch().to_owned());
        let mut fleet = Fleet::open(site, load).await?;
        fleet.fill(machines).await?;
        let identities = identities(load.connections)?;
        Ok(Self {
            floor: Bare::start(&answers, None, &fleet, &identities).await?,
            synced: Bare::start(&answers, Some(&disk), &fleet, &identities).await?,
            fleet,
        })
    }

    /// How many renewals a second are asked for: a part of what the floor answers at most.
    async fn pace(&mut self) -> Result<u32, SwarmError> {
        let tried = self.floor.drive.run(1, Until::Time(TRIED_FOR)).await?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate of requests, at least one"
        )]
        let rate = (tried.rate() * PART).max(1.0) as u32;
        Ok(rate)
    }

    async fn close(self) -> Result<(), SwarmError> {
        self.fleet.drive.close().await;
        self.floor.close().await?;
        self.synced.close().await?;
        self.fleet.site.end().await
    }
}

impl Bare {
    async fn start(
        answers: &floor::Answers,
        sync_in: Option<&Path>,
        fleet: &Fleet,
        identities: &[Identity],
    ) -> Result<Self, SwarmError> {
        let (process, address) = floor::start_tls(answers, sync_in).await?;
        let mut drive = Drive::connect(address, &fleet.molds, identities, FILL_DEPTH).await?;
        drive.deal(0..fleet.machines());
        Ok(Self { process, drive })
    }

    /// How long each answer took while as much was written beside it.
    async fn beside(&mut self, rate: u32, trace: &Trace, args: &Checkpoint) -> Result<Latencies, SwarmError> {
        let dir = scratch_dir(args.own.scratch.as_deref())?;
        let (trace, into) = (trace.clone(), dir.path().to_owned());
        let writing = async {
            tokio::time::sleep(LEAD).await;
            let begun = Moment::now();
            let doing = "writing beside the floor";
            let written = tokio::task::spawn_blocking(move || trace.replay(&into)).await;
            let written = written.map_err(|error| SwarmError::of(doing)(&error))?;
            written.map_err(|error| SwarmError::of(doing)(&error))?;
            Ok((begun, Moment::now()))
        };
        let (paced, (begun, done)) = self.drive.pace_while(rate, writing).await?;
        Ok(paced.between(begun, done))
    }

    async fn close(self) -> Result<(), SwarmError> {
        self.drive.close().await;
        self.process.end().await
    }
}

impl Run {
    fn of(seen: &Seen, waited: &Waited) -> Self {
        let took = seen.done.since(seen.begun).as_micros();
        let p99 = |latencies: &Latencies| latencies.summary().p99_us;
        Self {
            checkpoint_us: u64::try_from(took).unwrap_or(u64::MAX),
            checkpoint_bytes: seen.trace.len(),
            p99_ratio: ratio(p99(&waited.during), p99(&waited.floor).max(1)),
            p99_ratio_synced: ratio(p99(&waited.during), p99(&waited.synced).max(1)),
            extra_memory: seen.extra_memory,
        }
    }

    fn told(&self, number: u32, waited: &Waited) -> String {
        let [during, quiet, floor, synced] = [&waited.during, &waited.quiet, &waited.floor, &waited.synced]
            .map(|latencies| shown(latencies.summary().p99_us));
        format!(
            "run {number}: a checkpoint of {}, {} MiB written; p99 {during}, {quiet} before it; floor {floor}, ratio {:.2}; \
             floor that syncs {synced}, ratio {:.2}",
            shown(self.checkpoint_us),
            self.checkpoint_bytes >> 20,
            self.p99_ratio,
            self.p99_ratio_synced
        )
    }
}

impl Report {
    fn told(&self) -> String {
        let mut table = table(["", "renewals", "p50", "p99", "p99.9", "max"]);
        for (name, summary) in [
            ("server, during a checkpoint", self.waited.server),
            ("floor, as much written beside it", self.waited.floor),
            ("floor that syncs, likewise", self.waited_synced.floor),
            ("server, before it", self.quiet),
        ] {
            table.add_row(
                [
                    &[name.to_owned(), summary.count.to_string()],
                    summary.cells().as_slice(),
                ]
                .concat(),
            );
        }
        let middle = |of: fn(&Run) -> u64| {
            let mut all: Vec<_> = self.runs.iter().map(of).collect();
            all.sort_unstable();
            all.get(all.len() / 2).copied().unwrap_or_default()
        };
        let mut lines = vec![
            table.to_string(),
            format!(
                "{} renewals a second over {} connections, {} machines; {} runs. Waiting is counted from when each was due.",
                self.rate,
                self.connections,
                self.machines,
                self.runs.len()
            ),
            format!(
                "p99 during a checkpoint, ratio of the middle run: {:.2}",
                self.waited.p99_ratio
            ),
            format!(
                "a checkpoint took {}, and wrote {} MiB",
                shown(middle(|run| run.checkpoint_us)),
                middle(|run| run.checkpoint_bytes) >> 20
            ),
        ];
        lines.push(self.extra_memory.map_or_else(
            || "the memory that it took cannot be seen".to_owned(),
            |len| {
                format!(
                    "memory during one, beyond what the server had before: {} MiB at most",
                    len >> 20
                )
            },
        ));
        lines.extend(
            self.refused
                .iter()
                .map(|(said, count)| format!("refused {count} times: {said}")),
        );
        lines.join("\n")
    }
}

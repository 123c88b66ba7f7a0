//! `writes`: what a server writes to the disk for renewals, checkpoints included.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::args::Writes;
use crate::counted::received_len;
use crate::drive::{Drive, Driving};
use crate::error::SwarmError;
use crate::fleet::Fleet;
use crate::generations::{Due, Generations};
use crate::journal::{self, Place, Tally};
use crate::latency::median;
use crate::own::Home;
use crate::process::put_len;
use crate::report::{Counts, print, progress, ratio, sum, table};
use crate::site::Site;
use crate::syncs;

/// What `writes --json` prints.
#[derive(Debug, Serialize)]
struct Report {
    machines: u32,
    connections: usize,
    depth: usize,
    checkpoint_kib: u32,
    runs: Vec<Run>,
    /// Bytes of journal by those of its payload, of each run; the middle one.
    journal_by_payload: f64,
    /// Bytes written to files by those of journal, likewise; absent where that cannot be seen.
    disk_by_journal: Option<f64>,
    /// Renewals in a round, likewise.
    renewals_per_round: f64,
    /// Rounds a second by bare syncs of as many bytes, likewise.
    rounds_by_syncs: f64,
    /// What was refused, and how often.
    refused: Counts,
}

/// From when one checkpoint was made until the next one was.
#[derive(Clone, Copy, Debug, Serialize)]
struct Run {
    /// Rounds, each made durable by itself.
    rounds: u64,
    /// Renewals in them.
    renewals: u64,
    /// Bytes of what the rounds record.
    payload_bytes: u64,
    /// Bytes of journal that they take.
    journal_bytes: u64,
    /// Bytes that the server wrote to its files, those of the checkpoint included; absent where that cannot be seen.
    disk_bytes: Option<u64>,
    /// Rounds a second.
    round_rate: f64,
    /// Bare syncs a second of as many bytes as a round had in the mean, measured behind it.
    sync_rate: f64,
}

/// For how long bare syncs are measured.
const SYNCS_FOR: Duration = Duration::from_secs(1);

/// Where a run begins.
struct Mark {
    place: Place,
    files_len: Option<u64>,
}

pub(crate) async fn run(args: &Writes) -> Result<(), SwarmError> {
    let machines = args
        .machines
        .max(u32::try_from(args.load.connections).unwrap_or(u32::MAX));
    let home = Home::new(&args.own, &Due::After(args.checkpoint_kib).config())?;
    let site = Site::own(home, machines.saturating_add(1)).await?;
    let mut fleet = Fleet::open(site, args.load).await?;
    fleet.fill(machines).await?;
    let mut generations = Generations::of(&fleet.site).await?;
    // From one checkpoint to the next: whatever was begun while the machines got their seats is behind then.
    let mut refused = until_the_next(&mut fleet.drive, &mut generations, args.load.depth)
        .await?
        .refused;
    progress("a checkpoint is made; measured from here on");
    let mut runs = Vec::new();
    for number in 1..=args.run.runs {
        let mark = Mark::here(&generations, fleet.site.pid)?;
        let these = until_the_next(&mut fleet.drive, &mut generations, args.load.depth).await?;
        refused = sum([&refused, &these.refused]);
        let written = mark.until_now(&generations, fleet.site.pid)?;
        let run = Run::of(written, &these, args.own.scratch.as_deref())?;
        progress(&run.told(number));
        runs.push(run);
    }
    generations.close().await;
    fleet.drive.close().await;
    fleet.site.end().await?;
    let report = Report {
        machines,
        connections: args.load.connections,
        depth: args.load.depth,
        checkpoint_kib: args.checkpoint_kib,
        journal_by_payload: median(runs.iter().map(Run::journal_by_payload).collect()),
        disk_by_journal: runs.iter().map(Run::disk_by_journal).collect::<Option<_>>().map(median),
        renewals_per_round: median(runs.iter().map(Run::renewals_per_round).collect()),
        rounds_by_syncs: median(runs.iter().map(Run::rounds_by_syncs).collect()),
        runs,
        refused,
    };
    print(&report, args.run.json, Report::told)
}

/// Has machines renew, as fast as they are answered, until a checkpoint was made.
async fn until_the_next(drive: &mut Drive, generations: &mut Generations, depth: usize) -> Result<Driving, SwarmError> {
    let next = generations.made().await? + 1;
    let (driving, ()) = drive.run_while(depth, generations.made_up_to(next)).await?;
    Ok(driving)
}

impl Mark {
    fn here(generations: &Generations, pid: Option<u32>) -> Result<Self, SwarmError> {
        let place = journal::end(generations.data());
        Ok(Self {
            place: place.map_err(|error| SwarmError::of("reading the journal")(&error))?,
            files_len: files_len(pid),
        })
    }

    /// What was written since, and how much of files in all; nothing of that where it cannot be seen.
    fn until_now(&self, generations: &Generations, pid: Option<u32>) -> Result<(Tally, Option<u64>), SwarmError> {
        let files_len = self.files_len.zip(files_len(pid));
        let written = journal::since(generations.data(), self.place);
        let written = written.map_err(|error| SwarmError::of("reading the journal")(&error))?;
        Ok((written, files_len.map(|(before, now)| now.saturating_sub(before))))
    }
}

/// What a process wrote to its files, in bytes: everything but what came here.
fn files_len(pid: Option<u32>) -> Option<u64> {
    pid.and_then(put_len).map(|len| len.saturating_sub(received_len()))
}

impl Run {
    /// Measures bare syncs of as many bytes, behind what was written.
    fn of(
        (written, disk_bytes): (Tally, Option<u64>),
        driving: &Driving,
        scratch: Option<&Path>,
    ) -> Result<Self, SwarmError> {
        let len = usize::try_from(written.len / written.rounds.max(1)).unwrap_or(usize::MAX);
        Ok(Self {
            rounds: written.rounds,
            renewals: driving.answered().summary().count,
            payload_bytes: written.payload_len,
            journal_bytes: written.len,
            disk_bytes,
            round_rate: ratio(written.rounds, 1) / driving.took.as_secs_f64().max(f64::EPSILON),
            sync_rate: 1.0 / syncs::mean(scratch, len, SYNCS_FOR)?.as_secs_f64(),
        })
    }

    fn journal_by_payload(&self) -> f64 {
        ratio(self.journal_bytes, self.payload_bytes.max(1))
    }

    fn disk_by_journal(&self) -> Option<f64> {
        self.disk_bytes.map(|len| ratio(len, self.journal_bytes.max(1)))
    }

    fn renewals_per_round(&self) -> f64 {
        ratio(self.renewals, self.rounds.max(1))
    }

    fn rounds_by_syncs(&self) -> f64 {
        self.round_rate / self.sync_rate
    }

    fn told(&self, number: u32) -> String {
        format!(
            "run {number}: {} renewals, {:.0} in a round; journal by payload {:.2}, disk by journal {}; rounds by bare syncs {:.2}",
            self.renewals,
            self.renewals_per_round(),
            self.journal_by_payload(),
            shown(self.disk_by_journal()),
            self.rounds_by_syncs()
        )
    }
}

fn shown(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "not seen".to_owned(), |ratio| format!("{ratio:.2}"))
}

impl Report {
    fn told(&self) -> String {
        let mut table = table([
            "run",
            "renewals",
            "in a round",
            "payload",
            "journal",
            "by payload",
            "disk",
            "by journal",
        ]);
        let mib = |len: u64| format!("{} MiB", len >> 20);
        for (number, run) in (1_u32..).zip(&self.runs) {
            table.add_row([
                number.to_string(),
                run.renewals.to_string(),
                format!("{:.0}", run.renewals_per_round()),
                mib(run.payload_bytes),
                mib(run.journal_bytes),
                format!("{:.2}", run.journal_by_payload()),
                run.disk_bytes.map_or_else(|| "not seen".to_owned(), mib),
                shown(run.disk_by_journal()),
            ]);
        }
        let mut lines = vec![
            table.to_string(),
            format!(
                "{} connections, {} under way on each, {} machines; each run from one checkpoint to the next.",
                self.connections, self.depth, self.machines
            ),
            format!(
                "journal by payload, middle run: {:.2}, with {:.0} renewals in a round",
                self.journal_by_payload, self.renewals_per_round
            ),
            format!(
                "all that is written to files by journal, checkpoints included: {}",
                shown(self.disk_by_journal)
            ),
            format!(
                "rounds a second by bare syncs of as many bytes, middle run: {:.2}",
                self.rounds_by_syncs
            ),
        ];
        lines.extend(
            self.refused
                .iter()
                .map(|(said, count)| format!("refused {count} times: {said}")),
        );
        lines.join("\n")
    }
}

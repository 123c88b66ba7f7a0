//! `attack`: how an agent that keeps the protocol is served while others do not.

use std::net::SocketAddr;
use std::time::Duration;

use clap::ValueEnum;
use seatkeeper::domain::ids::VendorId;
use seatkeeper::tls::Identity;
use serde::Serialize;

use crate::agent::{Agents, Met, STARTERS};
use crate::args::Attack;
use crate::assault::{self, Assault};
use crate::error::SwarmError;
use crate::floor;
use crate::latency::{Latencies, shown};
use crate::process::resident_len;
use crate::report::{Compared, Counts, print, progress, sum, table};
use crate::site::{Site, identities};

/// Seats of the license: more than anybody asks for.
const SEATS: u32 = 1_000_000;

/// What `attack --json` prints.
#[derive(Debug, Serialize)]
struct Report {
    runs: u32,
    secs: u64,
    attacks: Vec<Outcome>,
}

/// How agents fared during one attack.
#[derive(Debug, Serialize)]
struct Outcome {
    attack: Assault,
    /// A request over a connection that is open.
    request: Compared,
    /// A whole start: connect, prove, renew, hang up.
    start: Compared,
    /// What the server had in memory at the most, in bytes; absent where that cannot be seen.
    server_memory: Option<u64>,
    /// What the server's agents were told when it went wrong, and how often.
    server_failures: Counts,
    floor_failures: u64,
}

/// One of the two that are attacked.
struct Side {
    address: SocketAddr,
    agents: Agents,
}

pub(crate) async fn run(args: &Attack) -> Result<(), SwarmError> {
    let assaults = match args.assaults.as_slice() {
        [] => Assault::value_variants(),
        chosen => chosen,
    };
    let site = Site::open(&args.server, "", SEATS).await?;
    let identities = identities(STARTERS as usize + 1)?;
    let first = identities
        .first()
        .ok_or_else(|| SwarmError::because("asking the server once", "there is no identity"))?;
    // None of the agents' machines, which would look like a copy of it.
    let answers = floor::answers_of(&site, first, 0).await?;
    let (floor, floor_address) = floor::start_tls(&answers, None).await?;
    let mut server = Side::admitted(site.server, site.vendor, &identities).await?;
    let mut bare = Side::admitted(floor_address, site.vendor, &identities).await?;
    let mut report = Report {
        runs: args.run.runs,
        secs: args.time.secs,
        attacks: Vec::new(),
    };
    for assault in assaults {
        progress(&format!("{assault:?} ..."));
        report
            .attacks
            .push(compare(*assault, args, &site, &mut server, &mut bare).await?);
    }
    floor.end().await?;
    site.end().await?;
    print(&report, args.run.json, told)
}

impl Side {
    async fn admitted(address: SocketAddr, vendor: VendorId, identities: &[Identity]) -> Result<Self, SwarmError> {
        let agents = Agents::admitted(address, vendor, identities).await?;
        Ok(Self { address, agents })
    }

    /// One run: the attack begins, the agents live, the attack ends and leaves nothing behind.
    async fn run(
        &mut self,
        assault: Assault,
        vendor: VendorId,
        secs: u64,
        pid: Option<u32>,
    ) -> Result<Run, SwarmError> {
        let attackers = assault::start(assault, self.address, vendor).await?;
        let met = self.agents.live(Duration::from_secs(secs)).await;
        let memory = pid.and_then(resident_len);
        attackers.end().await?;
        self.agents.settle().await?;
        Ok(Run { met, memory })
    }
}

struct Run {
    met: Met,
    memory: Option<u64>,
}

async fn compare(
    assault: Assault,
    args: &Attack,
    site: &Site,
    server: &mut Side,
    floor: &mut Side,
) -> Result<Outcome, SwarmError> {
    let (mut runs, mut floors) = (Vec::new(), Vec::new());
    for _ in 0..args.run.runs {
        floors.push(floor.run(assault, site.vendor, args.time.secs, None).await?);
        runs.push(server.run(assault, site.vendor, args.time.secs, site.pid).await?);
    }
    Ok(Outcome {
        attack: assault,
        request: compared(&runs, &floors, |met| &met.asked),
        start: compared(&runs, &floors, |met| &met.started),
        server_memory: runs.iter().filter_map(|run| run.memory).max(),
        server_failures: sum(runs.iter().map(|run| &run.met.failed)),
        floor_failures: floors.iter().map(|run| run.met.failures()).sum(),
    })
}

/// How `which` of what agents did compares.
fn compared(runs: &[Run], floors: &[Run], which: impl Fn(&Met) -> &Latencies) -> Compared {
    let pairs = runs.iter().zip(floors);
    Compared::of(
        &pairs
            .map(|(run, floor)| (which(&run.met), which(&floor.met)))
            .collect::<Vec<_>>(),
    )
}

fn told(report: &Report) -> String {
    let mut table = table([
        "attack",
        "what",
        "floor p50",
        "p99",
        "max",
        "server p50",
        "p99",
        "max",
        "p99 ratio",
        "failed",
        "memory",
    ]);
    for outcome in &report.attacks {
        let name = outcome
            .attack
            .to_possible_value()
            .map(|value| value.get_name().to_owned());
        let failed: u64 = outcome.server_failures.values().sum();
        for (first, what, compared) in [(true, "request", &outcome.request), (false, "start", &outcome.start)] {
            let [floor, server] = [compared.floor, compared.server]
                .map(|summary| [summary.p50_us, summary.p99_us, summary.max_us].map(shown));
            let mut row = vec![name.clone().filter(|_| first).unwrap_or_default(), what.to_owned()];
            row.extend(floor);
            row.extend(server);
            row.push(format!("{:.2}", compared.p99_ratio));
            let told = [
                format!("{failed}, floor {}", outcome.floor_failures),
                outcome
                    .server_memory
                    .map_or_else(String::new, |len| format!("{} MiB", len >> 20)),
            ];
            row.extend(told.map(|told| if first { told } else { String::new() }));
            table.add_row(row);
        }
    }
    let mut lines = vec![
        table.to_string(),
        format!(
            "{} runs of {} s for each, floor and server in turn. Times are counted from when each request was due; the ratio is \
             that of the middle run.",
            report.runs, report.secs
        ),
    ];
    for outcome in &report.attacks {
        let failures = outcome.server_failures.iter();
        lines.extend(failures.map(|(said, count)| format!("{:?}: {count} times: {said}", outcome.attack)));
    }
    lines.join("\n")
}

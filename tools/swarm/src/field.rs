//! A server with machines that renew, and the floor beside it: what `steady` and `growth` measure.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::args::{LoadArgs, RunArgs, ServerArgs, TimeArgs};
use crate::child::Child;
use crate::drive::{Drive, Driving, Until};
use crate::error::SwarmError;
use crate::fleet::{FILL_DEPTH, Fleet};
use crate::floor;
use crate::latency::Latencies;
use crate::licenses;
use crate::pages::{self, Page};
use crate::process::Meter;
use crate::report::{Counts, progress, sum};
use crate::site::{MANY_MACHINES, Site, identities};
use crate::syncs;

/// For how long bare syncs are measured.
const SYNCS_FOR: Duration = Duration::from_secs(1);

/// The two that are measured, and the connections to them.
pub(crate) struct Field {
    fleet: Fleet,
    floor: Child,
    bare: Drive,
    depth: usize,
    scratch: Option<PathBuf>,
}

/// Server and floor, one behind the other.
#[derive(Debug, Serialize)]
pub(crate) struct Run {
    /// Durable renewals a second.
    pub(crate) server_rate: f64,
    /// Answers a second without state.
    pub(crate) floor_rate: f64,
    /// Processor seconds that the server took for a million renewals; absent where that cannot be seen.
    pub(crate) server_cpu_secs_per_million: Option<f64>,
    /// One bare sync of as many bytes as a renewal, in microseconds.
    pub(crate) sync_us: f64,
}

/// What came of several runs.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) runs: Vec<Run>,
    /// What each run's server and floor were asked.
    drivings: Vec<(Driving, Driving)>,
}

impl Measured {
    /// How long each renewal waited, all runs together.
    pub(crate) fn server(&self) -> Latencies {
        Latencies::all(self.drivings.iter().map(|(server, _)| &server.answered))
    }

    /// How long each answer of the floor took.
    pub(crate) fn floor(&self) -> Latencies {
        Latencies::all(self.drivings.iter().map(|(_, floor)| &floor.answered))
    }

    /// What the server refused.
    pub(crate) fn refused(&self) -> Counts {
        sum(self.drivings.iter().map(|(server, _)| &server.refused))
    }
}

impl Field {
    /// A server with so many seats to give and no machine yet, and a floor that answers as it does.
    pub(crate) async fn open(args: &ServerArgs, load: LoadArgs, seats: u32) -> Result<Self, SwarmError> {
        let site = Site::open(args, MANY_MACHINES, seats.saturating_add(1)).await?;
        let (floor, floor_address) = floor::start_like(&site).await?;
        let fleet = Fleet::open(site, load).await?;
        let depth = load.depth.max(FILL_DEPTH);
        let identities = identities(load.connections)?;
        let bare = Drive::connect(floor_address, &fleet.mold, &identities, depth).await?;
        Ok(Self {
            fleet,
            floor,
            bare,
            depth: load.depth,
            scratch: args.own.scratch.clone(),
        })
    }

    /// Has machines get their seats until there are so many.
    pub(crate) async fn fill(&mut self, machines: u32) -> Result<(), SwarmError> {
        self.bare.deal(self.fleet.machines()..machines);
        self.fleet.fill(machines).await.map(drop)
    }

    /// Has licenses for so many machines in all, beside the one that has room for everybody.
    pub(crate) async fn license(&self, machines: u32) -> Result<(), SwarmError> {
        licenses::import(&self.fleet.site, self.fleet.machines()..machines).await
    }

    /// What the first page of each view takes now.
    pub(crate) async fn pages(&self) -> Result<Vec<Page>, SwarmError> {
        pages::measure(&self.fleet.site, self.fleet.machines()).await
    }

    /// Machines that have a seat.
    pub(crate) const fn machines(&self) -> u32 {
        self.fleet.machines()
    }

    /// What of the server's memory the machines' seats take now, in bytes each; nothing where that cannot be seen.
    pub(crate) fn memory_per_seat(&self) -> Option<u64> {
        self.fleet.memory_per_seat()
    }

    /// Runs floor and server in turn.
    pub(crate) async fn measure(&mut self, run: RunArgs, time: TimeArgs) -> Result<Measured, SwarmError> {
        let time = || Until::Time(Duration::from_secs(time.secs));
        let (mut runs, mut drivings) = (Vec::new(), Vec::new());
        for number in 1..=run.runs {
            let bare = self.bare.run(self.depth, time()).await?;
            let meter = Meter::start(self.fleet.site.pid);
            let driving = self.fleet.drive.run(self.depth, time()).await?;
            let cpu = meter.read();
            let sync = syncs::mean(self.scratch.as_deref(), self.fleet.mold.len(), SYNCS_FOR)?;
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
        Ok(Measured { runs, drivings })
    }

    /// Hangs up, and ends what is ours.
    pub(crate) async fn close(self) -> Result<(), SwarmError> {
        self.fleet.drive.close().await;
        self.bare.close().await;
        self.floor.end().await?;
        self.fleet.site.end().await
    }
}

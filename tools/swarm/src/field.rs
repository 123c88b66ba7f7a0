//! A server with machines that renew, and the floor beside it: what `steady` and `growth` measure.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::args::{LoadArgs, RunArgs, ServerArgs, TimeArgs};
use crate::child::Child;
use crate::drive::{Drive, Driving, Until};
use crate::error::SwarmError;
use crate::files::allow_files;
use crate::floor;
use crate::latency::Latencies;
use crate::licenses;
use crate::mold::Mold;
use crate::pages::{self, Page};
use crate::process::{Meter, resident_len};
use crate::report::{Counts, progress, sum};
use crate::site::{MANY_MACHINES, Site, identities, identity};
use crate::syncs;

/// Requests under way on each connection while machines get their seats.
const FILL_DEPTH: usize = 4;

/// For how long bare syncs are measured.
const SYNCS_FOR: Duration = Duration::from_secs(1);

/// The two that are measured, and the connections to them.
pub(crate) struct Field {
    site: Site,
    floor: Child,
    server: Drive,
    bare: Drive,
    depth: usize,
    /// Machines that were dealt out.
    machines: u32,
    /// The length of a renewal's request, in bytes.
    request_len: usize,
    scratch: Option<PathBuf>,
    /// What the server had in memory before there was any seat, the connections open already, in bytes.
    empty: Option<u64>,
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
        allow_files()?;
        let site = Site::open(args, MANY_MACHINES, seats.saturating_add(1)).await?;
        let identities = identities(load.connections)?;
        let answers = floor::answers_of(&site, &identity()?, u32::MAX).await?;
        let (floor, floor_address) = floor::start_tls(&answers).await?;
        let mold = Mold::new(site.vendor).map_err(|error| SwarmError::of("making requests")(&error))?;
        // From as many addresses as the fuller of both uses takes.
        let depth = load.depth.max(FILL_DEPTH);
        let server = Drive::connect(site.server, &mold, &identities, depth).await?;
        let empty = site.pid.and_then(resident_len);
        Ok(Self {
            server,
            bare: Drive::connect(floor_address, &mold, &identities, depth).await?,
            site,
            floor,
            depth: load.depth,
            machines: 0,
            request_len: mold.len(),
            scratch: args.scratch.clone(),
            empty,
        })
    }

    /// Has machines get their seats until there are so many.
    pub(crate) async fn fill(&mut self, machines: u32) -> Result<(), SwarmError> {
        self.server.deal(self.machines..machines);
        self.bare.deal(self.machines..machines);
        self.machines = machines;
        let filled = self.server.run(FILL_DEPTH, Until::Rounds(1)).await?;
        if let Some((said, count)) = filled.refused.first_key_value() {
            return Err(SwarmError::because("engaging seats", format!("{count} times: {said}")));
        }
        progress(&format!(
            "{machines} machines have their seats, {:.0} a second",
            filled.rate()
        ));
        Ok(())
    }

    /// Has licenses for so many machines in all, beside the one that has room for everybody.
    pub(crate) async fn license(&self, machines: u32) -> Result<(), SwarmError> {
        licenses::import(&self.site, self.machines..machines).await
    }

    /// What the first page of each view takes now.
    pub(crate) async fn pages(&self) -> Result<Vec<Page>, SwarmError> {
        pages::measure(&self.site, self.machines).await
    }

    /// Machines that have a seat.
    pub(crate) const fn machines(&self) -> u32 {
        self.machines
    }

    /// What of the server's memory the machines' seats take now, in bytes each; nothing where that cannot be seen.
    pub(crate) fn memory_per_seat(&self) -> Option<u64> {
        let (empty, full) = self.empty.zip(self.site.pid.and_then(resident_len))?;
        Some(full.saturating_sub(empty) / u64::from(self.machines.max(1)))
    }

    /// Runs floor and server in turn.
    pub(crate) async fn measure(&mut self, run: RunArgs, time: TimeArgs) -> Result<Measured, SwarmError> {
        let time = Until::Time(Duration::from_secs(time.secs));
        let (mut runs, mut drivings) = (Vec::new(), Vec::new());
        for number in 1..=run.runs {
            let bare = self.bare.run(self.depth, time).await?;
            let meter = Meter::start(self.site.pid);
            let driving = self.server.run(self.depth, time).await?;
            let cpu = meter.read();
            let sync = syncs::mean(self.scratch.as_deref(), self.request_len, SYNCS_FOR)?;
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
        self.server.close().await;
        self.bare.close().await;
        self.floor.end().await?;
        self.site.end().await
    }
}

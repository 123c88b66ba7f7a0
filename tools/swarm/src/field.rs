//! A server with machines that renew, and the floor beside it: what `steady` and `growth` measure.

use std::path::PathBuf;
use std::time::Duration;

use seatkeeper::tls::Identity;
use seatkeeper::wire::Role;
use seatkeeper::wire::messages::Request;
use seatkeeper::wire::messages::admin::AdminAdd;
use serde::Serialize;

use crate::args::{LoadArgs, RunArgs, ServerArgs, TimeArgs};
use crate::child::Child;
use crate::drive::{Drive, Driving, Until};
use crate::error::SwarmError;
use crate::fleet::{FILL_DEPTH, Fleet};
use crate::floor;
use crate::latency::{Latencies, median};
use crate::licenses;
use crate::mix::{Kind, Mix};
use crate::operations::{self, Timed};
use crate::pages::{self, Page};
use crate::process::Meter;
use crate::report::{Compared, Counts, progress, sum};
use crate::site::{MANY_MACHINES, Site, identities, identity};
use crate::syncs;

/// For how long bare syncs are measured.
const SYNCS_FOR: Duration = Duration::from_secs(1);

/// The two that are measured, and the connections to them.
pub(crate) struct Field {
    fleet: Fleet,
    floor: Child,
    bare: Drive,
    load: LoadArgs,
    scratch: Option<PathBuf>,
}

/// Server and floor, one behind the other.
#[derive(Debug, Serialize)]
pub(crate) struct Run {
    /// Answers a second, those that change anything durable.
    pub(crate) server_rate: f64,
    /// Answers a second without state.
    pub(crate) floor_rate: f64,
    /// Processor seconds that the server took for a million requests; absent where that cannot be seen.
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
    /// How long each request waited, all runs together.
    pub(crate) fn server(&self) -> Latencies {
        Latencies::all(self.drivings.iter().flat_map(|(server, _)| server.kinds.values()))
    }

    /// How long each answer of the floor took.
    pub(crate) fn floor(&self) -> Latencies {
        Latencies::all(self.drivings.iter().flat_map(|(_, floor)| floor.kinds.values()))
    }

    /// Server and floor of each run, for requests of one kind.
    pub(crate) fn of(&self, kind: Kind) -> OneKind {
        let pairs: Vec<_> = self
            .drivings
            .iter()
            .filter_map(|(server, floor)| server.kinds.get(&kind).zip(floor.kinds.get(&kind)))
            .collect();
        let rate = |of: &dyn Fn(&(Driving, Driving)) -> f64| median(self.drivings.iter().map(of).collect());
        OneKind {
            kind,
            server_rate: rate(&|(server, _)| server.rate_of(kind)),
            floor_rate: rate(&|(_, floor)| floor.rate_of(kind)),
            compared: Compared::of(&pairs),
        }
    }

    /// What the server refused.
    pub(crate) fn refused(&self) -> Counts {
        sum(self.drivings.iter().map(|(server, _)| &server.refused))
    }
}

/// Requests of one kind.
#[derive(Debug, Serialize)]
pub(crate) struct OneKind {
    pub(crate) kind: Kind,
    /// Answers a second, of the middle run.
    pub(crate) server_rate: f64,
    pub(crate) floor_rate: f64,
    /// How long they waited.
    #[serde(flatten)]
    pub(crate) compared: Compared,
}

impl Field {
    /// A server with so many seats to give and no machine yet, and a floor that answers what will be asked as it does.
    pub(crate) async fn open(args: &ServerArgs, load: LoadArgs, seats: u32, mix: &Mix) -> Result<Self, SwarmError> {
        let seats = seats.saturating_add(spares(load, mix)).saturating_add(1);
        let site = Site::open(args, MANY_MACHINES, seats).await?;
        let (identities, once) = (identities(load.connections)?, identity()?);
        if mix.has(Kind::Explain) {
            site.have(identities.iter().chain([&once]).map(viewer)).await?;
        }
        let kinds: Vec<_> = mix.kinds().collect();
        let answers = floor::answers_to(&site, &once, u32::MAX, &kinds).await?;
        let (floor, floor_address) = floor::start_tls(&answers, None).await?;
        let fleet = Fleet::open_as(site, load, &identities).await?;
        let depth = load.depth.max(FILL_DEPTH);
        let bare = Drive::connect(floor_address, &fleet.molds, &identities, depth).await?;
        Ok(Self {
            fleet,
            floor,
            bare,
            load,
            scratch: args.own.scratch.clone(),
        })
    }

    /// Has machines get their seats until there are so many.
    pub(crate) async fn fill(&mut self, machines: u32) -> Result<(), SwarmError> {
        self.bare.deal(self.fleet.machines()..machines);
        self.fleet.fill(machines).await.map(drop)
    }

    /// Has what is mixed asked from now on, in the order of this seed.
    pub(crate) fn mix(&mut self, mix: &Mix, seed: u64) {
        let machines = self.fleet.machines();
        let spares = machines..machines.saturating_add(spares(self.load, mix));
        self.fleet.drive.mix(mix, seed, spares.clone());
        self.bare.mix(mix, seed, spares);
    }

    /// Has licenses for so many machines in all, beside the one that has room for everybody.
    pub(crate) async fn license(&self, machines: u32) -> Result<(), SwarmError> {
        licenses::import(&self.fleet.site, self.fleet.machines()..machines).await
    }

    /// What the first page of each view takes now.
    pub(crate) async fn pages(&self) -> Result<Vec<Page>, SwarmError> {
        pages::measure(&self.fleet.site, self.fleet.machines()).await
    }

    /// What single operations take now.
    pub(crate) async fn operations(&mut self) -> Result<Vec<Timed>, SwarmError> {
        operations::measure(&mut self.fleet, &mut self.bare, self.scratch.as_deref()).await
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
            let bare = self.bare.run(self.load.depth, time()).await?;
            let meter = Meter::start(self.fleet.site.pid);
            let driving = self.fleet.drive.run(self.load.depth, time()).await?;
            let cpu = meter.read();
            let sync = syncs::mean(
                self.scratch.as_deref(),
                self.fleet.molds.of(Kind::Renew).len(),
                SYNCS_FOR,
            )?;
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

/// Machines beside those that have seats: what a connection can have under way, and one more, where some come and go.
fn spares(load: LoadArgs, mix: &Mix) -> u32 {
    if mix.has(Kind::Checkout) {
        u32::try_from(load.connections * (load.depth + 1)).unwrap_or(u32::MAX)
    } else {
        0
    }
}

/// What makes this identity one that may have decisions explained.
fn viewer(identity: &Identity) -> (&'static str, Request) {
    let request = Request::AdminAdd(AdminAdd {
        fingerprint: identity.fingerprint(),
        role: Role::VIEWER,
        label: "seatswarm".to_owned(),
    });
    ("giving the role of a viewer", request)
}

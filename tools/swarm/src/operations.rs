//! What single operations take while a server has so many seats: one at a time, and nothing else is asked meanwhile.

use std::io;
use std::path::Path;
use std::time::Duration;

use seatkeeper::wire::messages::Request;
use seatkeeper::wire::messages::admin::SeatEnd;
use serde::Serialize;

use crate::clock::Moment;
use crate::drive::Drive;
use crate::error::SwarmError;
use crate::fleet::Fleet;
use crate::latency::{Latencies, Summary};
use crate::machine::Machine;
use crate::mix::Kind;
use crate::pages::asked;
use crate::process::Meter;
use crate::site::{PRODUCT, Site};
use crate::syncs::Appended;

/// How often each is asked.
const TIMES: usize = 200;

/// So often at a time, one operation after the other, so that all see the same ups and downs of the machine.
const AT_A_TIME: usize = 20;

/// An operation and how long it took.
#[derive(Debug, Serialize)]
pub(crate) struct Timed {
    /// What was asked.
    pub(crate) operation: &'static str,
    /// How long each took.
    pub(crate) took: Summary,
    /// Microseconds of the processor time of the server's threads that answer, of each; absent where that cannot be seen.
    pub(crate) server_cpu_us: Option<f64>,
}

/// What is asked of which machines.
#[derive(Clone, Copy)]
enum Asked {
    /// By the machines themselves, each over its own connection.
    Themselves(Kind),
    /// By the administrator, about each of them.
    About(fn(&Site, &Machine) -> Request),
}

/// Each is asked of the machines that asked longest ago, which lie far from one another: what was looked at for the one is not
/// at hand for the next. Whoever gave a seat up has it again in the end.
const OPERATIONS: [(&str, Asked); 6] = [
    ("renew", Asked::Themselves(Kind::Renew)),
    ("release", Asked::Themselves(Kind::Release)),
    ("checkout", Asked::Themselves(Kind::Checkout)),
    ("query", Asked::Themselves(Kind::Query)),
    ("explain", Asked::About(explain)),
    ("end a seat", Asked::About(end)),
];

/// What is measured beside them: how fast machine and disk happen to be.
const BESIDE: [&str; 2] = ["the floor", "a bare sync"];

/// Asks for every operation.
pub(crate) async fn measure(
    fleet: &mut Fleet,
    floor: &mut Drive,
    scratch: Option<&Path>,
) -> Result<Vec<Timed>, SwarmError> {
    let syncing = |error: io::Error| SwarmError::of("syncing a file")(&error);
    let mut appended = Appended::new(scratch).map_err(syncing)?;
    let len = fleet.molds.of(Kind::Renew).len();
    let machines = fleet.machines() as usize;
    let (site, server) = (&fleet.site, &mut fleet.drive);
    let mut admin = site.administrator().await?;
    let mut measured = OPERATIONS.map(|_| (Latencies::new(), Some(Duration::ZERO)));
    let [mut bare, mut syncs] = BESIDE.map(|_| Latencies::new());
    // As many at a time as all connections have machines for.
    let connections = server.connections().max(1);
    let most = (machines / connections * connections).clamp(1, AT_A_TIME);
    let mut from = 0;
    while from < TIMES {
        let count = most.min(TIMES - from);
        for ((name, what), (took, cpu)) in OPERATIONS.iter().zip(&mut measured) {
            let about = server.next_machines(from, count);
            let meter = Meter::start_answering(site.pid);
            took.and(&match *what {
                Asked::Themselves(kind) => server.one_by_one(kind, from, count).await?,
                Asked::About(of) => {
                    let requests = about.into_iter().map(|number| of(site, &Machine::new(number)));
                    let asked = asked(&mut admin, requests).await;
                    asked.map_err(|error| SwarmError::of(format!("asking one by one: {name}"))(&error))?
                }
            });
            *cpu = cpu.zip(meter.read()).map(|(cpu, more)| cpu + more);
        }
        // Those whose seats were ended are the next ones.
        server.one_by_one(Kind::Renew, from, count).await?;
        bare.and(&floor.one_by_one(Kind::Renew, from, count).await?);
        for _ in 0..count {
            let begun = Moment::now();
            appended.append(len).map_err(syncing)?;
            syncs.note(begun.ago());
        }
        from += count;
    }
    admin.close().await;
    let each = |cpu: Duration| cpu.as_secs_f64() * 1e6 / f64::from(u32::try_from(TIMES).unwrap_or(u32::MAX));
    let names = OPERATIONS.iter().map(|(name, _)| *name).chain(BESIDE);
    Ok(names
        .zip(measured.into_iter().chain([(bare, None), (syncs, None)]))
        .map(|(operation, (took, cpu))| Timed {
            operation,
            took: took.summary(),
            server_cpu_us: cpu.map(each),
        })
        .collect())
}

fn explain(site: &Site, machine: &Machine) -> Request {
    machine.asks(Kind::Explain, site.vendor)
}

fn end(site: &Site, machine: &Machine) -> Request {
    Request::SeatEnd(SeatEnd {
        mac: machine.mac(),
        vendor: Some(site.vendor.0),
        product: PRODUCT.to_owned(),
        component: None,
        reason: "measured".to_owned(),
    })
}

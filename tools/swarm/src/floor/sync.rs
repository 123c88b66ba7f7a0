use std::time::Duration;

use seatkeeper::domain::ids::VendorId;
use serde::Serialize;

use crate::args::FloorSync;
use crate::error::SwarmError;
use crate::latency::Summary;
use crate::mix::Kind;
use crate::mold::Mold;
use crate::report::{print, table};
use crate::syncs;

/// What `floor sync --json` prints.
#[derive(Debug, Serialize)]
struct Report {
    renewals: usize,
    /// Bytes of each sync, before they are filled up to whole sectors.
    sync_bytes: usize,
    secs: u64,
    /// Syncs a second.
    rate: f64,
    /// How long each took.
    took: Summary,
}

/// Appends and syncs for a while, and tells how often.
pub(crate) fn run(args: &FloorSync) -> Result<(), SwarmError> {
    let mold = Mold::new(Kind::Renew, VendorId([0; 16])).map_err(|error| SwarmError::of("making requests")(&error))?;
    let sync_bytes = mold.len() * args.renewals;
    let took = syncs::measure(args.scratch.as_deref(), sync_bytes, Duration::from_secs(args.time.secs))?;
    let report = Report {
        renewals: args.renewals,
        sync_bytes,
        secs: args.time.secs,
        rate: 1.0 / took.mean().as_secs_f64(),
        took: took.summary(),
    };
    print(&report, args.json, Report::told)
}

impl Report {
    fn told(&self) -> String {
        let mut table = table(["syncs a second", "p50", "p99", "p99.9", "max"]);
        table.add_row([&[format!("{:.0}", self.rate)], self.took.cells().as_slice()].concat());
        format!(
            "{table}\n{} bytes each, those of {} renewals, for {} s.",
            self.sync_bytes, self.renewals, self.secs
        )
    }
}

//! A server, and machines that have their seats there.

use std::sync::Arc;

use seatkeeper::tls::Identity;

use crate::args::LoadArgs;
use crate::drive::{Drive, Driving, Until};
use crate::error::SwarmError;
use crate::files::allow_files;
use crate::mold::Molds;
use crate::process::resident_len;
use crate::report::progress;
use crate::site::{Site, identities};

/// Requests under way on each connection while machines get their seats, unless more are measured.
pub(crate) const FILL_DEPTH: usize = 4;

/// Requests under way in all while machines get their seats, at most: a quarter of what a server's queue takes.
const FILLING: usize = 1_024;

/// Connections over which seats are engaged where nothing is measured by them, and requests under way on each: as many in all as
/// keep a server busy.
pub(crate) const FILLERS: LoadArgs = LoadArgs {
    connections: 64,
    depth: 16,
};

/// A server and the connections to it.
pub(crate) struct Fleet {
    pub(crate) site: Site,
    pub(crate) drive: Drive,
    /// What requests are made from.
    pub(crate) molds: Arc<Molds>,
    /// Requests under way on each connection while machines get their seats.
    depth: usize,
    /// Machines that were dealt out.
    machines: u32,
    /// What the server had in memory before there was any seat, the connections open already, in bytes.
    empty: Option<u64>,
}

impl Fleet {
    /// Connections to this server, and no machine yet; with an identity for each.
    pub(crate) async fn open(site: Site, load: LoadArgs) -> Result<Self, SwarmError> {
        Self::open_as(site, load, &identities(load.connections)?).await
    }

    /// Likewise, with these identities.
    pub(crate) async fn open_as(site: Site, load: LoadArgs, identities: &[Identity]) -> Result<Self, SwarmError> {
        allow_files()?;
        let molds = Molds::new(site.vendor).map_err(|error| SwarmError::of("making requests")(&error))?;
        let molds = Arc::new(molds);
        // From as many addresses as the fuller of both uses takes.
        let depth = load.depth.max(FILL_DEPTH);
        let drive = Drive::connect(site.server, &molds, identities, depth).await?;
        let empty = site.pid.and_then(resident_len);
        Ok(Self {
            site,
            drive,
            molds,
            depth: fill_depth(load),
            machines: 0,
            empty,
        })
    }

    /// Has machines get their seats until there are so many.
    pub(crate) async fn fill(&mut self, machines: u32) -> Result<Driving, SwarmError> {
        self.drive.deal(self.machines..machines);
        self.machines = machines;
        let filled = self.drive.run(self.depth, Until::Rounds(1)).await?;
        if let Some((said, count)) = filled.refused.first_key_value() {
            return Err(SwarmError::because("engaging seats", format!("{count} times: {said}")));
        }
        progress(&format!(
            "{machines} machines have their seats, {:.0} a second",
            filled.rate()
        ));
        Ok(filled)
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
}

/// Requests under way on each connection while machines get their seats: as many as are measured, unless the server would have too
/// much to do by all of them.
fn fill_depth(load: LoadArgs) -> usize {
    let most = (FILLING / load.connections.max(1)).max(1);
    load.depth.max(FILL_DEPTH).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_get_their_seats_without_filling_the_servers_queue() {
        for (connections, depth, expected) in [
            (256, 1, 4),
            (256, 16, 4),
            (64, 16, 16),
            (5, 2, 4),
            (1_000, 64, 1),
            (16_384, 1, 1),
        ] {
            assert_eq!(
                fill_depth(LoadArgs { connections, depth }),
                expected,
                "{connections}, {depth}"
            );
        }
        assert_eq!(fill_depth(FILLERS), FILLERS.depth);
    }
}

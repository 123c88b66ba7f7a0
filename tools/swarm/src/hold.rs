//! `hold`: what each connection takes of a server's memory that says nothing after HELLO.

use std::collections::VecDeque;
use std::net::SocketAddr;

use seatkeeper::tls::Identity;
use seatkeeper::wire::messages::Response;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::args::Hold;
use crate::error::SwarmError;
use crate::files::allow_files;
use crate::floor;
use crate::line::{Line, Path};
use crate::machine::Machine;
use crate::process::resident_len;
use crate::report::{print, progress, ratio, table};
use crate::site::{MANY_MACHINES, Site, config_of, identities};
use crate::sources::{MACHINES_PER_SOURCE, source};

/// Connections that are opened at once, or asked.
const AT_ONCE: usize = 32;

/// Open files that are no connections.
const OTHER_FILES: u64 = 200;

/// What `hold --json` prints.
#[derive(Debug, Serialize)]
struct Report {
    connections: usize,
    /// Connections over which a renewal was granted after they had been silent.
    still_served: usize,
    server: Held,
    floor: Held,
    /// What a connection takes of the server by what it takes of the floor; absent where the server cannot be seen.
    ratio: Option<f64>,
}

/// What a process had in memory, in bytes; absent where that cannot be seen.
#[derive(Clone, Copy, Debug, Serialize)]
struct Held {
    before: Option<u64>,
    /// With all connections open.
    open: Option<u64>,
    /// Once they are closed again.
    closed: Option<u64>,
    /// For each connection.
    per_connection: Option<u64>,
}

/// Connections that are open.
struct Crowd {
    lines: Vec<(u32, Line)>,
}

pub(crate) async fn run(args: &Hold) -> Result<(), SwarmError> {
    let files = allow_files()?.saturating_sub(OTHER_FILES);
    let connections = args
        .connections
        .min(usize::try_from(files).unwrap_or(usize::MAX))
        .max(1);
    if connections < args.connections {
        progress(&format!(
            "{connections} connections, not {}: the system allows a process no more open files (ulimit -Hn)",
            args.connections
        ));
    }
    let config = format!("{MANY_MACHINES}connections = {}\n", connections + 100);
    let seats = u32::try_from(connections).unwrap_or(u32::MAX).saturating_add(1);
    let site = Site::open(&args.server, &config, seats).await?;
    let identities = identities(connections)?;
    let (floor, floor_address) = floor::start_like(&site).await?;

    let before = site.pid.and_then(resident_len);
    let mut crowd = Crowd::open(site.server, &identities).await?;
    let open = site.pid.and_then(resident_len);
    let still_served = crowd.renew(&site).await?;
    crowd.close().await;
    let server = Held::of(before, open, site.pid.and_then(resident_len), connections);

    let before = resident_len(floor.pid());
    let crowd = Crowd::open(floor_address, &identities).await?;
    let open = resident_len(floor.pid());
    crowd.close().await;
    let bare = Held::of(before, open, resident_len(floor.pid()), connections);
    floor.end().await?;
    site.end().await?;
    let report = Report {
        connections,
        still_served,
        server,
        floor: bare,
        ratio: server
            .per_connection
            .zip(bare.per_connection)
            .map(|(server, floor)| ratio(server, floor.max(1))),
    };
    print(&report, args.json, Report::told)
}

impl Held {
    fn of(before: Option<u64>, open: Option<u64>, closed: Option<u64>, connections: usize) -> Self {
        Self {
            before,
            open,
            closed,
            per_connection: open
                .zip(before)
                .map(|(open, before)| open.saturating_sub(before) / connections.max(1) as u64),
        }
    }

    fn cells(self) -> [String; 4] {
        let mib = |len: Option<u64>| len.map_or_else(|| "not seen".to_owned(), |len| format!("{} MiB", len >> 20));
        let each = self
            .per_connection
            .map_or_else(|| "not seen".to_owned(), |len| format!("{len} bytes"));
        [mib(self.before), mib(self.open), mib(self.closed), each]
    }
}

impl Crowd {
    /// Connects as each of the identities and says HELLO.
    async fn open(server: SocketAddr, identities: &[Identity]) -> Result<Self, SwarmError> {
        let mut lines = Vec::with_capacity(identities.len());
        let mut opening = JoinSet::new();
        for (number, identity) in (0_u32..).zip(identities) {
            if opening.len() >= AT_ONCE {
                lines.extend(opened(server, opening.join_next().await)?);
            }
            let way = Path {
                server,
                from: Some(source(number as usize / MACHINES_PER_SOURCE)),
                tls: config_of(identity)?,
            };
            opening.spawn(async move { way.greeted().await.map(|(line, _)| (number, line)) });
        }
        while let Some(joined) = opening.join_next().await {
            lines.extend(opened(server, Some(joined))?);
        }
        Ok(Self { lines })
    }

    /// Has each ask for a seat: how many are granted one.
    async fn renew(&mut self, site: &Site) -> Result<usize, SwarmError> {
        let vendor = site.vendor;
        let mut waiting: VecDeque<_> = self.lines.drain(..).collect();
        let (mut asking, mut granted) = (JoinSet::new(), 0);
        loop {
            while asking.len() < AT_ONCE
                && let Some((number, mut line)) = waiting.pop_front()
            {
                asking.spawn(async move {
                    let answer = line.request(&Machine::new(number).request(vendor)).await;
                    (number, line, matches!(answer, Ok(Response::Checkout(_))))
                });
            }
            let Some(joined) = asking.join_next().await else {
                return Ok(granted);
            };
            let (number, line, is_granted) =
                joined.map_err(|error| SwarmError::of("asking over an open connection")(&error))?;
            granted += usize::from(is_granted);
            self.lines.push((number, line));
        }
    }

    /// Hangs up, and waits until the other side has, too.
    async fn close(self) {
        let mut closing: JoinSet<()> = JoinSet::new();
        for (_, line) in self.lines {
            closing.spawn(line.closed());
        }
        closing.join_all().await;
    }
}

type Joined = Result<std::io::Result<(u32, Line)>, tokio::task::JoinError>;

fn opened(server: SocketAddr, joined: Option<Joined>) -> Result<Option<(u32, Line)>, SwarmError> {
    let Some(joined) = joined else { return Ok(None) };
    let line = joined.map_err(|error| SwarmError::of("opening a connection")(&error))?;
    line.map(Some)
        .map_err(|error| SwarmError::of(format!("connecting to {server}"))(&error))
}

impl Report {
    fn told(&self) -> String {
        let mut table = table(["", "memory before", "open", "closed again", "a connection"]);
        for (name, held) in [("server", self.server), ("floor", self.floor)] {
            table.add_row([[name.to_owned()].as_slice(), &held.cells()].concat());
        }
        let mut lines = vec![
            table.to_string(),
            format!(
                "{} connections that said nothing after HELLO; {} of them were granted a renewal after that.",
                self.connections, self.still_served
            ),
        ];
        lines.extend(
            self.ratio
                .map(|ratio| format!("what a connection takes, server by floor: {ratio:.2}")),
        );
        lines.join("\n")
    }
}

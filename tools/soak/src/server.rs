//! A real server in this process: store on disk, writer, TLS, sockets. Only its clock is moved by hand.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::thread::JoinHandle;

use seatkeeper::clock::Clock;
use seatkeeper::domain::command::{Actor, Command, Rebind, Role};
use seatkeeper::domain::ids::{Fingerprint, ServerId};
use seatkeeper::domain::time::Timestamp;
use seatkeeper::net::{ConnectionLimits, Connections, NetLimits, Shared, listen};
use seatkeeper::service::{self, NewSeatLimits, Request, Writer};
use seatkeeper::session::LeaseKey;
use seatkeeper::store::{DiskStore, StoreError};
use seatkeeper::tls::Identity;
use tokio_util::sync::CancellationToken;

use crate::error::SoakError;

/// Connections at one time: more than there are identities.
const CONNECTIONS: usize = 1_024;

/// What every start of a server has in common.
#[derive(Debug)]
pub(crate) struct Site {
    /// Who the server is.
    pub(crate) identity: Identity,
    /// Who administers it.
    pub(crate) administrator: Fingerprint,
}

/// The id of every server here.
pub(crate) const SERVER: ServerId = ServerId([1; 16]);

/// The key that every server here signs leases with.
pub(crate) fn lease_key() -> LeaseKey {
    LeaseKey::from_seed([7; 32])
}

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    clock: Clock,
    stop: CancellationToken,
    /// Nothing once it has ended, like the next.
    connections: Option<Connections>,
    writer: Option<JoinHandle<Result<(), StoreError>>>,
}

impl Server {
    /// Starts over what is in `data`, at a new port, with clocks that stand: the calendar at `calendar`.
    pub(crate) async fn start(data: &Path, site: &Site, calendar: u64, rebind: Rebind) -> Result<Self, SoakError> {
        let clock = Clock::manual(Timestamp(calendar));
        let writer = {
            let (data, clock, administrator) = (data.to_owned(), clock.clone(), site.administrator);
            let prepared = tokio::task::spawn_blocking(move || prepare(&data, &clock, administrator));
            prepared
                .await
                .map_err(|error| SoakError::server("the start", &error))??
        };
        let (service, writer) = service::spawn(writer, clock.clone())?;
        let limits = NetLimits {
            connections: ConnectionLimits {
                total: CONNECTIONS,
                per_source: CONNECTIONS,
                ..ConnectionLimits::default()
            },
            // Real time is no part of a history: an identity may be silent for the whole of it.
            hello_ms: 5_000,
            frame_ms: 5_000,
            silence_agent_ms: u32::MAX,
            silence_administrator_ms: u32::MAX,
            rebind,
        };
        let shared = Shared::new(service, &site.identity, lease_key(), "soak".to_owned(), limits)
            .map_err(|error| SoakError::server("setting up TLS", &error))?;
        let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
            .map_err(|error| SoakError::server("listening", &error))?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let connections = Connections::start(vec![listener], shared, &stop);
        Ok(Self {
            address,
            clock,
            stop,
            connections: Some(connections),
            writer: Some(writer),
        })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets time pass until the clocks say this. Nothing may be in flight: a request between the two would see a jump.
    pub(crate) fn turn_clocks(&self, calendar: u64, passed: u64) {
        self.clock.advance_secs(passed);
        let off = i128::from(calendar) - i128::from(self.clock.calendar().0);
        self.clock.jump_secs(i64::try_from(off).unwrap_or_default());
    }

    /// Asks everybody to leave. What was accepted is still answered.
    pub(crate) fn begin_stop(&self) {
        self.stop.cancel();
    }

    /// Stops, and starts again over what is in `data`.
    pub(crate) async fn restart(
        &mut self,
        data: &Path,
        site: &Site,
        calendar: u64,
        rebind: Rebind,
    ) -> Result<(), SoakError> {
        self.end().await?;
        *self = Self::start(data, site, calendar, rebind).await?;
        Ok(())
    }

    /// Waits until everybody has left, all is durable and the directory is free.
    pub(crate) async fn end(&mut self) -> Result<(), SoakError> {
        self.stop.cancel();
        let (Some(connections), Some(writer)) = (self.connections.take(), self.writer.take()) else {
            return Ok(());
        };
        connections.finish().await;
        let ended = tokio::task::spawn_blocking(move || writer.join()).await;
        match ended.map_err(|error| SoakError::server("the stop", &error))? {
            Ok(outcome) => outcome.map_err(|error| SoakError::server("the store", &error)),
            Err(_) => Err(SoakError::Impossible("the writer panicked".to_owned())),
        }
    }
}

/// Loads what is on disk and frees what is overdue; a new server is founded and given its administrator.
fn prepare(data: &Path, clock: &Clock, administrator: Fingerprint) -> Result<Writer<DiskStore>, SoakError> {
    let fault = |error: StoreError| SoakError::server("the store", &error);
    // How fast new seats may be engaged goes by the counting clock and is nothing that the rules of a seat know.
    let limits = NewSeatLimits {
        macs_per_identity: u32::MAX,
        seats_per_source: u32::MAX,
    };
    let store = DiskStore::open(data).map_err(fault)?;
    let mut writer = Writer::load(store, limits).map_err(|error| SoakError::server("loading", &error))?;
    writer.reclaim(clock.reading()).map_err(fault)?;
    if writer.ledger().server().is_none() {
        let commands = [
            Command::Found { id: SERVER },
            Command::AddAdmin {
                fingerprint: administrator,
                role: Role::Administrator,
                label: "the soak".to_owned(),
            },
        ];
        let requests = commands.map(|command| Request {
            actor: Actor::Server,
            command,
        });
        writer.round(&requests, clock.reading()).map_err(fault)?;
    }
    Ok(writer)
}

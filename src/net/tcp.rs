//! The TCP listener: takes connections while there is room, and ends cleanly.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::bounds::SOCKET_LEN;
use super::connection;
use super::limits::{Gate, Tally};
use super::reins::Orders;
use super::shared::Shared;
use crate::clock;
use crate::sockets::owner::{Owner, Transport, of_port};
use crate::wire::limits::STOP_MS;

/// Connections that the system holds until they are accepted.
const BACKLOG: i32 = 1_024;

/// How long to wait when the process has no descriptor left for another connection.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(500);

/// A TCP port cannot be listened on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ListenError {
    /// Another process has it.
    #[error("TCP port {} is taken by {}; stop it, or give this server another port", address.port(), named(owner.as_ref()))]
    Taken {
        /// The address.
        address: SocketAddr,
        /// Who has it, where that can be told.
        owner: Option<Owner>,
        /// What the system said.
        source: io::Error,
    },
    /// The address is not this host's, or the system refuses.
    #[error("cannot listen on {address}; {}", remedy(source))]
    Refused {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

fn named(owner: Option<&Owner>) -> String {
    owner.map_or_else(|| "another process".to_owned(), Owner::to_string)
}

fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::PermissionDenied => "ports below 1024 need a privilege: choose a higher one",
        _ => "is it an address of this host?",
    }
}

impl ListenError {
    /// Whether the address family is not there at all, as IPv6 on hosts that have switched it off.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        let kinds = [io::ErrorKind::AddrNotAvailable, io::ErrorKind::Unsupported];
        match self {
            Self::Refused { source, .. } => {
                kinds.contains(&source.kind()) || source.raw_os_error() == Some(nix::errno::Errno::EAFNOSUPPORT as i32)
            }
            Self::Taken { .. } => false,
        }
    }
}

/// Listens on an address. IPv6 does not take the IPv4 port with it. Call it inside a tokio runtime.
///
/// # Errors
/// The port is taken, and by whom; or the address is not this host's.
pub fn listen(address: SocketAddr) -> Result<TcpListener, ListenError> {
    let open = || -> io::Result<TcpListener> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM.nonblocking(),
            Some(Protocol::TCP),
        )?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // Connections of a server that has just ended must not keep the next one from starting.
        socket.set_reuse_address(true)?;
        // Connections inherit them from the listener.
        socket.set_recv_buffer_size(SOCKET_LEN)?;
        socket.set_send_buffer_size(SOCKET_LEN)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        TcpListener::from_std(socket.into())
    };
    open().map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ListenError::Taken {
            address,
            owner: of_port(Transport::Tcp, address.port()),
            source,
        },
        _ => ListenError::Refused { address, source },
    })
}

/// All listeners and connections of a server.
#[derive(Debug)]
pub struct Connections {
    tasks: TaskTracker,
    gate: Gate,
}

impl Connections {
    /// Serves connections on each listener until `stop`.
    #[must_use]
    pub fn start(listeners: Vec<TcpListener>, shared: Shared, stop: &CancellationToken) -> Self {
        let door = Door {
            gate: shared.gate.clone(),
            shared: Arc::new(shared),
            tasks: TaskTracker::new(),
            stop: stop.clone(),
        };
        let (stop, gate) = (stop.clone(), door.gate.clone());
        drop(door.tasks.spawn(async move {
            stop.cancelled().await;
            gate.finish();
        }));
        for listener in listeners {
            door.tasks.spawn(door.clone().accept(listener));
        }
        door.tasks.close();
        Self {
            tasks: door.tasks,
            gate: door.gate,
        }
    }

    /// Waits until every accepted request is answered and every connection closed, 10 s at most; then cuts the rest.
    pub async fn finish(self) {
        let ended = tokio::time::timeout(Duration::from_millis(STOP_MS), self.tasks.wait());
        if ended.await.is_err() {
            tracing::warn!(
                left = self.tasks.len(),
                "some connections did not end in time and are cut"
            );
            self.gate.cut();
            self.tasks.wait().await;
        }
    }
}

/// What each listener needs to take connections.
#[derive(Clone)]
struct Door {
    gate: Gate,
    shared: Arc<Shared>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Door {
    async fn accept(self, listener: TcpListener) {
        let mut exhausted = Tally::default();
        loop {
            let accepted = tokio::select! {
                () = self.stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.take(stream, peer),
                Err(error) if is_of_one_connection(&error) => tracing::debug!(%error, "a connection was gone at once"),
                Err(error) => {
                    if let Some(times) = exhausted.note(clock::monotonic()) {
                        tracing::warn!(%error, times, "cannot accept connections for a moment; raise the limit of open files");
                    }
                    // Those that wait to be accepted wait on: the next attempt takes them, once files are closed.
                    let _waited = self.stop.run_until_cancelled(tokio::time::sleep(EXHAUSTED_PAUSE)).await;
                }
            }
        }
    }

    /// Finds a place for a connection before anything is spent on it.
    fn take(&self, stream: TcpStream, peer: SocketAddr) {
        let Some((place, orders)) = self.gate.admit(peer.ip(), clock::monotonic()) else {
            return;
        };
        let Orders { finish, cut } = orders;
        let serving = connection::serve(stream, peer, Arc::clone(&self.shared), finish, place);
        drop(self.tasks.spawn(async move {
            tokio::select! {
                biased;
                // A connection that is cut, or gives way, has nobody to answer to any more.
                _ = cut => {}
                () = serving => {}
            }
        }));
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
    )
}

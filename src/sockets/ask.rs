//! The client's side: asks on many paths at once and hears the answers.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};

use super::paths::{Path, PathKind};
use super::udp::{Received, UdpSocket};

/// A path on which a question could not be sent.
#[derive(Debug)]
pub struct PathError {
    /// The path.
    pub path: Path,
    /// What the operating system said.
    pub error: io::Error,
}

/// Sockets on free ports, one for each kind of path, so that an answer tells by its port which question it answers.
#[derive(Debug)]
pub struct Asker {
    sockets: Vec<(Purpose, io::Result<UdpSocket>)>,
    /// The socket to look at first, so that a flood on one does not silence the others.
    first: usize,
}

type Purpose = (PathKind, Family);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Family {
    V4,
    V6,
}

impl Family {
    const fn of(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(_) => Self::V4,
            SocketAddr::V6(_) => Self::V6,
        }
    }

    const fn wildcard(self) -> IpAddr {
        match self {
            Self::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Self::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        }
    }
}

impl Asker {
    /// Opens the sockets that `paths` need. A family that is not there fails on its own paths when they are asked.
    /// Call it inside a tokio runtime.
    #[must_use]
    pub fn new(paths: &[Path]) -> Self {
        let mut asker = Self {
            sockets: Vec::new(),
            first: 0,
        };
        for path in paths {
            asker.open(path);
        }
        asker
    }

    /// Opens the socket that one more path needs, where it is not open yet.
    pub fn open(&mut self, path: &Path) {
        let purpose = (path.kind, Family::of(path.destination));
        if self.sockets.iter().all(|(known, _)| *known != purpose) {
            let socket = UdpSocket::bind((purpose.1.wildcard(), 0).into());
            self.sockets.push((purpose, socket));
        }
    }

    /// Sends `question` on each of `paths`. A path that fails does not stop the others.
    #[must_use]
    pub fn ask(&self, question: &[u8], paths: &[Path]) -> Vec<PathError> {
        let failed = |path: &Path| {
            self.send(question, path).err().map(|error| PathError {
                path: path.clone(),
                error,
            })
        };
        paths.iter().filter_map(failed).collect()
    }

    fn send(&self, question: &[u8], path: &Path) -> io::Result<()> {
        let purpose = (path.kind, Family::of(path.destination));
        match self.sockets.iter().find(|(known, _)| *known == purpose) {
            Some((_, Ok(socket))) => socket.send(question, path.destination, path.route),
            Some((_, Err(error))) => Err(error.kind().into()),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Waits for an answer and tells to which kind of question it came. Dropping the future loses none. Without any
    /// socket it waits forever.
    ///
    /// # Errors
    /// The operating system reports one; the sockets can be used further.
    pub async fn receive(&mut self, buffer: &mut [u8]) -> io::Result<(PathKind, Received)> {
        poll_fn(|context| self.poll(context, buffer)).await
    }

    fn poll(&mut self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<(PathKind, Received)>> {
        let count = self.sockets.len();
        let turn = (0..count).map(|step| (self.first + step) % count);
        for place in turn {
            let Some((purpose, Ok(socket))) = self.sockets.get(place) else {
                continue;
            };
            if let Poll::Ready(received) = socket.poll_receive(context, buffer) {
                self.first = place + 1;
                return Poll::Ready(received.map(|received| (purpose.0, received)));
            }
        }
        Poll::Pending
    }
}

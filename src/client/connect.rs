//! A connection to one server: TCP, TLS with mutual proof of identity, HELLO, then requests and answers.

mod error;

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::SocketAddr;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub use self::error::{ConnectError, Fault};
use super::deadline::Deadline;
use crate::domain::ids::{Fingerprint, ServerId};
use crate::domain::time::Timestamp;
use crate::session::{ClientEvent, ClientSession};
use crate::tls::{self, Identity, PinRule, PublicKey, Sessions, TlsError};
use crate::wire::limits::IN_FLIGHT_MAX;
use crate::wire::messages::hello::HelloOk;
use crate::wire::messages::{Request, Response};

/// The program and its version, for the server's log.
const PROGRAM: &str = concat!("seatkeeper ", env!("CARGO_PKG_VERSION"));

/// How much is read at a time, in bytes.
const INBOX_LEN: usize = 4_096;

/// Where a server is, and the interface that it was seen on.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Target {
    /// Its address and TCP port; a link-local one with its scope.
    pub address: SocketAddr,
    /// The name of our interface that leads there, where it is known.
    pub interface: Option<String>,
}

impl From<SocketAddr> for Target {
    fn from(address: SocketAddr) -> Self {
        Self {
            address,
            interface: None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.interface {
            Some(interface) => write!(f, "{} over {interface}", self.address),
            None => self.address.fmt(f),
        }
    }
}

/// A connection whose server has answered HELLO.
#[derive(Debug)]
pub struct Connection {
    stream: TlsStream<TcpStream>,
    session: ClientSession,
    /// Whether an exchange began and did not end.
    interrupted: bool,
    target: Target,
    local: SocketAddr,
    server_key: PublicKey,
    hello: HelloOk,
}

/// How far a connection has come before HELLO is answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// The server took the TCP connection; our end of it.
    Connected(SocketAddr),
    /// Both sides proved their identities, or go on with a session in which they did; the server's.
    Secured(Fingerprint),
}

/// Connects as `identity` to the server at `target`, if `pins` admits it, and says HELLO. Both sides prove their keys;
/// [`connect_again`] is for who connects more than once.
///
/// # Errors
/// [`ConnectError`] names the server and what it failed at; after the deadline that is [`Fault::Silent`].
pub async fn connect(
    target: Target,
    identity: &Identity,
    pins: PinRule,
    deadline: Deadline,
) -> Result<Connection, ConnectError> {
    connect_in_steps(target, identity, pins, deadline, |_| ()).await
}

/// As [`connect`], for who connects to the server again and again: after the second time a session that the same `identity`
/// had there under the same `pins` is resumed, where the server can; what is not resumed is proven anew.
///
/// # Errors
/// As [`connect`].
pub async fn connect_again(
    target: Target,
    identity: &Identity,
    pins: PinRule,
    deadline: Deadline,
    sessions: &Sessions,
) -> Result<Connection, ConnectError> {
    let config = sessions.config(target.address, identity, pins);
    connect_with(target, config.map(TlsConnector::from), deadline, |_| ()).await
}

/// As [`connect`], and tells `reached` each step as it is taken, for whoever measures them.
///
/// # Errors
/// As [`connect`]; what failed is the step behind the last one told.
pub async fn connect_in_steps(
    target: Target,
    identity: &Identity,
    pins: PinRule,
    deadline: Deadline,
    reached: impl FnMut(Step) + Send,
) -> Result<Connection, ConnectError> {
    let config = tls::client_config(identity, pins);
    connect_with(target, config.map(TlsConnector::from), deadline, reached).await
}

async fn connect_with(
    target: Target,
    connector: Result<TlsConnector, TlsError>,
    deadline: Deadline,
    mut reached: impl FnMut(Step) + Send,
) -> Result<Connection, ConnectError> {
    match begin(&target, connector, deadline, &mut reached).await {
        Ok(mut connection) => match connection.say_hello(deadline).await {
            Ok(()) => Ok(connection),
            Err(fault) => Err(ConnectError { target, fault }),
        },
        Err(fault) => Err(ConnectError { target, fault }),
    }
}

async fn begin(
    target: &Target,
    connector: Result<TlsConnector, TlsError>,
    deadline: Deadline,
    reached: &mut (impl FnMut(Step) + Send),
) -> Result<Connection, Fault> {
    let (stream, local, server_key) = secure(target, connector?, deadline, reached).await?;
    Ok(Connection {
        stream,
        session: ClientSession::new(PROGRAM)?,
        interrupted: false,
        target: target.clone(),
        local,
        server_key,
        hello: HelloOk::default(),
    })
}

/// A TLS session with whoever is at `target`, in which nothing is said yet: for those who speak the protocol by
/// themselves, as test tools do.
///
/// # Errors
/// As [`connect`].
pub async fn open(
    target: Target,
    identity: &Identity,
    deadline: Deadline,
) -> Result<TlsStream<TcpStream>, ConnectError> {
    let opened = async {
        let connector = tls::client_config(identity, PinRule::Any)?.into();
        let (stream, ..) = secure(&target, connector, deadline, &mut |_| ()).await?;
        Ok(stream)
    };
    opened.await.map_err(|fault| ConnectError {
        target: target.clone(),
        fault,
    })
}

/// The TCP connection and the TLS session in it, our end of the connection, and the server's key.
async fn secure(
    target: &Target,
    connector: TlsConnector,
    deadline: Deadline,
    reached: &mut (impl FnMut(Step) + Send),
) -> Result<(TlsStream<TcpStream>, SocketAddr, PublicKey), Fault> {
    let tcp = deadline
        .bound(TcpStream::connect(target.address))
        .await
        .ok_or(Fault::Silent("the connection"))?
        .map_err(Fault::Unreachable)?;
    // Requests are small and waited for: none is worth delaying for another.
    tcp.set_nodelay(true).map_err(Fault::Unreachable)?;
    let local = tcp.local_addr().map_err(Fault::Unreachable)?;
    reached(Step::Connected(local));
    let stream = deadline
        .bound(connector.connect(tls::server_name(), tcp))
        .await
        .ok_or(Fault::Silent("the TLS handshake"))?
        .map_err(|error| match tls::wrong_pin(&error) {
            Some(wrong) => Fault::NotTrusted(Fingerprint(wrong.fingerprint)),
            None => Fault::Tls(error),
        })?;
    let (_, session) = stream.get_ref();
    let server_key = tls::peer(session)?;
    reached(Step::Secured(Fingerprint(server_key.fingerprint())));
    Ok((stream, local, server_key))
}

impl Connection {
    /// What the server said of itself in HELLO.
    #[must_use]
    pub const fn hello(&self) -> &HelloOk {
        &self.hello
    }

    /// Whether the session goes on from an earlier one, in which both sides proved their keys.
    #[must_use]
    pub fn is_resumed(&self) -> bool {
        tls::is_resumed(self.stream.get_ref().1)
    }

    /// The server's identity, which it proved.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(self.server_key.fingerprint())
    }

    /// The server's name for itself.
    #[must_use]
    pub const fn server(&self) -> ServerId {
        ServerId(self.hello.server)
    }

    /// The server's calendar when it answered HELLO.
    #[must_use]
    pub const fn server_time(&self) -> Timestamp {
        Timestamp(self.hello.server_time)
    }

    /// Where the server is.
    #[must_use]
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// Our end of the connection: the address that the server sees unless one in between changes it.
    #[must_use]
    pub const fn local_address(&self) -> SocketAddr {
        self.local
    }

    /// The identities in whose place this server's stands, as far as the server shows statements that hold; the newest
    /// first. Whether one of them was trusted is for the caller to check.
    #[must_use]
    pub fn succeeds(&self) -> Vec<Fingerprint> {
        let statements = self.hello.succession.iter().map(|statement| tls::Succession {
            old_spki: statement.old_spki.to_vec(),
            signature: statement.signature.to_vec(),
        });
        let before = tls::Succession::follow(statements, self.server_key);
        before.into_iter().map(Fingerprint).collect()
    }

    /// Asks and waits for the answer. A refusal is an answer: [`Response::Refused`].
    ///
    /// # Errors
    /// [`ConnectError`] says what failed; the connection is of no use after that.
    pub async fn request(&mut self, request: &Request, deadline: Deadline) -> Result<Response, ConnectError> {
        let mut answers = self.pipeline(std::slice::from_ref(request), deadline).await?;
        answers.pop().ok_or_else(|| self.error(Fault::OutOfTurn))
    }

    /// Asks all of `requests` without waiting in between and returns the answers in the same order. Never more are in
    /// flight than the server allows.
    ///
    /// # Errors
    /// As [`Connection::request`]; which of the requests were carried out is then not known.
    pub async fn pipeline(&mut self, requests: &[Request], deadline: Deadline) -> Result<Vec<Response>, ConnectError> {
        match deadline.bound(self.carry(requests)).await {
            Some(Ok(answers)) => Ok(answers),
            Some(Err(fault)) => Err(self.error(fault)),
            None => Err(self.error(Fault::Silent("the answer"))),
        }
    }

    async fn say_hello(&mut self, deadline: Deadline) -> Result<(), Fault> {
        // The session begins with HELLO: it waits to be written.
        let events = deadline.bound(self.exchange(1)).await.ok_or(Fault::Silent("HELLO"))??;
        match events.into_iter().next() {
            Some(ClientEvent::Greeted(hello)) => {
                self.hello = *hello;
                Ok(())
            }
            Some(ClientEvent::Answered { .. }) | None => Err(Fault::OutOfTurn),
        }
    }

    async fn carry(&mut self, requests: &[Request]) -> Result<Vec<Response>, Fault> {
        let in_flight_max = usize::from(self.hello.in_flight_max).clamp(1, IN_FLIGHT_MAX);
        let mut answers = Vec::with_capacity(requests.len());
        for window in requests.chunks(in_flight_max) {
            for request in window {
                self.session.request(request)?;
            }
            for event in self.exchange(window.len()).await? {
                match event {
                    ClientEvent::Answered { response, .. } => answers.push(*response),
                    ClientEvent::Greeted(_) => return Err(Fault::OutOfTurn),
                }
            }
        }
        Ok(answers)
    }

    /// Writes what waits to be written and reads until `count` things have happened.
    async fn exchange(&mut self, count: usize) -> Result<Vec<ClientEvent>, Fault> {
        // An interrupted exchange leaves the stream in the middle of it: nothing sent after that could be understood.
        if std::mem::replace(&mut self.interrupted, true) {
            return Err(Fault::Closed);
        }
        let mut out = BytesMut::new();
        while let Some(bytes) = self.session.poll_transmit() {
            out.extend_from_slice(&bytes);
        }
        let (mut reader, mut writer) = tokio::io::split(&mut self.stream);
        let session = &mut self.session;
        // Both at once: a server that waits for us to read its answers does not read our requests meanwhile.
        let writing = async {
            writer.write_all(&out).await.map_err(Fault::Broken)?;
            writer.flush().await.map_err(Fault::Broken)
        };
        let reading = async {
            let mut events = Vec::with_capacity(count);
            let mut inbox = BytesMut::with_capacity(INBOX_LEN);
            loop {
                while let Some(event) = session.poll_event() {
                    events.push(event);
                }
                if events.len() >= count {
                    return Ok(events);
                }
                inbox.clear();
                if reader.read_buf(&mut inbox).await.map_err(Fault::Broken)? == 0 {
                    return Err(Fault::Closed);
                }
                session.handle_bytes(&inbox)?;
            }
        };
        let ((), events) = tokio::try_join!(writing, reading)?;
        self.interrupted = false;
        Ok(events)
    }

    /// Says goodbye. Dropping the connection does as well, less politely.
    pub async fn close(mut self, deadline: Deadline) {
        drop(deadline.bound(self.stream.shutdown()).await); // the peer may be gone already: nothing is lost
    }

    fn error(&self, fault: Fault) -> ConnectError {
        ConnectError {
            target: self.target.clone(),
            fault,
        }
    }
}

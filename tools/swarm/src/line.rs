//! A connection that costs its user little: the protocol's frames over its TLS, and nothing else.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rustls::ClientConfig;
use seatkeeper::tls;
use seatkeeper::wire::messages::hello::Hello;
use seatkeeper::wire::messages::{Request, Response};
use seatkeeper::wire::{Frame, Opcode, Status, decode_frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::counted::Counted;

/// How long a peer has to hang up.
const GOODBYE_WITHIN: Duration = Duration::from_secs(5);

/// Where to connect, from where, as whom.
#[derive(Clone)]
pub(crate) struct Path {
    /// The server.
    pub(crate) server: SocketAddr,
    /// The address of this host that the server sees; any if there is none.
    pub(crate) from: Option<IpAddr>,
    /// The identity, and what servers it takes.
    pub(crate) tls: Arc<ClientConfig>,
}

impl Path {
    /// A TCP connection.
    pub(crate) async fn tcp(&self) -> io::Result<TcpStream> {
        let socket = match self.server {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        if let Some(from) = self.from {
            // Connections that have ended must not use the ports of this address up.
            socket.set_reuseaddr(true)?;
            socket.bind((from, 0).into())?;
        }
        let tcp = socket.connect(self.server).await?;
        tcp.set_nodelay(true)?;
        Ok(tcp)
    }

    /// A connection in which both sides have proven who they are.
    pub(crate) async fn open(&self) -> io::Result<Line> {
        let tcp = self.tcp().await?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        let stream = connector.connect(tls::server_name(), Counted(tcp)).await?;
        Ok(Line {
            stream,
            inbox: BytesMut::with_capacity(4_096),
            next: 1,
        })
    }

    /// A connection over which HELLO was answered, and that answer's body.
    pub(crate) async fn greeted(&self) -> io::Result<(Line, Bytes)> {
        let mut line = self.open().await?;
        let request = hello();
        let answer = line
            .ask(request.opcode(), request.to_body().map_err(io::Error::other)?)
            .await?;
        if answer.status == Status::OK {
            Ok((line, answer.body))
        } else {
            Err(io::Error::other(refusal(&answer)))
        }
    }
}

/// A connection in which both sides have proven who they are.
pub(crate) struct Line {
    stream: TlsStream<Counted>,
    inbox: BytesMut,
    next: u32,
}

impl Line {
    /// Sends bytes as they are.
    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// The next frame, if it has come already.
    pub(crate) fn received(&mut self) -> io::Result<Option<Frame>> {
        decode_frame(&mut self.inbox).map_err(io::Error::other)
    }

    /// The next frame.
    pub(crate) async fn receive(&mut self) -> io::Result<Frame> {
        loop {
            if let Some(frame) = self.received()? {
                return Ok(frame);
            }
            if self.stream.read_buf(&mut self.inbox).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Asks and waits for the answer, whatever it is.
    pub(crate) async fn ask(&mut self, opcode: Opcode, body: Bytes) -> io::Result<Frame> {
        let request = self.next;
        self.next = self.next.wrapping_add(1).max(1);
        self.send_bytes(&frame(opcode, request, body)?).await?;
        let answer = self.receive().await?;
        if answer.request == request {
            Ok(answer)
        } else {
            // A parting answers nothing that was asked.
            Err(io::Error::other(refusal(&answer)))
        }
    }

    /// As [`Line::ask`], with the answer read.
    pub(crate) async fn request(&mut self, request: &Request) -> io::Result<Response> {
        let body = request.to_body().map_err(io::Error::other)?;
        let answer = self.ask(request.opcode(), body).await?;
        read(&answer)
    }

    /// Waits until the peer has said goodbye, whatever it says before.
    pub(crate) async fn ended(&mut self) -> io::Result<()> {
        while self.stream.read_buf(&mut self.inbox).await? > 0 {
            self.inbox.clear();
        }
        Ok(())
    }

    /// Says goodbye, and waits until the peer has, for a while.
    pub(crate) async fn closed(mut self) {
        let closing = async {
            self.stream.shutdown().await?;
            self.ended().await
        };
        // A peer that is gone already, or does not answer, is waited for no longer.
        drop(tokio::time::timeout(GOODBYE_WITHIN, closing).await);
    }

    /// Says goodbye.
    pub(crate) async fn close(mut self) {
        drop(self.stream.shutdown().await); // the peer may be gone already: nothing is lost
    }
}

/// The bytes of a request.
pub(crate) fn frame(opcode: Opcode, request: u32, body: Bytes) -> io::Result<Bytes> {
    let frame = Frame {
        opcode,
        status: Status::OK,
        request,
        body,
    };
    frame.encode().map_err(io::Error::other)
}

/// What a frame answers.
pub(crate) fn read(answer: &Frame) -> io::Result<Response> {
    Response::decode(answer.opcode.request(), answer.status, &answer.body)
        .map_err(io::Error::other)?
        .ok_or_else(|| io::Error::other(format!("an answer of an unknown kind, {:?}", answer.opcode)))
}

/// The first request of every connection.
pub(crate) fn hello() -> Request {
    Request::Hello(Hello {
        version_min: 1,
        version_max: 1,
        client: concat!("seatswarm ", env!("CARGO_PKG_VERSION")).to_owned(),
        in_flight_max: 64,
    })
}

fn refusal(answer: &Frame) -> String {
    match read(answer) {
        Ok(Response::Refused(status, refusal)) => format!("{status:?}: {}", refusal.text),
        Ok(_) | Err(_) => format!("an answer out of turn: {:?} {:?}", answer.opcode, answer.status),
    }
}

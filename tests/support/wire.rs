//! The protocol spoken by hand over a real socket: what the client library would never send can be sent here.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rustls::ClientConfig;
use seatkeeper::domain::ids::VendorId;
use seatkeeper::tls::{self, Identity, PinRule};
use seatkeeper::wire::messages::hello::{Hello, HelloOk};
use seatkeeper::wire::messages::{Request, Response, seat};
use seatkeeper::wire::{Frame, Opcode, Status, decode_frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What takes longer than this hangs.
const WATCHDOG: Duration = Duration::from_secs(20);

/// A TLS connection to a server.
#[derive(Debug)]
pub(crate) struct Wire {
    /// What it speaks over, for tests that send beside it.
    pub(crate) stream: TlsStream<TcpStream>,
    inbox: BytesMut,
    next: u32,
}

impl Wire {
    /// Connects as `identity`, up to the end of the handshake as this side sees it.
    pub(crate) async fn connect(server: SocketAddr, identity: &Identity) -> io::Result<Self> {
        let config = tls::client_config(identity, PinRule::Any).expect("a configuration");
        Self::connect_with(server, config).await
    }

    /// As [`Wire::connect`] with a configuration of its own.
    pub(crate) async fn connect_with(server: SocketAddr, config: Arc<ClientConfig>) -> io::Result<Self> {
        let tcp = bounded(TcpStream::connect(server)).await?;
        Self::connect_over(tcp, config).await
    }

    /// As [`Wire::connect_with`] over a TCP connection that is there.
    pub(crate) async fn connect_over(tcp: TcpStream, config: Arc<ClientConfig>) -> io::Result<Self> {
        bounded(async {
            tcp.set_nodelay(true)?;
            let stream = TlsConnector::from(config).connect(tls::server_name(), tcp).await?;
            Ok(Self {
                stream,
                inbox: BytesMut::new(),
                next: 1,
            })
        })
        .await
    }

    /// Connects and says HELLO.
    pub(crate) async fn hello(server: SocketAddr, identity: &Identity) -> io::Result<(Self, HelloOk)> {
        let mut wire = Self::connect(server, identity).await?;
        match wire.ask(&hello()).await? {
            Response::Hello(hello) => Ok((wire, hello)),
            other => Err(io::Error::other(format!("HELLO was answered {other:?}"))),
        }
    }

    /// Sends a request; its number.
    pub(crate) async fn send(&mut self, request: &Request) -> io::Result<u32> {
        let body = request.to_body().expect("within its bounds");
        self.send_frame(request.opcode(), body).await
    }

    /// Sends a frame; its number.
    pub(crate) async fn send_frame(&mut self, opcode: Opcode, body: bytes::Bytes) -> io::Result<u32> {
        let request = self.next;
        self.next += 1;
        let frame = Frame {
            opcode,
            status: Status::OK,
            request,
            body,
        };
        self.send_bytes(&frame.encode().expect("within its bounds")).await?;
        Ok(request)
    }

    /// Sends bytes as they are.
    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        bounded(async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        })
        .await
    }

    /// The next frame; nothing where the server has closed.
    pub(crate) async fn receive(&mut self) -> io::Result<Option<Frame>> {
        bounded(async {
            loop {
                if let Some(frame) = decode_frame(&mut self.inbox).map_err(io::Error::other)? {
                    return Ok(Some(frame));
                }
                if self.stream.read_buf(&mut self.inbox).await? == 0 {
                    return Ok(None);
                }
            }
        })
        .await
    }

    /// Asks and waits for the answer.
    pub(crate) async fn ask(&mut self, request: &Request) -> io::Result<Response> {
        let number = self.send(request).await?;
        let frame = self.receive().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if frame.request != number || frame.opcode != request.opcode().reply() {
            return Err(io::Error::other(format!("{frame:?} answers nothing that was asked")));
        }
        answer(&frame)
    }
}

/// Reads the answer in a frame.
pub(crate) fn answer(frame: &Frame) -> io::Result<Response> {
    Response::decode(frame.opcode.request(), frame.status, &frame.body)
        .map_err(io::Error::other)?
        .ok_or_else(|| io::Error::other(format!("unknown answer {frame:?}")))
}

/// A HELLO of version 1.
pub(crate) fn hello() -> Request {
    Request::Hello(Hello {
        version_min: 1,
        version_max: 1,
        client: "test".to_owned(),
        in_flight_max: 64,
    })
}

/// A checkout by the machine with this MAC address.
pub(crate) fn checkout(vendor: VendorId, product: &str, component: &str, mac: [u8; 6]) -> Request {
    Request::Checkout(seat::Checkout {
        vendor: vendor.0,
        product: product.to_owned(),
        component: component.to_owned(),
        mac,
        ..seat::Checkout::default()
    })
}

/// The `number`th machine's MAC address.
pub(crate) const fn mac(number: u16) -> [u8; 6] {
    let [high, low] = number.to_be_bytes();
    [0x00, 0x1a, 0x2b, 0x3c, high, low]
}

async fn bounded<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(WATCHDOG, work)
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

//! Playing one vector after the other.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use seatkeeper::client::connect::{Connection, connect, open};
use seatkeeper::client::discover::{Scope, Search, discover};
use seatkeeper::client::{Deadline, Target, with_causes};
use seatkeeper::tls::{Identity, PinRule};
use seatkeeper::wire::limits::{IN_FLIGHT_MAX, VERSION_MAX, VERSION_MIN};
use seatkeeper::wire::messages::hello::Hello;
use seatkeeper::wire::messages::{Request, seat};
use seatkeeper::wire::{Frame, Opcode, Status, decode_frame};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UdpSocket;

use super::report::{Outcome, Played};
use crate::output::Failure;
use crate::query::NO_PRODUCT;

/// How long a server is listened to that must say nothing.
const SILENCE: Duration = Duration::from_millis(250);

/// What the first line of a vector says before its error.
const ERROR: &str = "# error: ";

/// The error of a frame whose end has not come yet.
const INCOMPLETE: &str = "incomplete";

/// The error of a request that is sound and not known.
const UNSUPPORTED: &str = "unsupported";

/// A vector that a server must refuse.
#[derive(Debug)]
pub(super) struct Vector {
    name: &'static str,
    bytes: Vec<u8>,
    error: String,
}

impl Vector {
    /// A vector; nothing where it is none that can be sent to a server: a lease.
    pub(super) fn read(name: &'static str, text: &str) -> Result<Option<Self>, Failure> {
        let damaged = || Failure::Failed(format!("the vector {name} in this program is damaged"));
        let bytes = crate::hex::bytes(text).ok_or_else(damaged)?;
        let error = text.lines().next().and_then(|line| line.strip_prefix(ERROR));
        let error = error.ok_or_else(damaged)?.to_owned();
        Ok((!name.starts_with("lease")).then_some(Self { name, bytes, error }))
    }

    fn is_datagram(&self) -> bool {
        ["offer", "question"].iter().any(|kind| self.name.starts_with(kind))
    }
}

/// A server, and a connection to it that was made before anything was played.
#[derive(Debug)]
pub(super) struct Stage {
    address: SocketAddr,
    identity: Identity,
    wait: Duration,
    witness: Connection,
    /// Whether questions were answered before.
    answers: bool,
}

impl Stage {
    pub(super) async fn open(address: SocketAddr, identity: Identity, wait: Duration) -> Result<Self, Failure> {
        let deadline = Deadline::after(wait);
        let witness = connect(Target::from(address), &identity, PinRule::Any, deadline);
        let witness = witness.await.map_err(|error| Failure::NoServer(with_causes(&error)))?;
        Ok(Self {
            address,
            answers: answers(address, wait).await,
            identity,
            wait,
            witness,
        })
    }

    /// Sends one vector and sees what becomes of it.
    pub(super) async fn play(&mut self, vector: &Vector) -> Played {
        let (transport, (outcome, text)) = if vector.is_datagram() {
            ("udp", ask(self.address, &vector.bytes).await)
        } else {
            ("tcp", self.send(vector).await)
        };
        Played {
            vector: vector.name,
            transport,
            good: is_good(vector, outcome, &text),
            error: vector.error.clone(),
            outcome,
            text,
        }
    }

    async fn send(&self, vector: &Vector) -> (Outcome, String) {
        let deadline = Deadline::after(self.wait);
        match open(Target::from(self.address), &self.identity, deadline).await {
            Err(error) => (Outcome::Failed, with_causes(&error.fault)),
            Ok(stream) => {
                let greets = !vector.name.starts_with("hello");
                let told = deadline.bound(say(stream, &vector.bytes, greets, vector.error == INCOMPLETE));
                told.await.unwrap_or((Outcome::Silent, "no answer".to_owned()))
            }
        }
    }

    /// Whether the connection that was there before is served: a server that fell and came back does not know it.
    pub(super) async fn serves_on(&mut self) -> Result<(), String> {
        let asked = self.witness.request(&anything(), Deadline::after(self.wait)).await;
        let lost = |cause| format!("the connection from before is not served any more: {cause}");
        asked.map(drop).map_err(|error| lost(with_causes(&error.fault)))
    }

    /// Whether the server serves as before: that connection, a new one, and questions if it answered any.
    pub(super) async fn stands(&mut self) -> Result<(), String> {
        self.serves_on().await?;
        let deadline = Deadline::after(self.wait);
        let again = connect(Target::from(self.address), &self.identity, PinRule::Any, deadline).await;
        let again = again.map_err(|error| format!("no new connection: {}", with_causes(&error.fault)))?;
        if again.server() != self.witness.server() {
            return Err("another server is there now".to_owned());
        }
        if self.answers && !answers(self.address, self.wait).await {
            return Err("it answers no questions any more".to_owned());
        }
        Ok(())
    }
}

/// Whether this is what must become of it.
fn is_good(vector: &Vector, outcome: Outcome, text: &str) -> bool {
    match vector.error.as_str() {
        INCOMPLETE => outcome == Outcome::Silent,
        UNSUPPORTED => outcome == Outcome::Refused && text.starts_with("UNSUPPORTED"),
        _ if vector.is_datagram() => outcome == Outcome::Silent,
        // With a word or without one.
        _ => outcome == Outcome::Closed || (outcome == Outcome::Refused && text.starts_with("MALFORMED")),
    }
}

/// A question that changes nothing.
fn anything() -> Request {
    Request::Availability(seat::Availability {
        vendor: None,
        product: NO_PRODUCT.to_owned(),
    })
}

async fn answers(address: SocketAddr, wait: Duration) -> bool {
    let search = Search {
        wanted: None,
        scope: Scope::Server(address),
        deadline: wait,
        every_path: false,
    };
    match discover(&search) {
        Ok(mut discovery) => discovery.next().await.is_some(),
        Err(_) => false,
    }
}

/// Sends a datagram; silence is what it must meet.
async fn ask(address: SocketAddr, datagram: &[u8]) -> (Outcome, String) {
    let exchange = async {
        let own: SocketAddr = if address.is_ipv4() {
            ([0; 4], 0).into()
        } else {
            ([0_u16; 8], 0).into()
        };
        let socket = UdpSocket::bind(own).await?;
        socket.connect(address).await?;
        socket.send(datagram).await?;
        let mut answer = [0; 1_024];
        match Deadline::after(SILENCE).bound(socket.recv(&mut answer)).await {
            None => Ok((Outcome::Silent, "ignored".to_owned())),
            Some(received) => received.map(|len| (Outcome::Taken, format!("answered with {len} bytes"))),
        }
    };
    let failed = |error: std::io::Error| (Outcome::Failed, error.to_string());
    exchange.await.unwrap_or_else(failed)
}

/// Says HELLO, if that is not what is played, and the vector; then listens.
async fn say(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    vector: &[u8],
    greets: bool,
    waits: bool,
) -> (Outcome, String) {
    let failed = |error: std::io::Error| (Outcome::Failed, error.to_string());
    let mut inbox = BytesMut::new();
    if greets {
        let frame = match hello() {
            Ok(frame) => frame,
            Err(error) => return (Outcome::Failed, error),
        };
        if let Err(error) = stream.write_all(&frame).await {
            return failed(error);
        }
        match next(&mut stream, &mut inbox).await {
            Ok(Some(frame)) if frame.status == Status::OK => {}
            Ok(other) => return (Outcome::Failed, format!("HELLO is not answered: {other:?}")),
            Err(error) => return failed(error),
        }
    }
    if let Err(error) = stream.write_all(vector).await {
        return failed(error);
    }
    let heard = next(&mut stream, &mut inbox);
    let heard = if waits {
        match Deadline::after(SILENCE).bound(heard).await {
            None => return (Outcome::Silent, "waited for".to_owned()),
            Some(heard) => heard,
        }
    } else {
        heard.await
    };
    match heard {
        Ok(Some(frame)) if frame.status == Status::OK => (Outcome::Taken, format!("{:?}", frame.opcode)),
        Ok(Some(frame)) => (Outcome::Refused, format!("{:?}", frame.status)),
        // Whoever is closed on may hear of it as an error.
        Ok(None) | Err(_) => (Outcome::Closed, "closed".to_owned()),
    }
}

fn hello() -> Result<bytes::Bytes, String> {
    let hello = Request::Hello(Hello {
        version_min: VERSION_MIN,
        version_max: VERSION_MAX,
        client: concat!("seatprobe ", env!("CARGO_PKG_VERSION")).to_owned(),
        in_flight_max: u16::try_from(IN_FLIGHT_MAX).unwrap_or(u16::MAX),
    });
    let frame = Frame {
        opcode: Opcode::HELLO,
        status: Status::OK,
        request: 1,
        body: hello.to_body().map_err(|error| error.to_string())?,
    };
    frame.encode().map_err(|error| error.to_string())
}

/// The next frame; nothing where the connection ends before.
async fn next(stream: &mut (impl AsyncRead + Unpin), inbox: &mut BytesMut) -> std::io::Result<Option<Frame>> {
    loop {
        if let Some(frame) = decode_frame(inbox).map_err(std::io::Error::other)? {
            return Ok(Some(frame));
        }
        if stream.read_buf(inbox).await? == 0 {
            return Ok(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(name: &'static str, error: &str) -> Vector {
        let text = format!("{ERROR}{error}\n0000 0000 0001 0000 0000 0001");
        Vector::read(name, &text).expect("a vector").expect("that servers get")
    }

    #[test]
    fn every_vector_of_the_specification_is_in_the_program_and_all_but_the_leases_are_sent() {
        let read = super::super::REJECT
            .iter()
            .map(|(name, text)| Vector::read(name, text).expect(name));
        let sent: Vec<_> = read.flatten().map(|vector| vector.name).collect();
        assert!(
            sent.len() > 90 && sent.contains(&"frame_cut") && sent.contains(&"question_short"),
            "{sent:?}"
        );
        assert!(
            Vector::read("lease_forged", "# error: x\n00")
                .expect("a vector")
                .is_none()
        );
        assert!(Vector::read("damaged", "00").is_err());
    }

    #[test]
    fn a_vector_that_is_taken_is_bad_and_so_is_another_refusal_than_its_own() {
        let malformed = vector("release_long", "too long");
        for (outcome, text, good) in [
            (Outcome::Refused, "MALFORMED", true),
            (Outcome::Closed, "closed", true),
            (Outcome::Refused, "BUSY", false),
            (Outcome::Taken, "RELEASE reply", false),
            (Outcome::Silent, "no answer", false),
            (Outcome::Failed, "refused", false),
        ] {
            assert_eq!(is_good(&malformed, outcome, text), good, "{text}");
        }
        assert!(is_good(
            &vector("frame_unknown", UNSUPPORTED),
            Outcome::Refused,
            "UNSUPPORTED"
        ));
        assert!(!is_good(
            &vector("frame_unknown", UNSUPPORTED),
            Outcome::Closed,
            "closed"
        ));
        assert!(is_good(&vector("frame_cut", INCOMPLETE), Outcome::Silent, "waited for"));
        let question = vector("question_short", "not 512 bytes");
        assert!(is_good(&question, Outcome::Silent, "ignored"));
        assert!(!is_good(&question, Outcome::Taken, "answered"));
    }
}

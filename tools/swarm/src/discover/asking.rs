//! Sockets that ask who is there, at times that are set beforehand.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use seatkeeper::wire::discovery::{Offer, Question};
use seatkeeper::wire::limits::QUESTION_LEN;
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use crate::clock::Moment;
use crate::error::SwarmError;
use crate::latency::Latencies;

/// What is not answered by then, after the last question, is lost.
const LAST_ANSWERS: Duration = Duration::from_millis(500);

/// What answers look like.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answers {
    /// A server's.
    Offers,
    /// The floor's: the question.
    Echoes,
}

/// What came of asking.
#[derive(Debug)]
pub(super) struct Asked {
    /// From when each question was sent: no answer holds a question back.
    pub(super) answered: Latencies,
    pub(super) sent: u64,
}

impl Asked {
    /// Questions that were never answered.
    pub(super) fn unanswered(&self) -> u64 {
        self.sent.saturating_sub(self.answered.summary().count)
    }
}

/// Questions in all, and when they are sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) sockets: u8,
    /// Questions a second, of all sockets together.
    pub(super) rate: u32,
    pub(super) time: Duration,
}

/// Asks `whom` as planned, each socket from a network of its own.
pub(super) async fn ask(whom: SocketAddr, answers: Answers, plan: Plan) -> Result<Asked, SwarmError> {
    let failed = |error: io::Error| SwarmError::of("asking by UDP")(&error);
    let apart = Duration::from_secs(1) / plan.rate;
    let mut sockets = Vec::new();
    for number in 0..plan.sockets {
        // Sources of their own to the server, which bounds what it answers to a network.
        let from = IpAddr::V4(Ipv4Addr::new(127, 128, number, 1));
        let socket = UdpSocket::bind((from, 0)).await.map_err(failed)?;
        socket.connect(whom).await.map_err(failed)?;
        sockets.push(socket);
    }
    let begun = Moment::now();
    let end = begun.after(plan.time);
    let mut asking = JoinSet::new();
    for (number, socket) in (0..).zip(sockets) {
        let first = begun.after(apart * number);
        let apart = apart * u32::from(plan.sockets);
        asking.spawn(async move {
            let (sent, answered) = tokio::join!(
                send(&socket, begun, (first, apart, end)),
                receive(&socket, answers, begun, end.after(LAST_ANSWERS))
            );
            Ok::<_, io::Error>((sent?, answered?))
        });
    }
    let mut asked = Asked {
        answered: Latencies::new(),
        sent: 0,
    };
    for outcome in asking.join_all().await {
        let (sent, answered) = outcome.map_err(failed)?;
        asked.sent += sent;
        asked.answered.and(&answered);
    }
    Ok(asked)
}

async fn send(socket: &UdpSocket, begun: Moment, (first, apart, end): (Moment, Duration, Moment)) -> io::Result<u64> {
    let (mut due, mut sent) = (first, 0);
    while due.since(end) == Duration::ZERO {
        due.reached().await;
        // The answer brings back when it was asked.
        let question = Question {
            nonce: begun.ago().as_nanos().to_be_bytes(),
            wanted: None,
        };
        socket.send(&question.encode().map_err(io::Error::other)?).await?;
        sent += 1;
        due = due.after(apart);
    }
    Ok(sent)
}

async fn receive(socket: &UdpSocket, answers: Answers, begun: Moment, until: Moment) -> io::Result<Latencies> {
    let mut answered = Latencies::new();
    let mut datagram = [0; QUESTION_LEN];
    loop {
        let len = tokio::select! {
            received = socket.recv(&mut datagram) => received?,
            () = until.reached() => return Ok(answered),
        };
        let now = begun.ago();
        if let Some(nonce) = nonce_in(answers, datagram.get(..len).unwrap_or_default()) {
            let sent = Duration::from_nanos(u64::try_from(u128::from_be_bytes(nonce)).unwrap_or(u64::MAX));
            answered.note(now.saturating_sub(sent));
        }
    }
}

fn nonce_in(answers: Answers, datagram: &[u8]) -> Option<[u8; 16]> {
    match answers {
        Answers::Offers => Offer::decode(datagram).ok().map(|offer| offer.nonce),
        Answers::Echoes => Question::decode(datagram).ok().map(|question| question.nonce),
    }
}

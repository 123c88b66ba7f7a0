//! One connection: carries bytes between its socket and its session, and does what the session says.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io::{self, BufRead};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncBufRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};
use tokio_rustls::server::TlsStream;

use super::alarm::Alarm;
use super::bounds::{FREE_LEN, FRUITLESS_LEN_MAX, READ_LEN, TLS_SEND_LEN};
use super::limits::Place;
use super::metered::Metered;
use super::shared::Shared;
use super::work::{Asked, ask};
use crate::clock::monotonic;
use crate::domain::command::{Command, Role};
use crate::domain::ids::Fingerprint;
use crate::domain::time::Monotonic;
use crate::session::{Action, Answer, Peer, Reason, RequestTag, ServerSession, SessionConfig, Work};
use crate::tls::{is_resumed, peer_fingerprint};
use crate::wire::limits::HANDSHAKE_LEN_MAX;

/// How long a peer has to hang up after the server has, in milliseconds.
const PARTING_MS: u64 = 2_000;

/// A request under way. Requests are decided in the order in which they were made, and so are their answers given.
struct Pending {
    tag: RequestTag,
    /// Whether the work begins only when its turn comes: it needs what the requests before it bring about.
    waits: bool,
    answer: Awaited,
}

/// An answer that is not there yet.
enum Awaited {
    /// The writer's, which nearly all are.
    Asked(Asked),
    /// That of work of another kind, or of work that waits.
    Work(Pin<Box<dyn Future<Output = Answer> + Send>>),
}

impl Awaited {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Answer> {
        match self {
            Self::Asked(asked) => Pin::new(asked).poll(context),
            Self::Work(work) => work.as_mut().poll(context),
        }
    }
}

/// Serves one accepted connection to its end.
pub(super) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    shared: Arc<Shared>,
    mut finish: oneshot::Receiver<()>,
    place: Place,
) {
    // Answers are small and waited for: none is worth delaying for another.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "the connection was gone at once");
        return;
    }
    let stream = Metered::new(stream, HANDSHAKE_LEN_MAX);
    let in_time = Duration::from_millis(shared.session.borrow().hello_ms);
    let handshake = tokio::time::timeout(in_time, shared.tls.accept(stream));
    let mut stream = tokio::select! {
        _ = &mut finish => return,
        outcome = handshake => match outcome {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return tracing::debug!(%peer, %error, "TLS failed"),
            Err(_) => return tracing::debug!(%peer, "no TLS handshake in time"),
        },
    };
    let (metered, tls) = stream.get_mut();
    metered.allow(FRUITLESS_LEN_MAX);
    tls.set_buffer_limit(Some(TLS_SEND_LEN));
    let identity = match peer_fingerprint(stream.get_ref().1) {
        Ok(fingerprint) => Fingerprint(fingerprint),
        Err(error) => return tracing::debug!(%peer, %error, "TLS failed"),
    };
    let resumed = is_resumed(stream.get_ref().1);
    let peer = Peer {
        identity,
        address: peer.ip().to_canonical(),
    };
    let mut settings = shared.session.clone();
    let session = ServerSession::new(Arc::clone(&settings.borrow_and_update()), peer, monotonic());
    let mut connection = Connection {
        stream,
        session,
        shared,
        settings,
        place,
        told: Told::default(),
        pending: VecDeque::new(),
        output: VecDeque::new(),
    };
    let reason = connection.run(finish).await;
    tracing::debug!(peer = %peer.address, identity = %peer.identity, resumed, ?reason, "connection closed");
}

struct Connection {
    stream: TlsStream<Metered>,
    session: ServerSession,
    shared: Arc<Shared>,
    settings: watch::Receiver<Arc<SessionConfig>>,
    place: Place,
    told: Told,
    pending: VecDeque<Pending>,
    output: VecDeque<Bytes>,
}

/// What the gate was told of the connection.
#[derive(Default)]
struct Told {
    greeted: bool,
    held_len: usize,
}

/// What the connection waits for.
enum Event {
    Answered(RequestTag, Answer),
    /// So many bytes are there to be read; none at the end.
    Readable(io::Result<usize>),
    Stop,
    Timeout,
}

impl Connection {
    async fn run(&mut self, mut finish: oneshot::Receiver<()>) -> Option<Reason> {
        let mut alarm = Alarm::default();
        let mut stopping = false;
        loop {
            let due = self.session.poll_timeout();
            let event = tokio::select! {
                biased;
                _ = &mut finish, if !stopping => Event::Stop,
                (tag, answer) = first(&mut self.pending) => Event::Answered(tag, answer),
                // Before the time that is up: what came in time and was not read in time is not late.
                read = readable(&mut self.stream), if self.session.wants_input() => Event::Readable(read),
                () = alarm.until(due) => Event::Timeout,
            };
            let at = monotonic();
            // As it is now: others of its source may have come while this one waited.
            self.session.allow(self.place.requests());
            if self.settings.has_changed().unwrap_or(false) {
                self.session.reconfigure(&self.settings.borrow_and_update());
            }
            match event {
                Event::Answered(tag, answer) => self.hand_over(tag, answer, at),
                Event::Readable(Ok(0)) => self.session.handle_end(at),
                Event::Readable(Ok(_)) => self.read(at),
                Event::Readable(Err(error)) => {
                    tracing::debug!(%error, "the peer is gone");
                    return None;
                }
                Event::Stop => {
                    stopping = true;
                    self.session.begin_stop(at);
                }
                Event::Timeout => {}
            }
            // Whoever always has a byte to read must not put off its time.
            self.session.handle_timeout(at);
            let closed = self.take_actions().or_else(|| self.take_ready(at));
            self.tell_gate(at);
            if self.has_to_write() {
                self.write(at).await?;
                let written = monotonic();
                self.session.handle_written(at, written);
                // What was held for the peer is let go now, not when it asks again: that may be long.
                self.tell_gate(written);
            }
            if let Some(reason) = closed {
                self.part().await;
                return Some(reason);
            }
        }
    }

    /// Takes of what is there as much as is read at once, from where TLS has it: a connection has no memory of its own for
    /// it, of which there would be some thousands.
    fn read(&mut self, at: Monotonic) {
        let (metered, tls) = self.stream.get_mut();
        metered.allow(FRUITLESS_LEN_MAX);
        let mut reader = tls.reader();
        // It is there, or nothing would be readable.
        let Ok(bytes) = reader.fill_buf() else { return };
        let bytes = bytes.get(..READ_LEN).unwrap_or(bytes);
        let len = bytes.len();
        self.session.handle_bytes(bytes, at);
        reader.consume(len);
    }

    fn has_to_write(&self) -> bool {
        !self.output.is_empty() || self.stream.get_ref().1.wants_write()
    }

    fn hand_over(&mut self, tag: RequestTag, answer: Answer, at: Monotonic) {
        let server_time = self.shared.service.clock().calendar();
        self.session.handle_reply(tag, answer, server_time, at);
    }

    /// Takes the answers that are there as well, as many as are sent at once: those of pipelined requests come together,
    /// and each of them by itself would be a record of TLS and a system call.
    fn take_ready(&mut self, at: Monotonic) -> Option<Reason> {
        while self.to_send() < TLS_SEND_LEN {
            let (tag, answer) = ready(&mut self.pending)?;
            self.hand_over(tag, answer, at);
            if let Some(reason) = self.take_actions() {
                return Some(reason);
            }
        }
        None
    }

    fn to_send(&self) -> usize {
        self.output.iter().map(Bytes::len).sum()
    }

    /// Tells the gate what is new of this connection; most requests change nothing of it.
    fn tell_gate(&mut self, at: Monotonic) {
        if !self.told.greeted && self.session.role().is_some() {
            self.told.greeted = true;
            self.place.greeted();
        }
        let held_len = (self.session.held_len() + self.to_send()).saturating_sub(FREE_LEN);
        if self.told.held_len != held_len {
            self.told.held_len = held_len;
            self.place.holds(held_len, at);
        }
    }

    /// Ends the stream and waits until the peer has done so too. A socket that is closed while there are bytes to read
    /// resets the connection, and the peer loses the answers that it has not read yet.
    async fn part(&mut self) {
        let parting = async {
            self.stream.shutdown().await?;
            let (metered, _) = self.stream.get_mut();
            let mut unread = vec![0; READ_LEN];
            while metered.tcp().read(&mut unread).await? > 0 {}
            Ok::<(), io::Error>(())
        };
        // The peer may be gone, or never hang up: it was told what it was to be told.
        drop(tokio::time::timeout(Duration::from_millis(PARTING_MS), parting).await);
    }

    /// Starts what the session wants done, and gathers what it wants sent.
    fn take_actions(&mut self) -> Option<Reason> {
        while let Some(action) = self.session.poll_action() {
            match action {
                Action::Send(bytes) => self.output.push_back(bytes),
                Action::Submit { tag, work } => self.start(tag, work),
                Action::Close(reason) => return Some(reason),
            }
        }
        None
    }

    /// Commands go to the queue at once, so that pipelined ones are decided in one round; texts whose signatures must be
    /// checked wait for the answers before them, and so does all that is asked behind them.
    fn start(&mut self, tag: RequestTag, work: Work) {
        let actor = self.session.peer().actor();
        let weight = weight_of(&work);
        let waits = !matches!(work, Work::Command(_)) || self.pending.iter().any(|before| before.waits);
        let is_status = matches!(work, Work::Command(Command::Status));
        let mut answer = match work {
            Work::Command(command) if !waits => Awaited::Asked(ask(&self.shared.service, actor, command, weight)),
            work => {
                let shared = Arc::clone(&self.shared);
                Awaited::Work(Box::pin(async move { shared.perform(actor, work, weight).await }))
            }
        };
        let answer = if is_status {
            let shared = Arc::clone(&self.shared);
            Awaited::Work(Box::pin(async move {
                shared.with_health(poll_fn(|context| answer.poll(context)).await)
            }))
        } else {
            answer
        };
        self.pending.push_back(Pending { tag, waits, answer });
    }

    /// Writes what is to be sent. A peer that does not read is left after the silence limit of an agent, whatever its
    /// role: meanwhile it takes memory.
    async fn write(&mut self, at: Monotonic) -> Option<()> {
        let silence = self.settings.borrow().silence_ms(Role::Agent);
        let writing = async {
            while let Some(bytes) = gathered(&mut self.output) {
                self.stream.write_all(&bytes).await?;
            }
            self.stream.flush().await
        };
        let mut patience = Alarm::default();
        tokio::select! {
            // Nearly always there is room at once, and no timer is set.
            biased;
            written = writing => match written {
                Ok(()) => Some(()),
                Err(error) => {
                    tracing::debug!(%error, "the peer is gone");
                    None
                }
            },
            () = patience.until(Some(at.after_millis(silence.into()))) => {
                tracing::debug!("the peer does not read its answers");
                None
            }
        }
    }
}

/// How many bytes there are to read, once there are any; 0 at the end. Dropping this loses nothing.
async fn readable(stream: &mut TlsStream<Metered>) -> io::Result<usize> {
    poll_fn(|context| Pin::new(&mut *stream).poll_fill_buf(context).map_ok(<[u8]>::len)).await
}

/// The answer to the oldest request under way. Dropping this loses nothing.
async fn first(pending: &mut VecDeque<Pending>) -> (RequestTag, Answer) {
    let Some(oldest) = pending.front_mut() else {
        return std::future::pending().await;
    };
    let answer = poll_fn(|context| oldest.answer.poll(context)).await;
    let tag = oldest.tag;
    pending.pop_front();
    (tag, answer)
}

/// As [`first`], if it is there already.
fn ready(pending: &mut VecDeque<Pending>) -> Option<(RequestTag, Answer)> {
    let oldest = pending.front_mut()?;
    // Whoever waits for it next has its own waker noted instead of this one.
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(answer) = oldest.answer.poll(&mut context) else {
        return None;
    };
    let tag = oldest.tag;
    pending.pop_front();
    Some((tag, answer))
}

/// What is written next: the first of it, with those behind it that fit into a record of TLS.
fn gathered(output: &mut VecDeque<Bytes>) -> Option<Bytes> {
    let first = output.pop_front()?;
    let fits = |len: usize, next: Option<&Bytes>| next.is_some_and(|next| len + next.len() <= TLS_SEND_LEN);
    if !fits(first.len(), output.front()) {
        return Some(first);
    }
    let mut together =
        BytesMut::with_capacity(TLS_SEND_LEN.min(first.len() + output.iter().map(Bytes::len).sum::<usize>()));
    together.extend_from_slice(&first);
    while fits(together.len(), output.front()) {
        if let Some(next) = output.pop_front() {
            together.extend_from_slice(&next);
        }
    }
    Some(together.freeze())
}

/// About how many bytes a piece of work is worth in the writer's round.
fn weight_of(work: &Work) -> usize {
    /// A command without texts.
    const PLAIN: usize = 256;
    PLAIN
        + match work {
            Work::Command(_)
            | Work::Events(_)
            | Work::EventsVerify(_)
            | Work::Hello
            | Work::Reload { .. }
            | Work::TrustVendor(_) => 0,
            Work::VerifyBlacklist { signed, .. } | Work::VerifyCatalogue { signed, .. } => signed.len(),
            Work::VerifyKeys { texts, .. } => texts.iter().map(String::len).sum(),
        }
}

#[cfg(test)]
mod tests;

//! The responder of discovery: questions in, offers out.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::delayed::Delayed;
use super::limits::Tally;
use super::listen::{Heard, ListenFilter};
use crate::clock::{self, Clock};
use crate::session::OfferLimits;
use crate::session::responder::{Action, Addressed, Facts, Responder};
use crate::sockets::Groups;
use crate::sockets::interfaces::{self, Interface};
use crate::sockets::server::ServerSockets;
use crate::sockets::udp::{Received, Route, UdpSocket};
use crate::wire::limits::{GROUP_V4, GROUP_V6, QUESTION_LEN};

/// How often interfaces that came are looked for, so that a server started before the network is up is found.
const INTERFACES_EVERY: Duration = Duration::from_secs(10);

/// How long to wait after an error of a socket, so that a lasting one does not take a processor.
const AFTER_ERROR: Duration = Duration::from_millis(100);

/// Answers questions on a pair of sockets.
#[derive(Debug)]
pub struct Discovery {
    sockets: ServerSockets,
    listen: ListenFilter,
    interfaces: Vec<Interface>,
    responder: Responder,
    facts: watch::Receiver<Arc<Facts>>,
    /// Nothing where nobody changes it.
    answering: Option<watch::Receiver<Answering>>,
    clock: Clock,
    delayed: Delayed<Answer>,
}

/// Which questions are answered, of those that are sent where the server listens, and how often.
#[derive(Clone, Debug, Default)]
pub struct Answering {
    /// How often.
    pub limits: OfferLimits,
    /// Which.
    pub heard: Heard,
}

#[derive(Debug)]
struct Answer {
    offer: Bytes,
    to: SocketAddr,
    route: Route,
}

/// Why the loop goes on.
enum Event {
    FromV4(io::Result<Received>),
    FromV6(io::Result<Received>),
    AnswerDue,
    LookForInterfaces,
    Stop,
}

/// One byte longer than a question, so that a longer datagram does not pass for one.
type Datagram = [u8; QUESTION_LEN + 1];

impl Discovery {
    /// Gets ready to answer the questions that `listen` admits with the newest of `facts`; questions are heard once
    /// this returns, and answered once [`Discovery::run`] runs.
    ///
    /// # Errors
    /// The operating system gives no random bytes.
    pub fn new(
        sockets: ServerSockets,
        listen: ListenFilter,
        facts: watch::Receiver<Arc<Facts>>,
        clock: Clock,
    ) -> io::Result<Self> {
        let mut secret = [0; 16];
        getrandom::fill(&mut secret).map_err(io::Error::other)?;
        if let Some(error) = &sockets.missing {
            let family = if sockets.v6.is_none() { "IPv6" } else { "IPv4" };
            tracing::warn!(
                %error,
                "discovery over {family} is not available here, the other family goes on; machines that have only {family} \
                 must be told this server's address"
            );
        }
        let mut discovery = Self {
            sockets,
            listen,
            interfaces: Vec::new(),
            responder: Responder::new(secret, clock::monotonic()),
            facts,
            answering: None,
            clock,
            delayed: Delayed::new(),
        };
        discovery.look_for_interfaces();
        Ok(discovery)
    }

    /// The same, which answers as `answering` says at the time.
    #[must_use]
    pub fn within(self, answering: watch::Receiver<Answering>) -> Self {
        Self {
            answering: Some(answering),
            ..self
        }
    }

    /// Answers until `stop`. Answers that still wait then are dropped: they would point to a server that goes.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut look = tokio::time::interval(INTERFACES_EVERY);
        let mut lost = Tally::default();
        let (mut from_v4, mut from_v6): (Datagram, Datagram) = ([0; _], [0; _]);
        loop {
            let event = tokio::select! {
                () = stop.cancelled() => Event::Stop,
                () = until(self.delayed.next_due_millis()) => Event::AnswerDue,
                received = receive(self.sockets.v4.as_ref(), &mut from_v4) => Event::FromV4(received),
                received = receive(self.sockets.v6.as_ref(), &mut from_v6) => Event::FromV6(received),
                _ = look.tick() => Event::LookForInterfaces,
                () = changed(self.answering.as_mut()) => Event::LookForInterfaces,
            };
            match event {
                Event::FromV4(Ok(received)) => self.handle(from_v4.get(..received.len).unwrap_or_default(), &received),
                Event::FromV6(Ok(received)) => self.handle(from_v6.get(..received.len).unwrap_or_default(), &received),
                Event::FromV4(Err(error)) | Event::FromV6(Err(error)) => {
                    if let Some(times) = lost.note(clock::monotonic()) {
                        tracing::warn!(
                            %error,
                            times,
                            "questions were lost, which are asked again; if this goes on, mend what the error says and \
                             restart the server; counted since this was last said"
                        );
                    }
                    tokio::time::sleep(AFTER_ERROR).await;
                }
                Event::AnswerDue => self.answer_due(),
                Event::LookForInterfaces => self.look_for_interfaces(),
                Event::Stop => return,
            }
        }
    }

    fn handle(&mut self, datagram: &[u8], received: &Received) {
        let peer = received.source;
        if self.is_broadcast(peer.ip()) {
            tracing::debug!(%peer, "a question claims to come from everybody; nobody is answered");
            return;
        }
        let Some(route) = self.listen.admit(&self.interfaces, received) else {
            tracing::debug!(%peer, "a question came in where this server does not listen");
            return;
        };
        let answering = self.answering();
        if !answering.heard.admits(&self.interfaces, received) {
            tracing::debug!(%peer, "a question came in such a way or on such an interface as this server's site left out");
            return;
        }
        let addressed = if received.is_unicast() {
            Addressed::Direct
        } else {
            Addressed::Group
        };
        let (time, now) = (self.clock.calendar(), clock::monotonic());
        // Without randomness this server answers at once, as if it were alone.
        let random = getrandom::u32().unwrap_or(0);
        let facts = Arc::clone(&self.facts.borrow());
        self.responder.set_limits(answering.limits);
        match self
            .responder
            .handle(datagram, (peer, addressed), &facts, (time, now), random)
        {
            Action::Ignore(reason) => tracing::debug!(%peer, ?reason, "a question was ignored"),
            Action::Respond { offer, delay_ms } => {
                let answer = Answer { offer, to: peer, route };
                if delay_ms == 0 {
                    self.send(&answer);
                } else if !self.delayed.push(now.after_millis(delay_ms.into()).0, answer) {
                    tracing::debug!(%peer, "too many answers wait; this one was dropped");
                }
            }
        }
    }

    /// What is answered now, and how often.
    fn answering(&self) -> Answering {
        let now = self.answering.as_ref().map(|answering| answering.borrow().clone());
        now.unwrap_or_default()
    }

    /// Whether an address stands for all hosts of a network of this one: an answer there would go to each of them.
    fn is_broadcast(&self, address: IpAddr) -> bool {
        let of_interface = |interface: &Interface| {
            let mut broadcast = interface.v4.iter().filter_map(|own| own.broadcast);
            broadcast.any(|one| IpAddr::V4(one) == address)
        };
        self.interfaces.iter().any(of_interface)
    }

    fn answer_due(&mut self) {
        while let Some(answer) = self.delayed.pop(clock::monotonic().0) {
            self.send(&answer);
        }
    }

    fn send(&self, answer: &Answer) {
        let socket = match answer.to {
            SocketAddr::V4(_) => self.sockets.v4.as_ref(),
            SocketAddr::V6(_) => self.sockets.v6.as_ref(),
        };
        let sent = socket.map_or(Ok(()), |socket| socket.send(&answer.offer, answer.to, answer.route));
        if let Err(error) = sent {
            tracing::debug!(peer = %answer.to, %error, "an offer could not be sent");
        }
    }

    fn look_for_interfaces(&mut self) {
        match interfaces::list() {
            Ok(interfaces) => self.interfaces = interfaces,
            Err(error) => tracing::warn!(
                %error,
                "the network interfaces cannot be listed, which is tried again every 10 s; discovery goes on over those \
                 that are known: if this goes on, mend what the error says"
            ),
        }
        let heard = self.answering().heard;
        if !heard.multicast {
            return;
        }
        // A socket may be in few groups: none is spent on an interface where nobody is answered.
        let mut chosen = self.interfaces.clone();
        chosen.retain(|interface| heard.interfaces.admits(&interface.name));
        let groups = Groups {
            v4: GROUP_V4,
            v6: GROUP_V6,
        };
        self.sockets.join(groups, &chosen, |interface, error| {
            tracing::debug!(interface = interface.name, %error, "no multicast on this interface");
        });
    }
}

async fn receive(socket: Option<&UdpSocket>, datagram: &mut Datagram) -> io::Result<Received> {
    match socket {
        Some(socket) => socket.receive(datagram).await,
        None => std::future::pending().await,
    }
}

/// Waits until something else is to be answered.
async fn changed(answering: Option<&mut watch::Receiver<Answering>>) {
    let is_other = match answering {
        Some(answering) => answering.changed().await.is_ok(),
        None => false,
    };
    if !is_other {
        std::future::pending::<()>().await;
    }
}

async fn until(due_millis: Option<u64>) {
    let Some(due) = due_millis else {
        return std::future::pending().await;
    };
    tokio::time::sleep(Duration::from_millis(due.saturating_sub(clock::monotonic().0))).await;
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;

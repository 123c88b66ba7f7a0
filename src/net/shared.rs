use std::fmt;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use tokio_rustls::TlsAcceptor;

use super::limits::{ConnectionLimits, Gate};
use super::work;
use crate::clock::monotonic;
use crate::domain::command::{Actor, Rebind};
use crate::domain::reply::Reply;
use crate::service::Service;
use crate::session::{Answer, Disk, Health, LeaseKey, SessionConfig, Work};
use crate::tls::{Identity, Succession, TlsError, server_config};
use crate::wire::messages::hello;

/// Bounds of a server's connections.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NetLimits {
    /// How many there may be.
    pub connections: ConnectionLimits,
    /// Milliseconds for the TLS handshake, and as many again for HELLO.
    pub hello_ms: u32,
    /// Milliseconds for a frame, from its first byte to its last.
    pub frame_ms: u32,
    /// Milliseconds that an agent may say nothing.
    pub silence_agent_ms: u32,
    /// Milliseconds that a higher role may say nothing.
    pub silence_administrator_ms: u32,
    /// What the server does about a new identity (rule I7).
    pub rebind: Rebind,
}

impl NetLimits {
    fn put_into(&self, session: &mut SessionConfig) {
        session.hello_ms = u64::from(self.hello_ms);
        session.frame_ms = u64::from(self.frame_ms);
        session.silence_agent_ms = self.silence_agent_ms;
        session.silence_administrator_ms = self.silence_administrator_ms;
        session.rebind = self.rebind;
    }
}

/// Somebody asks for the configuration to be read again.
#[derive(Debug)]
pub struct ReloadAsk {
    /// Who. Whether it may is for the ledger to say.
    pub actor: Actor,
    /// Whether only to tell what that would change.
    pub dry_run: bool,
    /// What it is answered.
    pub answer: oneshot::Sender<Answer>,
}

/// What all connections of a server have in common.
#[derive(Clone)]
pub struct Shared {
    pub(super) service: Service,
    pub(super) tls: TlsAcceptor,
    pub(super) gate: Gate,
    /// As it is now.
    pub(super) session: watch::Receiver<Arc<SessionConfig>>,
    change_session: Arc<watch::Sender<Arc<SessionConfig>>>,
    /// Nothing where nobody looks at it.
    disk: Option<watch::Receiver<Option<Disk>>>,
    /// Nothing where there is no configuration to read again.
    reload: Option<mpsc::Sender<ReloadAsk>>,
}

impl Shared {
    /// What the connections of a server called `name` (at most 64 bytes) have in common, which starts now and signs
    /// leases with `lease_key`.
    ///
    /// # Errors
    /// TLS cannot be set up with this identity.
    pub fn new(
        service: Service,
        identity: &Identity,
        lease_key: LeaseKey,
        name: String,
        limits: NetLimits,
    ) -> Result<Self, TlsError> {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let mut session = SessionConfig::new(name, version, monotonic());
        limits.put_into(&mut session);
        let statement = |one: &Succession| hello::Succession {
            old_spki: one.old_spki.clone().into(),
            signature: one.signature.clone().into(),
        };
        session.succession = identity.succession().iter().map(statement).collect();
        session.lease_key = Some(Arc::new(lease_key));
        let tls = TlsAcceptor::from(server_config(identity)?);
        let (change_session, session) = watch::channel(Arc::new(session));
        Ok(Self {
            service,
            tls,
            gate: Gate::new(limits.connections),
            session,
            change_session: Arc::new(change_session),
            disk: None,
            reload: None,
        })
    }

    /// The same, where whoever takes what is sent reads the configuration again.
    #[must_use]
    pub fn reloading(self, asks: mpsc::Sender<ReloadAsk>) -> Self {
        Self {
            reload: Some(asks),
            ..self
        }
    }

    /// The same, where somebody looks at the disk now and then.
    #[must_use]
    pub fn on_disk(self, disk: watch::Receiver<Option<Disk>>) -> Self {
        Self {
            disk: Some(disk),
            ..self
        }
    }

    /// What changes it while the server runs.
    #[must_use]
    pub fn dials(&self) -> Dials {
        Dials {
            gate: self.gate.clone(),
            session: Arc::clone(&self.change_session),
        }
    }

    /// Does one piece of work for `actor`. `weight` is the request's size on the wire in bytes.
    pub(super) async fn perform(&self, actor: Actor, work: Work, weight: usize) -> Answer {
        match work {
            Work::Reload { dry_run } if self.service.with_facts(|facts| work::may_bring(facts, actor)) => {
                self.reload(actor, dry_run).await
            }
            work => work::perform(&self.service, actor, work, weight).await,
        }
    }

    /// Adds to the ledger's answer to STATUS how the server is besides. It asks nobody: what is told was looked at before.
    pub(super) fn with_health(&self, answer: Answer) -> Answer {
        let (connections, connections_max) = self.gate.count();
        let health = Health {
            disk: self.disk.as_ref().and_then(|disk| *disk.borrow()),
            connections,
            connections_max,
        };
        match answer {
            Answer::Reply(reply) => match *reply {
                Reply::Status(status) => Answer::Status(status, health),
                other => Answer::Reply(Box::new(other)),
            },
            other => other,
        }
    }

    async fn reload(&self, actor: Actor, dry_run: bool) -> Answer {
        let Some(asks) = &self.reload else {
            return Answer::NoConfiguration;
        };
        let (answer, answered) = oneshot::channel();
        let ask = ReloadAsk { actor, dry_run, answer };
        match asks.try_send(ask) {
            Ok(()) => answered.await.unwrap_or(Answer::Failed),
            Err(mpsc::error::TrySendError::Full(_)) => Answer::Busy,
            Err(mpsc::error::TrySendError::Closed(_)) => Answer::Stopping,
        }
    }
}

/// Changes what the connections of a running server keep to.
#[derive(Debug)]
pub struct Dials {
    gate: Gate,
    session: Arc<watch::Sender<Arc<SessionConfig>>>,
}

impl Dials {
    /// Calls the server `name` (at most 64 bytes) and has connections keep to `limits` from now on. Those that are there
    /// stay, and may be silent for as long as they were told when they began.
    pub fn set(&self, name: String, limits: NetLimits) {
        self.gate.set_limits(limits.connections);
        self.session.send_modify(|session| {
            let mut changed = SessionConfig::clone(session);
            changed.name = name;
            limits.put_into(&mut changed);
            *session = Arc::new(changed);
        });
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("gate", &self.gate)
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

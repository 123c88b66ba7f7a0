use std::fmt;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;

use super::limits::ConnectionLimits;
use crate::clock::monotonic;
use crate::domain::command::Rebind;
use crate::service::Service;
use crate::session::{LeaseKey, SessionConfig};
use crate::tls::{Identity, Succession, TlsError, server_config};
use crate::wire::messages::hello;

/// Bounds of a server's connections.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NetLimits {
    /// How many there may be.
    pub connections: ConnectionLimits,
    /// Milliseconds that an agent may say nothing.
    pub silence_agent_ms: u32,
    /// Milliseconds that a higher role may say nothing.
    pub silence_administrator_ms: u32,
    /// What the server does about a new identity (rule I7).
    pub rebind: Rebind,
}

/// What all connections of a server have in common.
#[derive(Clone)]
pub struct Shared {
    pub(super) service: Service,
    pub(super) tls: TlsAcceptor,
    pub(super) limits: ConnectionLimits,
    pub(super) session: Arc<SessionConfig>,
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
        session.silence_agent_ms = limits.silence_agent_ms;
        session.silence_administrator_ms = limits.silence_administrator_ms;
        session.rebind = limits.rebind;
        let statement = |one: &Succession| hello::Succession {
            old_spki: one.old_spki.clone().into(),
            signature: one.signature.clone().into(),
        };
        session.succession = identity.succession().iter().map(statement).collect();
        session.lease_key = Some(Arc::new(lease_key));
        let tls = TlsAcceptor::from(server_config(identity)?);
        Ok(Self {
            service,
            tls,
            limits: limits.connections,
            session: Arc::new(session),
        })
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("limits", &self.limits)
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

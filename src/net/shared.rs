use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::limits::ConnectionLimits;
use crate::domain::ids::Fingerprint;
use crate::service::Service;
use crate::session::SessionConfig;

/// Bounds of a server's connections.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NetLimits {
    /// How many there may be.
    pub connections: ConnectionLimits,
    /// Milliseconds that an agent may say nothing.
    pub silence_agent_ms: u32,
    /// Milliseconds that a higher role may say nothing.
    pub silence_administrator_ms: u32,
}

/// What all connections of a server have in common.
#[derive(Clone)]
pub struct Shared {
    pub(super) service: Service,
    pub(super) tls: TlsAcceptor,
    pub(super) limits: NetLimits,
    pub(super) session: Arc<SessionConfig>,
    pub(super) fingerprint: Fingerprint,
}

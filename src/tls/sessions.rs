//! Sessions that are resumed: who connects to a server again need not prove, nor have it prove, all anew.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ClientConfig;
use rustls::client::{Resumption, TicketRequest};

use super::config::{NO_TICKETS, client_settings};
use super::{Identity, PinRule, TlsError};

/// Servers with which sessions are resumed, at most; the one that was connected to the longest ago goes.
pub const SESSIONS_MAX: usize = 16;

/// Connections to a server until both sides prove their keys anew, whatever tickets there are: each resumed session
/// brings a ticket for the next one, so that tickets alone would never come to an end.
pub const RESUMED_MAX: u32 = 100;

/// Each connection uses one up, and brings another.
const ONE_TICKET: TicketRequest = TicketRequest {
    new_session_count: 1,
    resumption_count: 1,
};

/// What one process needs to resume its sessions. It is cheap to clone, and clones share it; it is in memory alone.
///
/// A session is resumed with the server that it came from, by the identity that made it, and as long as the same pins
/// hold: whoever is trusted anew, or no longer, proves itself in a full handshake.
#[derive(Clone, Default)]
pub struct Sessions(Arc<Mutex<VecDeque<Kept>>>);

/// What connections to one server have in common.
struct Kept {
    server: SocketAddr,
    client: [u8; 32],
    /// What was checked of the server that proved itself; a resumed session is not checked again.
    pins: PinRule,
    /// With the tickets, and the verifier and key for which alone rustls takes them.
    settings: ClientConfig,
    connections: u32,
}

impl Sessions {
    /// What a client that is `identity` connects to `server` with, as [`client_config`](super::client_config) has it, and
    /// resumes a session where there is one. No ticket is asked for at the first connection: most processes make no other.
    ///
    /// # Errors
    /// [`TlsError::Setup`] if rustls refuses, which no valid identity makes it do.
    pub fn config(
        &self,
        server: SocketAddr,
        identity: &Identity,
        pins: PinRule,
    ) -> Result<Arc<ClientConfig>, TlsError> {
        // Whoever stopped in here left the list whole.
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let client = identity.fingerprint();
        let is_it = |one: &Kept| one.server == server && one.client == client && one.pins == pins;
        let known = all.iter().position(is_it).and_then(|place| all.remove(place));
        let mut one = match known.filter(|one| one.connections < RESUMED_MAX) {
            Some(one) => one,
            None => Kept::new(server, identity, pins)?,
        };
        let config = one.next();
        all.push_back(one);
        if all.len() > SESSIONS_MAX {
            all.pop_front();
        }
        Ok(Arc::new(config))
    }
}

impl Kept {
    fn new(server: SocketAddr, identity: &Identity, pins: PinRule) -> Result<Self, TlsError> {
        let mut settings = client_settings(identity, pins.clone())?;
        settings.resumption = Resumption::in_memory_sessions(1);
        Ok(Self {
            server,
            client: identity.fingerprint(),
            pins,
            settings,
            connections: 0,
        })
    }

    fn next(&mut self) -> ClientConfig {
        let mut settings = self.settings.clone();
        settings.send_ticket_request = Some(if self.connections == 0 { NO_TICKETS } else { ONE_TICKET });
        self.connections += 1;
        settings
    }
}

impl fmt::Debug for Sessions {
    /// Nothing of what is secret, and nobody's address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        write!(f, "Sessions({})", all.len())
    }
}

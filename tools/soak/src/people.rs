//! Who speaks to the server: an identity and a connection each.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::SocketAddr;
use std::time::Duration;

use seatkeeper::client::{Connection, Deadline, Target, connect};
use seatkeeper::domain::ids::Fingerprint;
use seatkeeper::tls::{Identity, PinRule, TlsError};
use seatkeeper::wire::messages::{Request, Response};
use seatkeeper_world::request::Speaker;

use crate::error::SoakError;

/// How long an answer may take: a slow disk is no fault of the rules.
const PATIENCE: Duration = Duration::from_mins(2);

/// All identities, each made when it first speaks, and the connections to the server as it runs now.
#[derive(Debug)]
pub(crate) struct People {
    identities: BTreeMap<Speaker, Identity>,
    connections: BTreeMap<Speaker, Connection>,
    server: Fingerprint,
}

impl People {
    pub(crate) const fn new(server: Fingerprint) -> Self {
        Self {
            identities: BTreeMap::new(),
            connections: BTreeMap::new(),
            server,
        }
    }

    pub(crate) fn fingerprint(&mut self, speaker: Speaker) -> Result<[u8; 32], SoakError> {
        Ok(self.identity(speaker)?.fingerprint())
    }

    /// The agents that have spoken.
    pub(crate) fn agents(&self) -> BTreeMap<seatkeeper_model::Identity, [u8; 32]> {
        let agents = self.identities.iter().filter_map(|(speaker, identity)| match speaker {
            Speaker::Agent(number) => Some((*number, identity.fingerprint())),
            Speaker::Administrator | Speaker::Deployer => None,
        });
        agents.collect()
    }

    /// Asks all of these without waiting in between, over the speaker's own connection.
    pub(crate) async fn ask(
        &mut self,
        speaker: Speaker,
        requests: &[Request],
        server: SocketAddr,
    ) -> Result<Vec<Response>, SoakError> {
        let deadline = Deadline::after(PATIENCE);
        let mut connection = match self.connections.remove(&speaker) {
            Some(connection) => connection,
            None => self.connect(speaker, server, deadline).await?,
        };
        let answers = connection.pipeline(requests, deadline).await?;
        self.connections.insert(speaker, connection);
        Ok(answers)
    }

    /// Hangs up everywhere.
    pub(crate) async fn leave(&mut self) {
        for (_, connection) in std::mem::take(&mut self.connections) {
            connection.close(Deadline::after(PATIENCE)).await;
        }
    }

    async fn connect(
        &mut self,
        speaker: Speaker,
        server: SocketAddr,
        deadline: Deadline,
    ) -> Result<Connection, SoakError> {
        let pin = PinRule::OneOf(vec![self.server.0]);
        let identity = self.identity(speaker)?;
        Ok(connect(Target::from(server), identity, pin, deadline).await?)
    }

    fn identity(&mut self, speaker: Speaker) -> Result<&Identity, SoakError> {
        let made = |error: TlsError| SoakError::server("making an identity", &error);
        Ok(match self.identities.entry(speaker) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Identity::generate().map_err(made)?),
        })
    }
}

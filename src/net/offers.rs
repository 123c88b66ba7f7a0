//! Keeps what offers say up to date with what the ledger says.

use std::sync::Arc;

use tokio::sync::watch;

use crate::domain::ids::{Fingerprint, ServerId};
use crate::service::{self, Service};
use crate::session::Facts;

/// What of an offer the ledger does not know.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OfferFacts {
    /// The server's identity.
    pub fingerprint: Fingerprint,
    /// Its name for people, at most 64 bytes.
    pub name: String,
    /// Its TCP port.
    pub port: u16,
    /// Which server agents prefer: the lowest.
    pub priority: u16,
}

/// Follows the ledger's facts and what else is offered, and publishes what offers say. The task ends with the service. Call
/// it inside a tokio runtime.
#[must_use]
pub fn follow(service: &Service, mut offered: watch::Receiver<OfferFacts>) -> watch::Receiver<Arc<Facts>> {
    let mut ledger = service.watch_facts();
    let first = facts(&ledger.borrow_and_update(), &offered.borrow_and_update());
    let (publish, published) = watch::channel(Arc::new(first));
    tokio::spawn(async move {
        loop {
            let is_there = tokio::select! {
                changed = ledger.changed() => changed.is_ok(),
                // Nobody may be there any more who could change it.
                Ok(()) = offered.changed() => true,
            };
            if !is_there {
                return;
            }
            let newer = facts(&ledger.borrow_and_update(), &offered.borrow_and_update());
            publish.send_replace(Arc::new(newer));
        }
    });
    published
}

fn facts(ledger: &service::Facts, offered: &OfferFacts) -> Facts {
    Facts {
        server: ledger.server.map_or(ServerId([0; 16]), |server| server.id),
        fingerprint: offered.fingerprint,
        name: offered.name.clone(),
        server_version: env!("CARGO_PKG_VERSION").to_owned(),
        port: offered.port,
        epoch: ledger.server.map_or(0, |server| server.epoch),
        priority: offered.priority,
        products: ledger.products.clone(),
    }
}

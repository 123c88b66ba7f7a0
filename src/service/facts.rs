//! What connections and the discovery responder need of the ledger without asking the writer.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::change::{Change, Fact, Server};
use crate::domain::command::Role;
use crate::domain::ids::{Fingerprint, ProductKey, VendorId};
use crate::domain::ledger::Ledger;

/// A copy of the facts that change rarely, published after the round that changed them is durable.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Facts {
    /// The server itself.
    pub server: Option<Server>,
    /// The trusted vendors' public keys: what signatures are checked with.
    pub vendor_keys: BTreeMap<VendorId, [u8; 32]>,
    /// The products that have a license here.
    pub products: BTreeSet<ProductKey>,
    /// The identities with a role.
    pub roles: BTreeMap<Fingerprint, Role>,
}

impl Facts {
    pub(super) fn of(ledger: &Ledger) -> Self {
        Self {
            server: ledger.server().copied(),
            vendor_keys: ledger.vendors().map(|(id, vendor)| (*id, vendor.public_key)).collect(),
            products: ledger.licensed_products().collect(),
            roles: ledger.roles().collect(),
        }
    }

    /// What an identity may do, as of the last round.
    #[must_use]
    pub fn role_of(&self, identity: &Fingerprint) -> Role {
        self.roles.get(identity).copied().unwrap_or(Role::Agent)
    }

    /// Whether a change makes a published copy old.
    pub(super) const fn are_touched_by(change: &Change) -> bool {
        match change.fact {
            Fact::AdminPut(..)
            | Fact::AdminRemoved(_)
            | Fact::LicensePut(_)
            | Fact::LicenseRemoved(_)
            | Fact::ServerPut(_)
            | Fact::VendorPut(..) => true,
            Fact::BlacklistPut(_)
            | Fact::CataloguePut(_)
            | Fact::ClockPut(_)
            | Fact::EnrolledPut(..)
            | Fact::FormerDropped(_)
            | Fact::FormerPut(..)
            | Fact::LeftDropped(_)
            | Fact::LeftPut(..)
            | Fact::ReservationEnded(_)
            | Fact::ReservationPut(..)
            | Fact::SeatEnded(_)
            | Fact::SeatPut(..)
            | Fact::SpentPut(..)
            | Fact::TokenDropped(_)
            | Fact::TokenPut(..)
            | Fact::TombstonePut(..) => false,
        }
    }
}

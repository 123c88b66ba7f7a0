//! What can be asked of the ledger, and who asks.

use std::net::IpAddr;

use super::catalogue::Catalogue;
use super::ids::{ComponentId, Fingerprint, Mac, ProductId, Serial, ServerId, VendorId};
use super::license::VerifiedKey;
use super::seat::{MachineNote, SeatKey};

/// What an identity may do. Whoever connects is at least an agent; the higher roles are given by an administrator.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Role {
    /// Checks out, renews and releases its own seats, asks how many are available.
    Agent,
    /// Reserves and commits deployments, besides what an agent may.
    Deployer,
    /// Sees everything, changes nothing.
    Viewer,
    /// Everything.
    Administrator,
}

impl Role {
    /// Whether this role includes `needed`. A deployer and a viewer each include an agent, not one another.
    #[must_use]
    pub const fn includes(self, needed: Self) -> bool {
        match (self, needed) {
            (Self::Administrator, _)
            | (_, Self::Agent)
            | (Self::Deployer, Self::Deployer)
            | (Self::Viewer, Self::Viewer) => true,
            (Self::Agent | Self::Deployer | Self::Viewer, _) => false,
        }
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Actor {
    /// A peer that proved to own this identity.
    Peer {
        /// Its identity.
        identity: Fingerprint,
        /// The address it connected from.
        address: IpAddr,
    },
    /// The server itself: reclaiming, founding, recovering an administrator.
    Server,
}

/// A product as an administrator names it: the vendor only where the id alone is not enough (rule K2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ProductName {
    /// Whose product, if given.
    pub vendor: Option<VendorId>,
    /// Its id.
    pub product: ProductId,
}

/// Everything that can be asked. Signatures in it were checked before (invariant 6).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Command {
    /// Give an identity a role.
    AddAdmin {
        /// The identity.
        fingerprint: Fingerprint,
        /// Its role from now on; an agent needs none.
        role: Role,
        /// Whose it is, for people; at most 64 bytes.
        label: String,
    },
    /// The identities with a role.
    Admins(Page<Fingerprint>),
    /// How many seats of a product are available; engages none (rule S10).
    Availability(ProductName),
    /// CHECKOUT and RENEW: one decision (rule S14).
    Checkout(Checkout),
    /// An administrator takes a seat back, or one component of it.
    EndSeat {
        /// Of which machine.
        mac: Mac,
        /// Of which product.
        product: ProductName,
        /// Only this component; without it the whole seat.
        component: Option<ComponentId>,
        /// Why; 1 to 256 bytes; part of the event.
        reason: String,
    },
    /// The server's first start: its name for itself.
    Found {
        /// 16 random bytes.
        id: ServerId,
    },
    /// Import license keys whose signatures were checked.
    Import(Vec<VerifiedKey>),
    /// Import a catalogue whose signature was checked.
    ImportCatalogue(Box<Catalogue>),
    /// The licenses, in the order of their serials.
    Licenses(Page<Serial>),
    /// The products of all catalogues.
    Products(Page<(VendorId, ProductId)>),
    /// Free the seats whose renew date has come, a bounded number of them (rule S6).
    Reclaim,
    /// The identity lets go of a component's hold on a seat (rule S8).
    Release(Release),
    /// Take away an identity's role.
    RemoveAdmin {
        /// The identity.
        fingerprint: Fingerprint,
    },
    /// Take a license off the server.
    RemoveLicense {
        /// Which.
        serial: Serial,
        /// Whether to end the seats that are in use.
        end_seats: bool,
    },
    /// The seats, in the order of their keys.
    Seats(SeatsPage),
    /// Counts over everything.
    Status,
    /// Trust a vendor's public key.
    TrustVendor {
        /// Its Ed25519 public key.
        public_key: [u8; 32],
        /// The id that belongs to the key.
        vendor: VendorId,
    },
}

/// Rows of one page, at most.
pub const PAGE_ROWS_MAX: usize = 256;

/// A page of a listing, in key order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Page<K> {
    /// Start behind this key; from the first without it.
    pub after: Option<K>,
    /// Rows at most; more than [`PAGE_ROWS_MAX`] is read as that.
    pub limit: usize,
}

/// A page of the seats.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SeatsPage {
    /// Only the seats of this machine.
    pub mac: Option<Mac>,
    /// Which rows.
    pub page: Page<SeatKey>,
}

/// A component at its start asks to hold its machine's seat.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checkout {
    /// The seat it needs.
    pub key: SeatKey,
    /// Which component asks.
    pub component: ComponentId,
    /// The number that the last answered checkout returned; 0 where there was none (rule I7).
    pub continuation: u64,
    /// The machine's host name and other addresses; the server fills in the address it was asked from.
    pub machine: MachineNote,
}

/// A component that is uninstalled lets go of its machine's seat.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Release {
    /// The seat.
    pub key: SeatKey,
    /// Which component.
    pub component: ComponentId,
}

impl Command {
    /// The least role that may ask this. The registry in `proto-spec/` says the same of each opcode.
    #[must_use]
    pub const fn role(&self) -> Role {
        match self {
            Self::Availability(_) | Self::Checkout(_) | Self::Release(_) => Role::Agent,
            Self::Admins(_) | Self::Licenses(_) | Self::Products(_) | Self::Seats(_) | Self::Status => Role::Viewer,
            Self::AddAdmin { .. }
            | Self::EndSeat { .. }
            | Self::Found { .. }
            | Self::Import(_)
            | Self::ImportCatalogue(_)
            | Self::Reclaim
            | Self::RemoveAdmin { .. }
            | Self::RemoveLicense { .. }
            | Self::TrustVendor { .. } => Role::Administrator,
        }
    }
}

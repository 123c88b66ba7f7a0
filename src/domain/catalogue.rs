//! What a vendor sells: its signed list of products, their components and policies.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::ids::{ComponentId, ProductId, VendorId};
use super::license::Usage;
use super::time::{DAY_SECS, Timestamp};

/// Products in one catalogue, at most.
pub const PRODUCTS_MAX: usize = 256;

/// Vendors that a server trusts, at most.
pub const VENDORS_MAX: usize = 128;

/// Components of one product in the catalogue, at most.
pub const COMPONENTS_MAX: usize = 64;

/// The idle period of a product whose catalogue entry says nothing (rule S4), in days.
pub const IDLE_DAYS_DEFAULT: u16 = 30;

/// A vendor that this server trusts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Vendor {
    /// Its Ed25519 public key.
    pub public_key: [u8; 32],
    /// When an administrator first trusted it.
    pub trusted_at: Timestamp,
}

/// A vendor's signed list of products. Its signature was checked before it came here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Catalogue {
    /// Who signed it; it defines this vendor's products only (rule K2).
    pub vendor: VendorId,
    /// The vendor's name, 1 to 64 bytes, as shown to people.
    pub vendor_name: String,
    /// Grows with each catalogue of the vendor: a catalogue replaces only one with a smaller number.
    pub version: u64,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// The products by id; at most [`PRODUCTS_MAX`].
    pub products: BTreeMap<ProductId, Product>,
    /// The catalogue as it was signed.
    pub signed: Bytes,
}

/// A product's entry in the catalogue.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Product {
    /// Its name for people, 1 to 64 bytes.
    pub name: String,
    /// Days without renewal after which a seat is free (rule S4); 0 = never.
    pub idle_days: u16,
    /// Whether its seats never come back (rule S9).
    pub single_use: bool,
    /// Days that a strict component may run without a server (rule O3), 0 to 60.
    pub offline_days: u8,
    /// The licenses that it is sold by, and which are used first (rule X5).
    pub offers: Offers,
    /// Another product of the vendor that the machine must hold a seat of (rule S15).
    pub required: Option<ProductId>,
    /// What becomes of a checkout that shows a conflict (rule I7).
    pub on_conflict: OnConflict,
    /// Its components by id; at most [`COMPONENTS_MAX`].
    pub components: BTreeMap<ComponentId, Component>,
    /// The entry as the vendor signed it on its own, for agents to keep (rule O2).
    pub signed_entry: Bytes,
}

impl Product {
    /// Seconds without renewal after which a seat is free; nothing where seats never idle out.
    #[must_use]
    pub fn idle_period_secs(&self) -> Option<u64> {
        match self.idle_days {
            0 => None,
            days => Some(u64::from(days) * DAY_SECS),
        }
    }
}

/// The usages of the licenses that a product is sold by, and which of them is used first (rule X5).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Offers {
    /// Both, deployment licenses first.
    DeploymentFirst,
    /// Deployment licenses only.
    DeploymentOnly,
    /// Both, machine licenses first.
    #[default]
    MachineFirst,
    /// Machine licenses only.
    MachineOnly,
}

impl Offers {
    /// The usages by which it is sold, the preferred one first.
    #[must_use]
    pub const fn usages(self) -> &'static [Usage] {
        match self {
            Self::DeploymentFirst => &[Usage::Deployment, Usage::Machine],
            Self::DeploymentOnly => &[Usage::Deployment],
            Self::MachineFirst => &[Usage::Machine, Usage::Deployment],
            Self::MachineOnly => &[Usage::Machine],
        }
    }

    /// The usages in the order in which licenses are used: those that are not sold any more last.
    #[must_use]
    pub const fn order(self) -> &'static [Usage] {
        match self {
            Self::DeploymentFirst | Self::DeploymentOnly => Self::DeploymentFirst.usages(),
            Self::MachineFirst | Self::MachineOnly => Self::MachineFirst.usages(),
        }
    }
}

/// What becomes of a checkout that shows a conflict (rule I7).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum OnConflict {
    /// It is honoured and shown.
    #[default]
    Flag,
    /// It is refused and shown.
    Refuse,
}

/// An installable part of a product. The three flags are independent of each other.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Component {
    /// Whether it takes and renews a seat (rule I3).
    pub counted: bool,
    /// Whether it runs when no server answers (rule O2).
    pub lenient: bool,
    /// Whether it runs from boot media and so has no identity that lasts (rule I7).
    pub ephemeral: bool,
}

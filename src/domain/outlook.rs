//! What STATUS tells of what is to come, and of how checkpoints go.

use super::ids::ProductKey;
use super::license::{License, Usage};
use super::time::Timestamp;

/// Ends of licenses that STATUS tells, at most.
pub const ENDING_MAX: usize = 8;

/// Products with little left that STATUS tells, at most.
pub const SCARCE_MAX: usize = 16;

/// A license that ends, the next of its product and usage.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EndingRow {
    /// Which; the first of several that end at the same moment.
    pub license: License,
    /// The product's name; its id where no catalogue names it any more.
    pub product_name: String,
    /// The first moment at which it does not serve.
    pub ends_at: Timestamp,
    /// Days until then, rounded up.
    pub days_left: u32,
    /// Licenses of the product and usage that end at that moment.
    pub licenses: u32,
}

/// A product of which at least nine in ten are in use.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScarceRow {
    /// Which.
    pub key: ProductKey,
    /// Its name; its id where no catalogue names it any more.
    pub product_name: String,
    /// Its seats, or its units for deployments.
    pub usage: Usage,
    /// Seats, spent and reserved units.
    pub used: u64,
    /// Free on licenses that serve.
    pub available: u64,
}

/// How checkpoints go.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Checkpoint {
    /// The number of the generation that was made last; 0 before the first.
    pub generation: u64,
    /// The time of it.
    pub made_at: Option<Timestamp>,
    /// When one failed since then, and why.
    pub failure: Option<(Timestamp, String)>,
    /// The generation that was gone or damaged when the server started, until the next start.
    pub lost: Option<u64>,
}

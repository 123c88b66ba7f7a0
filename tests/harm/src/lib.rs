//! What a disk may do to the store, and what has to be there afterwards.
//!
//! Each campaign drives a store through rounds that a seed chooses, does some harm, opens the store again, and compares
//! what it holds with what was answered: every answered round is there, of the one that was in flight all or nothing,
//! and nothing else. The rounds are those of a real ledger, so that what was loaded can be audited too: rule S2 holds for
//! every license.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod damage;
mod decided;
mod disk;
mod event;
mod faults;
mod files;
mod power;
mod rounds;
mod snapshots;
mod spare;
mod store;
mod sums;
mod tails;

pub use damage::{Damaged, damage};
pub use decided::Decided;
pub use disk::SimDisk;
pub use event::Event;
pub use faults::{Failed, Kinds, faults};
pub use files::{copy_dir, files_below, names_below};
pub use power::{Cuts, foundings, power};
pub use rounds::Rounds;
pub use snapshots::PlainSnapshots;
pub use store::{Options, Place};
pub use sums::assert_sums;
pub use tails::{Tails, tails};

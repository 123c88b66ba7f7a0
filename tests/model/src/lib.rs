//! The licensing rules of `proto-spec/rules.md` once more, written naively from their text.
//!
//! Plain vectors; every question is answered by looking at everything. Nothing here is shared with the server: it has no
//! dependency and its own types. What a continuation number looks like is the server's own business: the model is told
//! each number that was answered and judges by the visits alone.
//!
//! [`Model`] decides, [`Clock`] says what time it is, and [`History`] makes up what happens, from a seed.

#![expect(
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a model that contradicts itself panics; that is what it is for"
)]

mod ask;
mod binding;
mod checkout;
mod clock;
mod commit;
mod dates;
mod history;
mod import;
mod model;
mod random;
mod release;
mod removal;
mod reserve;
mod state;
mod views;
mod words;

#[cfg(test)]
mod tests;

pub use ask::{
    AbortRow, Answer, Ask, Checkout, CommitRow, Denial, GrantKind, ImportOutcome, KeyRefusal, Role, Rollout, SeatsInUse,
};
pub use clock::{Clock, Jump, State, Transition};
pub use history::{History, Proposal, Step, Turn, base_catalogue};
pub use model::{Freed, Model};
pub use random::Random;
pub use state::{
    Conflict, ConflictKind, EndCause, Former, Hold, License, Reservation, Reserved, Seat, SpentUnit, Status, Waiting,
};
pub use views::{Counts, LicenseView, Numbers, Tally};
pub use words::{
    Blacklisting, Component, DAY, Identity, Key, Kind, Mac, Now, Product, ProductKey, ReservationId, SeatKey, Serial,
    Usage, Validity, Vendor,
};

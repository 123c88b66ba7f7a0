//! The licensing rules: a pure ledger that decides commands and applies the facts it decided.
//!
//! Nothing here does I/O, reads a clock or uses randomness. `proto-spec/rules.md` says what must hold; comments name
//! its rules (`S4`).

pub mod backup;
pub mod blacklist;
pub mod catalogue;
pub mod change;
pub mod command;
pub mod denial;
pub mod enrolment;
pub mod event;
pub mod event_log;
pub mod explain;
pub mod few;
pub mod ids;
pub mod ledger;
pub mod license;
pub mod outlook;
pub mod reason;
pub mod reply;
pub mod reservation;
pub mod seat;
pub mod sorted_map;
pub mod source;
pub mod time;
pub mod timekeeper;

//! The rules on the ledger itself, one claim a test; the simulation in `tests/pure` looks for what nobody thought of.

mod administration;
mod binding;
mod counting;
mod fixture;
mod importing;
mod releasing;
mod removing;
mod seats;
mod serving;
mod time;
mod views;

//! The rules on the ledger itself, one claim a test; the simulation in `tests/pure` looks for what nobody thought of.

mod addons;
mod administration;
mod binding;
mod catalogues;
mod clock;
mod copies;
mod cost;
mod counting;
mod deploying;
mod enrolling;
mod fixture;
mod importing;
mod outlook;
mod paging;
mod releasing;
mod removing;
mod renewing;
mod rollout;
mod seats;
mod serving;
mod time;
mod views;

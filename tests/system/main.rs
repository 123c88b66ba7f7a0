//! Tests of the parts that touch the operating system, through the library's public face and the real binary.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a helper that panics fails its test, as it should"
)]

mod documents;
mod end_to_end;
mod event_log;
#[path = "../support/forge.rs"]
mod forge;
mod harm;
mod hostile;
#[path = "../support/process.rs"]
mod process;
#[path = "../support/site.rs"]
mod site;
mod store_ages;
mod store_contract;
mod store_disk;
mod store_kill;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/vendor.rs"]
mod vendor;
#[path = "../support/wire.rs"]
mod wire;
mod world;

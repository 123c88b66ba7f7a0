//! Tests of the parts that touch the operating system, through the library's public face and the real binary.

mod store_contract;
mod store_kill;
#[path = "../support/mod.rs"]
mod support;

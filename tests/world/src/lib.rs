//! The whole system under one seeded scheduler with virtual time, without sockets, judged by the reference model.
//!
//! A world has a server (the writer behind its queue, over the store on a disk in memory), clients, the network between
//! them and clocks. One pair of dice says what happens next: somebody asks, bytes arrive, the writer makes a round, a
//! checkpoint goes on, a line is cut or damaged, the disk loses power or fails, the server stops and starts, the calendar
//! jumps. The model is asked exactly what the writer decides, in its order and at its time, and everything that anybody
//! hears is compared with it. A seed is a world: it goes the same way every time.
//!
//! The words that model and wire have in common are here too, for the soak over real sockets.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

pub mod answer;
mod compare;
mod desk;
mod error;
mod gate;
mod hidden;
mod judge;
mod limits;
mod line;
mod network;
pub mod reply;
mod report;
pub mod request;
mod seeds;
mod seen;
mod server;
mod tap;
mod trail;
pub mod views;
pub mod words;
mod world;

pub use error::Untranslatable;
pub use report::Report;
pub use seeds::each_seed;

/// Lives the world of a seed through so many steps; `at` is told of each. It panics where the server and the rules part.
#[must_use]
pub fn live(seed: u64, steps: u64, at: impl FnMut(u64)) -> Report {
    world::World::new(seed).run(steps, at)
}

//! What the targets and the seeds have in common: how an input is a list of steps, and the store's forms as
//! `src/store/FORMAT.md` draws them, written down anew so that the store's code is not its own judge.

pub mod forms;
mod goods;
mod shelf;
mod steps;

pub use goods::goods;
pub use shelf::Shelf;
pub use steps::{Steps, number, step};

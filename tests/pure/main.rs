//! Claims about the pure part, and about the tree itself.

mod model;
mod registry;
mod simulation;
mod tidy;
mod vectors;

//! Claims about the pure part, and about the tree itself.

mod model;
mod simulation;
mod tidy;

//! Claims about the pure part, and about the tree itself.

mod cryptography;
mod json_guide;
mod paths;
mod readme;
mod registry;
mod simulation;
mod tidy;
mod vectors;

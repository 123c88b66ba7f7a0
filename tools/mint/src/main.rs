//! seatmint.
fn main() {}

//! seatkeeper.
fn main() {}

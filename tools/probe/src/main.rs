//! seatprobe.
fn main() {}

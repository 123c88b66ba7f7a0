//! How long each pure part takes: `cargo bench -p seatswarm --bench time`. A figure of this machine as it is now, good for
//! comparing two of one run; what stays the same on a busy machine is what `instructions` counts.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking"
)]

mod pieces;

use pieces::Piece;

fn main() {
    divan::main();
}

#[divan::bench(args = pieces::all())]
fn piece(bencher: divan::Bencher<'_, '_>, piece: &Piece) {
    let run = std::cell::RefCell::new((piece.prepare)());
    bencher
        .counter(divan::counter::ItemsCount::new(piece.requests))
        .bench_local(|| (run.borrow_mut())());
}

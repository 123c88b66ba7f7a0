//! The pure parts of a server that every request goes through, each as a closure that does it once.

mod ledger;
mod protocol;
mod signed;
mod store;
mod tls;

/// A part, and how to make what it works on.
#[derive(Clone, Copy)]
pub(crate) struct Piece {
    /// Its name; of a part of the ledger with the seats that there are.
    pub(crate) name: &'static str,
    /// Makes what it works on, and what does it once.
    pub(crate) prepare: fn() -> Box<dyn FnMut()>,
    /// How many requests it is once.
    pub(crate) requests: u32,
}

impl Piece {
    /// One request at a time.
    const fn new(name: &'static str, prepare: fn() -> Box<dyn FnMut()>) -> Self {
        Self {
            name,
            prepare,
            requests: 1,
        }
    }
}

impl std::fmt::Display for Piece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = Piece> {
    [
        protocol::PIECES.as_slice(),
        ledger::PIECES.as_slice(),
        store::PIECES.as_slice(),
        signed::PIECES.as_slice(),
        tls::PIECES.as_slice(),
    ]
    .into_iter()
    .flatten()
    .copied()
}

//! A bounded reader and writer of big-endian bytes, shared by the wire, license keys and catalogues.
//!
//! The reader cannot overrun and says which field it was at when something is wrong. It allocates nothing.

mod error;
mod reader;
pub mod tlv;
mod writer;

#[cfg(test)]
mod tests;

pub use error::DecodeError;
pub use reader::Reader;
pub use writer::Writer;

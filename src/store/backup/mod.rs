//! What of a data directory belongs into a backup, and a copy of it that is sound although a server goes on writing.
//!
//! No lock is taken and nothing is opened in place: what may change meanwhile is read again until it fits together.

mod contents;
mod copy;
mod names;

#[cfg(test)]
mod tests;

pub use contents::{Contents, tally};
pub use copy::{Copied, copy};
pub use names::is_part;

use std::path::Path;

use super::StoreError;

impl StoreError {
    /// The same about the directory that a copy was made of, where it tells what stands in the copy.
    fn about(mut self, copy: &Path, original: &Path) -> Self {
        match &mut self {
            Self::Journal { path, .. } | Self::Missing { path } => {
                if let Ok(rest) = path.strip_prefix(copy) {
                    *path = original.join(rest);
                }
            }
            Self::Engine { place, .. }
            | Self::Hung { place, .. }
            | Self::Mismatch { place, .. }
            | Self::Panicked { place, .. } => {
                if let Ok(rest) = Path::new(place.as_str()).strip_prefix(copy) {
                    *place = original.join(rest).display().to_string();
                }
            }
            _ => {}
        }
        self
    }
}

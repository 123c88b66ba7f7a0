//! What happens to a disk, and how the store may fail by it.

use std::io;

use seatkeeper::store::StoreError;

/// What happens at a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Event {
    /// The power goes in the midst of it; nothing works any more.
    PowerCut,
    /// It fails, once, having done some of what it should.
    Fail(io::ErrorKind),
    /// It and all later calls that need room fail.
    Full,
    /// It and all later calls fail: the device is gone. What they should do is done in part, as where one fails.
    Gone,
}

impl Event {
    /// Whether the store may fail so where this happens. A full disk is told as one.
    pub(crate) fn causes(self, error: &StoreError) -> bool {
        match (self, error) {
            (Self::Full | Self::Fail(io::ErrorKind::StorageFull), StoreError::Full { .. }) => true,
            (Self::Fail(kind), StoreError::Io { source, .. }) => source.kind() == kind,
            (Self::Gone | Self::PowerCut, StoreError::Io { source, .. }) => source.kind() == io::ErrorKind::Other,
            _ => false,
        }
    }

    pub(crate) fn error(self) -> io::Error {
        match self {
            Self::PowerCut => io::Error::other("the power is gone"),
            Self::Fail(kind) => kind.into(),
            Self::Full => io::ErrorKind::StorageFull.into(),
            Self::Gone => io::Error::other("the device is gone"),
        }
    }
}

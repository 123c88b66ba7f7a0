use thiserror::Error;

/// Why bytes could not be read. Every variant names the field that was being read.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The value is not one that the field may have.
    #[error("{field}: {reason}")]
    Invalid {
        /// The field that was being read.
        field: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A field that must be there is not.
    #[error("{field} is missing")]
    Missing {
        /// The field that is missing.
        field: &'static str,
    },
    /// A field that may be there once is there twice.
    #[error("{field} is there twice")]
    Repeated {
        /// The repeated field.
        field: &'static str,
    },
    /// The value is longer, or there are more of them, than the field's bound.
    #[error("{field} has {len}, more than its bound of {max}")]
    TooLong {
        /// The field that was being read.
        field: &'static str,
        /// Its length in bytes, or its count.
        len: usize,
        /// The bound.
        max: usize,
    },
    /// Bytes are left over behind the last field.
    #[error("{count} bytes are left over")]
    Trailing {
        /// How many.
        count: usize,
    },
    /// The bytes end inside a field.
    #[error("the bytes end inside {field}")]
    Truncated {
        /// The field that was being read.
        field: &'static str,
    },
}

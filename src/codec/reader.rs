use super::DecodeError;

/// Reads fields one after the other from a slice of bytes, big-endian.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader at the first of `bytes`. Prefer [`Reader::all`], which refuses left-over bytes.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Reads one value that must take up all of `bytes`.
    ///
    /// # Errors
    /// Whatever `decode` returns, or [`DecodeError::Trailing`] if it left bytes over.
    pub fn all<T>(bytes: &'a [u8], decode: impl FnOnce(&mut Self) -> Result<T, DecodeError>) -> Result<T, DecodeError> {
        let mut reader = Self::new(bytes);
        let value = decode(&mut reader)?;
        reader.finish()?;
        Ok(value)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`DecodeError::Trailing`] if bytes are left over.
    pub const fn finish(self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            count => Err(DecodeError::Trailing { count }),
        }
    }

    /// Bytes not yet read.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] with `field` if there are fewer.
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(DecodeError::Truncated { field })?;
        self.rest = rest;
        Ok(*head)
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] with `field` if there are fewer.
    pub fn bytes(&mut self, len: usize, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(DecodeError::Truncated { field })?;
        self.rest = rest;
        Ok(head)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] with `field` at the end of the bytes.
    pub fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        let [byte] = self.array(field)?;
        Ok(byte)
    }

    /// A 16-bit number, big-endian.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] with `field` if fewer than 2 bytes are left.
    pub fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        Ok(u16::from_be_bytes(self.array(field)?))
    }

    /// A 32-bit number, big-endian.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] with `field` if fewer than 4 bytes are left.
    pub fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        Ok(u32::from_be_bytes(self.array(field)?))
    }

    /// A 64-bit number, big-endian.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] with `field` if fewer than 8 bytes are left.
    pub fn u64(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        Ok(u64::from_be_bytes(self.array(field)?))
    }
}

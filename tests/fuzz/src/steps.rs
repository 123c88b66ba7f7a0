//! Inputs that are lists of steps. The bytes are simple on purpose, so that seeds can be written down: a step is its
//! kind, the length of what it takes as u16, and that.

/// The steps of an input.
#[derive(Debug)]
pub struct Steps<'a>(&'a [u8]);

impl<'a> Steps<'a> {
    /// The steps in `input`; a last one that is cut short takes what there is.
    #[must_use]
    pub const fn of(input: &'a [u8]) -> Self {
        Self(input)
    }
}

impl<'a> Iterator for Steps<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&kind, rest) = self.0.split_first()?;
        let (len, rest) = rest.split_first_chunk().unwrap_or((&[0; 2], rest));
        let len = usize::from(u16::from_le_bytes(*len)).min(rest.len());
        let (taken, rest) = rest.split_at(len);
        self.0 = rest;
        Some((kind, taken))
    }
}

/// The bytes of a step. `taken` is at most 65,535 bytes.
#[must_use]
pub fn step(kind: u8, taken: &[u8]) -> Vec<u8> {
    let len = u16::try_from(taken.len()).expect("a short step");
    [&[kind], len.to_le_bytes().as_slice(), taken].concat()
}

/// A little-endian number at the start of `bytes`, filled up with zeros, and what is behind it.
#[must_use]
pub fn number<const N: usize>(bytes: &[u8]) -> (u64, &[u8]) {
    let (digits, rest) = bytes.split_at(N.min(bytes.len()));
    let number = digits
        .iter()
        .rev()
        .fold(0, |number, &byte| number << 8 | u64::from(byte));
    (number, rest)
}

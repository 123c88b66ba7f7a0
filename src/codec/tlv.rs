//! Tag-length-value fields: `tag u16 | length u16 | value`, the body of every frame and signed text.

use super::{DecodeError, Reader, Writer};

/// The longest value of one field, in bytes.
pub const VALUE_LEN_MAX: usize = u16::MAX as usize;

/// Bytes in front of each value: tag and length.
pub const HEADER_LEN: usize = 4;

/// One field as it stands in the bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Field<'a> {
    /// What the field is; its meaning depends on the message.
    pub tag: u16,
    /// The field's bytes.
    pub value: &'a [u8],
}

/// Iterates over the fields of a body; the first error ends it.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    reader: Reader<'a>,
}

impl<'a> Fields<'a> {
    /// The fields of `body`.
    #[must_use]
    pub const fn of(body: &'a [u8]) -> Self {
        Self {
            reader: Reader::new(body),
        }
    }

    fn read(&mut self) -> Result<Field<'a>, DecodeError> {
        let tag = self.reader.u16("a field's tag")?;
        let len = self.reader.u16("a field's length")?;
        let value = self.reader.bytes(usize::from(len), "a field's value")?;
        Ok(Field { tag, value })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.remaining() == 0 {
            return None;
        }
        let field = self.read();
        if field.is_err() {
            self.reader = Reader::new(&[]);
        }
        Some(field)
    }
}

/// Appends one field.
///
/// # Errors
/// [`DecodeError::TooLong`] if `value` does not fit the 16-bit length.
pub fn put(out: &mut Writer, tag: u16, value: &[u8]) -> Result<(), DecodeError> {
    put_with(out, tag, |out| {
        out.bytes(value);
        Ok(())
    })
    .map(drop)
}

/// Appends one field whose value `write` appends; how many bytes that has.
///
/// # Errors
/// That of `write`, or [`DecodeError::TooLong`] if the value does not fit the 16-bit length. Nothing is appended then.
pub fn put_with(
    out: &mut Writer,
    tag: u16,
    write: impl FnOnce(&mut Writer) -> Result<(), DecodeError>,
) -> Result<usize, DecodeError> {
    let at = out.len();
    let outcome = append(out, tag, write);
    if outcome.is_err() {
        out.truncate(at);
    }
    outcome
}

fn append(
    out: &mut Writer,
    tag: u16,
    write: impl FnOnce(&mut Writer) -> Result<(), DecodeError>,
) -> Result<usize, DecodeError> {
    out.u16(tag);
    let at = out.len();
    out.u16(0);
    let begin = out.len();
    write(out)?;
    let len = out.len() - begin;
    let told = u16::try_from(len).map_err(|_| DecodeError::TooLong {
        field: "a field's value",
        len,
        max: VALUE_LEN_MAX,
    })?;
    out.overwrite_u16(at, told);
    Ok(len)
}

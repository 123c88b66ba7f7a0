//! Bytes as people write them, and as the vectors of the specification are written.

/// The bytes of hexadecimal digits; nothing if there is something else, or half a byte. Blanks, colons and what is behind
/// `#` on a line do not count.
pub(crate) fn bytes(text: &str) -> Option<Vec<u8>> {
    let counted = text.lines().filter_map(|line| line.split('#').next());
    let digits: Option<Vec<u8>> = counted
        .flat_map(str::chars)
        .filter(|c| !c.is_whitespace() && *c != ':')
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty()
        .then(|| pairs.iter().map(|[high, low]| (high << 4) | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_with_blanks_colons_and_comments() {
        assert_eq!(
            bytes("00 1a:2B # more\n # nothing\n3c"),
            Some(vec![0, 0x1a, 0x2b, 0x3c])
        );
        assert_eq!(bytes("0"), None);
        assert_eq!(bytes("0g"), None);
    }
}

//! Pictures that a mail carries without saying so: logos, mostly, below each mail of a thread.

/// How pictures begin, and what they are called.
const SIGNATURES: [(&[u8], &str); 7] = [
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"\0\0\x01\0", "icon"),
];

/// What kind of picture these bytes are; nothing where they are none.
pub(super) fn kind(bytes: &[u8]) -> Option<&'static str> {
    let is_in = |place, words: &[u8]| bytes.get(place..).is_some_and(|rest: &[u8]| rest.starts_with(words));
    let found = SIGNATURES.iter().find(|(begin, _)| bytes.starts_with(begin));
    match found {
        Some((_, name)) => Some(name),
        None if bytes.starts_with(b"RIFF") && is_in(8, b"WEBP") => Some("WebP"),
        // "BM" alone may begin a text: the four bytes behind the length of the file are always 0.
        None if bytes.starts_with(b"BM") && is_in(6, b"\0\0\0\0") => Some("BMP"),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_one_by_how_it_begins_and_a_text_is_none() {
        for (bytes, is) in [
            (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], Some("PNG")),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", Some("JPEG")),
            (b"GIF89a\x01\0", Some("GIF")),
            (b"RIFF\x24\0\0\0WEBPVP8 ", Some("WebP")),
            (b"RIFF\x24\0\0\0WAVEfmt ", None),
            (b"BM\x36\0\x0c\0\0\0\0\0\x36\0", Some("BMP")),
            (b"BMW: SK1-AAAAA", None),
            (b"SK1-AAAAA", None),
            (b"", None),
        ] {
            assert_eq!(kind(bytes), is, "{bytes:?}");
        }
    }
}

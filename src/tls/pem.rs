//! PEM sections whose every copy is wiped: the readers of the crates we use leave parts of a private key in memory.

use data_encoding::BASE64;
use zeroize::Zeroizing;

/// Base64 digits on a line.
const LINE_LEN: usize = 64;

/// The bytes of the first section with this label; nothing if there is none that can be read.
pub(super) fn decode(pem: &str, label: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    // Room for all of it at once: what grows leaves parts behind.
    let mut digits = Zeroizing::new(Vec::with_capacity(body.len()));
    digits.extend(body.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    let mut bytes = Zeroizing::new(vec![0; BASE64.decode_len(digits.len()).ok()?]);
    let len = BASE64.decode_mut(&digits, &mut bytes).ok()?;
    bytes.truncate(len);
    Some(bytes)
}

/// The bytes of every section with this label, in their order; nothing if one of them cannot be read.
pub(super) fn decode_all(pem: &str, label: &str) -> Option<Vec<Zeroizing<Vec<u8>>>> {
    let begin = format!("-----BEGIN {label}-----");
    pem.match_indices(&begin)
        .map(|(at, _)| decode(pem.get(at..)?, label))
        .collect()
}

/// A section with this label.
pub(super) fn encode(label: &str, bytes: &[u8]) -> Zeroizing<String> {
    let mut digits = Zeroizing::new(vec![0; BASE64.encode_len(bytes.len())]);
    BASE64.encode_mut(bytes, &mut digits);
    let around = 2 * (label.len() + LINE_LEN);
    let len = around + digits.len() + digits.len() / LINE_LEN + 1;
    let mut text = Zeroizing::new(String::with_capacity(len));
    text.extend(["-----BEGIN ", label, "-----\n"]);
    for line in digits.chunks(LINE_LEN) {
        text.extend(line.iter().map(|&digit| char::from(digit)));
        text.push('\n');
    }
    text.extend(["-----END ", label, "-----\n"]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_of_any_length_reads_back_among_others_and_with_any_line_ends() {
        for len in [0_u8, 1, 2, 47, 48, 49, 138, 255] {
            let bytes: Vec<u8> = (0..len).collect();
            let text = encode("PRIVATE KEY", &bytes);
            assert!(text.lines().all(|line| line.len() <= LINE_LEN), "{}", *text);
            let among = format!("words\n{}{}", *encode("CERTIFICATE", b"other"), *text);
            for text in [among.clone(), among.replace('\n', "\r\n")] {
                assert_eq!(decode(&text, "PRIVATE KEY").as_deref(), Some(&bytes), "{text}");
                assert!(decode(&text, "EC PRIVATE KEY").is_none());
            }
            assert!(decode(&text[..text.len() - 2], "PRIVATE KEY").is_none());
        }
        assert!(decode(&encode("X", b"abc").replace("YW", "Y!"), "X").is_none());
    }

    #[test]
    fn what_is_written_never_grows_and_so_leaves_nothing_behind() {
        let text = encode("PRIVATE KEY", &[7; 138]);
        let room = String::with_capacity(text.capacity()).capacity();
        assert!(
            text.len() <= room && text.capacity() < 2 * text.len(),
            "{}",
            text.capacity()
        );
    }
}

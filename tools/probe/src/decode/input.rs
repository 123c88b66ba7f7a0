//! What is to be shown: digits, or a file of digits or bytes.

use std::io::{self, Read};
use std::path::Path;

use crate::hex;
use crate::output::Failure;

/// The most bytes that are read of a file.
const LEN_MAX: u64 = 4 << 20;

/// The most characters of an argument that are shown again.
const SHOWN_MAX: usize = 60;

/// The bytes that the arguments name.
pub(super) fn read(args: &[String]) -> Result<Vec<u8>, Failure> {
    if let [one] = args {
        if one == "-" {
            return bytes_of(io::stdin().lock()).map_err(|error| cannot("standard input", &error));
        }
        if Path::new(one).is_file() {
            let file = std::fs::File::open(one).map_err(|error| cannot(one, &error))?;
            return bytes_of(file).map_err(|error| cannot(one, &error));
        }
    }
    let text = args.join(" ");
    hex::bytes(&text).ok_or_else(|| {
        let shown: String = text.chars().take(SHOWN_MAX).collect();
        Failure::Usage(format!(
            "'{shown}' is no file, and not whole bytes in hexadecimal digits, two for each; name a file, write the digits, or \
             - for standard input"
        ))
    })
}

fn cannot(what: &str, error: &io::Error) -> Failure {
    Failure::Failed(format!("{what} cannot be read: {error}"))
}

/// What is read: the bytes of its digits if it is nothing but those, else itself.
fn bytes_of(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(LEN_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LEN_MAX {
        return Err(io::Error::other(
            "more than 4 MiB; cut out the part that is to be shown",
        ));
    }
    let digits = std::str::from_utf8(&bytes).ok().and_then(hex::bytes);
    Ok(digits.unwrap_or(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_digits_where_it_can_be_and_bytes_otherwise() {
        let of = |bytes: &[u8]| bytes_of(bytes).expect("readable");
        assert_eq!(of(b"0001 # comment\n"), [0, 1]);
        assert_eq!(of(&[0, 0, 0, 4]), [0, 0, 0, 4]);
        assert_eq!(of(b"SEATKEEP"), b"SEATKEEP");
    }

    #[test]
    fn what_is_neither_digits_nor_a_file_is_wrong_usage() {
        let refused = read(&["/nowhere/frame.bin".to_owned()]);
        assert!(matches!(refused, Err(Failure::Usage(_))), "{refused:?}");
    }

    #[test]
    fn what_is_too_long_is_refused_and_not_shown_in_part() {
        let told = bytes_of(io::repeat(b'x')).expect_err("without end").to_string();
        assert!(told.contains("more than 4 MiB"), "{told}");
        let whole = bytes_of(io::repeat(b'x').take(LEN_MAX)).expect("as long as may be");
        assert_eq!(whole.len() as u64, LEN_MAX);
    }

    #[test]
    fn what_is_no_file_and_no_bytes_is_named_and_told_what_may_be() {
        let told = read(&["no-such.bin".to_owned()]).expect_err("nothing").to_string();
        assert!(
            told.contains("'no-such.bin'") && told.contains("standard input"),
            "{told}"
        );
    }
}

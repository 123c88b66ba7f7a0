//! What is to be shown: digits, or a file of digits or bytes.

use std::io::{self, Read};
use std::path::Path;

use crate::hex;
use crate::output::Failure;

/// The most bytes that are read of a file.
const LEN_MAX: u64 = 4 << 20;

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
    hex::bytes(&args.join(" ")).ok_or_else(|| {
        Failure::Usage("this is neither a file nor whole bytes in hexadecimal digits, two for each".to_owned())
    })
}

fn cannot(what: &str, error: &io::Error) -> Failure {
    Failure::Failed(format!("{what} cannot be read: {error}"))
}

/// What is read: the bytes of its digits if it is nothing but those, else itself.
fn bytes_of(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(LEN_MAX).read_to_end(&mut bytes)?;
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
}

//! Files that commands read, with errors that name them.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use super::error::CliError;
use crate::vendor::{SCAN_LEN_MAX, VendorKey};

/// The largest file that is read, in bytes: one with as many license keys as are imported at once.
const FILE_LEN_MAX: u64 = SCAN_LEN_MAX as u64;

/// Reads a text file in UTF-8; `-` is standard input.
pub(super) fn text(path: &Path) -> Result<String, CliError> {
    let name = path.display();
    String::from_utf8(bytes(path)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        CliError::failed(format!(
            "{name} is not UTF-8 text (byte {at}); save it as UTF-8 and try again"
        ))
    })
}

/// Reads a file as it is; `-` is standard input.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, CliError> {
    let name = path.display();
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(FILE_LEN_MAX + 1).read_to_end(&mut bytes)
    } else {
        fs::File::open(path).and_then(|file| file.take(FILE_LEN_MAX + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| CliError::because(format!("cannot read {name}"), error))?;
    if bytes.len() as u64 > FILE_LEN_MAX {
        return Err(CliError::failed(format!("{name} is larger than 64 MiB; split it")));
    }
    Ok(bytes)
}

/// Gives a draft its name, in place of another file only where it is forced to. The draft may be there still.
pub(super) fn place(draft: &Path, file: &Path, force: bool) -> io::Result<()> {
    if force {
        return fs::rename(draft, file);
    }
    // One that came about meanwhile stays.
    match fs::hard_link(draft, file) {
        // Not every file system has links.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists && !file.exists() => fs::rename(draft, file),
        outcome => outcome,
    }
}

/// Reads a vendor's public key.
pub(super) fn vendor_key(path: &Path) -> Result<VendorKey, CliError> {
    VendorKey::from_pem(&text(path)?)
        .map_err(|error| CliError::because(format!("{} is not a vendor's public key", path.display()), error))
}

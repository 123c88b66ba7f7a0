//! Files with private keys: readable by their owner alone, written whole or not at all.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::TlsError;
use crate::whole_file::{self, Readers};

/// The largest key file that is read, in bytes.
const FILE_LEN_MAX: u64 = 64 * 1_024;

/// The text of the file; nothing if there is none.
pub(super) fn read(path: &Path) -> Result<Option<Zeroizing<String>>, TlsError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault(path, "opened", error)),
    };
    refuse_exposed(path, &file)?;
    let mut text = Zeroizing::new(String::with_capacity(16_384));
    match file.take(FILE_LEN_MAX).read_to_string(&mut text) {
        Ok(_) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(TlsError::FileDamaged {
            path: path.to_owned(),
            reason: "it is not text",
        }),
        Err(error) => Err(fault(path, "read", error)),
    }
}

/// Writes a new file, mode 0600, and has it on stable storage before returning. False if there is one already.
pub(super) fn create(path: &Path, text: &str) -> Result<bool, TlsError> {
    whole_file::create(path, text.as_bytes(), Readers::Owner).map_err(|error| fault(path, "created", error))
}

fn refuse_exposed(path: &Path, file: &File) -> Result<(), TlsError> {
    match whole_file::exposure(file).map_err(|error| fault(path, "examined", error))? {
        None => Ok(()),
        Some(mode) => Err(TlsError::FileExposed {
            path: path.to_owned(),
            mode,
        }),
    }
}

fn fault(path: &Path, action: &'static str, source: io::Error) -> TlsError {
    TlsError::File {
        path: path.to_owned(),
        action,
        source,
    }
}

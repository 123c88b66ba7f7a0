//! Files in and out. Nothing that exists is overwritten.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use seatkeeper::vendor::{SCAN_LEN_MAX, SigningKey, VendorKey};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::output::Failure;

/// The largest private key file that is read, in bytes.
const KEY_FILE_LEN_MAX: u64 = 64 * 1_024;

/// What went wrong with a file.
#[derive(Debug, Error)]
pub(crate) enum FileError {
    #[error("{0} exists and is not overwritten; remove it or choose another place")]
    Exists(PathBuf),
    #[error("{0} is open to others (mode {1:04o}); run: chmod 600 {0}")]
    Exposed(PathBuf, u32),
    #[error("{0} is not UTF-8 text")]
    NotText(PathBuf),
    #[error("cannot read {0}: {1}")]
    Read(PathBuf, io::Error),
    #[error("{0} is longer than 64 MiB; split it")]
    TooLong(PathBuf),
    #[error("cannot write {0}: {1}")]
    Write(PathBuf, io::Error),
}

/// The text of a file; `-` is standard input.
pub(crate) fn read(path: &Path) -> Result<String, FileError> {
    let fault = |fault| FileError::Read(path.to_owned(), fault);
    let mut source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(std::fs::File::open(path).map_err(fault)?)
    };
    let mut bytes = Vec::new();
    let limit = u64::try_from(SCAN_LEN_MAX).unwrap_or(u64::MAX).saturating_add(1);
    source.by_ref().take(limit).read_to_end(&mut bytes).map_err(fault)?;
    if bytes.len() > SCAN_LEN_MAX {
        return Err(FileError::TooLong(path.to_owned()));
    }
    String::from_utf8(bytes).map_err(|_| FileError::NotText(path.to_owned()))
}

/// Whether others may read a new file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Secrecy {
    Open,
    /// Only its owner may: mode 0600 from its first moment on.
    Secret,
}

/// Makes a new file.
pub(crate) fn create(path: &Path, text: &str, secrecy: Secrecy) -> Result<(), FileError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    if let Secrecy::Secret = secrecy {
        restrict(&mut options);
    }
    let written = options.open(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|fault| match fault.kind() {
        io::ErrorKind::AlreadyExists => FileError::Exists(path.to_owned()),
        _ => FileError::Write(path.to_owned(), fault),
    })
}

#[cfg(unix)]
fn restrict(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

#[cfg(not(unix))]
fn restrict(_: &mut OpenOptions) {}

/// A vendor's private key, from a file that nobody else can read. Its text is wiped from memory.
pub(crate) fn signing_key(path: &Path) -> Result<SigningKey, Failure> {
    let text = if path == Path::new("-") {
        Zeroizing::new(read(path)?)
    } else {
        read_secret(path)?
    };
    SigningKey::from_pem(&text).map_err(|fault| Failure::at(path.display(), fault))
}

fn read_secret(path: &Path) -> Result<Zeroizing<String>, FileError> {
    let fault = |fault| FileError::Read(path.to_owned(), fault);
    let file = std::fs::File::open(path).map_err(fault)?;
    if let Some(mode) = exposure(&file).map_err(fault)? {
        return Err(FileError::Exposed(path.to_owned(), mode));
    }
    // Room for all of it: a text that grows leaves parts of the secret behind.
    let mut text = Zeroizing::new(String::with_capacity(4_096));
    file.take(KEY_FILE_LEN_MAX)
        .read_to_string(&mut text)
        .map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => FileError::NotText(path.to_owned()),
            _ => fault(error),
        })?;
    Ok(text)
}

/// The permission bits of a file that others than its owner may read or write; nothing where they may not.
#[cfg(unix)]
fn exposure(file: &std::fs::File) -> io::Result<Option<u32>> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata()?.permissions().mode() & 0o7777;
    Ok((mode & 0o077 != 0).then_some(mode))
}

#[cfg(not(unix))]
fn exposure(_: &std::fs::File) -> io::Result<Option<u32>> {
    Ok(None)
}

/// A vendor's public key.
pub(crate) fn vendor_key(path: &Path) -> Result<VendorKey, Failure> {
    VendorKey::from_pem(&read(path)?).map_err(|fault| Failure::at(path.display(), fault))
}

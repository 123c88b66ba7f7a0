//! Files with private keys: readable by their owner alone, written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::TlsError;

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
    let mut text = Zeroizing::new(String::with_capacity(4_096));
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
///
/// It is written under another name and linked to its own, so that neither a crash nor a second process ever sees
/// half a key.
pub(super) fn create(path: &Path, text: &str) -> Result<bool, TlsError> {
    let draft = draft_of(path);
    let outcome = write_draft(&draft, text)
        .and_then(|()| match fs::hard_link(&draft, path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        })
        .map_err(|error| fault(path, "created", error));
    let removed = fs::remove_file(&draft);
    let created = outcome?;
    removed
        .and_then(|()| sync_directory(path))
        .map_err(|error| fault(path, "made durable", error))?;
    Ok(created)
}

fn draft_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    PathBuf::from(name)
}

fn write_draft(draft: &Path, text: &str) -> io::Result<()> {
    // A draft of the same name is from a process that died: this process id is ours now.
    match fs::remove_file(draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Makes the name of `path` durable.
fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    if cfg!(unix) {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

#[cfg(unix)]
fn refuse_exposed(path: &Path, file: &File) -> Result<(), TlsError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = file.metadata().map_err(|error| fault(path, "examined", error))?;
    let mode = metadata.permissions().mode() & 0o7777;
    let for_others = mode & 0o077;
    if for_others == 0 {
        Ok(())
    } else {
        Err(TlsError::FileExposed {
            path: path.to_owned(),
            mode,
        })
    }
}

#[cfg(not(unix))]
fn refuse_exposed(_: &Path, _: &File) -> Result<(), TlsError> {
    // Elsewhere the directory's access list, inherited by the file, decides who may read it.
    Ok(())
}

fn fault(path: &Path, action: &'static str, source: io::Error) -> TlsError {
    TlsError::File {
        path: path.to_owned(),
        action,
        source,
    }
}

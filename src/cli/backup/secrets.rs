//! What of a data directory is secret: put into a backup encrypted by age, and taken out again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use age::secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::form::{IDENTITIES, IDENTITIES_LEN_MAX};
use crate::cli::error::CliError;
use crate::cli::local::{ADMIN_FILE, IDENTITY_FILE, LEASE_FILE};
use crate::whole_file;

/// What secret files are called: this, or this and something behind a dot.
const NAMES: [&str; 3] = [ADMIN_FILE, IDENTITY_FILE, LEASE_FILE];

/// The largest of them, in bytes.
const FILE_LEN_MAX: usize = 64 << 10;

/// The shortest passphrase that a backup is encrypted with, in characters: whoever has the backup can try as many as they
/// like.
const PASSPHRASE_LEN_MIN: usize = 8;

/// How many there can be.
const FILES_MAX: usize = 32;

/// Whether a passphrase is being chosen, or was when the backup was made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::cli) enum Choice {
    New,
    Known,
}

/// What identities in a backup are encrypted for.
pub(in crate::cli) enum Cover {
    /// Whoever knows this.
    Passphrase(SecretString),
    /// Whoever has the key of one of these.
    Recipients(Vec<age::x25519::Recipient>),
}

/// What identities in a backup are decrypted with.
pub(in crate::cli) enum Opener {
    Passphrase(SecretString),
    Keys(Vec<Box<dyn age::Identity>>),
}

/// Secret files out of a backup, by their names. They are on no disk.
#[derive(Default)]
pub(in crate::cli) struct Secrets(Vec<(String, Zeroizing<Vec<u8>>)>);

impl Secrets {
    pub(in crate::cli) fn names(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| name.clone()).collect()
    }

    pub(in crate::cli) fn text(&self, name: &str) -> Option<&[u8]> {
        let (_, text) = self.0.iter().find(|(one, _)| one == name)?;
        Some(text)
    }

    /// Writes them, for their owner alone, and returns when they are on stable storage.
    pub(in crate::cli) fn write(&self, into: &Path) -> Result<(), CliError> {
        for (name, text) in &self.0 {
            let path = into.join(name);
            write(&path, text).map_err(|error| CliError::because(format!("cannot write {}", path.display()), error))?;
        }
        Ok(())
    }
}

/// The secret files of a data directory, encrypted; nothing where there is none.
pub(super) fn seal(data: &Path, cover: &Cover) -> Result<Option<Vec<u8>>, CliError> {
    let failed = |error| CliError::because("cannot encrypt the identities", error);
    let mut names = Vec::new();
    let entries = fs::read_dir(data).map_err(|error| cannot_read(data, error))?;
    for entry in entries {
        let entry = entry.map_err(|error| cannot_read(data, error))?;
        if let Some(name) = entry.file_name().to_str().filter(|name| is_secret(name)) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    if names.is_empty() {
        return Ok(None);
    }
    if names.len() > FILES_MAX {
        return Err(CliError::failed(format!(
            "{} holds more than {FILES_MAX} files with keys; move away those that were set aside (*.pem.*)",
            data.display()
        )));
    }
    // Room for all of it: what grows leaves parts of the secrets behind.
    let room = names.len() * (FILE_LEN_MAX + 1_024) + 1_024;
    let mut plain = Zeroizing::new(Vec::with_capacity(room));
    let mut files = tar::Builder::new(&mut *plain);
    for name in &names {
        add(&mut files, data, name)?;
    }
    files.into_inner().map_err(failed)?;
    let encryptor = match cover {
        Cover::Passphrase(passphrase) => age::Encryptor::with_user_passphrase(passphrase.clone()),
        Cover::Recipients(recipients) => {
            age::Encryptor::with_recipients(recipients.iter().map(|one| one as &dyn age::Recipient))
                .map_err(|error| CliError::because("cannot encrypt the identities", error))?
        }
    };
    let mut sealed = Vec::new();
    let mut writer = encryptor.wrap_output(&mut sealed).map_err(failed)?;
    writer.write_all(&plain).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(Some(sealed))
}

fn add(files: &mut tar::Builder<&mut Vec<u8>>, data: &Path, name: &str) -> Result<(), CliError> {
    let path = data.join(name);
    let mut text = Zeroizing::new(Vec::with_capacity(FILE_LEN_MAX + 1));
    File::open(&path)
        .and_then(|file| file.take(FILE_LEN_MAX as u64 + 1).read_to_end(&mut text))
        .map_err(|error| cannot_read(&path, error))?;
    if text.len() > FILE_LEN_MAX {
        return Err(CliError::failed(format!(
            "{} is larger than any key file; move it away",
            path.display()
        )));
    }
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o600);
    header.set_size(text.len() as u64);
    files
        .append_data(&mut header, name, text.as_slice())
        .map_err(|error| CliError::because("cannot encrypt the identities", error))
}

/// Decrypts what [`seal`] made.
pub(in crate::cli) fn open(sealed: &[u8], opener: &Opener) -> Result<Secrets, CliError> {
    let plain = decrypted(sealed, opener)?;
    let damaged = |_| CliError::failed(damaged());
    let mut secrets = Secrets::default();
    let mut files = tar::Archive::new(plain.as_slice());
    for entry in files.entries().map_err(damaged)?.raw(true) {
        let mut entry = entry.map_err(damaged)?;
        let name = String::from_utf8_lossy(&entry.header().path_bytes()).into_owned();
        let is_plain = entry.header().entry_type() == tar::EntryType::Regular;
        let is_known = secrets.text(&name).is_some();
        let is_too_much = entry.size() > FILE_LEN_MAX as u64 || secrets.0.len() >= FILES_MAX;
        if !is_secret(&name) || !is_plain || is_known || is_too_much {
            return Err(CliError::failed(format!(
                "{name:?} stands among the identities in the backup: somebody changed it, and nothing of it is taken"
            )));
        }
        let mut text = Zeroizing::new(Vec::with_capacity(FILE_LEN_MAX));
        entry.read_to_end(&mut text).map_err(damaged)?;
        secrets.0.push((name, text));
    }
    Ok(secrets)
}

fn damaged() -> String {
    format!(
        "{IDENTITIES} in the backup is damaged or cut short; take another copy of the backup or an older one, or go without the \
         identities with --without-identity"
    )
}

/// What is in the member with the identities.
fn decrypted(sealed: &[u8], opener: &Opener) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let cannot = |error| match error {
        // What a library says of bytes that are missing helps nobody.
        age::DecryptError::Io(_) | age::DecryptError::InvalidHeader | age::DecryptError::InvalidMac => {
            CliError::failed(damaged())
        }
        other => CliError::because("cannot decrypt the identities in the backup", other),
    };
    let decryptor = age::Decryptor::new(sealed).map_err(cannot)?;
    let is_by_passphrase = decryptor.is_scrypt();
    let stream = match opener {
        Opener::Passphrase(_) if !is_by_passphrase => {
            return Err(CliError::Usage(
                "the identities in the backup are encrypted for keys, not by a passphrase: say --identity FILE"
                    .to_owned(),
            ));
        }
        Opener::Keys(_) if is_by_passphrase => {
            return Err(CliError::Usage(
                "the identities in the backup are encrypted by a passphrase: say --passphrase-file FILE".to_owned(),
            ));
        }
        Opener::Passphrase(passphrase) => {
            let key = age::scrypt::Identity::new(passphrase.clone());
            decryptor.decrypt(std::iter::once(&key as &dyn age::Identity))
        }
        Opener::Keys(keys) => decryptor.decrypt(keys.iter().map(|key| &**key)),
    };
    let stream = stream.map_err(|error| match error {
        age::DecryptError::DecryptionFailed
        | age::DecryptError::NoMatchingKeys
        | age::DecryptError::KeyDecryptionFailed => {
            CliError::failed("the identities in the backup are encrypted for another passphrase or key")
        }
        other => cannot(other),
    })?;
    let mut plain = Zeroizing::new(Vec::with_capacity(FILES_MAX * (FILE_LEN_MAX + 1_024) + 1_024));
    stream
        .take(IDENTITIES_LEN_MAX)
        .read_to_end(&mut plain)
        .map_err(|_| CliError::failed(damaged()))?;
    Ok(plain)
}

fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

fn is_secret(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    let rest = NAMES.iter().find_map(|secret| name.strip_prefix(secret));
    let is_named =
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.') && rest.rsplit('.').next() != Some("new"));
    is_named && name.len() < 100 && name.bytes().all(is_plain)
}

/// The passphrase in a file: its first line.
pub(in crate::cli) fn passphrase_in(path: &Path, choice: Choice) -> Result<SecretString, CliError> {
    let file = private("the passphrase", path)?;
    let mut text = Zeroizing::new(String::with_capacity(FILE_LEN_MAX));
    file.take(FILE_LEN_MAX as u64)
        .read_to_string(&mut text)
        .map_err(|error| cannot_read(path, error))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(CliError::Usage(format!(
            "{} begins with no passphrase: its first line is empty",
            path.display()
        )));
    }
    let passphrase = SecretString::from(line.to_owned());
    check(&passphrase, choice).map_err(|error| error.with_remark(&format!("change {}", path.display())))?;
    Ok(passphrase)
}

/// Opens a file with something secret, which others must not be able to read.
fn private(what: &str, path: &Path) -> Result<File, CliError> {
    let file = File::open(path).map_err(|error| cannot_read(path, error))?;
    let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
    let mode = whole_file::exposure(&file).map_err(|error| cannot_read(path, error))?;
    match mode.filter(|_| is_file) {
        None => Ok(file),
        Some(mode) => {
            let path = path.display();
            Err(CliError::failed(format!(
                "{what} in {path} is open to others (mode {mode:04o}); run: chmod 600 {path}"
            )))
        }
    }
}

/// Whether a passphrase is good enough to be chosen. One that was chosen before is what it is.
fn check(passphrase: &SecretString, choice: Choice) -> Result<(), CliError> {
    let len = passphrase.expose_secret().chars().count();
    if choice == Choice::New && len < PASSPHRASE_LEN_MIN {
        return Err(CliError::Usage(format!(
            "the passphrase is too short: take {PASSPHRASE_LEN_MIN} characters or more, since whoever gets hold of the backup can try \
             as many as they like"
        )));
    }
    Ok(())
}

/// Whether somebody can be asked.
pub(in crate::cli) fn can_ask() -> bool {
    use std::io::IsTerminal;
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a passphrase on the terminal, which does not show it; twice where it is new.
pub(in crate::cli) fn ask(choice: Choice) -> Result<SecretString, CliError> {
    let terminal = console::Term::stderr();
    let one = |prompt: &str| {
        terminal
            .write_str(prompt)
            .and_then(|()| terminal.read_secure_line())
            .map(SecretString::from)
            .map_err(|error| CliError::because("cannot ask for the passphrase", error))
    };
    let passphrase = one("Passphrase for the identities in the backup: ")?;
    if passphrase.expose_secret().is_empty() {
        return Err(CliError::Usage("no passphrase was given".to_owned()));
    }
    check(&passphrase, choice)?;
    if choice == Choice::New && one("The same again: ")?.expose_secret() != passphrase.expose_secret() {
        return Err(CliError::Usage("the two passphrases are not the same".to_owned()));
    }
    Ok(passphrase)
}

/// The keys in a file as `age-keygen` writes it.
pub(in crate::cli) fn keys_in(path: &Path) -> Result<Vec<Box<dyn age::Identity>>, CliError> {
    let file = private("the key of age", path)?;
    let not_keys = |error: io::Error| {
        CliError::because(
            format!(
                "{} holds no keys of age; name the file that age-keygen wrote, with AGE-SECRET-KEY-1... in it",
                path.display()
            ),
            error,
        )
    };
    let mut text = Zeroizing::new(Vec::with_capacity(FILE_LEN_MAX));
    file.take(FILE_LEN_MAX as u64)
        .read_to_end(&mut text)
        .map_err(|error| cannot_read(path, error))?;
    age::IdentityFile::from_buffer(text.as_slice())
        .map_err(not_keys)?
        .into_identities()
        .map_err(|error| CliError::because(format!("{} holds no keys of age", path.display()), error))
}

fn cannot_read(path: &Path, error: io::Error) -> CliError {
    CliError::because(format!("cannot read {}", path.display()), error)
}

//! `backup`: all that a server knows, in one file, while it serves.

mod form;
mod noted;
mod read;
mod secrets;
mod workplace;
mod write;

#[cfg(test)]
mod tests;

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use serde::Serialize;

pub(super) use form::{FORM, Listing};
pub(super) use noted::{NOTE, noted, remove_note};
pub(super) use read::{ArchiveError, Opened, make_dir, read};
pub(super) use secrets::{Choice, Cover, Opener, Secrets, ask, can_ask, keys_in, open, passphrase_in};
pub(super) use workplace::{Workplace, clear};

use super::args::{BackupOptions, Everywhere};
use super::error::CliError;
use super::files;
use super::interruption::{self, Traces};
use super::local::{self, IDENTITY_FILE, LocalServer};
use super::output::{self, count, rfc3339};
use super::progress::Progress;
use crate::clock::Clock;
use crate::domain::backup::Backup;
use crate::domain::ids::Fingerprint;
use crate::domain::time::Timestamp;
use crate::store::backup::{Contents, Copied, copy, tally};
use crate::tls::Identity;
use form::{IDENTITIES, PACKED};
use write::Writer;

/// What stands behind the name of FILE while it is made.
const WORKPLACE: &str = ".seatkeeper-backup";

/// What `backup --json` prints.
#[derive(Serialize)]
struct Told {
    file: String,
    bytes: u64,
    #[serde(flatten)]
    holds: Holds,
    history_files: u64,
    unusable: Vec<String>,
}

/// What a backup holds, as both commands tell it.
#[derive(Serialize)]
pub(super) struct Holds {
    pub(super) made_at: String,
    server: Option<String>,
    name: Option<String>,
    fingerprint: Option<String>,
    epoch: Option<u32>,
    last_round: u64,
    pub(super) last_round_at: Option<String>,
    records: u64,
    licenses: u64,
    seats: u64,
    has_identities: bool,
}

impl From<&Listing> for Holds {
    fn from(listing: &Listing) -> Self {
        Self {
            made_at: listing.made_at.clone(),
            server: listing.server.clone(),
            name: listing.name.clone(),
            fingerprint: listing.fingerprint.clone(),
            epoch: listing.epoch,
            last_round: listing.last_round,
            last_round_at: listing.last_round_at.clone(),
            records: listing.records,
            licenses: listing.licenses,
            seats: listing.seats,
            has_identities: listing.has_identities,
        }
    }
}

impl Holds {
    /// A line of what is in it.
    pub(super) fn line(&self) -> String {
        format!(
            "server {}, epoch {}, through round {}{}: {}, {}, {}; {}",
            self.server.as_deref().unwrap_or("not founded yet"),
            self.epoch.unwrap_or_default(),
            self.last_round,
            self.last_round_at
                .as_ref()
                .map(|at| format!(" of {at}"))
                .unwrap_or_default(),
            count(self.records, "record"),
            count(self.licenses, "license"),
            count(self.seats, "seat"),
            if self.has_identities {
                "with its identities, encrypted"
            } else {
                "without its identities"
            }
        )
    }
}

pub(super) async fn run(everywhere: Everywhere, options: BackupOptions) -> Result<(), CliError> {
    let data = local::data_dir(everywhere.data.as_deref())?;
    let json = everywhere.json;
    let made = {
        let data = data.clone();
        interruption::guarded(json, "backup", move |traces| backup(json, &data, &options, traces)).await?
    };
    noted::tell(&everywhere, &data, made).await;
    Ok(())
}

fn backup(json: bool, data: &Path, options: &BackupOptions, traces: &Traces) -> Result<Backup, CliError> {
    let file = options.file.as_path();
    check_places(data, file, options.force)?;
    let cover = cover(options)?;
    let no_backup = |error| CliError::because(format!("no backup was made of {}", data.display()), error);
    let cannot_write = |error| CliError::because(format!("cannot write {}", file.display()), error);
    let Some(work) = Workplace::beside(file, WORKPLACE, traces).map_err(cannot_write)? else {
        return Err(CliError::failed(format!(
            "another backup to {} is being made; wait for it",
            file.display()
        )));
    };
    let stage = work.join("data");
    let copied = {
        let bar = Progress::of_bytes(json, 0);
        copy(data, &stage, &mut |bytes| bar.bytes(bytes)).map_err(no_backup)?
    };
    let Copied {
        contents,
        files,
        history,
        unusable,
    } = copied;
    contents
        .ledger
        .audit()
        .map_err(|error| CliError::because(format!("no backup was made of {}", data.display()), error))?;
    let made_at = Clock::system().calendar();
    let fingerprint = fingerprint(data, cover.is_some())?;
    let sealed = cover.map(|cover| sealed(data, &cover)).transpose()?;
    let listing = listing(data, &contents, made_at, fingerprint, sealed.is_some())?;
    // A large ledger is much memory.
    drop(contents);
    let draft = work.join("archive");
    let sources = Sources {
        stage: &stage,
        files,
        data,
        history,
        sealed,
    };
    let listing = sources.write(json, &draft, listing, made_at)?;
    drop(fs::remove_dir_all(&stage));
    let bytes = check_written(json, &draft).map_err(|error| {
        CliError::because(
            format!(
                "what was written beside {} cannot be read again; check its disk",
                file.display()
            ),
            error,
        )
    })?;
    traces
        .finish(|| place(&draft, file, options.force))
        .map_err(cannot_write)?;
    drop(work);
    tell(json, file, bytes, &listing, unusable)?;
    Ok(Backup {
        made_at,
        round: listing.last_round,
        bytes,
        has_identities: listing.has_identities,
    })
}

fn tell(json: bool, file: &Path, bytes: u64, listing: &Listing, unusable: Vec<String>) -> Result<(), CliError> {
    let is_history = |member: &&form::Member| member.name.starts_with("history/");
    let told = Told {
        file: file.display().to_string(),
        bytes,
        holds: listing.into(),
        history_files: listing.members.iter().filter(is_history).count() as u64,
        unusable,
    };
    if json {
        return output::json(&told);
    }
    for one in &told.unusable {
        output::note(&format!(
            "{one}; the backup goes from the one before it: check the disk"
        ));
    }
    output::line(&format!(
        "{} ({bytes} bytes): {}; and {} of its event log",
        told.file,
        told.holds.line(),
        count(told.history_files, "older file")
    ))?;
    if !told.holds.has_identities {
        output::line(
            "whatever is restored from it has another identity: agents refuse it until `seatkeeper agent trust FINGERPRINT`",
        )?;
    }
    Ok(())
}

/// Whether it can be begun at all.
fn check_places(data: &Path, file: &Path, force: bool) -> Result<(), CliError> {
    if let Err(error) = fs::read_dir(data) {
        let remedy = match error.kind() {
            io::ErrorKind::NotFound => "; say where the server's data directory is with --data DIR",
            io::ErrorKind::PermissionDenied => "; run this as the user that runs the server, or as root",
            _ => "",
        };
        return Err(CliError::because(
            format!("cannot read {}{remedy}", data.display()),
            error,
        ));
    }
    check_name(file)?;
    match fs::symlink_metadata(file) {
        Ok(there) if !there.is_file() => {
            let what = what_is(there.file_type());
            return Err(CliError::Usage(format!("{} is {what}; name a file", file.display())));
        }
        Ok(_) if !force => {
            return Err(CliError::failed(format!(
                "{} is there already; name another file, or say --force to replace it",
                file.display()
            )));
        }
        _ => {}
    }
    let dir = dir_of(file);
    let inside = fs::canonicalize(dir)
        .and_then(|dir| Ok(dir.starts_with(fs::canonicalize(data)?)))
        .map_err(|error| CliError::because(format!("cannot write to {}", dir.display()), error))?;
    if inside {
        return Err(CliError::Usage(format!(
            "{} is in the data directory itself, and would be lost with it; name a file elsewhere",
            file.display()
        )));
    }
    Ok(())
}

/// Whether a backup can have that name at all.
fn check_name(file: &Path) -> Result<(), CliError> {
    let name = file.as_os_str();
    if name == "-" {
        return Err(CliError::Usage(
            "a backup cannot go through a pipe: its list is filled in at the end; name a file (./- for one of that name)".to_owned(),
        ));
    }
    if name.as_encoded_bytes().ends_with(b"/") || file.file_name().is_none() {
        return Err(CliError::Usage(format!(
            "{} names a directory; name a file in it",
            file.display()
        )));
    }
    Ok(())
}

/// What something is that is no plain file.
pub(super) fn what_is(kind: fs::FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match () {
        () if kind.is_dir() => "a directory",
        () if kind.is_symlink() => "a link",
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    }
}

/// How the identities are to be encrypted; nothing where they are to be left out.
fn cover(options: &BackupOptions) -> Result<Option<Cover>, CliError> {
    let options = &options.cover;
    if options.without_identity {
        return Ok(None);
    }
    if !options.recipient.is_empty() {
        return Ok(Some(Cover::Recipients(options.recipient.clone())));
    }
    if let Some(path) = &options.passphrase_file {
        return passphrase_in(path, Choice::New).map(|passphrase| Some(Cover::Passphrase(passphrase)));
    }
    if can_ask() {
        return ask(Choice::New).map(|passphrase| Some(Cover::Passphrase(passphrase)));
    }
    Err(CliError::Usage(
        "say how the server's identities are encrypted: --passphrase-file FILE, or --recipient age1... for a key of age; \
         or leave them out with --without-identity"
            .to_owned(),
    ))
}

/// The server's identity, which must be one that a server can start with where it goes into the backup: that it is not is
/// better learned now than on the day of a restore.
fn fingerprint(data: &Path, is_needed: bool) -> Result<Option<Fingerprint>, CliError> {
    let path = data.join(IDENTITY_FILE);
    match Identity::load(&path) {
        Ok(identity) => Ok(Some(Fingerprint(identity.fingerprint()))),
        Err(error) if is_needed => Err(CliError::because(
            format!(
                "no backup was made: {} cannot be used; put it back or mend it, or say --without-identity",
                path.display()
            ),
            error,
        )),
        Err(_) => Ok(None),
    }
}

/// The secret files, encrypted.
fn sealed(data: &Path, cover: &Cover) -> Result<Vec<u8>, CliError> {
    secrets::seal(data, cover)?.ok_or_else(|| {
        CliError::failed(format!(
            "{} has no {IDENTITY_FILE} and no other key; say --without-identity, or put them back",
            data.display()
        ))
    })
}

/// What an archive is made of.
struct Sources<'a> {
    /// Where the files are that were copied.
    stage: &'a Path,
    files: Vec<String>,
    /// Where the history is.
    data: &'a Path,
    history: Vec<String>,
    sealed: Option<Vec<u8>>,
}

impl Sources<'_> {
    fn write(self, json: bool, draft: &Path, listing: Listing, made_at: Timestamp) -> Result<Listing, CliError> {
        let failed = |error| CliError::because(format!("cannot write {}", draft.display()), error);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let names = self.files.iter().chain(&self.history);
        let names = names.map(|name| name.len() + PACKED.len()).chain([IDENTITIES.len()]);
        let mut writer = Writer::begin(options.open(draft).map_err(failed)?, made_at.0, names).map_err(failed)?;
        let size = |path: PathBuf| fs::metadata(path).map_or(0, |metadata| metadata.len());
        let staged = self.files.iter().map(|name| size(self.stage.join(name)));
        let kept = self.history.iter().map(|name| size(self.data.join(name)));
        let bar = Progress::of_bytes(json, staged.chain(kept).sum());
        let mut told = |bytes| bar.bytes(bytes);
        for name in &self.files {
            // Texts stay texts.
            let is_packed = name.contains('/');
            let path = self.stage.join(name);
            let mut from = File::open(&path).map_err(|error| cannot_read(&path, error))?;
            writer.add(name, is_packed, &mut from, &mut told).map_err(failed)?;
        }
        for name in &self.history {
            let path = self.data.join(name);
            match File::open(&path) {
                Ok(mut from) => writer.add(name, false, &mut from, &mut told).map_err(failed)?,
                // Its time was over, and so is that of all that are older.
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                Err(error) => return Err(cannot_read(&path, error)),
            }
        }
        if let Some(sealed) = &self.sealed {
            writer
                .add(IDENTITIES, false, &mut sealed.as_slice(), &mut told)
                .map_err(failed)?;
        }
        let (_, listing) = writer.end(listing).map_err(failed)?;
        Ok(listing)
    }
}

fn cannot_read(path: &Path, error: io::Error) -> CliError {
    CliError::because(format!("cannot read {}", path.display()), error)
}

/// What the list says besides the members.
fn listing(
    data: &Path,
    contents: &Contents,
    made_at: Timestamp,
    fingerprint: Option<Fingerprint>,
    has_identities: bool,
) -> Result<Listing, CliError> {
    let (records, digest) =
        tally(&contents.ledger).map_err(|error| CliError::because("cannot count the records", error))?;
    Ok(Listing {
        backup_form: FORM,
        made_by: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: rfc3339(Some(made_at)).unwrap_or_default(),
        server: contents.ledger.server().map(|server| server.id.to_string()),
        name: LocalServer::read(data).and_then(|local| local.name),
        fingerprint: fingerprint.map(|fingerprint| fingerprint.to_string()),
        epoch: contents.ledger.server().map(|server| server.epoch),
        last_round: contents.round,
        last_round_at: contents.now.and_then(|now| rfc3339(Some(now.latest()))),
        records,
        digest: format!("{digest:032x}"),
        licenses: contents.ledger.license_count(),
        seats: contents.ledger.seat_count(),
        has_identities,
        members: Vec::new(),
    })
}

/// Reads what was written, as a restore would; its bytes.
fn check_written(json: bool, draft: &Path) -> Result<u64, ArchiveError> {
    let failed = |source| ArchiveError::Io {
        what: "reading it".to_owned(),
        source,
    };
    let file = File::open(draft).map_err(failed)?;
    let len = file.metadata().map_err(failed)?.len();
    let bar = Progress::of_bytes(json, len);
    read(BufReader::new(file), len, None, &mut |bytes| bar.bytes(bytes))?;
    Ok(len)
}

/// Gives the archive its name.
fn place(draft: &Path, file: &Path, force: bool) -> io::Result<()> {
    files::place(draft, file, force)?;
    File::open(dir_of(file))?.sync_all()
}

fn dir_of(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

//! `restore`: a server's data directory from a backup, with its epoch raised.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::args::{Everywhere, RestoreOptions};
use super::backup::{self, ArchiveError, Holds, Listing, Opened, Opener, Workplace};
use super::error::CliError;
use super::local::{self, ADMIN_FILE, IDENTITY_FILE};
use super::output;
use super::progress::Progress;
use crate::clock::Clock;
use crate::domain::command::{Actor, Command};
use crate::domain::ids::Fingerprint;
use crate::domain::reply::Reply;
use crate::domain::time::Timestamp;
use crate::service::{NewSeatLimits, Request, Writer};
use crate::store::backup::tally;
use crate::store::{Disk, DiskStore, OsDisk};
use crate::tls::Identity;

/// What stands behind the name of DIR while it is made.
const WORKPLACE: &str = ".seatkeeper-restore";

/// What `restore --json` prints.
#[derive(Serialize)]
struct Told {
    data: String,
    restored: bool,
    #[serde(flatten)]
    holds: Holds,
    epoch_now: u32,
    identities: Vec<String>,
}

pub(super) async fn run(everywhere: Everywhere, options: RestoreOptions) -> Result<(), CliError> {
    let data = local::data_dir(everywhere.data.as_deref())?;
    tokio::task::spawn_blocking(move || restore(everywhere.json, &data, &options))
        .await
        .map_err(|error| CliError::because("the restore panicked", error))?
}

fn restore(json: bool, data: &Path, options: &RestoreOptions) -> Result<(), CliError> {
    let target = target(data)?;
    let file = options.file.as_path();
    let opener = opener(options)?;
    let cannot = |error| CliError::because(format!("cannot make {}", target.display()), error);
    let Some(work) = Workplace::beside(&target, WORKPLACE).map_err(cannot)? else {
        return Err(CliError::failed(format!(
            "another restore to {} is under way; wait for it",
            target.display()
        )));
    };
    let made = work.join("data");
    backup::make_dir(&made).map_err(cannot)?;
    let Opened { listing, identities } = unpack(json, file, &made)
        .map_err(|error| CliError::because(format!("cannot restore {}", file.display()), error))?;
    let names = match (identities, options.opener.without_identity) {
        (Some(sealed), false) => {
            let opener = match opener {
                Some(opener) => opener,
                None => asked()?,
            };
            backup::open(&sealed, &opener, Some(&made))?
        }
        _ => Vec::new(),
    };
    let fingerprint = check_identity(&made, &names, &listing)?;
    let made_at: jiff::Timestamp = listing
        .made_at
        .parse()
        .map_err(|error| CliError::because("the backup does not say when it was made", error))?;
    let made_at = Timestamp(u64::try_from(made_at.as_second()).unwrap_or_default());
    let epoch_now = raise_epoch(&made, &listing, made_at, options.dry_run)
        .map_err(|error| error.with_remark(&format!("{} was not touched", target.display())))?;
    if !options.dry_run {
        OsDisk
            .sync_tree(&made)
            .and_then(|()| fs::rename(&made, &target))
            .and_then(|()| File::open(parent_of(&target))?.sync_all())
            .map_err(|error| {
                CliError::because(
                    format!(
                        "cannot make {} (where it is a mount point, name a directory inside it)",
                        target.display()
                    ),
                    error,
                )
            })?;
    }
    drop(work);
    let told = Told {
        data: target.display().to_string(),
        restored: !options.dry_run,
        holds: (&listing).into(),
        epoch_now,
        identities: names,
    };
    if json {
        return output::json(&told);
    }
    tell(&told, file, fingerprint)
}

fn tell(told: &Told, file: &Path, fingerprint: Option<Fingerprint>) -> Result<(), CliError> {
    output::line(&format!("{}: {}", file.display(), told.holds.line()))?;
    if !told.restored {
        return output::line(&format!(
            "all of it holds; nothing was done: {} would be at epoch {}",
            told.data, told.epoch_now
        ));
    }
    output::line(&format!(
        "restored to {}, epoch {} from now on",
        told.data, told.epoch_now
    ))?;
    match fingerprint {
        Some(fingerprint) => output::line(&format!(
            "agents that know {fingerprint} find it by themselves, and refuse the server that the backup is of once they have met it"
        ))?,
        None => output::line(
            "it has no identity: its first start makes one, and agents refuse it until `seatkeeper agent trust FINGERPRINT`, \
             which `seatkeeper status` shows",
        )?,
    }
    if !told.identities.iter().any(|name| name == ADMIN_FILE) {
        output::line("it has no administrator's key: start it once with `serve --recover-admin`")?;
    }
    output::line("the server that the backup is of must not run any more: stop it for good before this one starts")?;
    if nix::unistd::Uid::effective().is_root() {
        output::line(&format!(
            "its files are root's: give them to the user that runs the server (chown -R USER: {}); the systemd unit does that \
             by itself when it starts",
            told.data
        ))?;
    }
    Ok(())
}

/// Where it goes: a directory that is not there, or is empty.
fn target(data: &Path) -> Result<PathBuf, CliError> {
    let cannot = |error| CliError::because(format!("cannot use {}", data.display()), error);
    let target = match fs::canonicalize(data) {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let name = data
                .file_name()
                .ok_or_else(|| CliError::Usage(format!("{} is no name for a directory", data.display())))?;
            let parent = parent_of(data);
            backup::make_dir(parent).map_err(cannot)?;
            return Ok(fs::canonicalize(parent).map_err(cannot)?.join(name));
        }
        Err(error) => return Err(cannot(error)),
    };
    match fs::read_dir(&target).map_err(cannot)?.next() {
        None => Ok(target),
        Some(entry) => {
            let name = entry.map_err(cannot)?.file_name();
            Err(CliError::failed(format!(
                "{} is not empty: it holds {}; move it away, or name another directory with --data DIR",
                data.display(),
                name.display()
            )))
        }
    }
}

fn parent_of(dir: &Path) -> &Path {
    match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// What was named to decrypt the identities with.
fn opener(options: &RestoreOptions) -> Result<Option<Opener>, CliError> {
    let options = &options.opener;
    if let Some(path) = &options.passphrase_file {
        return backup::passphrase_in(path).map(|passphrase| Some(Opener::Passphrase(passphrase)));
    }
    if let Some(path) = &options.key_file {
        return backup::keys_in(path).map(|keys| Some(Opener::Keys(keys)));
    }
    Ok(None)
}

/// What somebody says who is asked for it.
fn asked() -> Result<Opener, CliError> {
    if backup::can_ask() {
        return backup::ask(false).map(Opener::Passphrase);
    }
    Err(CliError::Usage(
        "the server's identities in the backup are encrypted: say --passphrase-file FILE, or --identity FILE with a key of age; \
         or go without them with --without-identity"
            .to_owned(),
    ))
}

fn unpack(json: bool, file: &Path, into: &Path) -> Result<Opened, ArchiveError> {
    let failed = |source| ArchiveError::Io {
        what: "opening it".to_owned(),
        source,
    };
    let archive = File::open(file).map_err(failed)?;
    let len = archive.metadata().map_err(failed)?.len();
    let bar = Progress::of_bytes(json, len);
    backup::read(archive, len, Some(into), &mut |bytes| bar.bytes(bytes))
}

/// The identity that the server will have, which must be the one that the list tells of.
fn check_identity(made: &Path, names: &[String], listing: &Listing) -> Result<Option<Fingerprint>, CliError> {
    if !names.iter().any(|name| name == IDENTITY_FILE) {
        return Ok(None);
    }
    let identity = Identity::load(&made.join(IDENTITY_FILE))
        .map_err(|error| CliError::because("the server's identity in the backup cannot be used", error))?;
    let fingerprint = Fingerprint(identity.fingerprint());
    match &listing.fingerprint {
        Some(told) if *told != fingerprint.to_string() => Err(CliError::failed(
            "the identity in the backup is not the one that its list tells of: somebody changed it",
        )),
        _ => Ok(Some(fingerprint)),
    }
}

/// Loads what was unpacked as a start does, compares it with the list, and raises the epoch. The epoch from then on.
fn raise_epoch(made: &Path, listing: &Listing, made_at: Timestamp, dry_run: bool) -> Result<u32, CliError> {
    let cannot = |error| CliError::because("what is in the backup does not hold", error);
    let mut writer = DiskStore::open(made).map_err(cannot).and_then(|store| {
        Writer::load(store, NewSeatLimits::default())
            .map_err(|error| CliError::because("what is in the backup does not hold", error))
    })?;
    let (records, digest) = tally(writer.ledger()).map_err(cannot)?;
    let server = writer.ledger().server().copied();
    let found = (
        writer.last_round(),
        records,
        format!("{digest:032x}"),
        server.map(|server| server.id.to_string()),
        server.map(|server| server.epoch),
    );
    let told = (
        listing.last_round,
        listing.records,
        listing.digest.clone(),
        listing.server.clone(),
        listing.epoch,
    );
    if found != told {
        return Err(CliError::failed(format!(
            "what is in the backup is not what its list tells of: {} records through round {} where {} through round {} should \
             be, or others",
            found.1, found.0, told.1, told.0
        )));
    }
    let Some(server) = server else { return Ok(0) };
    if server.epoch == u32::MAX {
        return Err(CliError::failed(
            "the epoch in the backup is the last that there is: no server of it could be told from the one before; take an \
             older backup",
        ));
    }
    if dry_run {
        return Ok(server.epoch.saturating_add(1));
    }
    let clock = Clock::system();
    let request = Request {
        actor: Actor::Server,
        command: Command::Restore { made_at },
    };
    // Every seat is looked at first, a portion in each round; the epoch comes last.
    loop {
        let replies = writer.round(std::slice::from_ref(&request), clock.reading());
        if !matches!(replies.map_err(cannot)?.as_slice(), [Reply::Unfinished]) {
            break;
        }
    }
    writer.finish(clock.reading()).map_err(cannot)?;
    let epoch = writer.ledger().server().map_or(0, |server| server.epoch);
    drop(writer);
    // What says which process has a directory is that of the next one.
    drop(fs::remove_file(made.join("LOCK")));
    Ok(epoch)
}

/// A restore without identities, for tests of what it refuses.
#[cfg(test)]
pub(super) fn tests_restore(data: &Path, file: &Path) -> Result<(), CliError> {
    let options = RestoreOptions {
        file: file.to_owned(),
        dry_run: false,
        opener: super::args::OpenerOptions {
            passphrase_file: None,
            key_file: None,
            without_identity: true,
        },
    };
    restore(true, data, &options)
}

//! `restore`: a server's data directory from a backup, with its epoch raised.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::args::{Everywhere, RestoreOptions};
use super::backup::{self, ArchiveError, Choice, Holds, Listing, Opened, Opener, Secrets, Workplace};
use super::error::CliError;
use super::interruption::{self, Traces};
use super::local::{self, ADMIN_FILE, IDENTITY_FILE};
use super::output;
use super::ownership::Owner;
use super::progress::Progress;
use crate::clock::Clock;
use crate::domain::command::{Actor, Command};
use crate::domain::ids::Fingerprint;
use crate::domain::reply::Reply;
use crate::domain::time::Timestamp;
use crate::service::{NewSeatLimits, Request, Writer};
use crate::store::backup::tally;
use crate::store::{Disk, DiskStore, OsDisk, StoreError};
use crate::tls::Identity;

/// What stands behind the name of DIR while it is made.
const WORKPLACE: &str = ".seatkeeper-restore";

/// Links that are followed to a directory, and directories that are missing on the way there, at most.
const LINKS_MAX: u32 = 40;

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
    local::be_private();
    let json = everywhere.json;
    interruption::guarded(json, "restore", move |traces| {
        let done = restore(&data, &options, &Clock::system(), traces, json)?;
        if json {
            return output::json(&done.told);
        }
        done.tell(&options.file)
    })
    .await
}

/// What was done.
struct Done {
    told: Told,
    /// The identity that the server has.
    fingerprint: Option<Fingerprint>,
    /// Whose the directory is, where it is not whoever restored it.
    owner: Option<Owner>,
}

fn restore(
    data: &Path,
    options: &RestoreOptions,
    clock: &Clock,
    traces: &Traces,
    is_quiet: bool,
) -> Result<Done, CliError> {
    let file = options.file.as_path();
    check_file(file)?;
    let target = target(data)?;
    let opener = opener(options)?;
    let cannot = |error| CliError::because(format!("cannot make {}", target.display()), error);
    let Some(work) = Workplace::beside(&target, WORKPLACE, traces).map_err(cannot)? else {
        return Err(CliError::failed(format!(
            "another restore to {} is under way; wait for it",
            target.display()
        )));
    };
    let made = work.join("data");
    backup::make_dir(&made).map_err(cannot)?;
    let Opened { listing, identities } = unpack(is_quiet, file, &made)
        .map_err(|error| CliError::because(format!("cannot restore {}", file.display()), error))?;
    let secrets = match (identities, options.opener.without_identity) {
        (Some(sealed), false) => {
            let opener = match opener {
                Some(opener) => opener,
                None => asked()?,
            };
            backup::open(&sealed, &opener)?
        }
        _ => Secrets::default(),
    };
    let fingerprint = check_identity(&secrets, &listing)?;
    let mut holds = Holds::from(&listing);
    let raise = Raise {
        made_at: made_at(&listing)?,
        above: options.epoch_above.unwrap_or_default(),
        dry_run: options.dry_run,
        clock,
    };
    let epoch_now = raise
        .epoch(&made, &listing, &mut holds)
        .map_err(|error| error.with_remark(&format!("{} was not touched", target.display())))?;
    // An empty directory that is there already says whose the server is.
    let owner = match Owner::of(&target) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(cannot(error)),
        found => found.unwrap_or_default(),
    };
    if !options.dry_run {
        OsDisk.sync_tree(&made).map_err(cannot)?;
        // Keys are on a disk as late as can be: whatever ends this before leaves none.
        secrets.write(&made)?;
        place(&made, &target, owner, traces)?;
    }
    drop(work);
    Ok(Done {
        told: Told {
            data: target.display().to_string(),
            restored: !options.dry_run,
            holds,
            epoch_now,
            identities: secrets.names(),
        },
        fingerprint,
        owner,
    })
}

/// Gives the directory its owner and its name.
fn place(made: &Path, target: &Path, owner: Option<Owner>, traces: &Traces) -> Result<(), CliError> {
    let named = || {
        if let Some(owner) = owner {
            owner.take(made)?;
        }
        File::open(made)?.sync_all()?;
        fs::rename(made, target)?;
        File::open(parent_of(target))?.sync_all()
    };
    traces.finish(named).map_err(|error| {
        CliError::because(
            format!(
                "cannot make {} (where it is a mount point, name a directory inside it)",
                target.display()
            ),
            error,
        )
    })
}

/// Whether a backup can be read from there: its length is known, and it is not waited for.
fn check_file(file: &Path) -> Result<(), CliError> {
    if file.as_os_str() == "-" {
        return Err(CliError::Usage(
            "a backup cannot go through a pipe: all of it is checked first; name a file (./- for one of that name)"
                .to_owned(),
        ));
    }
    match fs::metadata(file) {
        Ok(found) if !found.is_file() => Err(CliError::Usage(format!(
            "{} is {}; name the file that `seatkeeper backup` made",
            file.display(),
            backup::what_is(found.file_type())
        ))),
        Ok(_) => Ok(()),
        Err(error) => Err(CliError::because(format!("cannot read {}", file.display()), error)),
    }
}

fn made_at(listing: &Listing) -> Result<Timestamp, CliError> {
    let told: jiff::Timestamp = listing
        .made_at
        .parse()
        .map_err(|error| CliError::because("the backup does not say when it was made", error))?;
    Ok(Timestamp(u64::try_from(told.as_second()).unwrap_or_default()))
}

impl Done {
    fn tell(self, file: &Path) -> Result<(), CliError> {
        let Self {
            told,
            fingerprint,
            owner,
        } = self;
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
        output::line(
            "the server that the backup is of, and any other that was restored from it, must not run any more: stop it for good \
             before this one starts",
        )?;
        if nix::unistd::Uid::effective().is_root() && owner.is_none() {
            output::line(&format!(
                "its files are root's: give them to the user that runs the server (chown -R USER: {}); the systemd unit does that \
                 by itself when it starts",
                told.data
            ))?;
        }
        Ok(())
    }
}

/// Where it goes: a directory that is not there, or is empty.
fn target(data: &Path) -> Result<PathBuf, CliError> {
    let cannot = |error| CliError::because(format!("cannot use {}", data.display()), error);
    let target = resolved(data, LINKS_MAX)?;
    match fs::read_dir(&target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(target),
        Err(error) => Err(cannot(error)),
        Ok(mut entries) => match entries.next() {
            None => Ok(target),
            Some(entry) => {
                let name = entry.map_err(cannot)?.file_name();
                Err(CliError::failed(format!(
                    "{} is not empty: it holds {}; move it away, or name another directory with --data DIR",
                    data.display(),
                    name.display()
                )))
            }
        },
    }
}

/// The same place without links in it, whether something is there or not: a dynamic user of systemd has a link to a directory
/// that may be gone.
fn resolved(path: &Path, links: u32) -> Result<PathBuf, CliError> {
    let cannot = |error| CliError::because(format!("cannot use {}", path.display()), error);
    match fs::canonicalize(path) {
        Ok(there) => return Ok(there),
        Err(error) if error.kind() != io::ErrorKind::NotFound || links == 0 => return Err(cannot(error)),
        Err(_) => {}
    }
    let name = path
        .file_name()
        .ok_or_else(|| CliError::Usage(format!("{} is no name for a directory", path.display())))?;
    let place = resolved(parent_of(path), links - 1)?.join(name);
    match fs::read_link(&place) {
        Ok(leads_to) => resolved(&parent_of(&place).join(leads_to), links - 1),
        Err(_) => Ok(place),
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
        return backup::passphrase_in(path, Choice::Known).map(|passphrase| Some(Opener::Passphrase(passphrase)));
    }
    if let Some(path) = &options.key_file {
        return backup::keys_in(path).map(|keys| Some(Opener::Keys(keys)));
    }
    Ok(None)
}

/// What somebody says who is asked for it.
fn asked() -> Result<Opener, CliError> {
    if backup::can_ask() {
        return backup::ask(Choice::Known).map(Opener::Passphrase);
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
fn check_identity(secrets: &Secrets, listing: &Listing) -> Result<Option<Fingerprint>, CliError> {
    let told: Option<Fingerprint> = match &listing.fingerprint {
        Some(told) => Some(told.parse().map_err(|_| {
            CliError::failed("the list of the backup tells of an identity that is none: somebody changed it")
        })?),
        None => None,
    };
    let Some(pem) = secrets.text(IDENTITY_FILE) else {
        return Ok(None);
    };
    let unusable = "the server's identity in the backup cannot be used";
    let pem = std::str::from_utf8(pem).map_err(|error| CliError::because(unusable, error))?;
    let identity = Identity::from_pem(pem).map_err(|error| CliError::because(unusable, error))?;
    let fingerprint = Fingerprint(identity.fingerprint());
    match told {
        Some(told) if told != fingerprint => Err(CliError::failed(
            "the identity in the backup is not the one that its list tells of: somebody changed it",
        )),
        _ => Ok(Some(fingerprint)),
    }
}

/// How the epoch is raised.
struct Raise<'a> {
    made_at: Timestamp,
    above: u32,
    dry_run: bool,
    clock: &'a Clock,
}

impl Raise<'_> {
    /// Loads what was unpacked as a start does, compares it with the list, and raises the epoch. The epoch from then on.
    fn epoch(&self, made: &Path, listing: &Listing, holds: &mut Holds) -> Result<u32, CliError> {
        let mut writer = DiskStore::open(made).map_err(does_not_hold).and_then(|store| {
            Writer::load(store, NewSeatLimits::default())
                .map_err(|error| CliError::because("what is in the backup does not hold", error))
        })?;
        check_ledger(&writer, listing)?;
        // What is told is what was loaded, whatever texts the list has.
        holds.made_at = output::rfc3339(Some(self.made_at)).unwrap_or_default();
        holds.last_round_at = output::rfc3339(writer.last_round_at());
        let Some(server) = writer.ledger().server().copied() else {
            return Ok(0);
        };
        let now = self.clock.calendar();
        let epoch = server.epoch_restored(now, self.above).ok_or_else(|| {
            CliError::failed(
                "the epoch in the backup is the last that there is: no server of it could be told from the one before; take \
                 an older backup",
            )
        })?;
        if now < self.made_at {
            output::note(
                "the clock of this host is behind the time when the backup was made: machines may hold with another server that \
                 was restored from it; set the clock and restore again, or say --epoch-above N",
            );
        }
        if self.dry_run {
            return Ok(epoch);
        }
        let request = Request {
            actor: Actor::Server,
            command: Command::Restore {
                made_at: self.made_at,
                epoch,
            },
        };
        // Every seat is looked at first, a portion in each round; the epoch comes last.
        loop {
            let replies = writer.round(std::slice::from_ref(&request), self.clock.reading());
            if !matches!(replies.map_err(does_not_hold)?.as_slice(), [Reply::Unfinished]) {
                break;
            }
        }
        writer.finish(self.clock.reading()).map_err(does_not_hold)?;
        let epoch = writer.ledger().server().map_or(0, |server| server.epoch);
        drop(writer);
        // What says which process has a directory is that of the next one.
        drop(fs::remove_file(made.join("LOCK")));
        Ok(epoch)
    }
}

fn does_not_hold(error: StoreError) -> CliError {
    CliError::because("what is in the backup does not hold", error)
}

/// Whether what was loaded is what the list tells of.
fn check_ledger(writer: &Writer<DiskStore>, listing: &Listing) -> Result<(), CliError> {
    let (records, digest) = tally(writer.ledger()).map_err(does_not_hold)?;
    let server = writer.ledger().server().copied();
    let found = (
        writer.last_round(),
        records,
        format!("{digest:032x}"),
        server.map(|server| server.id.to_string()),
        server.map(|server| server.epoch),
        (writer.ledger().license_count(), writer.ledger().seat_count()),
    );
    let told = (
        listing.last_round,
        listing.records,
        listing.digest.clone(),
        listing.server.clone(),
        listing.epoch,
        (listing.licenses, listing.seats),
    );
    if found == told {
        return Ok(());
    }
    Err(CliError::failed(format!(
        "what is in the backup is not what its list tells of: {} records through round {} where {} through round {} should \
         be, or others",
        found.1, found.0, told.1, told.0
    )))
}

#[cfg(test)]
fn tests_options(file: &Path, dry_run: bool, epoch_above: Option<u32>) -> RestoreOptions {
    RestoreOptions {
        file: file.to_owned(),
        dry_run,
        epoch_above,
        opener: super::args::OpenerOptions {
            passphrase_file: None,
            key_file: None,
            without_identity: true,
        },
    }
}

/// A restore without identities, for tests of what it refuses.
#[cfg(test)]
pub(super) fn tests_restore(data: &Path, file: &Path) -> Result<(), CliError> {
    tests_restore_at(data, file, &Clock::system(), None)
}

/// The same by another clock, and above an epoch.
#[cfg(test)]
pub(super) fn tests_restore_at(data: &Path, file: &Path, clock: &Clock, above: Option<u32>) -> Result<(), CliError> {
    let options = tests_options(file, false, above);
    restore(data, &options, clock, &Traces::default(), true).map(|_| ())
}

/// What a restore says that it would be of.
#[cfg(test)]
pub(super) fn tests_dry_run(data: &Path, file: &Path) -> Result<String, CliError> {
    let options = tests_options(file, true, None);
    let done = restore(data, &options, &Clock::system(), &Traces::default(), true)?;
    Ok(done.told.holds.line())
}

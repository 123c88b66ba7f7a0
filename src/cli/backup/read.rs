//! Reads a backup's archive: nothing of it counts that its list does not tell of, in this order, of this length and hash.

use std::fs::{self, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::form::{
    FORM, IDENTITIES, IDENTITIES_LEN_MAX, LIST, LIST_LEN_MAX, LIST_SUM, Listing, MEMBERS_MAX, Member, Versioned,
};
use super::write::{BLOCK, padded, sum_len, sum_text};
use crate::client::harmless;
use crate::store::backup::is_part;

/// Bytes that are taken at a time.
const CHUNK: usize = 256 << 10;

/// Why a file is not taken for a backup.
#[derive(Debug, Error)]
pub(in crate::cli) enum ArchiveError {
    /// A member does not hold what it should.
    #[error("{member} in it is damaged: {what}")]
    Changed { member: String, what: &'static str },
    /// It ends too early.
    #[error("it is cut short {place}")]
    Cut { place: String },
    /// The head of a member is no such head.
    #[error("it is damaged where {member} should begin; take another copy of it")]
    Head { member: String },
    /// It cannot be read, or what is in it not be written.
    #[error("{what} failed")]
    Io {
        what: String,
        #[source]
        source: io::Error,
    },
    /// A newer release wrote it.
    #[error("it was made by a newer seatkeeper (form {form}, this one reads up to {FORM}); use that one")]
    Newer { form: u32 },
    /// It is something else.
    #[error("it is no backup of a seatkeeper server: {why}")]
    NotOne { why: String },
    /// It holds what does not belong there.
    #[error("{member:?} stands in it {instead}: somebody changed it, and nothing of it is taken")]
    Stranger { member: String, instead: String },
}

/// What a backup holds, once all of it was read.
pub(in crate::cli) struct Opened {
    pub(in crate::cli) listing: Listing,
    /// The member with the identities, as it is.
    pub(in crate::cli) identities: Option<Vec<u8>>,
}

/// Reads an archive of `len` bytes. Its files go into `into`, an empty directory, if there is one; `told` is told of bytes
/// that were read.
pub(in crate::cli) fn read(
    from: impl Read,
    len: u64,
    into: Option<&Path>,
    told: &mut dyn FnMut(u64),
) -> Result<Opened, ArchiveError> {
    match read_whole(from, len, into, told) {
        // No archive ends in the midst of a block.
        Err(ArchiveError::Head { .. }) if !len.is_multiple_of(BLOCK) => Err(ArchiveError::Cut {
            place: format!("after {len} bytes"),
        }),
        outcome => outcome,
    }
}

fn read_whole(
    from: impl Read,
    len: u64,
    into: Option<&Path>,
    told: &mut dyn FnMut(u64),
) -> Result<Opened, ArchiveError> {
    let mut archive = tar::Archive::new(BufReader::with_capacity(CHUNK, from));
    let entries = archive.entries().map_err(unreadable(LIST))?;
    // As they are: no extension of the format has any say.
    let mut entries = entries.raw(true);
    let mut next = |name: &str| next_entry(&mut entries, name);
    let (listing, list_len) = listing(&mut next)?;
    check(&listing)?;
    let members = listing.members.iter().map(|member| BLOCK + padded(member.length));
    let whole = BLOCK + padded(list_len) + BLOCK + padded(sum_len()) + members.sum::<u64>() + 2 * BLOCK;
    if len < whole {
        let place = format!("after {len} of {whole} bytes");
        return Err(ArchiveError::Cut { place });
    }
    let mut identities = None;
    for member in &listing.members {
        let mut entry = next(&member.name)?;
        if entry.size() != member.length {
            return Err(changed(member, "its length is not the one in the list"));
        }
        let mut hashed = Hashed::new(&mut entry, told);
        if member.name == IDENTITIES {
            let mut bytes = Vec::new();
            hashed.read_to_end(&mut bytes).map_err(reading(member))?;
            identities = Some(bytes);
        } else {
            let file = into.map(|into| into.join(member.file()));
            unpack(member, &mut hashed, file.as_deref())?;
        }
        let (read, sha256) = hashed.end().map_err(reading(member))?;
        if read != member.length {
            return Err(ArchiveError::Cut {
                place: format!("in {}", member.name),
            });
        }
        if sha256 != member.sha256 {
            return Err(changed(member, "its SHA-256 is not the one in the list"));
        }
    }
    match entries.next() {
        None if len == whole => Ok(Opened { listing, identities }),
        None => Err(ArchiveError::Stranger {
            member: format!("{} bytes", len - whole),
            instead: "behind its end".to_owned(),
        }),
        Some(entry) => {
            let entry = entry.map_err(unreadable("its end"))?;
            Err(ArchiveError::Stranger {
                member: name_of(&entry),
                instead: "behind its last member".to_owned(),
            })
        }
    }
}

type Entry<'a, R> = tar::Entry<'a, R>;

fn next_entry<'a, R: Read>(entries: &mut tar::Entries<'a, R>, expected: &str) -> Result<Entry<'a, R>, ArchiveError> {
    let entry = match entries.next() {
        Some(entry) => entry.map_err(unreadable(expected))?,
        None => {
            return Err(ArchiveError::Cut {
                place: format!("before {expected}"),
            });
        }
    };
    let (name, kind) = (name_of(&entry), entry.header().entry_type());
    if name != expected {
        return Err(ArchiveError::Stranger {
            member: name,
            instead: format!("where {expected} should"),
        });
    }
    if kind != tar::EntryType::Regular {
        return Err(ArchiveError::Stranger {
            member: name,
            instead: "and is no plain file".to_owned(),
        });
    }
    Ok(entry)
}

fn name_of<R: Read>(entry: &Entry<'_, R>) -> String {
    String::from_utf8_lossy(&entry.header().path_bytes()).into_owned()
}

/// The list, and the bytes of its member.
fn listing<'a, R: Read + 'a>(
    next: &mut dyn FnMut(&str) -> Result<Entry<'a, R>, ArchiveError>,
) -> Result<(Listing, u64), ArchiveError> {
    let not_one = |why: &str| ArchiveError::NotOne { why: why.to_owned() };
    let first = next(LIST).map_err(|error| match error {
        ArchiveError::Head { .. } | ArchiveError::Stranger { .. } => {
            not_one("it does not begin as one; is it the right file, and whole?")
        }
        ArchiveError::Cut { .. } => not_one("it is empty"),
        other => other,
    })?;
    let len = first.size();
    let text = whole_text(first, LIST_LEN_MAX)?;
    let sum = whole_text(next(LIST_SUM)?, sum_len())?;
    if sum != sum_text(&text).as_bytes() {
        return Err(ArchiveError::Changed {
            member: LIST.to_owned(),
            what: "its SHA-256 is not the one that follows it",
        });
    }
    let read = |error: serde_json::Error| {
        not_one(&format!(
            "its list cannot be read: {}",
            harmless::text(&error.to_string())
        ))
    };
    let Versioned { backup_form } = serde_json::from_slice(&text).map_err(read)?;
    if backup_form != FORM {
        return Err(ArchiveError::Newer { form: backup_form });
    }
    Ok((serde_json::from_slice(&text).map_err(read)?, len))
}

fn whole_text<R: Read>(entry: Entry<'_, R>, max: u64) -> Result<Vec<u8>, ArchiveError> {
    let (name, len) = (name_of(&entry), entry.size());
    if len > max {
        return Err(ArchiveError::Changed {
            member: name,
            what: "it is longer than any",
        });
    }
    let mut text = Vec::new();
    let read = entry
        .take(len)
        .read_to_end(&mut text)
        .map_err(|source| ArchiveError::Io {
            what: format!("reading {name}"),
            source,
        })?;
    if read as u64 != len {
        return Err(ArchiveError::Cut {
            place: format!("in {name}"),
        });
    }
    Ok(text)
}

/// Whether a list tells of nothing but what a backup can hold. Whoever can write a list can write its hash.
fn check(listing: &Listing) -> Result<(), ArchiveError> {
    let stranger = |member: &Member, instead: &str| {
        Err(ArchiveError::Stranger {
            member: member.name.clone(),
            instead: instead.to_owned(),
        })
    };
    if listing.members.len() > MEMBERS_MAX {
        return Err(ArchiveError::NotOne {
            why: format!("it has more than {MEMBERS_MAX} members"),
        });
    }
    let mut names = std::collections::BTreeSet::new();
    let mut total: u64 = 0;
    for (place, member) in (1..).zip(&listing.members) {
        if !names.insert(member.file()) {
            return stranger(member, "twice");
        }
        let is_last = place == listing.members.len();
        let is_identities = member.name == IDENTITIES && is_last && listing.has_identities;
        if is_identities {
            if member.unpacked_length.is_some() || member.length > IDENTITIES_LEN_MAX {
                return stranger(member, "otherwise than it can be");
            }
        } else if !is_part(member.file()) {
            return stranger(member, "and is no file of a data directory");
        }
        let lengths = [member.length, member.unpacked_length.unwrap_or(0)];
        let sum = lengths.iter().try_fold(total, |sum, &len| {
            // Far more than any disk has, and far from where numbers end.
            sum.checked_add(len).filter(|&sum| sum < 1 << 60)
        });
        match sum {
            Some(sum) => total = sum,
            None => return stranger(member, "longer than can be"),
        }
    }
    // One manifest, and what it can name: nothing else would ever be looked at.
    let mut states: Vec<_> = names
        .iter()
        .filter_map(|name| name.strip_prefix("state.")?.split('/').next())
        .collect();
    states.dedup();
    let manifests = names.iter().filter(|name| name.starts_with("manifest.")).count();
    if manifests > 1 || states.len() > 1 {
        return Err(ArchiveError::NotOne {
            why: "its list names more than one manifest or generation: somebody changed it".to_owned(),
        });
    }
    let has_identities = names.contains(IDENTITIES);
    if !names.contains("FORMAT") || has_identities != listing.has_identities {
        return Err(ArchiveError::NotOne {
            why: "its list does not name all that a backup has".to_owned(),
        });
    }
    Ok(())
}

/// Writes the file that a member holds, or only sees whether it could be.
fn unpack(member: &Member, from: &mut dyn Read, file: Option<&Path>) -> Result<(), ArchiveError> {
    let mut to = file.map(create).transpose()?;
    let mut write = |bytes: &[u8]| match (&mut to, file) {
        (Some(to), Some(file)) => to.write_all(bytes).map_err(|source| ArchiveError::Io {
            what: format!("writing {}", file.display()),
            source,
        }),
        _ => Ok(()),
    };
    match member.unpacked_length {
        None => pour(member, from, member.length, &mut write)?,
        Some(len) => {
            let mut unpacking = GzDecoder::new(from);
            pour(member, &mut unpacking, len, &mut write)?;
            // The checksum stands behind the last byte, and is looked at by who reads on.
            match unpacking.read(&mut [0]) {
                Ok(0) => {}
                Ok(_) => return Err(changed(member, "it unpacks to more than the list says")),
                Err(error) => return Err(reading(member)(error)),
            }
        }
    }
    match (to, file) {
        (Some(to), Some(file)) => to.sync_all().map_err(|source| ArchiveError::Io {
            what: format!("syncing {}", file.display()),
            source,
        }),
        _ => Ok(()),
    }
}

fn pour(
    member: &Member,
    from: &mut dyn Read,
    len: u64,
    write: &mut dyn FnMut(&[u8]) -> Result<(), ArchiveError>,
) -> Result<(), ArchiveError> {
    let mut chunk = vec![0; CHUNK];
    let mut left = len;
    while left > 0 {
        let room = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        let read = from
            .read(chunk.get_mut(..room).unwrap_or_default())
            .map_err(reading(member))?;
        if read == 0 {
            return Err(match member.unpacked_length {
                Some(_) => changed(member, "it unpacks to less than the list says"),
                None => ArchiveError::Cut {
                    place: format!("in {}", member.name),
                },
            });
        }
        write(chunk.get(..read).unwrap_or_default())?;
        left -= read as u64;
    }
    Ok(())
}

/// Makes a new file, with its directories, for its owner alone. Its name was checked.
fn create(file: &Path) -> Result<fs::File, ArchiveError> {
    let failed = |source| ArchiveError::Io {
        what: format!("creating {}", file.display()),
        source,
    };
    if let Some(dir) = file.parent() {
        make_dir(dir).map_err(failed)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map_err(failed)
}

/// Makes a directory, with those above it, for its owner alone.
pub(in crate::cli) fn make_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

fn changed(member: &Member, what: &'static str) -> ArchiveError {
    ArchiveError::Changed {
        member: member.name.clone(),
        what,
    }
}

/// What a damaged member makes of reading it, or the disk.
fn reading(member: &Member) -> impl FnOnce(io::Error) -> ArchiveError {
    let name = member.name.clone();
    move |source| match source.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
            ArchiveError::Changed {
                member: name,
                what: "it cannot be unpacked",
            }
        }
        _ => ArchiveError::Io {
            what: format!("reading {name}"),
            source,
        },
    }
}

/// What a damaged head of a member makes of reading it, or the disk.
fn unreadable(member: &str) -> impl FnOnce(io::Error) -> ArchiveError {
    move |source| match source.kind() {
        io::ErrorKind::UnexpectedEof => ArchiveError::Cut {
            place: format!("before {member}"),
        },
        // What the library finds wrong with it helps nobody; what the operating system says does.
        _ if source.raw_os_error().is_none() => ArchiveError::Head {
            member: member.to_owned(),
        },
        _ => ArchiveError::Io {
            what: format!("looking for {member}"),
            source,
        },
    }
}

/// Hashes what is read through it.
struct Hashed<'a, R> {
    from: R,
    len: u64,
    hash: Sha256,
    told: &'a mut dyn FnMut(u64),
}

impl<'a, R: Read> Hashed<'a, R> {
    fn new(from: R, told: &'a mut dyn FnMut(u64)) -> Self {
        Self {
            from,
            len: 0,
            hash: Sha256::new(),
            told,
        }
    }

    /// What was read in all, with what was left.
    fn end(mut self) -> io::Result<(u64, String)> {
        io::copy(&mut self, &mut io::sink())?;
        Ok((self.len, data_encoding::HEXLOWER.encode(&self.hash.finalize())))
    }
}

impl<R: Read> Read for Hashed<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = self.from.read(into)?;
        self.len += len as u64;
        self.hash.update(into.get(..len).unwrap_or_default());
        (self.told)(len as u64);
        Ok(len)
    }
}

//! Archives that are cut, flipped, forged: nothing of them is taken, and what is wrong is named.

mod care;
mod whole;

use std::io::Write;

use tempfile::TempDir;

use super::form::{LIST, LIST_SUM, Member};
use super::write::sum_text;
use super::*;
use crate::cli::args::CoverOptions;
use crate::cli::local::{ADMIN_FILE, LEASE_FILE};
use crate::cli::{lease_key, restore};
use crate::client::with_causes;
use crate::domain::command::{Actor, Command};
use crate::domain::ids::ServerId;
use crate::service::{NewSeatLimits, Request, Writer as Server};
use crate::store::{self, DiskStore};

/// A key of age, and for whom it decrypts.
fn age_key() -> (age::x25519::Identity, age::x25519::Recipient) {
    let key = age::x25519::Identity::generate();
    let recipient = key.to_public();
    (key, recipient)
}

/// A data directory of a server that was started once, in a directory of its own.
fn founded() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::load(DiskStore::open(&data).unwrap(), NewSeatLimits::default()).unwrap();
    let request = Request {
        actor: Actor::Server,
        command: Command::Found { id: ServerId([7; 16]) },
    };
    server.round(&[request], Clock::system().reading()).unwrap();
    for file in [IDENTITY_FILE, ADMIN_FILE] {
        Identity::load_or_create(&data.join(file)).unwrap();
    }
    lease_key::load_or_create(&data, false).unwrap();
    dir
}

fn options(file: PathBuf, recipient: Option<age::x25519::Recipient>) -> BackupOptions {
    BackupOptions {
        file,
        force: false,
        cover: CoverOptions {
            passphrase_file: None,
            without_identity: recipient.is_none(),
            recipient: recipient.into_iter().collect(),
        },
    }
}

/// As the command makes it.
fn back_up(data: &Path, options: &BackupOptions) -> Result<(), CliError> {
    backup(true, data, options, &Traces::default()).map(drop)
}

/// A backup with identities, and the key to them.
fn archive() -> (TempDir, Vec<u8>, age::x25519::Identity) {
    let dir = founded();
    let (key, recipient) = age_key();
    let file = dir.path().join("backup.tar");
    back_up(&dir.path().join("data"), &options(file.clone(), Some(recipient))).unwrap();
    let bytes = fs::read(&file).unwrap();
    (dir, bytes, key)
}

fn read_bytes(bytes: &[u8]) -> Result<Opened, ArchiveError> {
    read(bytes, bytes.len() as u64, None, &mut |_| ())
}

/// Where each member's header stands, and how long it is.
fn members(bytes: &[u8]) -> Vec<(String, usize, usize)> {
    let mut archive = tar::Archive::new(bytes);
    let entries = archive.entries().unwrap();
    let place = |entry: tar::Entry<'_, &[u8]>| {
        let name = entry.path().unwrap().display().to_string();
        let at = usize::try_from(entry.raw_header_position()).unwrap();
        (name, at, usize::try_from(entry.size()).unwrap())
    };
    entries.map(|entry| place(entry.unwrap())).collect()
}

#[test]
fn a_backup_is_a_plain_tar_file_whose_list_is_its_first_member() {
    let (_dir, bytes, _) = archive();
    let names: Vec<_> = members(&bytes).into_iter().map(|(name, ..)| name).collect();
    assert_eq!(
        names,
        [
            "backup.json",
            "backup.json.sha256",
            "FORMAT",
            "journal/0000000001.journal.gz",
            "manifest.1",
            "identities.age"
        ]
    );
    let opened = read_bytes(&bytes).unwrap();
    assert!(opened.identities.is_some() && opened.listing.has_identities);
    assert_eq!(opened.listing.server, Some(ServerId([7; 16]).to_string()));
}

#[test]
fn whatever_is_cut_off_of_a_backup_is_missed() {
    let (_dir, bytes, _) = archive();
    let mut cuts = vec![0, 1, bytes.len() - 1, bytes.len() - 512, bytes.len() - 1024];
    for (_, at, len) in members(&bytes) {
        cuts.extend([
            at,
            at + 1,
            at + 511,
            at + 512,
            at + 512 + len / 2,
            at + 512 + len - 1,
            at + 512 + len,
        ]);
    }
    for cut in cuts {
        let error = read_bytes(&bytes[..cut]).map(|_| ()).unwrap_err();
        assert!(
            matches!(error, ArchiveError::Cut { .. } | ArchiveError::NotOne { .. }),
            "cut at {cut}: {error}"
        );
        if cut > 16 * 512 {
            assert!(matches!(error, ArchiveError::Cut { .. }), "cut at {cut}: {error}");
        }
    }
}

#[test]
fn a_flipped_bit_in_any_member_is_found_and_the_member_named() {
    let (_dir, bytes, _) = archive();
    for (name, at, len) in members(&bytes) {
        for place in [0, 1, len / 3, len / 2, len - 1] {
            for bit in [0, 3, 7] {
                let mut flipped = bytes.clone();
                flipped[at + 512 + place] ^= 1 << bit;
                let error = read_bytes(&flipped).map(|_| ()).unwrap_err();
                let named = error.to_string();
                let is_named = named.contains(&name) || name == LIST_SUM && named.contains(LIST);
                assert!(is_named, "{name} flipped at {place}: {named}");
            }
        }
        // Its header: name, length, kind, checksum.
        for place in [0, 100, 124, 130, 148, 156, 257] {
            let mut flipped = bytes.clone();
            flipped[at + place] ^= 1;
            assert!(read_bytes(&flipped).is_err(), "the header of {name} flipped at {place}");
        }
    }
}

/// A member as somebody else might write it.
struct Forged {
    name: &'static str,
    kind: tar::EntryType,
    bytes: Vec<u8>,
    /// What the list tells of it; nothing where the list keeps silent.
    listed: Option<Member>,
}

fn forged(name: &'static str, bytes: &[u8]) -> Forged {
    use sha2::{Digest, Sha256};
    Forged {
        name,
        kind: tar::EntryType::Regular,
        bytes: bytes.to_vec(),
        listed: Some(Member {
            name: name.to_owned(),
            length: bytes.len() as u64,
            sha256: output::hex(&Sha256::digest(bytes)),
            unpacked_length: None,
        }),
    }
}

fn put(archive: &mut Vec<u8>, name: &str, kind: tar::EntryType, bytes: &[u8]) {
    let mut header = tar::Header::new_gnu();
    // Past every check that a writer of good will has.
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_mode(0o600);
    header.set_size(bytes.len() as u64);
    header.set_entry_type(kind);
    header.set_cksum();
    archive.extend(header.as_bytes());
    archive.extend(bytes);
    archive.resize(archive.len().next_multiple_of(512), 0);
}

/// An archive of these members with a list that tells of them, and whose hash holds.
fn forge(members: &[Forged], change: impl FnOnce(&mut Listing)) -> Vec<u8> {
    let (_dir, bytes, _) = archive();
    let mut listing = read_bytes(&bytes).unwrap().listing;
    listing.has_identities = false;
    listing.members = members.iter().filter_map(|one| one.listed.clone()).collect();
    change(&mut listing);
    let list = serde_json::to_vec_pretty(&listing).unwrap();
    let mut archive = Vec::new();
    put(&mut archive, LIST, tar::EntryType::Regular, &list);
    put(
        &mut archive,
        LIST_SUM,
        tar::EntryType::Regular,
        sum_text(&list).as_bytes(),
    );
    for one in members {
        put(&mut archive, one.name, one.kind, &one.bytes);
    }
    archive.extend([0; 1024]);
    archive
}

fn format_file() -> Forged {
    forged("FORMAT", b"seatkeeper data format 2\n")
}

/// What becomes of an archive, and that it wrote nothing outside.
#[track_caller]
fn refused(bytes: &[u8]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let into = dir.path().join("into");
    make_dir(&into).unwrap();
    let error = read(bytes, bytes.len() as u64, Some(&into), &mut |_| ());
    let error = error.map(|_| ()).expect_err("refused").to_string();
    let names: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|one| one.unwrap().file_name())
        .collect();
    assert_eq!(names, ["into"], "{error}");
    error
}

#[test]
fn what_is_forged_well_is_taken_so_that_what_follows_is_refused_for_its_own_reason() {
    let manifest = forged("manifest.1", b"anything");
    let bytes = forge(&[format_file(), manifest], |_| ());
    assert!(read_bytes(&bytes).is_ok());
}

#[test]
fn a_name_that_leads_out_of_the_directory_or_is_not_the_stores_is_refused() {
    for name in [
        "../escaped",
        "/escaped",
        "journal/../../escaped",
        "state.1/../../escaped",
        "identity.pem",
        "LOCK",
        "server.json",
        "state.1/.x",
    ] {
        let error = refused(&forge(&[format_file(), forged(name, b"x")], |_| ()));
        assert!(
            error.contains(name) && error.contains("no file of a data directory"),
            "{error}"
        );
        // As a compressed one, by the name that is left.
        let mut packed = forged(name, b"x");
        packed.listed = packed.listed.map(|listed| Member {
            name: format!("{name}.gz"),
            unpacked_length: Some(1),
            ..listed
        });
        refused(&forge(&[format_file(), packed], |_| ()));
        // Not listed at all.
        let hidden = Forged {
            listed: None,
            ..forged(name, b"x")
        };
        refused(&forge(&[format_file(), hidden], |_| ()));
    }
}

#[test]
fn links_directories_and_other_kinds_are_refused() {
    use tar::EntryType::{Block, Char, Continuous, Directory, Fifo, GNULongName, GNUSparse, Link, Symlink, XHeader};
    for kind in [
        Link,
        Symlink,
        Char,
        Block,
        Directory,
        Fifo,
        Continuous,
        GNULongName,
        GNUSparse,
        XHeader,
    ] {
        let link = Forged {
            kind,
            ..forged("manifest.1", b"x")
        };
        let error = refused(&forge(&[format_file(), link], |_| ()));
        assert!(error.contains("manifest.1"), "{kind:?}: {error}");
    }
}

#[test]
fn what_the_list_does_not_tell_of_is_refused_wherever_it_stands() {
    let extra = || Forged {
        listed: None,
        ..forged("manifest.2", b"x")
    };
    let good = || forged("manifest.1", b"x");
    for members in [
        vec![extra(), format_file(), good()],
        vec![format_file(), extra(), good()],
        vec![format_file(), good(), extra()],
        vec![good(), format_file(), extra()],
    ] {
        refused(&forge(&members, |_| ()));
    }
    // Twice, out of order, missing.
    let error = refused(&forge(&[format_file(), good(), good()], |_| ()));
    assert!(error.contains("twice"), "{error}");
    refused(&forge(&[format_file(), good()], |listing| listing.members.reverse()));
    refused(&forge(&[format_file(), good()], |listing| {
        let member = listing.members[1].clone();
        listing.members.push(Member {
            name: "manifest.7".to_owned(),
            ..member
        });
    }));
    refused(&forge(&[good()], |_| ()));
    refused(&forge(&[format_file()], |listing| listing.has_identities = true));
    // Bytes behind the end.
    let mut longer = forge(&[format_file(), good()], |_| ());
    longer.extend([0; 512]);
    assert!(refused(&longer).contains("behind its end"));
}

fn packed(bytes: &[u8], unpacked_length: u64) -> Forged {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    let mut one = forged("journal/0000000001.journal.gz", &encoder.finish().unwrap());
    one.listed = one.listed.map(|listed| Member {
        unpacked_length: Some(unpacked_length),
        ..listed
    });
    one
}

#[test]
fn no_member_is_longer_or_shorter_than_the_list_says_packed_or_not() {
    let zeros = vec![0; 100_000];
    assert!(read_bytes(&forge(&[format_file(), packed(&zeros, 100_000)], |_| ())).is_ok());
    let error = refused(&forge(&[format_file(), packed(&zeros, 99_999)], |_| ()));
    assert!(error.contains("unpacks to more"), "{error}");
    let error = refused(&forge(&[format_file(), packed(&zeros, 100_001)], |_| ()));
    assert!(error.contains("unpacks to less"), "{error}");
    let error = refused(&forge(&[format_file(), packed(&zeros, u64::MAX)], |_| ()));
    assert!(error.contains("longer than can be"), "{error}");
    for length in [0, 7, 9, 1 << 40] {
        refused(&forge(&[format_file(), forged("manifest.1", b"12345678")], |listing| {
            listing.members[1].length = length;
        }));
    }
    // What was packed is damaged, and its hash made to fit.
    let mut bent = packed(&zeros, 100_000);
    let half = bent.bytes.len() / 2;
    bent.bytes[half] ^= 0x55;
    let again = forged("journal/0000000001.journal.gz", &bent.bytes);
    bent.listed = again.listed.map(|listed| Member {
        unpacked_length: Some(100_000),
        ..listed
    });
    refused(&forge(&[format_file(), bent], |_| ()));
}

#[test]
fn a_newer_form_and_another_file_are_told_apart_from_damage() {
    let bytes = forge(&[format_file()], |listing| listing.backup_form = 2);
    assert!(
        refused(&bytes).contains("newer seatkeeper (form 2"),
        "{}",
        refused(&bytes)
    );
    for other in [&b"not a backup"[..], &[0; 4096], &[0xff; 2048], b"PK\x03\x04"] {
        assert!(refused(other).contains("no backup"), "{}", refused(other));
    }
}

#[test]
fn identities_come_back_as_they_were_and_for_the_right_key_only() {
    let (dir, bytes, key) = archive();
    let sealed = read_bytes(&bytes).unwrap().identities.unwrap();
    let into = tempfile::tempdir().unwrap();
    let opener = Opener::Keys(vec![Box::new(key)]);
    let secrets = open(&sealed, &opener).unwrap();
    secrets.write(into.path()).unwrap();
    let names = secrets.names();
    assert_eq!(names, [ADMIN_FILE, IDENTITY_FILE, LEASE_FILE]);
    for name in names {
        let read = |dir: &Path| fs::read(dir.join(&name)).unwrap();
        assert_eq!(read(into.path()), read(&dir.path().join("data")), "{name}");
    }
    let (other, _) = age_key();
    let error = open(&sealed, &Opener::Keys(vec![Box::new(other)]))
        .map(|_| ())
        .unwrap_err();
    assert!(error.to_string().contains("another passphrase or key"), "{error}");
    let error = open(&sealed, &Opener::Passphrase("words".to_owned().into()))
        .map(|_| ())
        .unwrap_err();
    assert!(
        error.exit_code() == 2 && error.to_string().contains("--identity"),
        "{error}"
    );
    for cut in [0, 10, sealed.len() / 2, sealed.len() - 1] {
        let error = open(&sealed[..cut], &opener).map(|_| ()).unwrap_err().to_string();
        assert!(
            error.starts_with("identities.age in the backup is damaged or cut short"),
            "cut at {cut}: {error}"
        );
    }
    // No key stands in it as it is.
    let pem = fs::read_to_string(dir.path().join("data").join(IDENTITY_FILE)).unwrap();
    let line = pem.lines().nth(1).unwrap();
    assert!(!bytes.windows(line.len()).any(|window| window == line.as_bytes()));
}

#[test]
fn a_restore_of_what_is_damaged_touches_nothing_and_can_be_done_again() {
    let dir = founded();
    let file = dir.path().join("backup.tar");
    back_up(&dir.path().join("data"), &options(file.clone(), None)).unwrap();
    let good = fs::read(&file).unwrap();
    let made = dir.path().join("made");
    for at in [600, good.len() / 2, good.len() - 1500] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        fs::write(&file, bad).unwrap();
        restore::tests_restore(&made, &file).unwrap_err();
        assert!(!made.exists(), "flipped at {at}");
    }
    // What an interrupted one left is no hindrance.
    let left = dir.path().join("made.seatkeeper-restore/data");
    make_dir(&left).unwrap();
    fs::write(left.join("FORMAT"), "half").unwrap();
    fs::write(&file, good).unwrap();
    restore::tests_restore(&made, &file).unwrap();
    assert!(made.join("FORMAT").is_file());
    let names: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|one| one.unwrap().file_name())
        .collect();
    assert!(
        names.iter().all(|name| !name.to_string_lossy().contains("seatkeeper-")),
        "{names:?}"
    );
    let error = restore::tests_restore(&made, &file).unwrap_err().to_string();
    assert!(error.contains("is not empty"), "{error}");
}

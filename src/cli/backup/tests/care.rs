//! What backups and restores leave behind, what they refuse to be told, and what they say of a list that lies.

use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};

use super::*;
use crate::whole_file::{self, Readers};

/// A backup without identities of a server that was started once.
fn kept() -> (TempDir, PathBuf, PathBuf) {
    let dir = founded();
    let [data, file] = ["data", "backup.tar"].map(|name| dir.path().join(name));
    back_up(&data, &options(file.clone(), None)).unwrap();
    (dir, data, file)
}

#[test]
fn a_restore_goes_where_a_link_leads_though_nothing_is_there() {
    let (dir, _, file) = kept();
    let link = dir.path().join("link");
    symlink("private/deep/seatkeeper", &link).unwrap();
    restore::tests_restore(&link, &file).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    let made = dir.path().join("private/deep/seatkeeper");
    assert!(made.join("FORMAT").is_file() && link.join("FORMAT").is_file());
    let around = fs::metadata(dir.path().join("private")).unwrap();
    assert_eq!(around.permissions().mode() & 0o777, 0o700);
    // One that leads to itself ends.
    let round = dir.path().join("round");
    symlink("round", &round).unwrap();
    assert!(restore::tests_restore(&round, &file).is_err());
}

#[test]
fn a_dry_run_and_a_restore_that_fails_leave_nothing_not_even_directories_around() {
    let (dir, _, file) = kept();
    let listed = || -> Vec<_> {
        let names = fs::read_dir(dir.path()).unwrap();
        names.map(|one| one.unwrap().file_name()).collect()
    };
    let before = listed();
    let made = dir.path().join("one/two/data");
    restore::tests_dry_run(&made, &file).unwrap();
    assert_eq!(listed(), before);
    let mut bytes = fs::read(&file).unwrap();
    let half = bytes.len() / 2;
    bytes[half] ^= 1;
    let bad = dir.path().join("bad");
    fs::write(&bad, bytes).unwrap();
    restore::tests_restore(&made, &bad).unwrap_err();
    assert!(!dir.path().join("one").exists());
    restore::tests_restore(&made, &file).unwrap();
    assert!(made.join("FORMAT").is_file());
}

#[test]
fn what_interrupted_backups_of_other_days_left_is_cleared_away_and_nothing_else() {
    let (dir, data, _) = kept();
    let place = |name: &str| dir.path().join(format!("{name}{WORKPLACE}"));
    let left = |name: &str, part: &str| {
        make_dir(&place(name)).unwrap();
        fs::write(place(name).join(part), "half").unwrap();
    };
    left("monday.tar", "archive");
    // Somebody's own, one that others can write to, a link, and one that a backup is being made in.
    left("photos.tar", "photos");
    left("open.tar", "archive");
    fs::set_permissions(place("open.tar"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink(&data, place("link.tar")).unwrap();
    left("now.tar", "archive");
    let lock = File::open(place("now.tar")).unwrap();
    lock.lock().unwrap();
    back_up(&data, &options(dir.path().join("tuesday.tar"), None)).unwrap();
    assert!(!place("monday.tar").exists() && !place("tuesday.tar").exists());
    for kept in ["photos.tar", "open.tar", "link.tar", "now.tar"] {
        assert!(place(kept).exists(), "{kept}");
    }
    assert!(data.join("FORMAT").exists());
    // Not the one that is being made: that is told.
    let error = back_up(&data, &options(dir.path().join("now.tar"), None)).unwrap_err();
    assert!(error.to_string().contains("is being made"), "{error}");
    drop(lock);
    back_up(&data, &options(dir.path().join("wednesday.tar"), None)).unwrap();
    assert!(!place("now.tar").exists());
}

#[test]
fn a_file_that_cannot_be_a_backup_is_refused_by_name_and_stays_what_it_is() {
    let (dir, data, file) = kept();
    let names = ["pipe", "link", "directory", "new/"].map(|name| dir.path().join(name));
    let [pipe, link, directory, new] = &names;
    nix::unistd::mkfifo(pipe, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
    symlink(&file, link).unwrap();
    fs::create_dir(directory).unwrap();
    let device = PathBuf::from("/dev/null");
    for (name, told) in [
        (&device, "is a device"),
        (pipe, "is a pipe"),
        (link, "is a link"),
        (directory, "is a directory"),
        (new, "names a directory"),
        (&dir.path().join(".."), "names a directory"),
        (&PathBuf::from("-"), "cannot go through a pipe"),
    ] {
        let mut asked = options(name.clone(), None);
        asked.force = true;
        let error = back_up(&data, &asked).unwrap_err();
        assert!(
            error.exit_code() == 2 && error.to_string().contains(told),
            "{}: {error}",
            name.display()
        );
    }
    assert!(fs::metadata(&device).unwrap().file_type().is_char_device());
    let made = dir.path().join("made");
    for (name, told) in [
        (&device, "is a device"),
        (pipe, "is a pipe"),
        (directory, "is a directory"),
        (&PathBuf::from("-"), "cannot go through a pipe"),
    ] {
        let error = restore::tests_restore(&made, name).unwrap_err();
        assert!(
            error.exit_code() == 2 && error.to_string().contains(told),
            "{}: {error}",
            name.display()
        );
    }
    // A link to a backup can be read.
    restore::tests_restore(&made, link).unwrap();
}

/// The same backup with another list.
fn relisted(file: &Path, change: impl FnOnce(&mut Listing)) {
    let bytes = fs::read(file).unwrap();
    let listing = read_bytes(&bytes).unwrap().listing;
    let places = members(&bytes);
    let of = |member: &Member| {
        let (_, at, len) = places.iter().find(|(name, ..)| *name == member.name).unwrap();
        Forged {
            name: Box::leak(member.name.clone().into_boxed_str()),
            kind: tar::EntryType::Regular,
            bytes: bytes[at + 512..at + 512 + len].to_vec(),
            listed: Some(member.clone()),
        }
    };
    let all: Vec<_> = listing.members.iter().map(of).collect();
    let forged = forge(&all, |told| {
        *told = listing.clone();
        change(told);
    });
    fs::write(file, forged).unwrap();
}

#[test]
fn what_a_restore_tells_is_what_it_loaded_and_not_what_the_list_says() {
    let (dir, _, file) = kept();
    let good = fs::read(&file).unwrap();
    let honest = restore::tests_dry_run(&dir.path().join("made"), &file).unwrap();
    assert!(honest.contains(" of 2"), "{honest}");
    relisted(&file, |list| {
        list.last_round_at = Some("now\nrestored to /etc\u{1b}[2J".to_owned());
        list.made_by = "\u{1b}[2J".to_owned();
    });
    assert_eq!(restore::tests_dry_run(&dir.path().join("made"), &file).unwrap(), honest);
    let changes: [fn(&mut Listing); 2] = [|list| list.licenses = 1_000, |list| list.seats = 1_000];
    for change in changes {
        fs::write(&file, &good).unwrap();
        relisted(&file, change);
        let error = restore::tests_dry_run(&dir.path().join("made"), &file).unwrap_err();
        assert!(error.to_string().contains("not what its list tells of"), "{error}");
    }
    fs::write(&file, &good).unwrap();
    relisted(&file, |list| list.fingerprint = Some("me\nyou".to_owned()));
    let error = restore::tests_dry_run(&dir.path().join("made"), &file).unwrap_err();
    assert!(error.to_string().contains("somebody changed it"), "{error}");
}

#[test]
fn a_list_names_one_manifest_and_one_generation() {
    let one = || forged("manifest.1", b"x");
    for more in ["manifest.2", "state.2/db"] {
        let extra = || forged(more, b"x");
        let members = [format_file(), one(), extra(), forged("state.1/db", b"x")];
        let error = refused(&forge(&members, |_| ()));
        assert!(error.contains("more than one manifest or generation"), "{error}");
    }
    let members = [
        format_file(),
        one(),
        forged("state.1/db", b"x"),
        forged("state.1/conf", b"x"),
    ];
    assert!(read_bytes(&forge(&members, |_| ())).is_ok());
}

#[test]
fn a_damaged_head_is_told_by_the_member_that_it_is_of() {
    let (_dir, bytes, _) = archive();
    for (name, at, _) in members(&bytes).into_iter().skip(2) {
        // Its length is no number, and its checksum fits.
        let mut bent = bytes.clone();
        let mut header = tar::Header::from_byte_slice(&bytes[at..at + 512]).clone();
        header.as_old_mut().size = *b"no  number  ";
        header.set_cksum();
        bent[at..at + 512].copy_from_slice(header.as_bytes());
        for bent in [bent, {
            let mut zapped = bytes.clone();
            zapped[at..at + 512].fill(0x55);
            zapped
        }] {
            let told = with_causes(&read_bytes(&bent).map(|_| ()).unwrap_err());
            assert_eq!(
                told,
                format!("it is damaged where {name} should begin; take another copy of it")
            );
        }
    }
}

#[test]
fn a_passphrase_that_is_guessed_at_once_is_not_taken_and_an_old_one_still_opens() {
    let dir = founded();
    let words = dir.path().join("words");
    let write = |text: &str| whole_file::replace(&words, text.as_bytes(), Readers::Owner).unwrap();
    for short in ["x", "1234567", "äöüäöü"] {
        write(short);
        let error = passphrase_in(&words, Choice::New).unwrap_err();
        assert!(
            error.exit_code() == 2 && error.to_string().contains("take 8 characters or more"),
            "{error}"
        );
        assert!(passphrase_in(&words, Choice::Known).is_ok());
    }
    write("12345678");
    assert!(passphrase_in(&words, Choice::New).is_ok());
}

#[test]
fn a_key_of_age_that_others_can_read_is_refused_with_the_remedy() {
    use age::secrecy::ExposeSecret;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("key.txt");
    let (key, _) = age_key();
    whole_file::replace(&file, key.to_string().expose_secret().as_bytes(), Readers::Everybody).unwrap();
    let refusal = |file: &Path| keys_in(file).map(|_| ()).unwrap_err().to_string();
    assert!(refusal(&file).contains("chmod 600"), "{}", refusal(&file));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(keys_in(&file).unwrap().len(), 1);
    fs::write(&file, "something else\n").unwrap();
    assert!(refusal(&file).contains("age-keygen"), "{}", refusal(&file));
}

//! Backups as a whole: what goes along, what is refused before one is made, what is left of others.

use super::*;
use crate::whole_file::{self, Readers};

#[test]
fn the_history_of_the_event_log_goes_along_and_its_chain_holds() {
    let dir = tempfile::tempdir().unwrap();
    let (data, made, file) = (
        dir.path().join("data"),
        dir.path().join("made"),
        dir.path().join("backup.tar"),
    );
    let kept = || store::Options {
        segment_bytes: 16 * 512,
        checkpoint_bytes: 12_000,
        threaded: false,
        ..store::Options::default()
    };
    let open = |data: &Path| {
        let store = DiskStore::open_with(data, kept()).unwrap();
        Server::load(store, NewSeatLimits::default()).unwrap()
    };
    let mut server = open(&data);
    let decide = |server: &mut Server<DiskStore>, command| {
        let request = Request {
            actor: Actor::Server,
            command,
        };
        server.round(&[request], Clock::system().reading()).unwrap();
        while server.checkpoint().unwrap() != store::Progress::Resting {}
    };
    decide(&mut server, Command::Found { id: ServerId([7; 16]) });
    for number in 0..120 {
        let fingerprint = Fingerprint([number; 32]);
        let (role, label) = (crate::domain::command::Role::Viewer, format!("somebody {number}"));
        decide(
            &mut server,
            Command::AddAdmin {
                fingerprint,
                role,
                label,
            },
        );
    }
    // While it runs.
    back_up(&data, &options(file.clone(), None)).unwrap();
    let bytes = fs::read(&file).unwrap();
    let history = members(&bytes)
        .iter()
        .filter(|(name, ..)| name.starts_with("history/"))
        .count();
    assert!(history > 3, "{history}");
    restore::tests_restore(&made, &file).unwrap();
    let restored = open(&made);
    assert!(restored.ledger().server().is_some_and(|server| server.epoch > 1));
    let chain = restored.chronicle().unwrap();
    let (mut after, mut last) = (None, (0, [0; 32]));
    loop {
        let page = crate::domain::event_log::ChainPage {
            after,
            newest_only: false,
            round: None,
        };
        let read = chain.check(&page, restored.last_round()).unwrap();
        for segment in &read.segments {
            assert!(segment.gaps.is_empty(), "{segment:?}");
            let Some(span) = &segment.span else { continue };
            assert_eq!((span.first, span.before), (last.0 + 1, last.1), "{segment:?}");
            last = (span.last, span.hash);
        }
        after = read.segments.last().map(|segment| segment.number);
        if !read.more {
            break;
        }
    }
    assert_eq!(last.0, restored.last_round());
}

#[test]
fn a_backup_of_a_passphrase_is_opened_by_its_passphrase_alone() {
    let dir = founded();
    let data = dir.path().join("data");
    let words = |text: &str| Opener::Passphrase(text.to_owned().into());
    let sealed = secrets::seal(&data, &Cover::Passphrase("some words".to_owned().into()))
        .unwrap()
        .unwrap();
    assert_eq!(open(&sealed, &words("some words")).unwrap().names().len(), 3);
    let error = open(&sealed, &words("other words")).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("another passphrase"), "{error}");
    // A file with it that others can read is refused, and an empty one.
    let file = dir.path().join("words");
    fs::write(&file, "some words\n").unwrap();
    let set = |mode| fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    set(0o644);
    assert!(
        passphrase_in(&file, Choice::New)
            .unwrap_err()
            .to_string()
            .contains("chmod 600")
    );
    set(0o600);
    assert!(passphrase_in(&file, Choice::New).is_ok());
    fs::write(&file, "\n").unwrap();
    assert_eq!(passphrase_in(&file, Choice::New).unwrap_err().exit_code(), 2);
}

#[test]
fn nothing_is_removed_where_a_link_leads_or_what_is_somebody_elses() {
    let dir = founded();
    let data = dir.path().join("data");
    let [victim, file] = ["victim", "backup.tar"].map(|name| dir.path().join(name));
    make_dir(&victim).unwrap();
    fs::write(victim.join("archive"), "theirs").unwrap();
    let place = dir.path().join(format!("backup.tar{WORKPLACE}"));
    std::os::unix::fs::symlink(&victim, &place).unwrap();
    let refused = back_up(&data, &options(file.clone(), None)).unwrap_err();
    assert!(with_causes(&refused).contains("move it away"), "{refused}");
    assert_eq!(fs::read_to_string(victim.join("archive")).unwrap(), "theirs");
    fs::remove_file(&place).unwrap();

    // A directory of that name which holds what no backup makes.
    make_dir(&place).unwrap();
    fs::write(place.join("photos"), "theirs").unwrap();
    let refused = back_up(&data, &options(file.clone(), None)).unwrap_err();
    assert!(with_causes(&refused).contains("holds photos"), "{refused}");
    assert!(place.join("photos").exists());
    fs::remove_file(place.join("photos")).unwrap();

    // What is left of an earlier one goes.
    fs::write(place.join("archive"), "half").unwrap();
    back_up(&data, &options(file, None)).unwrap();
    assert!(!place.exists());
}

#[test]
fn an_identity_that_no_server_can_start_with_is_told_before_the_backup_counts() {
    let dir = founded();
    let [data, file] = ["data", "backup.tar"].map(|name| dir.path().join(name));
    let path = data.join(IDENTITY_FILE);
    let good = fs::read(&path).unwrap();
    for bad in [None, Some(&good[..good.len() / 2])] {
        fs::remove_file(&path).unwrap();
        if let Some(bad) = bad {
            whole_file::create(&path, bad, Readers::Owner).unwrap();
        }
        let refused = back_up(&data, &options(file.clone(), Some(age_key().1))).unwrap_err();
        assert!(with_causes(&refused).contains("--without-identity"), "{refused}");
        assert!(!file.exists());
        back_up(&data, &options(file.clone(), None)).unwrap();
        fs::remove_file(&file).unwrap();
        whole_file::replace(&path, &good, Readers::Owner).unwrap();
    }
    back_up(&data, &options(file, Some(age_key().1))).unwrap();
}

#[test]
fn of_two_restores_of_one_backup_the_later_has_the_higher_epoch_and_any_can_be_gone_above() {
    let dir = founded();
    let [data, file] = ["data", "backup.tar"].map(|name| dir.path().join(name));
    back_up(&data, &options(file.clone(), None)).unwrap();
    let now = Clock::system().calendar();
    let restored = |name: &str, at: Timestamp, above| {
        let made = dir.path().join(name);
        restore::tests_restore_at(&made, &file, &Clock::manual(at), above).unwrap();
        let server = Server::load(DiskStore::open(&made).unwrap(), NewSeatLimits::default()).unwrap();
        server.ledger().server().unwrap().epoch
    };
    let first = restored("first", now, None);
    assert_eq!(u64::from(first), now.0);
    assert_eq!(restored("second", now.after_secs(1), None), first + 1);
    // Without a clock it is higher than that of the backup, and as high as somebody wants it.
    assert_eq!(restored("third", Timestamp(0), None), 2);
    assert_eq!(restored("fourth", Timestamp(0), Some(first + 1)), first + 2);
}

#[test]
fn a_backup_whose_records_are_not_those_of_its_list_is_refused() {
    let dir = founded();
    let file = dir.path().join("backup.tar");
    back_up(&dir.path().join("data"), &options(file.clone(), None)).unwrap();
    let bytes = fs::read(&file).unwrap();
    let places = members(&bytes);
    let listing = read_bytes(&bytes).unwrap().listing;
    let of = |member: &Member| {
        let (_, at, len) = places.iter().find(|(name, ..)| *name == member.name).unwrap();
        let name: &'static str = Box::leak(member.name.clone().into_boxed_str());
        Forged {
            name,
            kind: tar::EntryType::Regular,
            bytes: bytes[at + 512..at + 512 + len].to_vec(),
            listed: Some(member.clone()),
        }
    };
    let changes: [fn(&mut Listing); 4] = [
        |listing| listing.records += 1,
        |listing| listing.last_round += 1,
        |listing| listing.digest = "0".repeat(32),
        |listing| listing.epoch = Some(9),
    ];
    for change in changes {
        let all: Vec<_> = listing.members.iter().map(of).collect();
        fs::write(
            &file,
            forge(&all, |told| {
                let members = std::mem::take(&mut told.members);
                *told = listing.clone();
                told.members = members;
                change(told);
            }),
        )
        .unwrap();
        let error = restore::tests_restore(&dir.path().join("made"), &file)
            .unwrap_err()
            .to_string();
        assert!(error.contains("not what its list tells of"), "{error}");
    }
}

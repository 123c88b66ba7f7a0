use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::domain::ids::VendorId;

const WAIT: Duration = Duration::from_millis(50);

fn owner() -> Owner {
    Owner {
        product: ProductKey {
            vendor: VendorId([7; 16]),
            product: "BKSRV".parse().unwrap(),
        },
        component: "agent".parse().unwrap(),
    }
}

fn mac(last: u8) -> Mac {
    Mac::new([0, 0x1a, 0x2b, 0x3c, 0x4d, last]).unwrap()
}

fn full_memory() -> Memory {
    Memory {
        pins: vec![
            Pin {
                fingerprint: Fingerprint([1; 32]),
                server: Some(ServerId([2; 16])),
                address: Some("[fe80::1%3]:17328".parse().unwrap()),
                epoch: 5,
                lease_key: Some([8; 32]),
                continuations: vec![(mac(1), 17), (mac(2), u64::MAX)],
            },
            Pin::new(Fingerprint([3; 32])),
        ],
        signed_entry: Some(Bytes::from_static(b"\x00\xff entry")),
        grant: Some(LastGrant {
            mac: mac(1),
            serial: "0123456789ABCDEF".parse().unwrap(),
            acquired_at: Timestamp(10),
            renew_by: Some(Timestamp(20)),
        }),
        standing: Some((
            LastStanding::Denied {
                status: 0x0121,
                text: "invalid license: none free".to_owned(),
            },
            Timestamp(30),
        )),
        lease: Some(KeptLease {
            signed: Bytes::from_static(b"\x00\xff lease"),
            server: Fingerprint([1; 32]),
        }),
        newest_time: Timestamp(40),
        former: vec![FormerNumber {
            server: ServerId([4; 16]),
            mac: mac(3),
            number: u64::MAX,
        }],
    }
}

// proves I7
#[test]
fn a_server_under_another_identity_goes_on_with_the_numbers_that_it_answered_under_the_one_before() {
    let (met, other) = (ServerId([2; 16]), ServerId([9; 16]));
    let mut memory = full_memory();
    let new = memory.pins[1].clone();
    let number = |memory: &Memory, server| memory.continuation(&new, server, mac(1));
    assert_eq!((number(&memory, met), number(&memory, other)), (17, 0));
    let old = memory.pins.remove(0);
    assert_eq!(number(&memory, met), 0);
    memory.keep_numbers(&old);
    assert_eq!((number(&memory, met), number(&memory, other)), (17, 0));
    assert_eq!(memory.continuation(&new, met, mac(2)), u64::MAX);
    // Its own goes before them, and there is an end to them.
    let mut answered = new.clone();
    answered.set_continuation(mac(1), 3);
    assert_eq!(memory.continuation(&answered, met, mac(1)), 3);
    for server in 20..60 {
        memory.keep_numbers(&Pin {
            server: Some(ServerId([server; 16])),
            ..old.clone()
        });
    }
    assert_eq!((memory.former.len(), number(&memory, met)), (FORMER_MAX, 0));
    let fitting = memory.fitting(false);
    assert_eq!(
        number(&fitting, ServerId([59; 16])),
        0,
        "another identity starts without"
    );
}

#[tokio::test]
async fn what_was_saved_is_there_at_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let mut state = State::open(directory.path(), owner(), WAIT).await.unwrap();
    assert_eq!(state.memory, Memory::default());
    state.memory = full_memory();
    state.save(Timestamp(40)).await.unwrap();
    let identity = state.identity().fingerprint();
    drop(state);
    let again = State::open(directory.path(), owner(), WAIT).await.unwrap();
    assert_eq!(again.memory, full_memory());
    assert_eq!(again.identity().fingerprint(), identity);
    for entry in fs::read_dir(directory.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", entry.path());
    }
}

#[tokio::test]
async fn a_file_from_before_there_were_leases_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let state = State::open(directory.path(), owner(), WAIT).await.unwrap();
    let path = state.path.clone();
    drop(state);
    let new = Memory {
        lease: None,
        newest_time: Timestamp(0),
        ..full_memory()
    };
    let mut older: serde_json::Value = serde_json::from_str(&record::encode(&new, Fingerprint([9; 32]))).unwrap();
    for field in ["lease", "newest_time"] {
        assert!(older.as_object_mut().unwrap().remove(field).is_some(), "{field}");
    }
    for pin in older["pins"].as_array_mut().unwrap() {
        assert!(pin.as_object_mut().unwrap().remove("lease_key").is_some());
    }
    file::replace(&path, older.to_string().as_bytes()).unwrap();
    let read = State::open(directory.path(), owner(), WAIT).await.unwrap().memory;
    assert_eq!((&read.lease, read.newest_time), (&None, Timestamp(0)));
    assert_eq!(read.grant, new.grant);
    assert!(read.pins.iter().all(|pin| pin.lease_key.is_none()));
}

// proves O3
#[tokio::test]
async fn the_newest_time_that_was_saved_never_goes_back() {
    let directory = tempfile::tempdir().unwrap();
    for (now, newest) in [(50, 50), (49, 50), (0, 50), (51, 51)] {
        let mut state = State::open(directory.path(), owner(), WAIT).await.unwrap();
        state.save(Timestamp(now)).await.unwrap();
        drop(state);
        let state = State::open(directory.path(), owner(), WAIT).await.unwrap();
        assert_eq!(state.memory.newest_time, Timestamp(newest));
    }
}

// proves I7
#[tokio::test]
async fn two_processes_of_one_component_wait_for_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let first = State::open(directory.path(), owner(), WAIT).await.unwrap();
    let refused = State::open(directory.path(), owner(), WAIT).await.unwrap_err();
    assert!(matches!(refused, StateError::Busy { .. }), "{refused}");
    let second = tokio::spawn({
        let directory = directory.path().to_owned();
        async move { State::open(&directory, owner(), Duration::from_secs(20)).await }
    });
    tokio::task::yield_now().await;
    drop(first);
    second.await.unwrap().unwrap();
}

#[tokio::test]
async fn components_do_not_wait_for_one_another() {
    let directory = tempfile::tempdir().unwrap();
    let other = Owner {
        component: "console".parse().unwrap(),
        ..owner()
    };
    let one = State::open(directory.path(), owner(), WAIT).await.unwrap();
    let other = State::open(directory.path(), other, WAIT).await.unwrap();
    assert_ne!(one.identity().fingerprint(), other.identity().fingerprint());
}

#[tokio::test]
async fn a_damaged_file_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let state = State::open(directory.path(), owner(), WAIT).await.unwrap();
    let path = state.path.clone();
    drop(state);
    let good = record::encode(&full_memory(), Fingerprint([9; 32]));
    let damaged = [
        good[..good.len() / 2].to_owned(),
        String::new(),
        good.replace("BCDEF\"", "BCDEU\""),
        good.replace("\"epoch\"", "\"epoche\""),
        good.replace("\"version\": 1", "\"version\": 0"),
        good.replace("\"lease_key\": \"", "\"lease_key\": \"AAAA"),
    ];
    for text in damaged {
        assert_ne!(text, good);
        file::replace(&path, text.as_bytes()).unwrap();
        let error = State::open(directory.path(), owner(), WAIT).await.unwrap_err();
        assert!(matches!(error, StateError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains("remove it"));
        assert_eq!(fs::read(&path).unwrap(), text.as_bytes());
    }
}

#[tokio::test]
async fn a_newer_file_and_an_exposed_one_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let state = State::open(directory.path(), owner(), WAIT).await.unwrap();
    let path = state.path.clone();
    drop(state);
    file::replace(&path, br#"{"version": 2, "unheard": "of"}"#).unwrap();
    let error = State::open(directory.path(), owner(), WAIT).await.unwrap_err();
    assert!(matches!(error, StateError::Newer { version: 2, .. }), "{error}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let error = State::open(directory.path(), owner(), WAIT).await.unwrap_err();
    assert!(error.to_string().contains("chmod 600"), "{error}");
}

#[tokio::test]
async fn a_new_identity_starts_without_continuation_numbers() {
    let directory = tempfile::tempdir().unwrap();
    let mut state = State::open(directory.path(), owner(), WAIT).await.unwrap();
    state.memory = full_memory();
    state.save(Timestamp(40)).await.unwrap();
    drop(state);
    fs::remove_file(owner().path(directory.path(), "pem")).unwrap();
    let state = State::open(directory.path(), owner(), WAIT).await.unwrap();
    assert_eq!(state.memory.pins.len(), 2);
    assert!(state.memory.pins.iter().all(|pin| pin.continuations.is_empty()));
}

#[test]
fn a_fifth_server_is_not_pinned() {
    let mut memory = Memory::default();
    for number in 0..4 {
        assert!(memory.trust(Fingerprint([number; 32])).unwrap());
    }
    assert!(!memory.trust(Fingerprint([0; 32])).unwrap());
    assert!(matches!(
        memory.trust(Fingerprint([4; 32])),
        Err(StateError::TooManyPins)
    ));
}

#[test]
fn continuation_numbers_are_kept_for_each_mac_address() {
    let mut pin = Pin::new(Fingerprint([0; 32]));
    assert_eq!(pin.continuation(mac(1)), 0);
    for last in 1..=5 {
        pin.set_continuation(mac(last), u64::from(last));
    }
    pin.set_continuation(mac(5), 50);
    assert_eq!(pin.continuation(mac(5)), 50);
    assert_eq!(pin.continuation(mac(2)), 2);
    assert_eq!(pin.continuation(mac(1)), 0, "the oldest made room");
}

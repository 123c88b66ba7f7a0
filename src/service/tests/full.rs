//! A disk that gets full: what is held goes on, nothing new is taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::domain::command::{Release, Role};
use crate::store::Room;

/// A store whose disk is full when it is told so. It keeps its last room for the end.
struct FullStore {
    inner: MemoryStore,
    is_full: Arc<AtomicBool>,
    is_ending: bool,
    /// Rounds that it still takes.
    left: u64,
}

impl Store for FullStore {
    fn load(&mut self, visit: &mut dyn FnMut(Fact)) -> Result<Loaded, StoreError> {
        self.inner.load(visit)
    }

    fn commit(&mut self, round: &Round<'_>) -> Result<(), StoreError> {
        if self.is_full.load(Ordering::SeqCst) && !self.is_ending {
            let left = self.left.checked_sub(1);
            self.left = left.ok_or_else(|| StoreError::Full { path: "journal".into() })?;
        }
        self.inner.commit(round)
    }

    fn ending(&mut self) {
        self.is_ending = true;
    }

    fn room(&self) -> Room {
        if self.is_full.load(Ordering::SeqCst) {
            Room::Short { left: self.left }
        } else {
            Room::Enough
        }
    }
}

const ADMINISTRATOR: u8 = 99;

/// Five seats, of which machine 1 holds one, and an administrator.
fn served() -> (Writer<FullStore>, Arc<AtomicBool>) {
    served_with(5 << 20)
}

/// The same where the full disk takes `left` rounds.
fn served_with(left: u64) -> (Writer<FullStore>, Arc<AtomicBool>) {
    let is_full = Arc::new(AtomicBool::new(false));
    let mut writer = writer(FullStore {
        inner: MemoryStore::new(),
        is_full: Arc::clone(&is_full),
        is_ending: false,
        left,
    });
    let mut requests = setup(5);
    requests.push(as_server(Command::AddAdmin {
        fingerprint: Fingerprint([ADMINISTRATOR; 32]),
        role: Role::Administrator,
        label: "Ada".to_owned(),
    }));
    requests.push(checkout(1, 1));
    writer.round(&requests, at(START)).expect("commits");
    is_full.store(true, Ordering::SeqCst);
    (writer, is_full)
}

fn by(identity: u8, command: Command) -> Request {
    Request {
        command,
        ..checkout(identity, 1)
    }
}

fn ask(writer: &mut Writer<FullStore>, request: Request) -> Reply {
    let replies = writer.round(&[request], at(START + 1)).expect("commits");
    replies.into_iter().next().expect("one")
}

fn denial(reply: &Reply) -> Option<Denial> {
    match reply {
        Reply::Denied(denied) => Some(denied.denial),
        _ => None,
    }
}

#[test]
fn on_a_full_disk_held_seats_are_renewed_and_released_and_no_new_one_is_engaged() {
    let (mut writer, is_full) = served();
    assert!(matches!(ask(&mut writer, checkout(1, 1)), Reply::Seat(_)), "renewed");
    assert_eq!(denial(&ask(&mut writer, checkout(2, 2))), Some(Denial::DiskFull));
    let Command::Checkout(held) = checkout(1, 1).command else {
        unreachable!("a checkout")
    };
    let release = Command::Release(Release {
        key: held.key,
        component: held.component,
    });
    assert!(matches!(ask(&mut writer, by(1, release)), Reply::Released { .. }));
    // A seat that was given back is a new one to whoever wants it again.
    assert_eq!(denial(&ask(&mut writer, checkout(1, 1))), Some(Denial::DiskFull));
    is_full.store(false, Ordering::SeqCst);
    assert!(
        matches!(ask(&mut writer, checkout(2, 2)), Reply::Seat(_)),
        "there is room again"
    );
}

#[test]
fn on_a_full_disk_administrators_see_it_take_seats_back_and_add_nothing() {
    let (mut writer, _) = served();
    let status = ask(&mut writer, by(ADMINISTRATOR, Command::Status));
    assert!(matches!(status, Reply::Status(status) if status.disk_left == Some(5 << 20)));
    let add = || Command::AddAdmin {
        fingerprint: Fingerprint([3; 32]),
        role: Role::Viewer,
        label: "Bob".to_owned(),
    };
    assert_eq!(
        denial(&ask(&mut writer, by(ADMINISTRATOR, add()))),
        Some(Denial::DiskFull)
    );
    assert_eq!(denial(&ask(&mut writer, by(1, add()))), Some(Denial::NotAuthorized));
    let imported = setup(9).pop().expect("an import").command;
    assert_eq!(
        denial(&ask(&mut writer, by(ADMINISTRATOR, imported))),
        Some(Denial::DiskFull)
    );
    let end = Command::EndSeat {
        mac: Mac::new([2, 0, 0, 0, 0, 1]).expect("unicast"),
        product: ProductName {
            vendor: None,
            product: product(),
        },
        component: None,
        reason: "room".to_owned(),
    };
    assert_eq!(denial(&ask(&mut writer, by(ADMINISTRATOR, end))), None);
    // The server itself goes on.
    assert_eq!(denial(&ask(&mut writer, as_server(add()))), None);
}

#[test]
fn a_service_that_stops_on_a_full_disk_writes_its_end_into_what_is_kept_for_it() {
    let (mut writer, _) = served_with(1);
    assert!(
        matches!(ask(&mut writer, checkout(1, 1)), Reply::Seat(_)),
        "the last one"
    );
    let refused = writer.round(&[checkout(1, 1)], at(START + 1));
    assert!(matches!(refused, Err(StoreError::Full { .. })), "{refused:?}");

    let (mut writer, _) = served_with(0);
    writer.finish(at(START + 500)).expect("what ends it has room");
    let end = writer.ledger().clock().map(|clock| clock.mark);
    assert_eq!(end, Some(Timestamp(START + 500)));
}

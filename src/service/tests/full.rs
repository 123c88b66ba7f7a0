//! A disk that gets full: what is held goes on, nothing new is taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::domain::command::{Release, Reserve, Role, Settle, Wanted};
use crate::domain::ids::ReservationId;
use crate::domain::reply::Settled;
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

const DEPLOYER: u8 = 98;

/// What becomes of one machine that a deployer commits, of a reservation that is or is not there.
fn commit(writer: &mut Writer<FullStore>, reservation: u8, mac: u8) -> Result<Settled, Denial> {
    let settle = Command::Commit(Settle {
        id: ReservationId([reservation; 16]),
        product: ProductName {
            vendor: None,
            product: product(),
        },
        macs: [Mac::new([2, 0, 0, 0, 0, mac]).expect("unicast")].into(),
        preferred_only: false,
    });
    match ask(writer, by(DEPLOYER, settle)) {
        Reply::Settled { rows, .. } => Ok(rows[0].1),
        Reply::Denied(denied) => Err(denied.denial),
        other => panic!("{other:?}"),
    }
}

// proves X4
#[test]
fn on_a_full_disk_what_is_reserved_is_committed_and_a_machine_that_is_decided_anew_gets_nothing() {
    let (mut writer, is_full) = served();
    is_full.store(false, Ordering::SeqCst);
    let deployments = Claims {
        serial: Serial::from_random([2; 10]),
        usage: Usage::Deployment,
        ..match setup(3).pop().expect("an import").command {
            Command::Import(keys) => keys[0].claims.clone(),
            other => unreachable!("{other:?}"),
        }
    };
    let reserve = Command::Reserve(Reserve {
        id: ReservationId([1; 16]),
        product: ProductName {
            vendor: None,
            product: product(),
        },
        secs: 60,
        wanted: Wanted::Machines([Mac::new([2, 0, 0, 0, 0, 9]).expect("unicast")].into()),
        preferred_only: false,
    });
    let requests = [
        as_server(Command::AddAdmin {
            fingerprint: Fingerprint([DEPLOYER; 32]),
            role: Role::Deployer,
            label: "Dan".to_owned(),
        }),
        // Of seats none is left then, so that the reservation is of a unit.
        as_server(Command::Import(vec![VerifiedKey {
            claims: deployments,
            certificate: Bytes::from_static(b"units"),
        }])),
        checkout(2, 2),
        checkout(3, 3),
        checkout(4, 4),
        checkout(5, 5),
        by(DEPLOYER, reserve),
    ];
    let replies = writer.round(&requests, at(START + 1)).expect("commits");
    assert!(matches!(replies[6], Reply::Reserved(_)), "{replies:?}");
    is_full.store(true, Ordering::SeqCst);

    assert!(
        matches!(commit(&mut writer, 1, 9), Ok(Settled::Committed(_))),
        "reserved"
    );
    assert!(
        matches!(commit(&mut writer, 1, 9), Ok(Settled::AlreadyCommitted(_))),
        "again"
    );
    assert!(
        matches!(commit(&mut writer, 2, 1), Ok(Settled::Covered(_))),
        "it holds a seat"
    );
    assert_eq!(commit(&mut writer, 2, 8), Err(Denial::DiskFull), "a unit");
    let end = Command::Release(Release {
        key: SeatKey {
            vendor: VENDOR,
            product: product(),
            mac: Mac::new([2, 0, 0, 0, 0, 1]).expect("unicast"),
        },
        component: "agent".parse().expect("good"),
    });
    assert!(matches!(ask(&mut writer, by(1, end)), Reply::Released { .. }));
    assert_eq!(commit(&mut writer, 2, 8), Err(Denial::DiskFull), "a seat");
    is_full.store(false, Ordering::SeqCst);
    assert!(
        matches!(commit(&mut writer, 2, 8), Ok(Settled::Engaged(_))),
        "there is room again"
    );
}

// proves V2
#[test]
fn a_full_disk_explains_why_no_seat_is_given() {
    let (mut writer, _) = served();
    let explain = crate::domain::explain::Explain {
        mac: Mac::new([2, 0, 0, 0, 0, 2]).expect("unicast"),
        product: ProductName {
            vendor: None,
            product: product(),
        },
        component: None,
        identity: None,
        continuation: None,
        refused: None,
        rebind: Rebind::Honour,
    };
    let reply = ask(&mut writer, by(ADMINISTRATOR, Command::Explain(Box::new(explain))));
    let Reply::Explained(told) = reply else {
        panic!("{reply:?}");
    };
    assert_eq!(denial(&told.outcome), Some(Denial::DiskFull));
    let full = crate::domain::explain::Step::Room { is_enough: false };
    assert_eq!(told.steps.last(), Some(&full));
}

//! What a ledger records of a story in which everything happens: facts of every kind, and most events.

use std::collections::BTreeSet;

use bytes::Bytes;
use seatkeeper::domain::blacklist::{Blacklist, Listed};
use seatkeeper::domain::change::{Change, Fact};
use seatkeeper::domain::command::{
    Actor, Checkout, Command, ProductName, Rebind, Release, Reserve, Role, Settle, Wanted,
};
use seatkeeper::domain::ids::{ComponentId, Fingerprint, Mac, ProductId, ReservationId, Serial, ServerId, VendorId};
use seatkeeper::domain::ledger::Ledger;
use seatkeeper::domain::seat::{MachineNote, SeatKey};
use seatkeeper::domain::time::{Now, Timestamp};
use seatkeeper::domain::timekeeper::{ClockChange, Jump};
use seatkeeper_fuzz::goods;

const VENDOR: VendorId = VendorId([0x11; 16]);
const RESERVATION: ReservationId = ReservationId([5; 16]);

fn product() -> ProductId {
    "BKSRV".parse().expect("an id")
}

fn component() -> ComponentId {
    "agent".parse().expect("an id")
}

fn name() -> ProductName {
    ProductName {
        vendor: Some(VENDOR),
        product: product(),
    }
}

fn mac(number: u8) -> Mac {
    Mac::new([0, 0x1a, 0, 0, 0, number]).expect("an address")
}

fn key(number: u8) -> SeatKey {
    SeatKey {
        vendor: VENDOR,
        product: product(),
        mac: mac(number),
    }
}

fn peer(number: u8) -> Actor {
    Actor::Peer {
        identity: Fingerprint([number; 32]),
        address: [192, 0, 2, number].into(),
    }
}

fn checkout(number: u8, rebind: Rebind) -> Command {
    Command::Checkout(Checkout {
        key: key(number),
        component: component(),
        continuation: 0,
        machine: MachineNote {
            host_name: "desk".into(),
            address: Some([192, 0, 2, number].into()),
            other_macs: [mac(100 + number)].into(),
        },
        rebind,
    })
}

fn reserve(number: u8, wanted: Wanted) -> Command {
    Command::Reserve(Reserve {
        id: ReservationId([number; 16]),
        product: name(),
        secs: 600,
        wanted,
        preferred_only: false,
    })
}

fn blacklist() -> Command {
    let list = Box::new(Blacklist {
        vendor: VENDOR,
        version: 2,
        issued_at: Timestamp(1),
        contact: "licenses@example.com".to_owned(),
        serials: [(Serial::from_random([2; 10]), Listed::Superseded)].into(),
        signed: Bytes::from_static(b"signed"),
    });
    Command::ImportBlacklist { list, dry_run: false }
}

/// The commands of the beginning: who there is, and what is sold.
fn beginning() -> Vec<(Actor, Command)> {
    let add = |number: u8, role| Command::AddAdmin {
        fingerprint: Fingerprint([number; 32]),
        role,
        label: "Ada".to_owned(),
    };
    let trust = Command::TrustVendor {
        public_key: [3; 32],
        vendor: VENDOR,
    };
    let mut commands = vec![
        Command::Found { id: ServerId([1; 16]) },
        add(1, Role::Administrator),
        add(2, Role::Deployer),
        add(3, Role::Viewer),
        trust,
    ];
    commands.extend(goods(VENDOR));
    commands.push(Command::RemoveAdmin {
        fingerprint: Fingerprint([3; 32]),
    });
    commands.into_iter().map(|command| (Actor::Server, command)).collect()
}

/// The commands of the life: seats come and go, machines are deployed, the clock jumps.
fn life() -> Vec<(Actor, Command)> {
    let machines: BTreeSet<_> = (20..23).map(mac).collect();
    let settle = |number: u8, macs: BTreeSet<Mac>| Settle {
        id: ReservationId([number; 16]),
        product: name(),
        macs,
        preferred_only: false,
    };
    let release = Command::Release(Release {
        key: key(10),
        component: component(),
    });
    let jump = Jump {
        size_secs: 172_800,
        began_at: Timestamp(1_767_225_600),
    };
    let end = |number: u8, component| Command::EndSeat {
        mac: mac(number),
        product: name(),
        component,
        reason: "gone".to_owned(),
    };
    let resolve = Command::Resolve {
        mac: mac(12),
        product: None,
    };
    let remove = |number: u8| Command::RemoveLicense {
        serial: Serial::from_random([number; 10]),
        end_seats: true,
    };
    vec![
        (peer(10), checkout(10, Rebind::Honour)),
        (peer(11), checkout(11, Rebind::Honour)),
        (peer(12), checkout(12, Rebind::Honour)),
        (peer(13), checkout(11, Rebind::Honour)),
        (peer(13), checkout(12, Rebind::Approve)),
        (peer(1), resolve),
        (peer(10), release),
        (peer(1), end(11, Some(component()))),
        (peer(2), reserve(RESERVATION.0[0], Wanted::Machines(machines))),
        (peer(2), Command::Commit(settle(5, [mac(20)].into()))),
        (peer(2), Command::Abort(settle(5, [mac(21)].into()))),
        (peer(2), Command::Commit(settle(5, BTreeSet::new()))),
        (peer(2), reserve(6, Wanted::Seats(1))),
        (peer(2), Command::Abort(settle(6, BTreeSet::new()))),
        (Actor::Server, Command::KeepTime(0)),
        (Actor::Server, Command::NoteClock(ClockChange::Pending(jump))),
        (Actor::Server, Command::NoteClock(ClockChange::Accepted(jump))),
        (Actor::Server, Command::ClockReset),
        (Actor::Server, blacklist()),
        (peer(1), remove(1)),
        (peer(1), remove(2)),
    ]
}

/// The changes of the story, command by command.
pub(crate) fn story() -> Vec<Vec<Change>> {
    let mut ledger = Ledger::default();
    let mut rounds = Vec::new();
    let commands = beginning().into_iter().chain(life());
    for (seconds, (actor, command)) in (0..).zip(commands) {
        let now = Now::at(1_767_225_600 + seconds);
        let (reply, changes) = ledger.apply(actor, &command, now);
        assert!(!changes.is_empty(), "nothing is recorded of {command:?}: {reply:?}");
        rounds.push(changes);
    }
    rounds
}

/// Every fact of the story.
pub(crate) fn facts() -> impl Iterator<Item = Fact> {
    story().into_iter().flatten().map(|change| change.fact)
}

//! The rules: what the writer decides, with few seats and with many.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};

use seatkeeper::domain::command::{Actor, Checkout, Command, Page, ProductName, Rebind, Release, SeatsPage};
use seatkeeper::domain::explain::Explain;
use seatkeeper::domain::ids::{ComponentId, Fingerprint, Mac, ProductKey};
use seatkeeper::domain::ledger::Ledger;
use seatkeeper::domain::reply::Reply;
use seatkeeper::domain::seat::MachineNote;
use seatkeeper::domain::time::{DAY_SECS, Now};

use super::Piece;
use super::signed::{self, Vendor};

const FEW: u32 = 1_000;
const MANY: u32 = 100_000;

pub(super) const PIECES: [Piece; 16] = [
    Piece::new("ledger: renew, 1,000 seats", || Site::with(FEW).renewing()),
    Piece::new("ledger: renew, 100,000 seats", || Site::with(MANY).renewing()),
    Piece::new("ledger: check out and release, 1,000 seats", || {
        Site::with(FEW).coming_and_going()
    }),
    Piece::new("ledger: check out and release, 100,000 seats", || {
        Site::with(MANY).coming_and_going()
    }),
    Piece::new("ledger: availability, 1,000 seats", || {
        Site::with(FEW).asking(|site| Command::Availability(site.product_name()))
    }),
    Piece::new("ledger: availability, 100,000 seats", || {
        Site::with(MANY).asking(|site| Command::Availability(site.product_name()))
    }),
    Piece::new("ledger: explain, 1,000 seats", || Site::with(FEW).asking(Site::explain)),
    Piece::new("ledger: explain, 100,000 seats", || {
        Site::with(MANY).asking(Site::explain)
    }),
    Piece::new("ledger: reclaim nothing, 1,000 seats", || {
        Site::with(FEW).asking(|_| Command::Reclaim)
    }),
    Piece::new("ledger: reclaim nothing, 100,000 seats", || {
        Site::with(MANY).asking(|_| Command::Reclaim)
    }),
    Piece {
        name: "ledger: engage and reclaim 256 seats, beside 1,000",
        prepare: || reclaiming(FEW),
        requests: OVERDUE,
    },
    Piece {
        name: "ledger: engage and reclaim 256 seats, beside 100,000",
        prepare: || reclaiming(MANY),
        requests: OVERDUE,
    },
    Piece::new("ledger: first page of seats, 1,000 seats", || {
        Site::with(FEW).asking(|_| Command::Seats(first_seats()))
    }),
    Piece::new("ledger: first page of seats, 100,000 seats", || {
        Site::with(MANY).asking(|_| Command::Seats(first_seats()))
    }),
    Piece::new("ledger: first page of licenses, 100,000 seats", || {
        Site::with(MANY).asking(|_| Command::Licenses(FIRST_PAGE_OF_LICENSES))
    }),
    Piece::new("ledger: status, 100,000 seats", || {
        Site::with(MANY).asking(|_| Command::Status)
    }),
];

/// Seats that are overdue at once, and reclaimed together.
const OVERDUE: u32 = 256;

/// Days after which those idle out; all others stay for as long as anybody measures.
const OVERDUE_DAYS: u16 = 1;
const OTHERS_DAYS: u16 = u16::MAX;

const FIRST_PAGE_OF_LICENSES: Page<seatkeeper::domain::ids::Serial> = Page {
    after: None,
    limit: 256,
};

const fn first_seats() -> SeatsPage {
    SeatsPage {
        mac: None,
        product: None,
        page: Page {
            after: None,
            limit: 256,
        },
    }
}

/// When all of it happens.
pub(super) const NOW: Now = Now::at(NOW_SECS);
const NOW_SECS: u64 = 1_800_000_000;

/// A ledger with a license, and machines that have seats of it.
pub(super) struct Site {
    pub(super) ledger: Ledger,
    pub(super) product: ProductKey,
    component: ComponentId,
    /// The number that each machine was told last.
    numbers: Vec<u64>,
}

impl Site {
    pub(super) fn with(seats: u32) -> Self {
        Self::with_room(seats, 1, &[])
    }

    /// Likewise, with so many seats more, and these commands before the machines have theirs.
    fn with_room(seats: u32, more: u32, first: &[Command]) -> Self {
        let vendor = Vendor::new();
        let mut site = Self {
            ledger: Ledger::default(),
            product: vendor.product(),
            component: signed::component(),
            numbers: Vec::new(),
        };
        for command in vendor.commands(seats + more).iter().chain(first) {
            let reply = site.apply(Actor::Server, command);
            assert!(!matches!(reply, Reply::Denied(_)), "{reply:?}");
        }
        for machine in 0..seats {
            let number = site.check_out(machine, 0);
            site.numbers.push(number);
        }
        site
    }

    pub(super) fn product_name(&self) -> ProductName {
        ProductName {
            vendor: Some(self.product.vendor),
            product: self.product.product,
        }
    }

    fn apply(&mut self, actor: Actor, command: &Command) -> Reply {
        self.apply_at(NOW, actor, command)
    }

    fn apply_at(&mut self, now: Now, actor: Actor, command: &Command) -> Reply {
        let (reply, changes) = self.ledger.apply(actor, command, now);
        black_box(changes);
        reply
    }

    /// The checkout of a machine with the number that it was told last.
    pub(super) fn checkout(&self, machine: u32, continuation: u64) -> Command {
        Command::Checkout(Checkout {
            key: self.product.seat(mac(machine)),
            component: self.component,
            continuation,
            machine: note(machine),
            rebind: Rebind::Honour,
        })
    }

    fn check_out(&mut self, machine: u32, continuation: u64) -> u64 {
        let command = self.checkout(machine, continuation);
        match self.apply(actor(machine), &command) {
            Reply::Seat(grant) => grant.continuation,
            reply => panic!("{reply:?}"),
        }
    }

    /// Machines far from one another in turn.
    fn renewing(mut self) -> Box<dyn FnMut()> {
        let seats = u32::try_from(self.numbers.len()).unwrap();
        let mut machine = 0;
        Box::new(move || {
            machine = (machine + 7_919) % seats;
            let place = machine as usize;
            self.numbers[place] = self.check_out(machine, self.numbers[place]);
        })
    }

    fn coming_and_going(mut self) -> Box<dyn FnMut()> {
        let machine = u32::try_from(self.numbers.len()).unwrap();
        let release = Command::Release(Release {
            key: self.product.seat(mac(machine)),
            component: self.component,
        });
        let mut number = 0;
        Box::new(move || {
            number = self.check_out(machine, number);
            let reply = self.apply(actor(machine), &release);
            assert!(matches!(reply, Reply::Released { .. }), "{reply:?}");
        })
    }

    fn explain(&self) -> Command {
        Command::Explain(Box::new(Explain {
            mac: mac(0),
            product: self.product_name(),
            component: None,
            identity: None,
            continuation: None,
            refused: None,
            rebind: Rebind::Honour,
        }))
    }

    fn asking(mut self, what: fn(&Self) -> Command) -> Box<dyn FnMut()> {
        let command = what(&self);
        Box::new(move || {
            black_box(self.apply(Actor::Server, &command));
        })
    }
}

/// Each time as many machines engage seats anew, and a day later these are overdue and the others are not.
fn reclaiming(others: u32) -> Box<dyn FnMut()> {
    let vendor = Vendor::new();
    let mut site = Site::with_room(others, OVERDUE, &[vendor.idle_days(2, OTHERS_DAYS)]);
    let reply = site.apply(Actor::Server, &vendor.idle_days(3, OVERDUE_DAYS));
    assert!(!matches!(reply, Reply::Denied(_)), "{reply:?}");
    let mut numbers = [0; OVERDUE as usize];
    let mut days = 0;
    Box::new(move || {
        let at = |days: u64| Now::at(NOW_SECS + days * DAY_SECS);
        for (machine, number) in (others..).zip(&mut numbers) {
            let command = site.checkout(machine, *number);
            match site.apply_at(at(days), actor(machine), &command) {
                Reply::Seat(grant) => *number = grant.continuation,
                reply => panic!("{reply:?}"),
            }
        }
        days += u64::from(OVERDUE_DAYS);
        let reply = site.apply_at(at(days), Actor::Server, &Command::Reclaim);
        assert!(
            matches!(reply, Reply::Reclaimed(count) if count == OVERDUE as usize),
            "{reply:?}"
        );
    })
}

pub(super) fn actor(machine: u32) -> Actor {
    Actor::Peer {
        identity: identity(machine),
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
    }
}

pub(super) fn identity(machine: u32) -> Fingerprint {
    let mut bytes = [7; 32];
    bytes[..4].copy_from_slice(&machine.to_be_bytes());
    Fingerprint(bytes)
}

pub(super) fn mac(machine: u32) -> Mac {
    let [a, b, c, d] = machine.to_be_bytes();
    Mac::new([2, 0x5e, a, b, c, d]).unwrap()
}

fn note(machine: u32) -> MachineNote {
    let [a, b, c, d] = machine.to_be_bytes();
    MachineNote {
        host_name: format!("swarm{machine:07}").into(),
        address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        other_macs: [Mac::new([6, 0x5e, a, b, c, d]).unwrap()].into(),
    }
}

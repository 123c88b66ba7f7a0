//! What several tests need. Everything is deterministic: the same number gives the same value.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use seatkeeper::domain::blacklist::{Blacklist, Listed};
use seatkeeper::domain::catalogue::{Catalogue, Component, Offers, OnConflict, Product, Vendor};
use seatkeeper::domain::change::{Admin, Change, Fact, FactKey, Server};
use seatkeeper::domain::command::Role;
use seatkeeper::domain::enrolment::{Enrolled, Token};
use seatkeeper::domain::ids::{
    Fingerprint, Mac, ProductKey, ReservationId, Serial, ServerId, TokenHash, TokenId, VendorId,
};
use seatkeeper::domain::license::{Claims, Kind, License, Tombstone, Usage, Validity};
use seatkeeper::domain::reservation::{Hold, Reservation, Reserved};
use seatkeeper::domain::seat::{
    Binding, Bound, Conflict, ConflictKind, DISPLACED_MAX, Displaced, EndCause, FormerSeat, LastNumbers, LeftBehind,
    MachineNote, Seat, SeatKey, Seen, SpentUnit, Waiting,
};
use seatkeeper::domain::sorted_map::SortedMap;
use seatkeeper::domain::time::Timestamp;
use seatkeeper::domain::timekeeper::{ClockState, Jump};

/// The vendor that all facts here are about.
pub(crate) const VENDOR: VendorId = VendorId([0x11; 16]);

/// The `n`th license's serial.
pub(crate) fn serial(n: u16) -> Serial {
    let [high, low] = n.to_be_bytes();
    Serial::from_random([0x5e, 0, 0, 0, 0, 0, 0, 0, high, low])
}

/// The `n`th machine's seat of one product.
pub(crate) fn seat_key(n: u32) -> SeatKey {
    let mut mac = [0x00, 0x1a, 0, 0, 0, 0];
    mac[2..].copy_from_slice(&n.to_be_bytes());
    SeatKey {
        vendor: VENDOR,
        product: "BKSRV".parse().unwrap(),
        mac: Mac::new(mac).unwrap(),
    }
}

/// The `n`th machine's seat, renewed at `at`; every third one has another shape.
pub(crate) fn seat(n: u32, at: u64) -> Seat {
    let displaced = (10..).take(DISPLACED_MAX).map(|one| Displaced {
        identity: Fingerprint([one; 32]),
        at: Timestamp(at - 20 + u64::from(one)),
    });
    let others = Seen {
        rebound_at: (n % 3 == 1).then_some(Timestamp(at - 5)),
        displaced: displaced.filter(|_| n % 3 == 1).collect(),
        conflict: (n % 3 == 2).then_some(Conflict {
            kind: ConflictKind::StaleContinuation,
            since: Timestamp(at - 9),
            last_seen: Timestamp(at),
            count: n,
        }),
        waiting: (n % 3 == 1).then(|| Waiting {
            identity: Fingerprint([8; 32]),
            since: Timestamp(at - 3),
        }),
    };
    let bound = Bound {
        identity: Fingerprint([7; 32]),
        continuation: if n % 4 == 3 { 0 } else { u64::from(n) + 1 },
        continuation_before: (n % 4 != 3).then_some(u64::from(n)),
        others: others.into(),
    };
    let address = match n % 3 {
        0 => None,
        1 => Some("192.0.2.7".parse().unwrap()),
        _ => Some("2001:db8::7".parse().unwrap()),
    };
    Seat {
        serial: serial(1),
        acquired_at: Timestamp(at - 100),
        renewed_at: Timestamp(at),
        renew_by: (n % 3 != 2).then_some(Timestamp(at + 2_592_000)),
        single_use: n % 3 == 2,
        machine: MachineNote {
            host_name: format!("machine-{n}").into(),
            address,
            other_macs: (0..n % 3).map(|other| seat_key(0x00ff_0000 + other).mac).collect(),
        },
        components: SortedMap::from([
            ("agent".parse().unwrap(), Binding::Identity(bound)),
            ("console".parse().unwrap(), Binding::Unbound),
        ]),
    }
}

/// Records a fact as the ledger does: its value, or its deletion.
pub(crate) fn record(facts: &mut BTreeMap<FactKey, Fact>, fact: Fact) {
    if fact.is_deletion() {
        facts.remove(&fact.key());
    } else {
        facts.insert(fact.key(), fact);
    }
}

/// Seat `n` put at time `at`.
pub(crate) fn seat_put(n: u32, at: u64) -> Fact {
    Fact::SeatPut(seat_key(n), Arc::new(seat(n, at)))
}

/// The `n`th license.
pub(crate) fn license(n: u16) -> License {
    License {
        claims: Claims {
            vendor: VENDOR,
            serial: serial(n),
            product: "BKSRV".parse().unwrap(),
            seats: u32::from(n) + 1,
            kind: [Kind::Commercial, Kind::Subscription, Kind::Trial][usize::from(n % 3)],
            usage: [Usage::Machine, Usage::Deployment][usize::from(n % 2)],
            issued_at: Timestamp(1_000),
            validity: [Validity::Forever, Validity::Days(30), Validity::ThroughDay(20_500)][usize::from(n % 3)],
            support_until_day: (n % 2 == 1).then_some(21_000),
            auto_renew: n % 2 == 1,
        },
        imported_at: Timestamp(2_000),
        certificate: Bytes::from_static(b"certificate"),
        listed: [None, Some(Listed::Blacklisted), Some(Listed::Superseded)][usize::from(n % 3)],
    }
}

/// A catalogue with `products` products of two components each.
pub(crate) fn catalogue(products: u16) -> Catalogue {
    let product = |n: u16| Product {
        name: format!("Product {n}"),
        idle_days: 30 * (n % 2),
        single_use: n.is_multiple_of(2),
        offline_days: 7,
        offers: [
            Offers::MachineFirst,
            Offers::DeploymentFirst,
            Offers::MachineOnly,
            Offers::DeploymentOnly,
        ][usize::from(n % 4)],
        required: (n % 2 == 1).then(|| "P00000".parse().unwrap()),
        on_conflict: [OnConflict::Flag, OnConflict::Refuse][usize::from(n % 2)],
        components: BTreeMap::from([
            (
                "agent".parse().unwrap(),
                Component {
                    counted: true,
                    lenient: true,
                    ephemeral: false,
                },
            ),
            (
                "console".parse().unwrap(),
                Component {
                    counted: false,
                    lenient: false,
                    ephemeral: true,
                },
            ),
        ]),
        signed_entry: Bytes::from(vec![0xee; 100]),
    };
    Catalogue {
        vendor: VENDOR,
        vendor_name: "Vendor".into(),
        version: 3,
        issued_at: Timestamp(900),
        products: (0..products)
            .map(|n| (format!("P{n:05}").parse().unwrap(), product(n)))
            .collect(),
        signed: Bytes::from(vec![0xdd; 1_000]),
    }
}

/// A vendor's list that names a license as taken back and another one as replaced.
fn blacklist() -> Blacklist {
    Blacklist {
        vendor: VENDOR,
        version: 5,
        issued_at: Timestamp(950),
        contact: "licenses@example.com".into(),
        serials: BTreeMap::from([(serial(1), Listed::Blacklisted), (serial(2), Listed::Superseded)]),
        signed: Bytes::from(vec![0xcc; 1_000]),
    }
}

/// A reservation of every shape: of machines with all that they can have, and of held seats.
fn reservations() -> [(ReservationId, Reservation); 2] {
    let of = |hold, by| Reservation {
        product: ProductKey {
            vendor: VENDOR,
            product: "BKSRV".parse().unwrap(),
        },
        reserved_at: Timestamp(1_000),
        lapses_at: Timestamp(2_000),
        by,
        hold,
    };
    let machines = BTreeMap::from([
        (seat_key(1).mac, Reserved::Covered),
        (seat_key(2).mac, Reserved::Seat),
        (seat_key(3).mac, Reserved::Unit(serial(5))),
    ]);
    let held = BTreeMap::from([(serial(2), 1), (serial(4), 3)]);
    [
        (
            ReservationId([1; 16]),
            of(Hold::Machines(machines), Some(Fingerprint([3; 32]))),
        ),
        (ReservationId([2; 16]), of(Hold::Seats(held), None)),
    ]
}

/// What stays of a removed license, its spent units and the time that goes on.
fn remains() -> [Fact; 4] {
    let spent = |unit, reservation| {
        Fact::SpentPut(
            serial(9),
            unit,
            SpentUnit {
                mac: seat_key(4).mac,
                spent_at: Timestamp(3),
                reservation,
            },
        )
    };
    [
        Fact::TombstonePut(
            serial(9),
            Tombstone {
                vendor: VENDOR,
                product: "BKSRV".parse().unwrap(),
                usage: Usage::Deployment,
                seats: 12,
                validity: Validity::ThroughDay(20_500),
                imported_at: Timestamp(1),
                removed_at: Timestamp(2),
            },
        ),
        spent(4, None),
        spent(5, Some(ReservationId([4; 16]))),
        Fact::ClockPut(ClockState {
            mark: Timestamp(900),
            jump: Some(Jump {
                size_secs: 172_800,
                began_at: Timestamp(850),
            }),
        }),
    ]
}

/// A token that was used and revoked, one that was not, and whom the first enrolled.
fn enrolment() -> [Fact; 4] {
    let fresh = Token {
        label: String::new(),
        created_at: Timestamp(100),
        expires_at: Timestamp(200),
        uses_left: 5,
        enrolled: 0,
        last_used_at: None,
        revoked_at: None,
    };
    let used = Token {
        label: "office".into(),
        enrolled: 2,
        last_used_at: Some(Timestamp(110)),
        revoked_at: Some(Timestamp(120)),
        ..fresh.clone()
    };
    let enrolled = |revoked_at| Enrolled {
        token: TokenId([0xc1; 8]),
        at: Timestamp(110),
        revoked_at,
    };
    [
        Fact::TokenPut(TokenHash([0xc1; 32]), used),
        Fact::TokenPut(TokenHash([0xc2; 32]), fresh),
        Fact::EnrolledPut(Fingerprint([0xa1; 32]), enrolled(None)),
        Fact::EnrolledPut(Fingerprint([0xa2; 32]), enrolled(Some(Timestamp(120)))),
    ]
}

/// One fact of every kind that puts something, and of every shape of it.
pub(crate) fn every_put() -> Vec<Fact> {
    let admin = |role| Admin {
        role,
        label: "Ada".into(),
        added_at: Timestamp(70),
    };
    let former = |cause| FormerSeat {
        ended_at: Timestamp(80),
        cause,
    };
    let mut facts = vec![
        Fact::ServerPut(Server {
            id: ServerId([3; 16]),
            epoch: 2,
            founded_at: Timestamp(60),
            last_backup: None,
        }),
        Fact::VendorPut(
            VENDOR,
            Vendor {
                public_key: [0x22; 32],
                trusted_at: Timestamp(65),
            },
        ),
        Fact::CataloguePut(Box::new(catalogue(256))),
        Fact::BlacklistPut(Box::new(blacklist())),
    ];
    let roles = [Role::Agent, Role::Deployer, Role::Viewer, Role::Administrator];
    facts.extend(
        (0_u8..)
            .zip(roles)
            .map(|(n, role)| Fact::AdminPut(Fingerprint([n; 32]), admin(role))),
    );
    let causes = [
        EndCause::Administrator,
        EndCause::Idle,
        EndCause::LicenseRemoved,
        EndCause::Released,
    ];
    facts.extend(
        (50..)
            .zip(causes)
            .map(|(n, cause)| Fact::FormerPut(seat_key(n), former(cause))),
    );
    let numbers = LastNumbers {
        identity: Fingerprint([9; 32]),
        continuation: u64::MAX,
        continuation_before: 3,
    };
    let components = ["agent", "cli"].map(|id| (id.parse().unwrap(), numbers));
    let left = LeftBehind {
        left_at: Timestamp(80),
        components: components.into(),
    };
    facts.push(Fact::LeftPut(seat_key(50), Box::new(left)));
    facts.extend((0..6).map(|n| Fact::LicensePut(Box::new(license(n)))));
    facts.extend((0..3).map(|n| seat_put(n, 1_000)));
    facts.extend(enrolment());
    facts.extend(remains());
    facts.extend(reservations().map(|(id, reservation)| Fact::ReservationPut(id, Box::new(reservation))));
    facts
}

/// Changes that record `facts`, telling of no events.
pub(crate) fn changes(facts: impl IntoIterator<Item = Fact>) -> Vec<Change> {
    facts.into_iter().map(Change::from).collect()
}

//! What each accepted vector says.

mod deployment;
mod enrolment;
mod events;
mod explain;
mod imports;
mod reload;
mod views;

use std::collections::BTreeMap;

use bytes::Bytes;
use seatkeeper::wire::discovery::{Offer, Question, Wanted};
use seatkeeper::wire::messages::{Request, Response, admin, hello, seat};
use seatkeeper::wire::{ConflictKind, EndCause, Opcode, Outcome, ReleaseOutcome, Role, Status};

use super::Said;

const NOW: u64 = 1_800_000_000;
const VENDOR: [u8; 16] = [0x11; 16];
const MAC: [u8; 6] = [0x00, 0x1a, 0x2b, 0x3c, 0x4d, 0x5e];
const OTHER_MAC: [u8; 6] = [0x02, 0x1a, 0x2b, 0x3c, 0x4d, 0x5e];
const SERIAL: &str = "0123456789ABCDEF";

pub(crate) fn all() -> BTreeMap<&'static str, Said> {
    let groups = [
        datagrams(),
        beginning(),
        checkouts(),
        leases(),
        seats(),
        deployment::reserve(),
        deployment::settle(),
        deployment::reservations(),
        enrolment::agents(),
        enrolment::administrators(),
        explain::all(),
        events::viewers(),
        reload::all(),
        views::status(),
        views::licenses(),
        views::used_seats(),
        views::products(),
        views::admins(),
        imports::keys(),
        imports::lists(),
        imports::bindings_and_clock(),
    ];
    groups.into_iter().flatten().collect()
}

type Group = Vec<(&'static str, Said)>;

fn reply(opcode: Opcode, response: Response) -> Said {
    Said::Response(opcode, response)
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn datagrams() -> Group {
    let nonce = std::array::from_fn(|place| u8::try_from(place).expect("16 bytes"));
    let wanted = Wanted {
        vendor: VENDOR,
        product: text("BKSRV"),
    };
    let offer = |holds| {
        Said::Offer(Offer {
            nonce,
            server: [0x22; 16],
            fingerprint: [0x99; 32],
            port: 17_328,
            epoch: 1,
            priority: 100,
            server_time: NOW,
            version_min: 1,
            version_max: 1,
            holds,
            name: text("license-1"),
            server_version: text("0.1.0"),
        })
    };
    vec![
        ("question_any", Said::Question(Question { nonce, wanted: None })),
        (
            "question_product",
            Said::Question(Question {
                nonce,
                wanted: Some(wanted),
            }),
        ),
        ("offer_any", offer(None)),
        ("offer_holds", offer(Some(true))),
    ]
}

fn hello_ok() -> hello::HelloOk {
    hello::HelloOk {
        server_time: NOW,
        version: 1,
        server: [0x22; 16],
        name: text("license-1"),
        server_version: text("0.1.0"),
        epoch: 1,
        body_len_max: 65_536,
        in_flight_max: 64,
        silence_ms: 30_000,
        role: Role::AGENT,
        succession: Vec::new(),
        lease_key: None,
    }
}

fn beginning() -> Group {
    let hello = hello::Hello {
        version_min: 1,
        version_max: 1,
        client: text("example 1.0"),
        in_flight_max: 64,
    };
    let succession = hello::HelloOk {
        role: Role::ADMINISTRATOR,
        succession: vec![
            hello::Succession {
                old_spki: Bytes::from_static(b"\x30\x03old"),
                signature: Bytes::from_static(b"\x30\x03sig"),
            },
            hello::Succession {
                old_spki: Bytes::from_static(b"\x30\x03odd"),
                signature: Bytes::from_static(b"\x30\x03sug"),
            },
        ],
        lease_key: Some([0x33; 32]),
        ..hello_ok()
    };
    let parting = hello::Refusal {
        text: text("the server is stopping"),
        ..Default::default()
    };
    vec![
        ("hello", Said::Request(Request::Hello(hello))),
        ("hello_ok", reply(Opcode::HELLO, Response::Hello(hello_ok()))),
        ("hello_ok_succession", reply(Opcode::HELLO, Response::Hello(succession))),
        ("parting", Said::Parting(Status::GOING_AWAY, parting)),
        (
            "refusal",
            reply(Opcode::CHECKOUT, Response::Refused(Status::SEATS_EXHAUSTED, refusal())),
        ),
        (
            "refusal_rare",
            reply(
                Opcode::RELEASE,
                Response::Refused(Status::REBOUND_RECENTLY, rare_refusal()),
            ),
        ),
    ]
}

fn refusal() -> hello::Refusal {
    hello::Refusal {
        server_time: Some(NOW),
        text: text("no seat of BKSRV is available"),
        used: Some(10),
        total: Some(10),
        earliest_renew_by: Some(NOW + 3_600),
        former: Some(former()),
        product: Some(text("BKSRV")),
        mac: Some(MAC),
        ..Default::default()
    }
}

fn rare_refusal() -> hello::Refusal {
    hello::Refusal {
        text: text("later"),
        retry_secs: Some(60),
        until: Some(NOW + 1),
        component: Some(text("agent")),
        serial: Some(text(SERIAL)),
        catalogue_version: Some(5),
        version_min: Some(1),
        version_max: Some(1),
        required_product: Some(text("HOSTMGR")),
        contact: Some(text("licenses@example.com")),
        ..Default::default()
    }
}

fn former() -> seat::Former {
    seat::Former {
        ended_at: NOW - 86_400,
        cause: EndCause::IDLE,
    }
}

fn conflict() -> seat::Conflict {
    seat::Conflict {
        kind: ConflictKind::STALE_CONTINUATION,
        since: NOW - 200,
        last_seen: NOW - 100,
        count: 2,
    }
}

fn counts() -> seat::Counts {
    seat::Counts {
        licenses: 1,
        total: 10,
        used: 4,
        free: 6,
        available: 6,
    }
}

fn units() -> seat::Counts {
    seat::Counts {
        licenses: 2,
        total: 50,
        used: 20,
        free: 30,
        available: 25,
    }
}

fn checkouts() -> Group {
    let bare = seat::Checkout {
        vendor: VENDOR,
        product: text("BKSRV"),
        component: text("agent"),
        mac: MAC,
        ..Default::default()
    };
    let full = seat::Checkout {
        continuation: 7,
        host_name: Some(text("host-1")),
        other_macs: vec![OTHER_MAC, [0x00, 0x1a, 0x2b, 0x3c, 0x4d, 0x5f]],
        ..bare.clone()
    };
    let reserved = seat::Checkout {
        continuation: 7,
        os_class: Some(3),
        instance: Some([0x44; 16]),
        cpus: Some(8),
        ..bare.clone()
    };
    let granted = seat::CheckoutOk {
        server_time: NOW,
        outcome: Outcome::GRANTED,
        catalogue_entry: Bytes::from_static(b"entry"),
        serial: Some(text(SERIAL)),
        acquired_at: Some(NOW),
        renew_by: Some(NOW + 2_592_000),
        continuation: Some(8),
        certificate: Some(Bytes::from_static(b"certificate")),
        ..Default::default()
    };
    let again = seat::CheckoutOk {
        outcome: Outcome::ENGAGED_AGAIN,
        renew_by: None,
        continuation: Some(9),
        conflict: Some(conflict()),
        former: Some(former()),
        ..granted.clone()
    };
    let not_counted = seat::CheckoutOk {
        server_time: NOW,
        outcome: Outcome::NOT_COUNTED,
        catalogue_entry: Bytes::from_static(b"entry"),
        counts: Some(counts()),
        ..Default::default()
    };
    vec![
        ("checkout", Said::Request(Request::Checkout(full))),
        ("checkout_bare", Said::Request(Request::Checkout(bare))),
        ("renew_reserved", Said::Request(Request::Renew(reserved))),
        (
            "checkout_ok_granted",
            reply(Opcode::CHECKOUT, Response::Checkout(granted)),
        ),
        (
            "checkout_ok_engaged_again",
            reply(Opcode::RENEW, Response::Checkout(again)),
        ),
        (
            "checkout_ok_not_counted",
            reply(Opcode::CHECKOUT, Response::Checkout(not_counted)),
        ),
    ]
}

fn leases() -> Group {
    let lease = seat::Lease {
        vendor: VENDOR,
        product: text("BKSRV"),
        component: text("agent"),
        mac: MAC,
        identity: [0x77; 32],
        server: [0x22; 16],
        days: 7,
        client_time: NOW - 10,
        server_time: NOW,
    };
    let asked = seat::Checkout {
        vendor: VENDOR,
        product: text("BKSRV"),
        component: text("agent"),
        mac: MAC,
        continuation: 7,
        client_time: Some(NOW - 10),
        ..Default::default()
    };
    let granted = seat::CheckoutOk {
        server_time: NOW,
        outcome: Outcome::GRANTED,
        catalogue_entry: Bytes::from_static(b"entry"),
        serial: Some(text(SERIAL)),
        acquired_at: Some(NOW),
        renew_by: Some(NOW + 2_592_000),
        continuation: Some(8),
        certificate: Some(Bytes::from_static(b"certificate")),
        lease: Some(super::lease_key().sign(&lease).expect("in bounds")),
        ..Default::default()
    };
    vec![
        ("checkout_leased", Said::Request(Request::Checkout(asked))),
        (
            "checkout_ok_leased",
            reply(Opcode::CHECKOUT, Response::Checkout(granted)),
        ),
        ("lease", Said::Lease(lease)),
    ]
}

fn seats() -> Group {
    let release = seat::Release {
        vendor: VENDOR,
        product: text("BKSRV"),
        component: text("agent"),
        mac: MAC,
    };
    let released = |outcome, components_left| {
        Response::Release(seat::ReleaseOk {
            server_time: NOW,
            outcome,
            components_left,
        })
    };
    let availability = seat::Availability {
        vendor: Some(VENDOR),
        product: text("BKSRV"),
    };
    let available = seat::AvailabilityOk {
        server_time: NOW,
        counts: counts(),
        units: units(),
    };
    let end = admin::SeatEnd {
        mac: MAC,
        vendor: Some(VENDOR),
        product: text("BKSRV"),
        component: Some(text("agent")),
        reason: text("scrapped"),
    };
    vec![
        ("release", Said::Request(Request::Release(release))),
        (
            "release_ok",
            reply(Opcode::RELEASE, released(ReleaseOutcome::SEAT_FREED, 0)),
        ),
        ("seat_end", Said::Request(Request::SeatEnd(end))),
        (
            "seat_end_ok",
            reply(Opcode::SEAT_END, released(ReleaseOutcome::COMPONENT_RELEASED, 1)),
        ),
        ("availability", Said::Request(Request::Availability(availability))),
        (
            "availability_ok",
            reply(Opcode::AVAILABILITY, Response::Availability(available)),
        ),
    ]
}

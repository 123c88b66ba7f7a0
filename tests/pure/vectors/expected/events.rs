//! The event log: what viewers ask of it and get.

use seatkeeper::wire::messages::events::{
    EventPlace, EventRow, Events, EventsOk, EventsVerify, EventsVerifyOk, Gap, SegmentRow, Span,
};
use seatkeeper::wire::messages::{Request, Response};
use seatkeeper::wire::{ConflictKind, EndCause, EventKind, LicenseStatus, Opcode, Role, Status};

use super::{Group, MAC, NOW, SERIAL, Said, VENDOR, reply, text};

const IDENTITY: [u8; 32] = [0xa1; 32];

pub(super) fn viewers() -> Group {
    let all = Events::default();
    let some = Events {
        since: Some(NOW - 86_400),
        until: Some(NOW),
        mac: Some(MAC),
        product: Some(text("BKSRV")),
        kinds: vec![EventKind::SEAT_ENGAGED, EventKind::REFUSED],
        identity: Some(IDENTITY),
        by_server: None,
        newest_first: Some(true),
        after: Some(EventPlace { round: 7, index: 1 }),
        limit: Some(100),
    };
    let of_server = Events {
        by_server: Some(true),
        ..Events::default()
    };
    let newest = EventsVerify {
        newest_only: Some(true),
        ..EventsVerify::default()
    };
    let verify = EventsVerify {
        after: Some(3),
        newest_only: None,
        round: Some(1_034),
    };
    vec![
        ("events", Said::Request(Request::Events(some))),
        ("events_all", Said::Request(Request::Events(all))),
        ("events_server", Said::Request(Request::Events(of_server))),
        ("events_ok_kinds", reply(Opcode::EVENTS, Response::Events(of_kinds()))),
        ("events_verify_newest", Said::Request(Request::EventsVerify(newest))),
        ("events_ok", reply(Opcode::EVENTS, Response::Events(listed()))),
        ("events_ok_lacked", reply(Opcode::EVENTS, Response::Events(lacked()))),
        ("events_verify", Said::Request(Request::EventsVerify(verify))),
        (
            "events_verify_ok",
            reply(Opcode::EVENTS_VERIFY, Response::EventsVerify(verified())),
        ),
        (
            "events_verify_ok_time",
            reply(Opcode::EVENTS_VERIFY, Response::EventsVerify(timed())),
        ),
    ]
}

fn listed() -> EventsOk {
    let ended = EventRow {
        place: EventPlace { round: 8, index: 0 },
        at: NOW - 60,
        kind: EventKind::SEAT_ENDED,
        identity: Some(IDENTITY),
        address: Some([192, 0, 2, 1].into()),
        vendor: Some(VENDOR),
        product: Some(text("BKSRV")),
        mac: Some(MAC),
        serial: Some(text(SERIAL)),
        reason: Some(text("sold")),
        cause: Some(EndCause::ADMINISTRATOR),
        spent: Some(false),
        ..EventRow::default()
    };
    let refused = EventRow {
        identity: Some([0xb2; 32]),
        address: Some([192, 0, 2, 2].into()),
        mac: Some(MAC),
        host_name: Some(text("srv-4")),
        count: Some(5),
        ..still_counted()
    };
    let gap = Gap {
        file: text("history/0000000002.journal.gz"),
        byte: 1_024,
        what: text("a sector's checksum does not hold"),
        after: 4,
    };
    EventsOk {
        server_time: NOW,
        through: 8,
        more: false,
        next: EventPlace {
            round: 8,
            index: u32::MAX,
        },
        rows: vec![ended, refused],
        gaps: vec![gap],
    }
}

/// Refusals of a product that are not written yet.
fn still_counted() -> EventRow {
    EventRow {
        place: EventPlace {
            round: u64::MAX,
            index: 0,
        },
        at: NOW,
        kind: EventKind::REFUSED,
        vendor: Some(VENDOR),
        product: Some(text("BKSRV")),
        status: Some(Status::SEATS_EXHAUSTED),
        from: Some(NOW - 30),
        ..EventRow::default()
    }
}

/// Reservations that were refused for want of seats.
fn lacked() -> EventsOk {
    let refused = EventRow {
        identity: Some(IDENTITY),
        address: Some([192, 0, 2, 1].into()),
        count: Some(2),
        lacked: Some(7),
        ..still_counted()
    };
    EventsOk {
        rows: vec![refused],
        gaps: Vec::new(),
        ..listed()
    }
}

/// A row of an event that a peer caused, or the server.
fn row(index: u32, kind: EventKind, by_peer: bool, row: EventRow) -> EventRow {
    EventRow {
        place: EventPlace { round: 9, index },
        at: NOW,
        kind,
        identity: by_peer.then_some(IDENTITY),
        address: by_peer.then(|| "fd00::a".parse().expect("an address")),
        ..row
    }
}

/// What each field is for.
fn of_kinds() -> EventsOk {
    let mut rows = of_the_server();
    rows.extend(of_seats());
    rows.sort_by_key(|row| row.place.index);
    EventsOk {
        server_time: NOW,
        through: 9,
        more: true,
        next: EventPlace { round: 9, index: 11 },
        rows,
        gaps: Vec::new(),
    }
}

fn of_the_server() -> Vec<EventRow> {
    let plain = EventRow::default();
    let role = EventRow {
        subject: Some([0xb2; 32]),
        role: Some(Role::VIEWER),
        ..plain.clone()
    };
    let catalogue = EventRow {
        vendor: Some(VENDOR),
        version: Some(2),
        ..plain.clone()
    };
    let jump = EventRow {
        from: Some(NOW - 9),
        jump_secs: Some(90_000),
        ..plain.clone()
    };
    let listed = EventRow {
        serial: Some(text(SERIAL)),
        listed: Some(LicenseStatus::BLACKLISTED),
        ..plain.clone()
    };
    let ended = EventRow {
        lapsed: Some(true),
        reservation: Some([0x55; 16]),
        ..plain.clone()
    };
    let founded = EventRow {
        server: Some([0x22; 16]),
        ..plain.clone()
    };
    let token = EventRow {
        count: Some(5),
        token: Some([0xc1; 8]),
        to: Some(NOW + 86_400),
        ..plain.clone()
    };
    let reserved = EventRow {
        vendor: Some(VENDOR),
        product: Some(text("BKSRV")),
        count: Some(3),
        reservation: Some([0x55; 16]),
        ..plain
    };
    vec![
        row(0, EventKind::ROLE_GIVEN, true, role),
        row(1, EventKind::CATALOGUE_IMPORTED, true, catalogue),
        row(3, EventKind::JUMP_PENDING, false, jump),
        row(4, EventKind::LICENSE_LISTED, true, listed),
        row(6, EventKind::RESERVATION_ENDED, false, ended),
        row(9, EventKind::SERVER_FOUNDED, false, founded),
        row(10, EventKind::TOKEN_ADDED, true, token),
        row(11, EventKind::MACHINES_RESERVED, true, reserved),
    ]
}

fn of_seats() -> Vec<EventRow> {
    let seat = EventRow {
        vendor: Some(VENDOR),
        product: Some(text("BKSRV")),
        mac: Some(MAC),
        ..EventRow::default()
    };
    let conflict = EventRow {
        component: Some(text("agent")),
        conflict: Some(ConflictKind::STALE_CONTINUATION),
        ..seat.clone()
    };
    let replaced = EventRow {
        component: Some(text("agent")),
        subject: Some([0xb2; 32]),
        subject_before: Some([0xc3; 32]),
        ..seat.clone()
    };
    let engaged = EventRow {
        host_name: Some(text("srv-4")),
        serial: Some(text(SERIAL)),
        again: Some(true),
        ..seat.clone()
    };
    let moved = EventRow {
        serial: Some(text("GHJKMNPQRSTVWXYZ")),
        serial_before: Some(text(SERIAL)),
        ..seat
    };
    vec![
        row(2, EventKind::CONFLICT_SEEN, true, conflict),
        row(5, EventKind::IDENTITY_REPLACED, true, replaced),
        row(7, EventKind::SEAT_ENGAGED, true, engaged),
        row(8, EventKind::SEAT_MOVED, true, moved),
    ]
}

fn verified() -> EventsVerifyOk {
    let whole = SegmentRow {
        number: 4,
        file: text("journal/0000000004.journal"),
        span: Some(Span {
            first: 1_000,
            before: [0xc0; 32],
            first_at: NOW - 3_600,
            last: 1_034,
            hash: [0xc1; 32],
            last_at: NOW,
        }),
        rounds: 35,
        events: 70,
        hash_of_round: Some([0xc1; 32]),
        time_of_round: None,
        gaps: Vec::new(),
    };
    let lost = SegmentRow {
        number: 5,
        file: text("journal/0000000005.journal"),
        gaps: vec![Gap {
            file: text("journal/0000000005.journal"),
            what: text("it is cut short"),
            ..Gap::default()
        }],
        ..SegmentRow::default()
    };
    EventsVerifyOk {
        server_time: NOW,
        through: 1_034,
        more: false,
        rows: vec![whole, lost],
    }
}

/// The same with the time of the round that was asked for.
fn timed() -> EventsVerifyOk {
    let verified = verified();
    let rows = verified.rows.iter().take(1).map(|row| SegmentRow {
        time_of_round: Some(NOW),
        ..row.clone()
    });
    EventsVerifyOk {
        rows: rows.collect(),
        ..verified.clone()
    }
}

//! What deployers ask and are answered.

use seatkeeper::wire::messages::{Request, Response, deploy};
use seatkeeper::wire::{Opcode, Reserved, Settled, Status};

use super::{Group, MAC, NOW, SERIAL, Said, VENDOR, reply, text};

const RESERVATION: [u8; 16] = [0x88; 16];
const SECOND_MAC: [u8; 6] = [0x00, 0x1a, 0x2b, 0x3c, 0x4d, 0x5f];
const THIRD_MAC: [u8; 6] = [0x00, 0x1a, 0x2b, 0x3c, 0x4d, 0x60];
const UNIT_SERIAL: &str = "00000000000000A1";

fn row() -> deploy::ReservationRow {
    deploy::ReservationRow {
        reservation: RESERVATION,
        vendor: VENDOR,
        product: text("BKSRV"),
        product_name: text("Backup Server"),
        reserved_at: NOW - 60,
        lapses_at: NOW + 172_740,
        ..Default::default()
    }
}

fn held(serial: &str, count: u32) -> deploy::HeldRow {
    deploy::HeldRow {
        serial: text(serial),
        count,
    }
}

pub(super) fn reserve() -> Group {
    let machines = deploy::Reserve {
        reservation: RESERVATION,
        vendor: Some(VENDOR),
        product: text("BKSRV"),
        secs: Some(86_400),
        macs: vec![MAC, SECOND_MAC],
        count: None,
        preferred_only: Some(true),
    };
    let count = deploy::Reserve {
        reservation: RESERVATION,
        product: text("BKSRV"),
        count: Some(25),
        ..Default::default()
    };
    let reserved = |mac, reserved, serial: Option<&str>| deploy::ReservedRow {
        mac,
        reserved,
        serial: serial.map(text),
    };
    let has_machines = deploy::ReservationRow {
        lapses_at: NOW + 86_340,
        by: Some([0x66; 32]),
        machines: vec![
            reserved(MAC, Reserved::COVERED, Some(SERIAL)),
            reserved(SECOND_MAC, Reserved::SEAT, None),
            reserved(THIRD_MAC, Reserved::UNIT, Some(UNIT_SERIAL)),
        ],
        ..row()
    };
    let has_seats = deploy::ReservationRow {
        held: vec![held(SERIAL, 20), held(UNIT_SERIAL, 5)],
        ..row()
    };
    let answer = |reservation| {
        reply(
            Opcode::RESERVE,
            Response::Reserve(deploy::ReserveOk {
                server_time: NOW,
                reservation,
            }),
        )
    };
    vec![
        ("reserve", Said::Request(Request::Reserve(machines))),
        ("reserve_count", Said::Request(Request::Reserve(count))),
        ("reserve_ok", answer(has_machines)),
        ("reserve_ok_count", answer(has_seats)),
    ]
}

pub(super) fn settle() -> Group {
    let commit = deploy::Commit {
        reservation: RESERVATION,
        vendor: Some(VENDOR),
        product: text("BKSRV"),
        macs: vec![MAC, SECOND_MAC],
        preferred_only: Some(true),
    };
    let commit_all = deploy::Commit {
        reservation: RESERVATION,
        product: text("BKSRV"),
        ..Default::default()
    };
    let abort = deploy::Abort {
        reservation: RESERVATION,
        vendor: Some(VENDOR),
        product: text("BKSRV"),
        macs: vec![MAC],
    };
    let row = |mac, outcome, serial: Option<&str>, status| deploy::SettledRow {
        mac,
        outcome,
        serial: serial.map(text),
        status,
    };
    let committed = deploy::SettleOk {
        server_time: NOW,
        rows: vec![
            row(MAC, Settled::COMMITTED, Some(UNIT_SERIAL), None),
            row(SECOND_MAC, Settled::REFUSED, None, Some(Status::SEATS_EXHAUSTED)),
        ],
        text: Some(text("no seat of BKSRV is available")),
    };
    let aborted = deploy::SettleOk {
        server_time: NOW,
        rows: vec![
            row(MAC, Settled::GIVEN_BACK, Some(UNIT_SERIAL), None),
            row(SECOND_MAC, Settled::NOTHING_RESERVED, None, None),
        ],
        text: None,
    };
    vec![
        ("commit", Said::Request(Request::Commit(commit))),
        ("commit_all", Said::Request(Request::Commit(commit_all))),
        ("commit_ok", reply(Opcode::COMMIT, Response::Settle(committed))),
        ("abort", Said::Request(Request::Abort(abort))),
        ("abort_ok", reply(Opcode::ABORT, Response::Settle(aborted))),
    ]
}

pub(super) fn reservations() -> Group {
    let ask = deploy::Reservations {
        after: Some(RESERVATION),
        limit: Some(100),
    };
    let answer = deploy::ReservationsOk {
        server_time: NOW,
        more: false,
        rows: vec![deploy::ReservationRow {
            held: vec![held(SERIAL, 20)],
            ..row()
        }],
    };
    vec![
        ("reservations", Said::Request(Request::Reservations(ask))),
        (
            "reservations_ok",
            reply(Opcode::RESERVATIONS, Response::Reservations(answer)),
        ),
    ]
}

//! How a checkout would be decided.

use seatkeeper::wire::messages::explain::{Explain, ExplainOk, ExplainStep};
use seatkeeper::wire::messages::{Request, Response};
use seatkeeper::wire::{Check, Finding, Opcode, Outcome, Status};

use super::{Group, MAC, NOW, OTHER_MAC, SERIAL, Said, VENDOR, reply, text};

pub(super) fn all() -> Group {
    let bare = Explain {
        product: text("BKSRV"),
        mac: MAC,
        ..Explain::default()
    };
    let ask = Explain {
        vendor: Some(VENDOR),
        component: Some(text("agent")),
        identity: Some([0x77; 32]),
        continuation: Some(7),
        ..bare.clone()
    };
    let refused = ExplainOk {
        server_time: NOW,
        component: Some(text("agent")),
        steps: steps(),
        status: Status::LICENSE_EXPIRED,
        text: text("every license has expired"),
        remedy: text("import a key"),
        ..ExplainOk::default()
    };
    let granted = ExplainOk {
        server_time: NOW,
        component: Some(text("agent")),
        identity: Some([0x77; 32]),
        status: Status::OK,
        outcome: Some(Outcome::RENEWED),
        serial: Some(text(SERIAL)),
        text: text("renewed"),
        remedy: text("nothing"),
        ..ExplainOk::default()
    };
    let refused_before = ExplainOk {
        server_time: NOW,
        component: Some(text("agent")),
        identity: Some([0x77; 32]),
        status: Status::SEATS_EXHAUSTED,
        text: text("no seat"),
        remedy: text("import a key"),
        refused_at: Some(NOW - 1),
        ..ExplainOk::default()
    };
    vec![
        ("explain", Said::Request(Request::Explain(ask))),
        ("explain_bare", Said::Request(Request::Explain(bare))),
        ("explain_ok", reply(Opcode::EXPLAIN, Response::Explain(refused))),
        (
            "explain_ok_refused_before",
            reply(Opcode::EXPLAIN, Response::Explain(refused_before)),
        ),
        ("explain_ok_granted", reply(Opcode::EXPLAIN, Response::Explain(granted))),
    ]
}

fn steps() -> Vec<ExplainStep> {
    let step = |rule, check, finding, told| ExplainStep {
        rule: text(rule),
        check,
        finding,
        text: text(told),
        ..ExplainStep::default()
    };
    vec![
        ExplainStep {
            at: Some(NOW),
            ..step("T2", Check::CLOCK, Finding::PASSED, "fine; the time is")
        },
        step("", Check::ENROLMENT, Finding::PASSED, "serves whoever connects"),
        step("S1", Check::LICENSES, Finding::DECIDED, "none serves"),
        ExplainStep {
            serial: Some(text(SERIAL)),
            at: Some(NOW - 1),
            ..step("K5", Check::LICENSE, Finding::NOTED, "it ended")
        },
        ExplainStep {
            mac: Some(OTHER_MAC),
            at: Some(NOW + 86_400),
            ..step("S6", Check::HOLDER, Finding::NOTED, "free from")
        },
    ]
}

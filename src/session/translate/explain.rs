//! What EXPLAIN tells: each step of a decision with its rule, what came of it, and the one thing to do (rule V2).
//!
//! Moments are fields, as in refusals: a text that has one ends with it.

use super::codes::conflict_kind_code;
use super::refusal::status_of;
use super::remedy::remedy;
use super::text::{NEVER, text as refusal_text, waiting};
use crate::domain::denial::{Denial, Denied, Subject};
use crate::domain::explain::{Beside, Explanation, Held, Holder, Looked, LookedAt, Meeting, NOBODY, Step};
use crate::domain::ids::{ComponentId, Mac, ProductId, ReservationId, Serial};
use crate::domain::license::{LicenseStatus, Usage};
use crate::domain::reply::{GrantKind, Reply};
use crate::domain::seat::{ConflictKind, EndCause};
use crate::domain::time::Timestamp;
use crate::domain::timekeeper::Standing;
use crate::wire::messages::explain::{ExplainOk, ExplainStep};
use crate::wire::{Check, Finding, Outcome, Status};

/// Where an administrator sees how the machine stands with the product; behind the text of whatever a checkout or a
/// deployment of a machine is refused for. The component is named: another one's checkout may be decided otherwise.
pub(super) fn hint(denied: &Denied) -> Option<String> {
    let Subject {
        product: Some(product),
        component,
        mac: Some(mac),
        ..
    } = denied.subject
    else {
        return None;
    };
    let component = component.map_or_else(String::new, |id| format!(" {id}"));
    is_explained(denied.denial)
        .then(|| format!("; for administrators: `seatkeeper explain {mac} {product}{component}`"))
}

/// Whether EXPLAIN has more to say of it. No wildcard arm: whoever adds a denial decides.
const fn is_explained(denial: Denial) -> bool {
    match denial {
        // EXPLAIN would be refused for the same, until the vendor is named.
        Denial::AmbiguousProduct
        // EXPLAIN would be about the product that a trusted vendor has by this name.
        | Denial::UnknownVendor
        // About whoever asks, or his token, and not about what the machine asked for.
        | Denial::NotAuthorized
        | Denial::TokenRefused
        | Denial::TooManyWrongTokens { .. }
        // About the server's lists, licenses, clock, roles and tokens: no checkout is decided by them.
        | Denial::BlacklistNotNewer { .. }
        | Denial::CatalogueNotNewer { .. }
        | Denial::LastAdministrator
        | Denial::LicenseInUse { .. }
        | Denial::NoJumpPending
        | Denial::TooManyTokens
        | Denial::TooManyVendors
        | Denial::UnknownAdministrator
        | Denial::UnknownIdentity
        | Denial::UnknownSerial
        | Denial::UnknownToken
        // About reservations as such: what they may be, not what a machine may.
        | Denial::ReservationTaken
        | Denial::ReservationTooLarge
        | Denial::ReservationTooLong
        | Denial::TooManyReservations
        | Denial::UnknownReservation => false,
        Denial::Conflict
        | Denial::DeploymentOnly
        | Denial::DiskFull
        | Denial::EnrolmentRequired
        | Denial::IdentityNotBound
        | Denial::LicenseBlacklisted
        | Denial::LicenseExpired
        | Denial::LicenseSuperseded
        | Denial::NoLicense
        | Denial::RebindPending
        | Denial::ReboundRecently { .. }
        | Denial::RequiredProduct { .. }
        | Denial::SeatsExhausted
        | Denial::SlowDown { .. }
        | Denial::TooManyComponents
        | Denial::UnknownComponent
        | Denial::UnknownProduct => true,
    }
}

pub(super) fn explained(explanation: Explanation, server_time: Timestamp) -> ExplainOk {
    let names = Names {
        mac: explanation.checkout.key.mac,
        product: explanation.checkout.key.product,
        component: explanation.component,
    };
    let remedy = remedy(&explanation, &names, server_time);
    let Explanation {
        identity,
        refused_at,
        steps,
        outcome,
        beside,
        ..
    } = explanation;
    let last = steps.len().saturating_sub(1);
    let of_step = |(place, step): (usize, &Step)| {
        let finding = if place == last {
            Finding::DECIDED
        } else {
            Finding::PASSED
        };
        let mut rows = vec![ExplainStep {
            finding,
            ..row(step, &names)
        }];
        if let Step::Licenses(looked) = step {
            rows.extend(looked.licenses.iter().map(license));
        }
        rows
    };
    let mut rows: Vec<ExplainStep> = steps.iter().enumerate().flat_map(of_step).collect();
    rows.extend(noted(&beside));
    let (status, granted, serial, text) = told(&outcome, &names);
    ExplainOk {
        server_time: server_time.0,
        component: names.component.map(|id| id.to_string()),
        identity: (identity != NOBODY).then_some(identity.0),
        steps: rows,
        status,
        outcome: granted,
        serial,
        text,
        remedy,
        refused_at: refused_at.map(|at| at.0),
    }
}

/// What is asked.
pub(super) struct Names {
    pub(super) mac: Mac,
    pub(super) product: ProductId,
    component: Option<ComponentId>,
}

impl Names {
    pub(super) fn component(&self) -> String {
        self.component
            .map_or_else(|| "the component".to_owned(), |id| id.to_string())
    }
}

/// What a checkout is answered.
fn told(outcome: &Reply, names: &Names) -> (Status, Option<Outcome>, Option<String>, String) {
    let product = names.product;
    match outcome {
        Reply::Denied(denied) => (status_of(&denied.denial), None, None, refusal_text(denied)),
        Reply::Seat(grant) => {
            let serial = grant.serial;
            let (outcome, text) = match grant.kind {
                GrantKind::EngagedAgain(_) => (
                    Outcome::ENGAGED_AGAIN,
                    format!(
                        "granted again: the machine had a seat of {product} before, and gets one of license {serial}"
                    ),
                ),
                GrantKind::Granted => (Outcome::GRANTED, format!("granted: a seat of license {serial}")),
                GrantKind::Renewed => (
                    Outcome::RENEWED,
                    format!("renewed: the machine's seat, of license {serial}"),
                ),
            };
            (Status::OK, Some(outcome), Some(serial.to_string()), text)
        }
        // A checkout is answered by one of these three.
        _ => (
            Status::OK,
            Some(Outcome::NOT_COUNTED),
            None,
            format!("not counted: {} needs no seat of {product}", names.component()),
        ),
    }
}

/// The rule, what was looked at, and the facts.
fn row(step: &Step, names: &Names) -> ExplainStep {
    let (product, component) = (names.product, names.component());
    let no = |is_so: &bool| if *is_so { "" } else { "no " };
    let (rule, check, text) = match step {
        Step::Binding { meeting, conflict } => ("I7", Check::BINDING, binding(*meeting, *conflict, &component)),
        Step::Clock { standing, .. } => ("T2", Check::CLOCK, clock(standing).to_owned()),
        Step::Component { is_known } => (
            "I3",
            Check::COMPONENT,
            format!("{product} has {}{component}", no(is_known)),
        ),
        Step::Components { holding, is_full } => ("I1", Check::COMPONENTS, components(*holding, *is_full)),
        Step::Counted { is_counted: true } => {
            ("I3", Check::COUNTED, format!("{component} is counted: it needs a seat"))
        }
        Step::Counted { is_counted: false } => (
            "I3",
            Check::COUNTED,
            format!("{component} is not counted: it needs no seat and takes none"),
        ),
        Step::Enrolment { is_asked, is_served } => ("", Check::ENROLMENT, enrolment(*is_asked, *is_served).to_owned()),
        Step::Held(seat) => ("I2", Check::SEAT, held(seat.as_ref(), product)),
        Step::Licenses(looked) if looked.serves.is_none() => ("S1", Check::LICENSES, licenses(looked, product)),
        Step::Licenses(looked) => ("S3", Check::LICENSES, licenses(looked, product)),
        Step::Pace { retry_secs } => ("", Check::PACE, pace(*retry_secs)),
        Step::Product { is_known } => (
            "K2",
            Check::PRODUCT,
            format!("the vendor's catalogue here has {}{product}", no(is_known)),
        ),
        Step::Required {
            product: required,
            is_missing,
        } => (
            "S15",
            Check::REQUIRED_PRODUCT,
            requires(product, *required, *is_missing),
        ),
        Step::Room { is_enough: true } => ("", Check::ROOM, "the server's disk has room for a new seat".to_owned()),
        Step::Room { is_enough: false } => (
            "",
            Check::ROOM,
            "the server's disk is full: no new seat is given".to_owned(),
        ),
        Step::SeatLicense { serial, why_not } => {
            let (rule, why) = seat_license(*why_not);
            (rule, Check::SEAT_LICENSE, format!("license {serial} of the seat {why}"))
        }
        Step::SetAside(aside) => ("X4", Check::SET_ASIDE, set_aside(aside.as_ref())),
        Step::Vendor { is_trusted: true } => ("K2", Check::VENDOR, "the vendor is trusted here".to_owned()),
        Step::Vendor { is_trusted: false } => ("K2", Check::VENDOR, "the vendor is not trusted here".to_owned()),
    };
    let (serial, at) = about(step);
    ExplainStep {
        rule: rule.to_owned(),
        check,
        text,
        serial: serial.map(|serial| serial.to_string()),
        at: at.map(|at| at.0),
        ..ExplainStep::default()
    }
}

/// The license that a step is about, and the moment that its text ends with.
const fn about(step: &Step) -> (Option<Serial>, Option<Timestamp>) {
    match step {
        Step::Clock { mark, .. } => (None, Some(*mark)),
        Step::Held(Some(held)) => (Some(held.serial), held.renew_by),
        Step::Licenses(looked) => (looked.serves, None),
        Step::SeatLicense { serial, .. } | Step::SetAside(Some((_, serial))) => (Some(*serial), None),
        Step::Binding { .. }
        | Step::Component { .. }
        | Step::Components { .. }
        | Step::Counted { .. }
        | Step::Enrolment { .. }
        | Step::Held(None)
        | Step::Pace { .. }
        | Step::Product { .. }
        | Step::Required { .. }
        | Step::Room { .. }
        | Step::SetAside(None)
        | Step::Vendor { .. } => (None, None),
    }
}

fn components(holding: usize, is_full: bool) -> String {
    let hold = if holding == 1 {
        "component holds"
    } else {
        "components hold"
    };
    let room = if is_full {
        "as many as may, and this is none of them"
    } else {
        "there is room"
    };
    format!("{holding} {hold} the seat: {room}")
}

fn held(seat: Option<&Held>, product: ProductId) -> String {
    match seat {
        None => format!("the machine holds no seat of {product}"),
        Some(Held {
            serial, renew_by: None, ..
        }) => format!("the machine holds a seat of license {serial}, which never idles out"),
        Some(Held { serial, .. }) => {
            format!("the machine holds a seat of license {serial}; unless it is renewed, that is free from")
        }
    }
}

fn pace(retry_secs: Option<u32>) -> String {
    match retry_secs {
        None => "not too many new seats came from there lately".to_owned(),
        Some(NEVER) => "a limit of new seats is 0 here: nobody engages one".to_owned(),
        Some(secs) => {
            let wait = waiting(secs);
            format!("too many new seats came from this identity or address lately; the next may come in {wait}")
        }
    }
}

fn requires(product: ProductId, required: Option<ProductId>, is_missing: bool) -> String {
    match required {
        None => format!("{product} requires no other product"),
        Some(required) => {
            let has = if is_missing { "has none" } else { "has one" };
            format!("{product} requires a seat of {required} on the same machine, which {has}")
        }
    }
}

fn set_aside(aside: Option<&(ReservationId, Serial)>) -> String {
    match aside {
        None => "no rollout holds a seat for it".to_owned(),
        Some((reservation, serial)) => {
            format!("reservation {reservation} holds a seat of license {serial}, which it takes")
        }
    }
}

/// The rule that says whether the seat's license serves, and how it does.
const fn seat_license(why_not: Option<Denial>) -> (&'static str, &'static str) {
    match why_not {
        None => ("S13", "serves"),
        Some(Denial::LicenseBlacklisted) => (
            "C3",
            "does not serve: its vendor has taken it back; another one is looked for",
        ),
        Some(Denial::LicenseSuperseded) => (
            "C3",
            "does not serve: another one has taken its place, and is looked for",
        ),
        Some(_) => ("S13", "does not serve: it has expired; another one is looked for"),
    }
}

const fn clock(standing: &Standing) -> &'static str {
    match standing {
        Standing::Fine => "the server's clock is taken as it is; the time that counts is",
        Standing::Jumped { .. } => {
            "a jump of the server's clock is pending, and nothing idles out by it; the time that counts is"
        }
        Standing::SetBack { .. } => "the server's clock was set back, and time stands still at",
    }
}

const fn enrolment(is_asked: bool, is_served: bool) -> &'static str {
    match (is_asked, is_served) {
        (false, _) => "this site serves whoever connects",
        (true, true) => "this site has agents enrol, and serves this identity",
        (true, false) => "this site has agents enrol, and this identity did not",
    }
}

fn binding(meeting: Meeting, conflict: Option<ConflictKind>, component: &str) -> String {
    let met = match meeting {
        Meeting::Ephemeral => format!("{component} runs from boot media and binds no identity"),
        Meeting::First => format!("no identity is bound to {component} on this machine; this one is from then on"),
        Meeting::Refused(Denial::RebindPending) => {
            format!("another identity is bound to {component}, and this site has an administrator approve a new one")
        }
        Meeting::Refused(_) => {
            format!("a copy of this machine uses {component} too, and the vendor's catalogue has such refused")
        }
        Meeting::Same => format!("the identity is the one that is bound to {component}"),
        Meeting::TakesPlace => format!("another identity is bound to {component}; this one takes its place"),
    };
    match conflict {
        None => met,
        Some(kind) => format!("{met}; a copy shows: {}", conflict_name(kind)),
    }
}

fn conflict_name(kind: ConflictKind) -> String {
    let name = conflict_kind_code(kind).name().unwrap_or("unknown");
    name.to_lowercase().replace('_', " ")
}

fn licenses(looked: &Looked, product: ProductId) -> String {
    let others = match (looked.more, looked.licenses.len()) {
        (0, 0) => format!("no license of {product} was ever imported here"),
        (0, 1) => "1 license was looked at".to_owned(),
        (0, number) => format!("{number} licenses were looked at"),
        (more, number) => format!(
            "{} licenses were looked at, {number} of which are told here",
            more as usize + number
        ),
    };
    match looked.serves {
        Some(serial) => format!("{others}: {serial} serves, the first of those that do and have a free seat"),
        None => format!("{others}: none both serves and has a free seat"),
    }
}

/// A license, and why it does or does not serve.
fn license(one: &LookedAt) -> ExplainStep {
    let LookedAt {
        serial,
        usage,
        status,
        total,
        free,
        ends_at,
    } = one;
    let (rule, why) = match (status, usage) {
        (LicenseStatus::Blacklisted, _) => ("C3", "its vendor has taken it back"),
        (LicenseStatus::Superseded, _) => ("C3", "another one has taken its place"),
        (LicenseStatus::Expired, _) => ("K5", "it has expired"),
        (LicenseStatus::Valid, Usage::Deployment) => ("X3", "it is for deployments and serves no checkout"),
        (LicenseStatus::Valid, Usage::Machine) if *free == 0 => ("S1", "it serves and has no free seat"),
        (LicenseStatus::Valid, Usage::Machine) => ("S3", "it serves"),
    };
    let ends = (*ends_at != Timestamp::MAX).then_some(ends_at.0);
    let end = match (status, ends) {
        (_, None) => "it has no end",
        (LicenseStatus::Expired, Some(_)) => "it ended",
        (_, Some(_)) => "it ends",
    };
    ExplainStep {
        rule: rule.to_owned(),
        check: Check::LICENSE,
        finding: Finding::NOTED,
        text: format!("license {serial}: {why}; {free} of {total} are free; {end}"),
        serial: Some(serial.to_string()),
        mac: None,
        at: ends,
    }
}

fn noted(beside: &Beside) -> Vec<ExplainStep> {
    let Beside {
        conflict,
        former,
        holders,
    } = beside;
    let note = |rule: &str, check, text: String, at: Timestamp| ExplainStep {
        rule: rule.to_owned(),
        check,
        finding: Finding::NOTED,
        text,
        at: Some(at.0),
        ..ExplainStep::default()
    };
    let conflict = conflict.map(|conflict| {
        let (kind, count) = (conflict_name(conflict.kind), conflict.count);
        let text = format!("a copy of this machine was seen before ({kind}, {count} times), last");
        note("I7", Check::BINDING, text, conflict.last_seen)
    });
    let former = former.map(|former| {
        let why = match former.cause {
            EndCause::Administrator => "an administrator took it back",
            EndCause::Idle => "it was not renewed in time",
            EndCause::LicenseRemoved => "its license was removed",
            EndCause::Released => "its last component was released",
        };
        note(
            "S7",
            Check::FORMER_SEAT,
            format!("the machine held a seat before: {why}"),
            former.ended_at,
        )
    });
    let holder = |one: &Holder| {
        let name = if one.host_name.is_empty() {
            "a machine"
        } else {
            &one.host_name
        };
        let text = format!(
            "{name} ({}) holds a seat; unless it is renewed, that is free from",
            one.mac
        );
        ExplainStep {
            mac: Some(one.mac.bytes()),
            ..note("S6", Check::HOLDER, text, one.renew_by)
        }
    };
    let beside = conflict.into_iter().chain(former);
    beside.chain(holders.iter().map(holder)).collect()
}

//! What a server's site has decided: whom it serves, and what it warns of.

use crate::doctor::facts::{AskedAs, Availability, Facts, Gathered};
use crate::doctor::finding::{Check, Finding, Unchecked};

/// What it takes to be told what viewers are told.
pub(super) const NEEDS_VIEWER: &str =
    "only viewers and administrators are told: give --identity FILE, such as the administrator's";

/// Whether the components of this machine trust the servers that are there.
pub(super) fn pins(facts: &Facts) -> Vec<Finding> {
    let trusted = facts.trusted();
    if trusted.is_empty() {
        return Vec::new();
    }
    let met: Vec<_> = facts.met().collect();
    let known = met.iter().any(|(_, met)| met.is_one_of(&trusted));
    met.iter()
        .map(|(server, met)| {
            let about = server.shown();
            if met.is_one_of(&trusted) {
                return Finding::pass(Check::Pin, about, "is trusted by the components of this machine");
            }
            let cause = format!(
                "is not the server that the components of this machine trust: it is {}, they trust {}",
                met.fingerprint,
                trusted.join(", ")
            );
            if known {
                let remedy = "nothing: they use the one that they trust; if this one should not be there, find out who runs it";
                return Finding::warn(Check::Pin, about, cause, remedy);
            }
            let remedy = format!(
                "start the server that they trust, or bring it back from its backup; if this one is to take its place, compare \
                 the fingerprint with `seatkeeper identity show` on its host, then run here: seatkeeper agent trust {}",
                met.fingerprint
            );
            Finding::fail(Check::Pin, about, cause, remedy)
        })
        .collect()
}

/// Whether the servers serve who is not enrolled.
pub(super) fn enrolment(facts: &Facts) -> Vec<Finding> {
    let closed = facts
        .asked_by_agents()
        .into_iter()
        .filter(|(_, met)| met.availability == Some(Availability::NotEnrolled));
    closed.map(|(server, _)| not_enrolled(&server.shown(), facts)).collect()
}

fn not_enrolled(about: &str, facts: &Facts) -> Finding {
    let check = Check::Enrolment;
    let token = "have the administrator make a token (`seatkeeper enrol token`), then run here: seatkeeper agent enrol PRODUCT \
                 COMPONENT TOKEN";
    match &facts.asked.identity {
        AskedAs::Component(component) => {
            let components = facts.components.known().map(Vec::as_slice).unwrap_or_default();
            let holds = components.iter().any(|one| {
                one.grant.is_some() && one.denied.is_none() && format!("{} {}", one.product, one.id) == *component
            });
            if holds {
                let cause = format!(
                    "enrolment is closed here and {component} is not enrolled; it is served as long as the seat that it has is bound \
                     to it"
                );
                return Finding::warn(check, about, cause, token);
            }
            let cause =
                format!("enrolment is closed here and {component} of this machine is not enrolled: it is refused");
            Finding::fail(check, about, cause, token)
        }
        AskedAs::Given => Finding::fail(
            check,
            about,
            "enrolment is closed here and the identity that was given is not enrolled",
            token,
        ),
        AskedAs::Throwaway => Finding::warn(
            check,
            about,
            "enrolment is closed here: a component that is new is refused until it is enrolled",
            token,
        ),
    }
}

/// What the servers warn of.
pub(super) fn warnings(facts: &Facts) -> Vec<Finding> {
    let seen = facts
        .met()
        .filter_map(|(server, met)| Some((server, met.seen.as_ref()?)));
    seen.flat_map(|(server, seen)| {
        let about = server.shown();
        if seen.warnings.is_empty() {
            return vec![Finding::pass(Check::Warnings, about, "the server warns of nothing")];
        }
        let warned = |(code, text): &(String, String)| {
            let remedy = "run `seatkeeper status` on the server's host: it says what to do about it";
            Finding::warn(Check::Warnings, &about, format!("{code}: {text}"), remedy)
        };
        seen.warnings.iter().map(warned).collect()
    })
    .collect()
}

/// What could not be looked at here.
pub(super) fn unchecked(facts: &Facts) -> Vec<Unchecked> {
    let mut unchecked = Vec::new();
    let mut add = |check, reason: &str| {
        unchecked.push(Unchecked {
            check,
            reason: reason.to_owned(),
        });
    };
    if facts.met().next().is_none() {
        let checks = [
            Check::Clock,
            Check::Pin,
            Check::Enrolment,
            Check::Product,
            Check::Warnings,
        ];
        for check in checks {
            add(check, "no server could be asked");
        }
        return unchecked;
    }
    if facts.met().all(|(_, met)| !met.may_view) {
        add(Check::Warnings, NEEDS_VIEWER);
    }
    if facts.trusted().is_empty() {
        let reason = match &facts.components {
            Gathered::Known(_) => {
                "no component of this machine trusts a server yet; the first one that proves itself is taken"
            }
            Gathered::Unknown(_) => "what the components of this machine trust cannot be read",
        };
        add(Check::Pin, reason);
    }
    unchecked
}

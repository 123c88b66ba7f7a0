//! The product and its seats.

use std::collections::BTreeMap;

use super::site::NEEDS_VIEWER;
use crate::doctor::facts::{Availability, Counts, Facts, Met, Seat, Server};
use crate::doctor::finding::{Check, Finding, Unchecked};

/// Whether the product is known, a seat can be had, and what this machine has.
pub(super) fn product(facts: &Facts) -> Vec<Finding> {
    let asked = facts.asked_by_agents();
    let mut findings = Vec::new();
    if let Some(product) = &facts.asked.product {
        findings.extend(known(product, facts));
        findings.extend(available(product, facts));
    }
    for (server, met) in asked {
        let seats = met.seen.as_ref().and_then(|seen| seen.seats.as_ref());
        findings.extend(seats.into_iter().flat_map(|seats| held(seats, &server.shown())));
    }
    findings
}

/// Whether any server that agents ask knows the product.
fn known(product: &str, facts: &Facts) -> Vec<Finding> {
    let asked = facts.asked_by_agents();
    let known = asked.iter().any(|(_, met)| counts(met).is_some());
    let findings = asked
        .into_iter()
        .filter_map(|(server, met)| knows(product, server, met));
    findings.map(|finding| finding.fail_if(!known)).collect()
}

fn counts(met: &Met) -> Option<Counts> {
    match met.availability {
        Some(Availability::Counts(counts)) => Some(counts),
        _ => None,
    }
}

fn knows(product: &str, server: &Server, met: &Met) -> Option<Finding> {
    let about = server.shown();
    Some(match met.availability.as_ref()? {
        // Told as what it is.
        Availability::NotEnrolled => return None,
        Availability::Counts(_) => Finding::pass(Check::Product, about, format!("knows {product}")),
        Availability::Unknown => Finding::fail(
            Check::Product,
            about,
            format!("{product} is unknown here: no catalogue of this server has it"),
            format!(
                "check how {product} is written (`seatkeeper products` on the server's host lists them); if it is right, the \
                 administrator imports the vendor's catalogue: seatkeeper catalogue import FILE"
            ),
        ),
        Availability::Ambiguous => Finding::fail(
            Check::Product,
            about,
            format!("two vendors have a product {product} here"),
            "say which: --vendor-key FILE",
        ),
        Availability::Refused(text) => Finding::fail(
            Check::Product,
            about,
            format!("the server refuses: {text}"),
            "do what the refusal says",
        ),
        Availability::Silent(reason) => Finding::fail(
            Check::Hello,
            about,
            format!("the server greeted and did not answer: {reason}"),
            "see its log; it may be overloaded or stopping",
        ),
    })
}

/// Whether a seat can be had of the servers that agents ask.
fn available(product: &str, facts: &Facts) -> Vec<Finding> {
    let asked = facts.asked_by_agents();
    let some = asked
        .iter()
        .filter_map(|(_, met)| counts(met))
        .any(|counts| counts.available > 0);
    let of = |(server, met): (&Server, &Met)| {
        let about = format!("{product} at {}", server.shown());
        Some(can_be_had(product, about, counts(met)?, met, facts, some))
    };
    asked.into_iter().filter_map(of).collect()
}

/// Whether a seat can be had of this server; `elsewhere` tells whether one can be had at all.
fn can_be_had(product: &str, about: String, counts: Counts, met: &Met, facts: &Facts, elsewhere: bool) -> Finding {
    let used = format!("{} of {} seats are in use", counts.used, counts.total);
    let explained = met.seen.as_ref().and_then(|seen| seen.explained.as_ref());
    if let Some(refused) = explained.filter(|explained| !explained.granted && counts.available > 0) {
        let cause = format!("this machine would be refused: {}", refused.text);
        let check = match refused.status.as_str() {
            "CONFLICT" | "REBIND_PENDING" => Check::Conflict,
            "ENROLMENT_REQUIRED" => Check::Enrolment,
            _ => Check::Seats,
        };
        return Finding::fail(check, about, cause, &refused.remedy);
    }
    if counts.available > 0 {
        return Finding::pass(Check::Seats, about, format!("{used}, {} available", counts.available));
    }
    if holds(product, met, facts) || explained.is_some_and(|explained| explained.granted) {
        let cause =
            format!("{used}, none is available for other machines; this one has its own and keeps it by renewing");
        return Finding::pass(Check::Seats, about, cause);
    }
    let (cause, remedy) = none_left(product, counts, met, facts);
    Finding::fail(Check::Seats, about, cause, remedy).fail_if(!elsewhere)
}

/// Whether this machine has a seat of the product, as the server or a component of the machine tells.
fn holds(product: &str, met: &Met, facts: &Facts) -> bool {
    if let Some(seats) = met.seen.as_ref().and_then(|seen| seen.seats.as_ref()) {
        return seats.iter().any(|seat| seat.product == product);
    }
    let mac = facts.mac.known().and_then(|machine| machine.mac);
    let components = facts.components.known().map(Vec::as_slice).unwrap_or_default();
    components.iter().any(|one| {
        let granted = one.grant.as_ref().map(|grant| grant.mac);
        one.product == product && one.denied.is_none() && granted.is_some() && granted == mac
    })
}

fn none_left(product: &str, counts: Counts, met: &Met, facts: &Facts) -> (String, String) {
    let explain =
        "when one comes free, and who has them, the server tells administrators: seatkeeper explain MAC PRODUCT";
    if counts.licenses == 0 && counts.unit_licenses > 0 {
        return (
            format!("{product} has licenses for deployments alone: no seat can be had of them"),
            "import a machine license, or deploy with the deployment tool".to_owned(),
        );
    }
    if counts.licenses == 0 {
        return (
            format!("no license of {product} was ever imported here"),
            "import one on the server's host: seatkeeper import KEY".to_owned(),
        );
    }
    if counts.used < counts.total {
        return (
            format!(
                "{} seats of {product} are free, on licenses that do not serve: they have expired or the vendor took them back",
                counts.total - counts.used
            ),
            "on the server's host `seatkeeper licenses` tells which and why; import a renewal: seatkeeper import KEY"
                .to_owned(),
        );
    }
    let mut cause = format!("no seat of {product} is free: all {} are in use", counts.total);
    let explained = met.seen.as_ref().and_then(|seen| seen.explained.as_ref());
    if let Some(at) = explained.and_then(|explained| explained.next_free.as_ref()) {
        cause = format!("{cause}; the next one is free from {at} if its machine does not renew");
    } else if let Some(told) = last_told(product, facts) {
        cause = format!("{cause}; {told}");
    }
    let remedy = format!(
        "release a machine that no longer needs its seat (seatkeeper release MAC {product} --reason TEXT), or buy more and import \
         them; {explain}"
    );
    (cause, remedy)
}

/// What a component of this machine was told when it was refused for want of a seat.
fn last_told(product: &str, facts: &Facts) -> Option<String> {
    let components = facts.components.known()?.iter().filter(|one| one.product == product);
    let mut denied = components.filter_map(|one| one.denied.as_ref());
    let denied = denied.find(|denied| denied.status == "SEATS_EXHAUSTED")?;
    Some(format!("at {} it was told: {}", denied.at, denied.text))
}

/// This machine's seats, and the conflicts on them.
fn held(seats: &[Seat], about: &str) -> Vec<Finding> {
    if seats.is_empty() {
        return vec![Finding::pass(Check::Machine, about, "this machine has no seat")];
    }
    let mut findings = Vec::new();
    for seat in seats {
        let until = seat
            .renew_by
            .as_ref()
            .map_or_else(String::new, |at| format!(", free from {at} unless renewed"));
        let cause = format!(
            "this machine has a seat of {} (license {}){until}",
            seat.product, seat.serial
        );
        findings.push(Finding::pass(Check::Machine, about, cause));
        let about = format!("{} at {about}", seat.product);
        if !seat.conflicts.is_empty() {
            let cause = format!(
                "a conflict stands on this machine's address ({}): another machine uses the same one, such as a copied disk or a \
                 cloned virtual machine",
                seat.conflicts.join(", ")
            );
            let remedy = "give the copy an address of its own and remove its seatkeeper-agent state, then on the server's host: \
                          seatkeeper resolve MAC";
            findings.push(Finding::warn(Check::Conflict, &about, cause, remedy));
        }
        if !seat.waiting.is_empty() {
            let cause = format!("a new identity waits for approval ({})", seat.waiting.join(", "));
            let remedy = "if this machine was installed anew, approve it on the server's host: seatkeeper resolve MAC";
            findings.push(Finding::warn(Check::Conflict, about, cause, remedy));
        }
    }
    findings
}

/// One license on two servers: both give its seats away.
pub(super) fn serials(facts: &Facts) -> Vec<Finding> {
    let mut on: BTreeMap<&str, BTreeMap<&str, String>> = BTreeMap::new();
    for server in &facts.servers {
        let Some((met, seen)) = server.met().and_then(|met| Some((met, met.seen.as_ref()?))) else {
            continue;
        };
        for serial in &seen.serials {
            let servers = on.entry(serial).or_default();
            servers.entry(&met.server).or_insert_with(|| server.shown());
        }
    }
    let twice = on.into_iter().filter(|(_, servers)| servers.len() > 1);
    twice
        .map(|(serial, servers)| {
            let servers: Vec<_> = servers.into_values().collect();
            let cause = format!(
                "is on {} servers: {}; its seats are given twice",
                servers.len(),
                servers.join(" and ")
            );
            let remedy = format!("decide which one has it and take it off the others: seatkeeper remove {serial}");
            Finding::warn(Check::Serials, serial, cause, remedy)
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
        return unchecked;
    }
    if facts.asked.product.is_none() {
        add(Check::Product, "no product was named: --product PRODUCT");
    }
    let asked = facts.asked_by_agents();
    if asked.iter().all(|(_, met)| met.seen.is_none()) {
        for check in [Check::Machine, Check::Conflict] {
            add(check, NEEDS_VIEWER);
        }
    }
    let viewed = facts.servers.iter().filter_map(|server| server.met());
    if viewed.clone().count() > 1 && viewed.filter(|met| met.seen.is_some()).count() < 2 {
        add(
            Check::Serials,
            "only viewers and administrators are told which licenses a server has, and the identity is one at fewer than two",
        );
    }
    unchecked
}

//! What is said of products, seats and enrolment, and which of several failures is the root.

use super::*;

#[test]
fn a_product_that_no_server_knows_fails_and_one_that_another_knows_warns() {
    let unknown = answers(|met| met.availability = Some(Availability::Unknown));
    fails(&unknown, Check::Product, "BKSRV is unknown here", "seatkeeper products");
    assert_eq!(Report::new(&unknown).exit_code(), 4);
    let mut both = unknown;
    both.servers.extend(well().servers);
    warns(&both, Check::Product, "BKSRV is unknown here");
    let two = answers(|met| met.availability = Some(Availability::Ambiguous));
    fails(&two, Check::Product, "two vendors", "--vendor-key");
    let busy = answers(|met| met.availability = Some(Availability::Refused("later".to_owned())));
    fails(&busy, Check::Product, "later", "the refusal");
    let silent = answers(|met| met.availability = Some(Availability::Silent("it broke".to_owned())));
    fails(&silent, Check::Hello, "it broke", "log");
}

// proves S1
#[test]
fn that_no_seat_is_free_is_told_with_why() {
    let none = |change: fn(&mut Counts)| {
        let mut counts = Counts {
            licenses: 1,
            total: 3,
            used: 3,
            available: 0,
            unit_licenses: 0,
        };
        change(&mut counts);
        answers(|met| met.availability = Some(Availability::Counts(counts)))
    };
    fails(
        &none(|_| ()),
        Check::Seats,
        "no seat of BKSRV is free: all 3 are in use",
        "seatkeeper release",
    );
    fails(
        &none(|counts| counts.used = 1),
        Check::Seats,
        "2 seats of BKSRV are free, on licenses that do not serve",
        "renewal",
    );
    fails(
        &none(|counts| (counts.licenses, counts.total, counts.used) = (0, 0, 0)),
        Check::Seats,
        "no license of BKSRV was ever imported",
        "seatkeeper import",
    );
    fails(
        &none(|counts| (counts.licenses, counts.unit_licenses) = (0, 1)),
        Check::Seats,
        "for deployments alone",
        "machine license",
    );
    assert_eq!(Report::new(&none(|_| ())).exit_code(), 4);
    let mut elsewhere = none(|_| ());
    elsewhere.servers.extend(well().servers);
    warns(&elsewhere, Check::Seats, "all 3 are in use");
}

fn full(change: impl FnOnce(&mut Met)) -> Facts {
    answers(|met| {
        met.availability = Some(counts(3, 3, 0));
        change(met);
    })
}

#[test]
fn when_one_comes_free_is_told_to_viewers_and_otherwise_what_the_component_was_told() {
    let viewer = full(|met| {
        met.seen = Some(Seen {
            explained: Some(Explained {
                next_free: Some("2026-12-24 12:00 UTC".to_owned()),
                ..Explained::default()
            }),
            ..Seen::default()
        });
    });
    fails(&viewer, Check::Seats, "free from 2026-12-24 12:00 UTC", "release");
    let refused = with_component(full(|_| ()), |one| {
        one.denied = Some(Denied {
            status: "SEATS_EXHAUSTED".to_owned(),
            text: "one is free on Monday".to_owned(),
            at: "yesterday".to_owned(),
        });
    });
    fails(
        &refused,
        Check::Seats,
        "at yesterday it was told: one is free on Monday",
        "explain",
    );
    assert_eq!(only(&refused, Check::Components).verdict, Verdict::Warn);
}

// proves I2
#[test]
fn a_machine_that_has_a_seat_needs_none_that_is_free() {
    let grant = |mac| {
        let serial = "S1".to_owned();
        Some(Grant {
            mac,
            serial,
            renew_by: None,
        })
    };
    let remembered = with_component(full(|_| ()), |one| one.grant = grant(mac()));
    assert_eq!(only(&remembered, Check::Seats).verdict, Verdict::Pass);
    let of_another = with_component(full(|_| ()), |one| {
        one.grant = grant("00:1a:2b:3c:00:09".parse().expect("a MAC"));
    });
    fails(&of_another, Check::Seats, "no seat", "release");
    let shown = full(|met| met.seen = Some(with_seat(|_| ())));
    assert_eq!(only(&shown, Check::Seats).verdict, Verdict::Pass);
}

fn with_seat(change: impl FnOnce(&mut Seat)) -> Seen {
    let mut seat = Seat {
        product: "BKSRV".to_owned(),
        serial: "S1".to_owned(),
        ..Seat::default()
    };
    change(&mut seat);
    Seen {
        seats: Some(vec![seat]),
        ..Seen::default()
    }
}

// proves I7
#[test]
fn a_conflict_on_this_machines_address_is_told_and_fails_where_it_is_refused() {
    let flagged = answers(|met| met.seen = Some(with_seat(|seat| seat.conflicts.push("agent".to_owned()))));
    warns(
        &flagged,
        Check::Conflict,
        "a conflict stands on this machine's address (agent)",
    );
    let waiting = answers(|met| met.seen = Some(with_seat(|seat| seat.waiting.push("agent".to_owned()))));
    warns(&waiting, Check::Conflict, "waits for approval (agent)");
    let refused = answers(|met| {
        let mut seen = with_seat(|seat| seat.conflicts.push("agent".to_owned()));
        seen.explained = Some(Explained {
            status: "CONFLICT".to_owned(),
            text: "it is a copy".to_owned(),
            remedy: "resolve it".to_owned(),
            ..Explained::default()
        });
        met.seen = Some(seen);
    });
    fails(&refused, Check::Conflict, "it is a copy", "resolve it");
}

#[test]
fn closed_enrolment_fails_for_a_component_that_is_refused_and_warns_before_there_is_one() {
    let closed = answers(|met| met.availability = Some(Availability::NotEnrolled));
    warns(&closed, Check::Enrolment, "a component that is new is refused");
    let mut component = with_component(closed.clone(), |_| ());
    component.asked.identity = AskedAs::Component("BKSRV agent".to_owned());
    fails(
        &component,
        Check::Enrolment,
        "BKSRV agent of this machine is not enrolled",
        "seatkeeper agent enrol",
    );
    assert_eq!(Report::new(&component).exit_code(), 5);
    let mut holds = with_component(closed, |one| {
        one.grant = Some(Grant {
            mac: mac(),
            serial: "S1".to_owned(),
            renew_by: None,
        });
    });
    holds.asked.identity = AskedAs::Component("BKSRV agent".to_owned());
    warns(&holds, Check::Enrolment, "as long as the seat");
}

#[test]
fn what_the_server_warns_of_is_told_and_who_may_not_know_is_told_that() {
    let warned = answers(|met| {
        let warnings = vec![("DISK_LOW".to_owned(), "3 MiB are left".to_owned())];
        met.seen = Some(Seen {
            warnings,
            ..Seen::default()
        });
        met.may_view = true;
    });
    warns(&warned, Check::Warnings, "DISK_LOW: 3 MiB are left");
    let (_, unchecked) = judge(&well());
    let told = |check| {
        unchecked
            .iter()
            .any(|one| one.check == check && one.reason.contains("--identity"))
    };
    assert!(
        told(Check::Warnings) && told(Check::Machine) && told(Check::Conflict),
        "{unchecked:#?}"
    );
}

#[test]
fn of_several_failures_the_one_that_the_others_rest_on_is_the_root_cause() {
    let mut facts = with_component(answers(|met| met.availability = Some(Availability::Unknown)), |one| {
        one.pins = vec![OTHER.to_owned()];
    });
    fails(&facts, Check::Pin, "is not the server", "trust");
    facts.mac = Gathered::Unknown("NO_MAC".to_owned());
    fails(&facts, Check::Mac, "NO_MAC", "--mac");
    let report = Report::new(&facts);
    assert_eq!(report.sentence(), "Root cause (MAC): NO_MAC.");
    assert!(
        report.text().ends_with("\n\nRoot cause (MAC): NO_MAC.\n"),
        "{}",
        report.text()
    );
}

#[test]
fn what_servers_call_themselves_moves_no_cursor() {
    let facts = answers(|met| met.name = "a\u{1b}[2Jb".to_owned());
    assert!(!Report::new(&facts).text().contains('\u{1b}'));
}

//! What is refused is told by a number, in words, and with what its reader wants to know next (rule V2).

use super::*;
use crate::domain::denial::KeyRefusal;
use crate::domain::ids::ComponentId;
use crate::domain::reply::ImportOutcome;
use crate::vendor::ListError;

// proves V2
#[test]
fn a_refusal_carries_the_code_the_cause_the_counts_and_the_remedy() {
    let mut pair = Pair::greeted(Role::Agent);
    pair.ask(&Request::Checkout(checkout_of(&checkout(0))));
    let (tag, _) = pair.submitted.pop().expect("submitted");
    let denied = Denied {
        denial: Denial::SeatsExhausted,
        subject: Subject {
            product: Some(key().product),
            mac: Some(key().mac),
            ..Subject::default()
        },
        seats: Some(SeatsInUse {
            used: 3,
            total: 3,
            earliest_renew_by: Some(Timestamp(99)),
        }),
        former: Some(FormerSeat {
            ended_at: Timestamp(50),
            cause: EndCause::Idle,
        }),
        contact: None,
        lacked: None,
    };
    pair.reply(tag, Answer::Reply(Box::new(Reply::Denied(denied))));
    let [Response::Refused(Status::SEATS_EXHAUSTED, refusal)] = &pair.answers()[..] else {
        panic!("not one refusal");
    };
    assert_eq!(
        (refusal.used, refusal.total, refusal.earliest_renew_by),
        (Some(3), Some(3), Some(99))
    );
    assert_eq!(refusal.former.as_ref().map(|former| former.ended_at), Some(50));
    assert!(
        refusal
            .text
            .contains("no seat of BKSRV is available: 3 of 3 are in use"),
        "{}",
        refusal.text
    );
    assert!(refusal.text.contains("seatkeeper import"), "{}", refusal.text);
}

// proves V2
#[test]
fn a_reservation_that_finds_too_little_says_how_many_more_would_be_enough() {
    let denied = Denied {
        seats: Some(SeatsInUse {
            used: 1,
            total: 5,
            earliest_renew_by: None,
        }),
        lacked: NonZeroU32::new(3),
        ..Denied::from(Denial::SeatsExhausted)
    };
    let (_, refusal) = told_of(&Request::Checkout(checkout_of(&checkout(0))), denied);
    assert!(
        refusal.text.contains("1 of 5 is in use, 3 more would be enough; "),
        "{}",
        refusal.text
    );
}

/// The words of a reservation, or of a checkout, that finds too little.
fn too_little(used: u64, total: u64, component: Option<ComponentId>) -> String {
    let seats = SeatsInUse {
        used,
        total,
        earliest_renew_by: None,
    };
    let denied = Denied {
        subject: Subject {
            product: Some(key().product),
            component,
            ..Subject::default()
        },
        seats: Some(seats),
        ..Denied::from(Denial::SeatsExhausted)
    };
    let mut pair = Pair::greeted(Role::Agent);
    let request = Request::Checkout(checkout_of(&checkout(0)));
    match pair.exchange(&request, Reply::Denied(denied)) {
        (_, Response::Refused(_, refusal)) => refusal.text,
        (_, other) => panic!("{other:?}"),
    }
}

// proves V2
#[test]
fn a_reservation_that_finds_some_is_not_told_that_there_is_none() {
    let component = Some("agent".parse().expect("a component"));
    for (used, total, component, told) in [
        (
            1,
            5,
            None,
            "not enough seats of BKSRV are available: 1 of 5 is in use; ",
        ),
        (5, 5, None, "no seat of BKSRV is available: 5 of 5 are in use; "),
        // The other two are of a license that has expired.
        (3, 5, component, "no seat of BKSRV is available: 3 of 5 are in use; "),
    ] {
        let text = too_little(used, total, component);
        assert!(text.starts_with(told), "{text}");
    }
}

#[test]
fn one_is_told_in_the_singular() {
    let (_, refusal) = told(Denial::LicenseInUse { seats: 1 });
    assert!(refusal.text.contains("1 seat or reserved unit"), "{}", refusal.text);
    let (_, refusal) = told(Denial::SlowDown { retry_secs: 1 });
    assert!(refusal.text.contains("in 1 second; "), "{}", refusal.text);
}

/// Every denial there is, but too many wrong tokens, which slows down as too many new machines do.
pub(super) fn denials() -> [Denial; 37] {
    [
        Denial::AmbiguousProduct,
        Denial::BlacklistNotNewer { held: u64::MAX },
        Denial::CatalogueNotNewer { held: u64::MAX },
        Denial::Conflict,
        Denial::DeploymentOnly,
        Denial::DiskFull,
        Denial::EnrolmentRequired,
        Denial::IdentityNotBound,
        Denial::LastAdministrator,
        Denial::LicenseBlacklisted,
        Denial::LicenseExpired,
        Denial::LicenseInUse { seats: u32::MAX },
        Denial::LicenseSuperseded,
        Denial::NoJumpPending,
        Denial::NoLicense,
        Denial::NotAuthorized,
        Denial::RebindPending,
        Denial::ReboundRecently { until: Timestamp(1) },
        Denial::RequiredProduct { product: key().product },
        Denial::ReservationTaken,
        Denial::ReservationTooLarge,
        Denial::ReservationTooLong,
        Denial::SeatsExhausted,
        Denial::SlowDown { retry_secs: u32::MAX },
        Denial::TokenRefused,
        Denial::TooManyComponents,
        Denial::TooManyReservations,
        Denial::TooManyTokens,
        Denial::TooManyVendors,
        Denial::UnknownAdministrator,
        Denial::UnknownComponent,
        Denial::UnknownProduct,
        Denial::UnknownReservation,
        Denial::UnknownSerial,
        Denial::UnknownToken,
        Denial::UnknownIdentity,
        Denial::UnknownVendor,
    ]
}

/// A denial with the longest words that can be in it.
fn longest(denial: Denial) -> Denied {
    Denied {
        denial,
        subject: Subject {
            product: "P".repeat(24).parse().ok(),
            component: "c".repeat(24).parse().ok(),
            mac: Some(key().mac),
            serial: Some(serial()),
        },
        seats: Some(SeatsInUse {
            used: u64::MAX,
            total: u64::MAX,
            earliest_renew_by: None,
        }),
        former: None,
        contact: Some("c".repeat(128)),
        lacked: NonZeroU32::new(u32::MAX),
    }
}

/// What a client is told of a denial.
fn told(denial: Denial) -> (Status, crate::wire::messages::hello::Refusal) {
    told_of(&Request::Checkout(checkout_of(&checkout(0))), longest(denial))
}

fn told_of(request: &Request, denied: Denied) -> (Status, crate::wire::messages::hello::Refusal) {
    let denial = denied.denial;
    let mut pair = Pair::greeted(Role::Administrator);
    match pair.exchange(request, Reply::Denied(denied)) {
        (_, Response::Refused(status, refusal)) => (status, refusal),
        (_, other) => panic!("{denial:?}: {other:?}"),
    }
}

/// Denials that EXPLAIN has nothing more to say of, and why not.
fn is_not_explained(denial: Denial) -> bool {
    matches!(
        denial,
        // Explain would be refused for the same, or be about another vendor's product.
        Denial::AmbiguousProduct
            | Denial::UnknownVendor
            // They are about the identity that asks, or the token that it has.
            | Denial::NotAuthorized
            | Denial::TokenRefused
            | Denial::TooManyWrongTokens { .. }
            // They are about what an administrator or a deployer does, and decide no checkout.
            | Denial::BlacklistNotNewer { .. }
            | Denial::CatalogueNotNewer { .. }
            | Denial::LastAdministrator
            | Denial::LicenseInUse { .. }
            | Denial::NoJumpPending
            | Denial::ReservationTaken
            | Denial::ReservationTooLarge
            | Denial::ReservationTooLong
            | Denial::TooManyReservations
            | Denial::TooManyTokens
            | Denial::TooManyVendors
            | Denial::UnknownAdministrator
            | Denial::UnknownIdentity
            | Denial::UnknownReservation
            | Denial::UnknownSerial
            | Denial::UnknownToken
    )
}

/// Requests that machines are refused: for themselves, and by those who deploy and administer them.
fn of_machines() -> Vec<Request> {
    let mut all = wanting();
    all.extend(giving_up());
    all
}

/// Requests that machines make to have something, and those who deploy for them.
fn wanting() -> Vec<Request> {
    let mac = key().mac.bytes();
    let reserve = crate::wire::messages::deploy::Reserve {
        reservation: [8; 16],
        product: "BKSRV".into(),
        macs: vec![mac],
        ..Default::default()
    };
    vec![
        Request::Checkout(checkout_of(&checkout(0))),
        Request::Renew(checkout_of(&checkout(0))),
        Request::Reserve(reserve),
    ]
}

/// Requests to give up what a machine has.
fn giving_up() -> Vec<Request> {
    let seat_end = admin::SeatEnd {
        mac: key().mac.bytes(),
        product: "BKSRV".into(),
        reason: "sold".into(),
        ..admin::SeatEnd::default()
    };
    let release = release_of(&Release {
        key: key(),
        component: "agent".parse().expect("an id"),
    });
    vec![Request::Release(release), Request::SeatEnd(seat_end)]
}

// proves V2
#[test]
fn whatever_is_refused_to_a_machine_points_to_explain_at_the_longest_words_too() {
    let product = "P".repeat(24);
    let of_product = format!("; for administrators: `seatkeeper explain {} {product}", key().mac);
    let hint = format!("{of_product} {}`", "c".repeat(24));
    // A deployment names no component.
    let deployments = format!("{of_product}`");
    for denial in denials()
        .into_iter()
        .chain([Denial::TooManyWrongTokens { retry_secs: u32::MAX }])
    {
        for request in wanting() {
            let (_, refusal) = told_of(&request, longest(denial));
            let text = refusal.text;
            assert!(text.len() <= limits::REFUSAL_TEXT_LEN_MAX, "{denial:?}: {}", text.len());
            assert_eq!(text.ends_with(&hint), !is_not_explained(denial), "{denial:?}: {text}");
        }
        // A deployment's machines are refused in their rows, with the text of the first one.
        let rows = vec![(key().mac, crate::domain::reply::Settled::Refused(denial))];
        let settled = Reply::Settled {
            product: product.parse().expect("an id"),
            rows,
        };
        let commit = Request::Commit(crate::wire::messages::deploy::Commit {
            reservation: [8; 16],
            product: product.clone(),
            ..Default::default()
        });
        let (_, Response::Settle(told)) = Pair::greeted(Role::Deployer).exchange(&commit, settled) else {
            panic!("another answer");
        };
        let text = told.text.expect("refused");
        assert_eq!(
            text.ends_with(&deployments),
            !is_not_explained(denial),
            "{denial:?}: {text}"
        );
    }
}

// proves V2
#[test]
fn what_is_not_given_up_does_not_point_to_the_explanation_of_a_checkout() {
    for denial in denials() {
        for request in giving_up() {
            let (_, refusal) = told_of(&request, longest(denial));
            assert!(
                !refusal.text.contains("seatkeeper explain"),
                "{denial:?}: {}",
                refusal.text
            );
        }
    }
}

// proves V2
#[test]
fn what_is_waited_for_is_told_in_units_that_people_use() {
    for (retry_secs, words) in [
        (90, "ask again in 90 seconds; "),
        (121, "ask again in 3 min; "),
        (3_601, "ask again in 1 h 1 min; "),
        (7_200, "ask again in 2 h; "),
        (86_341, "ask again in 1 d; "),
        (90_000, "ask again in 1 d 1 h; "),
        (
            u32::MAX,
            "nobody engages a new seat here: a limit of new seats is 0; have an administrator raise",
        ),
    ] {
        let (_, refusal) = told(Denial::SlowDown { retry_secs });
        assert!(refusal.text.contains(words), "{}", refusal.text);
        assert_eq!(refusal.retry_secs, Some(retry_secs));
    }
}

// proves V2
#[test]
fn what_names_no_machine_or_no_product_does_not_point_to_explain() {
    let all = longest(Denial::SeatsExhausted).subject;
    for subject in [
        Subject { mac: None, ..all },
        Subject { product: None, ..all },
        Subject::default(),
    ] {
        let denied = Denied {
            subject,
            ..longest(Denial::SeatsExhausted)
        };
        for request in of_machines() {
            let (_, refusal) = told_of(&request, denied.clone());
            assert!(!refusal.text.contains("seatkeeper explain"), "{}", refusal.text);
        }
    }
    let explain = Request::Explain(crate::wire::messages::explain::Explain {
        product: "BKSRV".into(),
        mac: key().mac.bytes(),
        ..Default::default()
    });
    let (_, refusal) = told_of(&explain, longest(Denial::UnknownProduct));
    assert!(!refusal.text.contains("seatkeeper explain"), "{}", refusal.text);
}

#[test]
fn every_denial_has_a_text_with_a_remedy_and_a_status_of_its_own() {
    let mut statuses = BTreeSet::new();
    for denial in denials() {
        let (status, refusal) = told(denial);
        assert_ne!(status, Status::INTERNAL, "{denial:?}");
        assert!(statuses.insert(status), "{denial:?} shares {status:?}");
        assert!(refusal.text.len() > 20, "{}", refusal.text);
        assert!(
            refusal.text.contains("; ") || refusal.text.contains("`seatkeeper "),
            "no remedy: {}",
            refusal.text
        );
    }
    // From 0x0150 on they are about signed texts.
    let known = Status::TABLE.iter().map(|(status, _)| *status);
    let mut of_rules: BTreeSet<_> = known.filter(|status| (0x0100..0x0150).contains(&status.0)).collect();
    // Whoever was to read the configuration again says so, and no rule.
    of_rules.remove(&Status::NO_CONFIGURATION);
    assert_eq!(statuses, of_rules);
}

#[test]
fn what_a_denial_knows_is_told_in_fields() {
    let (_, refusal) = told(Denial::BlacklistNotNewer { held: 9 });
    assert_eq!(refusal.catalogue_version, Some(9));
    let (_, refusal) = told(Denial::CatalogueNotNewer { held: 8 });
    assert_eq!(refusal.catalogue_version, Some(8));
    let (_, refusal) = told(Denial::LicenseInUse { seats: 7 });
    assert_eq!(refusal.used, Some(7));
    let (_, refusal) = told(Denial::ReboundRecently { until: Timestamp(6) });
    assert_eq!(refusal.until, Some(6));
    let (_, refusal) = told(Denial::SlowDown { retry_secs: 5 });
    assert_eq!(refusal.retry_secs, Some(5));
    let (status, refusal) = told(Denial::TooManyWrongTokens { retry_secs: 4 });
    assert_eq!((status, refusal.retry_secs), (Status::SLOW_DOWN, Some(4)));
    assert!(refusal.text.contains("wrong enrolment tokens"), "{}", refusal.text);
    let (_, refusal) = told(Denial::EnrolmentRequired);
    assert!(refusal.text.contains("`seatkeeper agent enrol PPP"), "{}", refusal.text);
    let (_, refusal) = told(Denial::RequiredProduct { product: key().product });
    assert_eq!(refusal.required_product.as_deref(), Some("BKSRV"));
    assert!(refusal.text.contains("BKSRV"), "{}", refusal.text);
    let (_, refusal) = told(Denial::LicenseBlacklisted);
    let contact = "c".repeat(128);
    assert!(refusal.text.contains(&contact), "{}", refusal.text);
    assert_eq!(refusal.contact, Some(contact));
    for denial in [Denial::Conflict, Denial::RebindPending] {
        let (_, refusal) = told(denial);
        let remedy = format!("`seatkeeper resolve {}`", key().mac);
        assert!(refusal.text.contains(&remedy), "{}", refusal.text);
        assert_eq!(refusal.mac, Some(key().mac.bytes()));
    }
}

// proves K4
#[test]
fn every_refused_key_has_a_status_of_its_own_and_a_text_with_a_remedy() {
    let contact = "c".repeat(128);
    let refusals = [
        (
            Status::BLACKLISTED,
            KeyRefusal::Blacklisted {
                contact: contact.clone(),
            },
        ),
        (Status::KEY_EXPIRED, KeyRefusal::Expired),
        (
            Status::FEWER_SEATS_THAN_USED,
            KeyRefusal::FewerSeatsThanUsed { used: u32::MAX },
        ),
        (Status::NOT_A_RENEWAL, KeyRefusal::NotARenewal),
        (Status::SERIAL_TAKEN, KeyRefusal::SerialTaken),
        (Status::SUPERSEDED, KeyRefusal::Superseded),
        (Status::UNKNOWN_PRODUCT, KeyRefusal::UnknownProduct),
        (Status::UNKNOWN_VENDOR, KeyRefusal::UnknownVendor),
        (Status::USAGE_NOT_OFFERED, KeyRefusal::UsageNotOffered),
    ];
    let outcomes = refusals.iter().map(|(_, refusal)| ImportOutcome::Refused {
        serial: serial(),
        product: key().product_key(),
        refusal: refusal.clone(),
    });
    let mut pair = Pair::greeted(Role::Administrator);
    let request = Request::Import(admin::Import::default());
    let (_, Response::Import(reply)) = pair.exchange(&request, Reply::Imported(outcomes.collect())) else {
        panic!("not an import's reply");
    };
    assert_eq!(reply.rows.len(), refusals.len());
    for (row, (status, refusal)) in reply.rows.iter().zip(refusals) {
        let text = row.text.as_deref().expect("a text");
        assert_eq!(row.status, Some(status), "{refusal:?}");
        assert!(text.contains("; "), "no remedy: {text}");
        assert_eq!(text.contains(&contact), status == Status::BLACKLISTED, "{text}");
        assert_eq!(row.serial.as_deref(), Some(serial().as_str()));
    }
}

#[test]
fn a_list_that_counts_for_nothing_is_refused_with_its_reason() {
    for (error, expected) in [
        (ListError::BadSignature, Status::BAD_SIGNATURE),
        (
            ListError::UnknownVendor { vendor: key().vendor },
            Status::UNKNOWN_VENDOR,
        ),
    ] {
        let mut pair = Pair::greeted(Role::Administrator);
        pair.ask(&Request::BlacklistImport(admin::BlacklistImport {
            list: Bytes::from_static(b"l"),
            dry_run: None,
        }));
        let (tag, _) = pair.submitted.pop().expect("submitted");
        pair.reply(tag, Answer::ListRefused(error));
        let answers = pair.answers();
        assert!(
            matches!(&answers[..], [Response::Refused(status, refusal)] if *status == expected && !refusal.text.is_empty()),
            "{answers:?}"
        );
    }
}

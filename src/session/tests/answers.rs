//! What is asked arrives as it was asked, and what is answered as it was answered.

use super::*;
use crate::domain::seat::Seen;

#[test]
fn a_checkout_arrives_as_it_was_asked_and_its_grant_as_it_was_given() {
    let grants = [
        GrantKind::Granted,
        GrantKind::Renewed,
        GrantKind::EngagedAgain(FormerSeat {
            ended_at: Timestamp(5),
            cause: EndCause::Idle,
        }),
    ];
    for (number, kind) in grants.into_iter().enumerate() {
        let mut pair = Pair::greeted(Role::Agent);
        let ask = checkout(number as u64);
        pair.ask(&Request::Checkout(checkout_of(&ask)));
        let (tag, work) = pair.submitted.pop().expect("submitted");
        assert_eq!(work, Work::Command(Command::Checkout(ask)));
        let grant = Reply::Seat(Box::new(Grant {
            kind,
            serial: serial(),
            acquired_at: Timestamp(10),
            renew_by: (number > 0).then_some(Timestamp(20)),
            continuation: 77,
            conflict: Some(Conflict {
                kind: ConflictKind::StaleContinuation,
                since: Timestamp(1),
                last_seen: Timestamp(2),
                count: 3,
            }),
            certificate: Bytes::from_static(b"certificate"),
            signed_entry: Bytes::from_static(b"entry"),
            offline_days: 0,
        }));
        pair.reply(tag, Answer::Reply(Box::new(grant.clone())));
        let [Response::Checkout(reply)] = &pair.answers()[..] else {
            panic!("not one grant");
        };
        assert_eq!(reply.server_time, NOW.0);
        assert_eq!(reply_of_checkout(reply.clone()), Ok(grant));
    }
}

/// A grant of a product that may run so many days without a server.
fn granted_for(offline_days: u8) -> Answer {
    Answer::Reply(Box::new(Reply::Seat(Box::new(Grant {
        kind: GrantKind::Granted,
        serial: serial(),
        acquired_at: Timestamp(10),
        renew_by: None,
        continuation: 77,
        conflict: None,
        certificate: Bytes::from_static(b"certificate"),
        signed_entry: Bytes::from_static(b"entry"),
        offline_days,
    }))))
}

// proves O3
#[test]
fn a_lease_comes_with_the_grant_of_a_product_with_offline_days_to_an_agent_that_told_its_time() {
    for (client_time, offline_days, is_leased) in [(Some(99), 7, true), (Some(99), 0, false), (None, 7, false)] {
        for request in [Request::Checkout, Request::Renew] {
            let mut pair = Pair::greeted(Role::Agent);
            let ask = seat::Checkout {
                client_time,
                ..checkout_of(&checkout(0))
            };
            pair.ask(&request(ask));
            let (tag, _) = pair.submitted.pop().expect("submitted");
            pair.reply(tag, granted_for(offline_days));
            let [Response::Checkout(reply)] = &pair.answers()[..] else {
                panic!("not one grant");
            };
            assert_eq!(reply.lease.is_some(), is_leased, "{client_time:?} {offline_days}");
            let Some(signed) = &reply.lease else { continue };
            let expected = Lease {
                vendor: [1; 16],
                product: "BKSRV".to_owned(),
                component: "agent".to_owned(),
                mac: [0, 1, 2, 3, 4, 5],
                identity: peer().identity.0,
                server: [4; 16],
                days: 7,
                client_time: 99,
                server_time: NOW.0,
            };
            assert_eq!(lease::verify(signed, &lease_key().public()), Ok(expected));
        }
    }
}

// proves O3, T3
#[test]
fn the_agents_clock_goes_into_the_lease_and_never_to_the_ledger() {
    let mut pair = Pair::greeted(Role::Agent);
    let commands = [None, Some(0), Some(u64::MAX)].map(|client_time| {
        let ask = seat::Checkout {
            client_time,
            ..checkout_of(&checkout(3))
        };
        pair.ask(&Request::Checkout(ask));
        pair.submitted.pop().expect("submitted").1
    });
    assert!(commands.iter().all(|work| *work == commands[0]));
}

#[test]
fn not_counted_and_released_arrive_as_they_were_given() {
    let mut pair = Pair::greeted(Role::Agent);
    pair.ask(&Request::Renew(checkout_of(&checkout(0))));
    let not_counted = Reply::NotCounted {
        counts: Counts {
            licenses: 1,
            total: 5,
            used: 2,
            free: 3,
            available: 3,
        },
        signed_entry: Bytes::from_static(b"entry"),
    };
    let (tag, _) = pair.submitted.pop().expect("submitted");
    pair.reply(tag, Answer::Reply(Box::new(not_counted.clone())));
    let [Response::Checkout(reply)] = &pair.answers()[..] else {
        panic!("not one answer");
    };
    assert_eq!(reply_of_checkout(reply.clone()), Ok(not_counted));

    let released = |seat_freed, components_left| Reply::Released {
        seat_freed,
        components_left,
    };
    for given in [Reply::NothingHeld, released(true, 0), released(false, 2)] {
        let ask = Release {
            key: key(),
            component: "agent".parse().expect("an id"),
        };
        pair.ask(&Request::Release(release_of(&ask)));
        let (tag, work) = pair.submitted.pop().expect("submitted");
        assert_eq!(work, Work::Command(Command::Release(ask)));
        pair.reply(tag, Answer::Reply(Box::new(given.clone())));
        let [Response::Release(reply)] = &pair.answers()[..] else {
            panic!("not one answer");
        };
        assert_eq!(reply_of_release(reply), Ok(given));
    }
}

#[test]
fn texts_with_signatures_are_handed_on_unchecked_and_their_faults_told_key_by_key() {
    let mut pair = Pair::greeted(Role::Administrator);
    let keys = vec!["SK1-A".to_owned(), "SK1-B".to_owned()];
    pair.ask(&Request::Import(admin::Import {
        keys: keys.clone(),
        dry_run: None,
    }));
    pair.ask(&Request::CatalogueImport(admin::CatalogueImport {
        catalogue: Bytes::from_static(b"c"),
        dry_run: Some(true),
    }));
    pair.ask(&Request::BlacklistImport(admin::BlacklistImport {
        list: Bytes::from_static(b"l"),
        dry_run: Some(true),
    }));
    pair.ask(&Request::VendorTrust(admin::VendorTrust { public_key: [3; 32] }));
    let works: Vec<_> = pair.submitted.iter().map(|(_, work)| work.clone()).collect();
    let catalogue = Work::VerifyCatalogue {
        signed: Bytes::from_static(b"c"),
        dry_run: true,
    };
    let blacklist = Work::VerifyBlacklist {
        signed: Bytes::from_static(b"l"),
        dry_run: true,
    };
    let trust = Work::TrustVendor([3; 32]);
    assert_eq!(
        works,
        [
            Work::VerifyKeys {
                texts: keys,
                dry_run: false
            },
            catalogue,
            blacklist,
            trust
        ]
    );
    let outcomes = vec![
        KeyOutcome::Unverified(KeyError::BadSignature),
        KeyOutcome::Decided(crate::domain::reply::ImportOutcome::Added {
            serial: serial(),
            product: key().product_key(),
            seats: 10,
            renewal: true,
        }),
    ];
    pair.reply(pair.submitted[0].0, Answer::Imported(outcomes));
    let [Response::Import(reply)] = &pair.answers()[..] else {
        panic!("not one answer");
    };
    assert_eq!(reply.rows[0].status, Some(Status::BAD_SIGNATURE));
    assert_eq!((reply.rows[1].index, reply.rows[1].seats), (1, Some(10)));
    assert_eq!((reply.rows[0].renewal, reply.rows[1].renewal), (None, Some(true)));
}

#[test]
fn a_page_ends_where_the_next_row_would_not_fit_the_frame() {
    let binding = Binding::Identity(Bound {
        identity: Fingerprint([1; 32]),
        continuation: 1,
        continuation_before: Some(1),
        others: Seen {
            rebound_at: Some(Timestamp(1)),
            ..Seen::default()
        }
        .into(),
    });
    let row = SeatRow {
        key: key(),
        product_name: "p".repeat(64),
        seat: Seat {
            serial: serial(),
            acquired_at: Timestamp(1),
            renewed_at: Timestamp(2),
            renew_by: None,
            single_use: false,
            machine: MachineNote {
                host_name: "h".repeat(253).into(),
                address: Some(peer().address),
                other_macs: [key().mac; 16].into(),
            },
            components: [("agent".parse().expect("an id"), binding)].into(),
        },
    };
    let mut pair = Pair::greeted(Role::Viewer);
    pair.ask(&Request::Seats(views::Seats::default()));
    let (tag, _) = pair.submitted.pop().expect("submitted");
    let listing = Listing {
        rows: vec![row; 256],
        more: false,
    };
    pair.server
        .handle_reply(tag, Answer::Reply(Box::new(Reply::Seats(listing))), NOW, pair.at);
    let frames = sent(&mut pair.server);
    assert!(frames[0].body.len() <= BODY_LEN_MAX && frames[0].body.len() > BODY_LEN_MAX - 1_024);
    let page = Response::decode(Opcode::SEATS, Status::OK, &frames[0].body);
    let Ok(Some(Response::Seats(page))) = page else {
        panic!("{page:?}");
    };
    assert!(
        page.more && page.rows.len() < 256 && page.rows.len() > 50,
        "{}",
        page.rows.len()
    );
}

#[test]
fn a_reply_that_was_not_asked_for_ends_the_clients_session() {
    let mut pair = Pair::greeted(Role::Agent);
    let stray = Frame {
        opcode: Opcode::STATUS.reply(),
        status: Status::OK,
        request: 2,
        body: Bytes::new(),
    };
    let bytes = stray.encode().expect("short");
    assert_eq!(bytes.len(), HEADER_LEN);
    assert!(matches!(
        pair.client.handle_bytes(&bytes),
        Err(ClientError::Unasked { request: 2, .. })
    ));
}

#[test]
fn status_tells_the_uptime_and_the_name() {
    let mut pair = Pair::greeted(Role::Viewer);
    pair.ask(&Request::Status(views::Status {}));
    let (tag, _) = pair.submitted.pop().expect("submitted");
    pair.at = Monotonic(61_999);
    let status = crate::domain::reply::Status {
        server: None,
        vendors: Vec::new(),
        products: 1,
        licenses: 2,
        licenses_expired: 1,
        seats: 3,
        conflicts: 0,
        admins: 1,
        licenses_blacklisted: 4,
        licenses_superseded: 5,
        waiting: 6,
        reservations: 7,
        clock: None,
        disk_left: None,
        needs_enrolment: false,
        ending: Vec::new(),
        scarce: Vec::new(),
        checkpoint: None,
    };
    pair.reply(tag, Answer::Reply(Box::new(Reply::Status(Box::new(status)))));
    let answers = pair.answers();
    assert!(
        matches!(&answers[..], [Response::Status(status)] if status.uptime_secs == 61 && status.name == "name"),
        "{answers:?}"
    );
}

//! A connection from its first byte to its end: order, bounds, waits, partings.

use super::*;

#[test]
fn pipelined_requests_are_answered_in_the_order_in_which_they_came() {
    let mut pair = Pair::greeted(Role::Viewer);
    for number in 0..3 {
        pair.ask(&Request::Checkout(checkout_of(&checkout(number))));
    }
    let tags: Vec<_> = pair.submitted.iter().map(|(tag, _)| *tag).collect();
    let answer = |used| {
        Answer::Reply(Box::new(Reply::Denied(Denied {
            seats: Some(SeatsInUse {
                used,
                ..SeatsInUse::default()
            }),
            ..Denial::SeatsExhausted.into()
        })))
    };
    pair.reply(tags[2], answer(2));
    pair.reply(tags[1], answer(1));
    assert_eq!(pair.answers(), []);
    pair.reply(tags[0], answer(0));
    let used: Vec<_> = pair
        .answers()
        .iter()
        .map(|response| match response {
            Response::Refused(_, refusal) => refusal.used,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(used, [Some(0), Some(1), Some(2)]);
}

#[test]
fn sixty_four_requests_are_in_flight_and_the_next_waits_in_the_socket() {
    let mut pair = Pair::greeted(Role::Viewer);
    for _ in 0..limits::IN_FLIGHT_MAX {
        assert!(pair.server.wants_input());
        pair.ask(&Request::Status(views::Status {}));
    }
    assert!(!pair.server.wants_input());
    assert_eq!(
        pair.client.request(&Request::Status(views::Status {})),
        Err(ClientError::Full)
    );
    assert_eq!(pair.submitted.len(), limits::IN_FLIGHT_MAX);
    // What was read along with the last of them is kept, not decided.
    pair.server
        .handle_bytes(&frame(&Request::Status(views::Status {}), 999), pair.at);
    assert_eq!(pair.server.poll_action(), None);
    let first = pair.submitted[0].0;
    pair.server.handle_reply(first, Answer::Busy, NOW, pair.at);
    assert!(matches!(pair.server.poll_action(), Some(Action::Send(_))));
    assert!(matches!(pair.server.poll_action(), Some(Action::Submit { .. })));
    assert!(!pair.server.wants_input());
}

#[test]
fn busy_names_a_time_to_retry() {
    let mut pair = Pair::greeted(Role::Agent);
    pair.ask(&Request::Checkout(checkout_of(&checkout(0))));
    let (tag, _) = pair.submitted.pop().expect("submitted");
    pair.reply(tag, Answer::Busy);
    assert!(matches!(
        &pair.answers()[..],
        [Response::Refused(Status::BUSY, refusal)] if refusal.retry_secs == Some(limits::BUSY_RETRY_SECS)
    ));
    assert_eq!(pair.closed, None);
}

#[test]
fn a_request_before_hello_and_a_second_hello_end_the_connection() {
    let config = Arc::new(SessionConfig::new(String::new(), String::new(), Monotonic(0)));
    let mut session = ServerSession::new(config, peer(), Monotonic(0));
    session.handle_bytes(&frame(&Request::Status(views::Status {}), 5), Monotonic(1));
    let actions: Vec<_> = std::iter::from_fn(|| session.poll_action()).collect();
    let [Action::Send(bytes), Action::Close(Reason::OutOfOrder)] = &actions[..] else {
        panic!("{actions:?}");
    };
    let answer = decode_frame(&mut BytesMut::from(&bytes[..]))
        .expect("a frame")
        .expect("whole");
    assert_eq!((answer.status, answer.request), (Status::OUT_OF_ORDER, 5));
    session.handle_bytes(&frame(&Request::Status(views::Status {}), 6), Monotonic(2));
    assert_eq!(session.poll_action(), None, "nothing is read behind the end");

    let mut pair = Pair::greeted(Role::Agent);
    let hello = Request::Hello(crate::wire::messages::hello::Hello {
        version_min: 1,
        version_max: 1,
        ..Default::default()
    });
    pair.ask(&hello);
    assert_eq!(pair.closed, Some(Reason::OutOfOrder));
}

#[test]
fn an_unknown_opcode_is_unsupported_and_the_connection_stays() {
    let mut pair = Pair::greeted(Role::Agent);
    let unknown = Frame {
        opcode: Opcode(0x0777),
        status: Status::OK,
        request: 8,
        body: Bytes::new(),
    };
    pair.server.handle_bytes(&unknown.encode().expect("short"), pair.at);
    let answers = sent(&mut pair.server);
    assert_eq!(answers.len(), 1);
    assert_eq!(
        (answers[0].opcode, answers[0].status, answers[0].request),
        (Opcode(0x8777), Status::UNSUPPORTED, 8)
    );
    assert!(pair.server.wants_input());
}

#[test]
fn malformed_requests_are_told_behind_the_answers_before_them() {
    let mut pair = Pair::greeted(Role::Agent);
    pair.ask(&Request::Checkout(checkout_of(&checkout(0))));
    let (tag, _) = pair.submitted.pop().expect("submitted");
    let lower_case = Request::Availability(seat::Availability {
        vendor: None,
        product: "bksrv".into(),
    });
    pair.ask(&lower_case);
    assert_eq!(pair.answers(), []);
    assert_eq!(pair.closed, None);
    assert!(!pair.server.wants_input());
    pair.reply(tag, Answer::Reply(Box::new(Reply::Denied(Denial::NoLicense.into()))));
    let answers = pair.answers();
    assert!(
        matches!(answers[0], Response::Refused(Status::NO_LICENSE, _)),
        "{answers:?}"
    );
    assert!(
        matches!(&answers[1], Response::Refused(Status::MALFORMED, refusal) if refusal.text.contains("Availability.product")),
        "{answers:?}"
    );
    assert_eq!(pair.closed, Some(Reason::Malformed));
}

#[test]
fn a_header_that_is_no_request_ends_the_connection_with_a_parting() {
    let header = |len: u32, opcode: u16, status: u16, request: u32| {
        let mut bytes = len.to_be_bytes().to_vec();
        bytes.extend(opcode.to_be_bytes());
        bytes.extend(status.to_be_bytes());
        bytes.extend(request.to_be_bytes());
        bytes
    };
    for bytes in [
        header(65_537, 0x10, 0, 1),
        header(0, 0x8010, 0, 1),
        header(0, 0x0000, 0, 1),
        header(0, 0x20, 1, 1),
        header(0, 0x20, 0, 0),
    ] {
        let mut pair = Pair::greeted(Role::Agent);
        pair.server.handle_bytes(&bytes, pair.at);
        let actions: Vec<_> = std::iter::from_fn(|| pair.server.poll_action()).collect();
        let [Action::Send(parting), Action::Close(Reason::Malformed)] = &actions[..] else {
            panic!("{actions:?}");
        };
        assert!(matches!(
            pair.client.handle_bytes(parting),
            Err(ClientError::Ended {
                status: Status::MALFORMED,
                ..
            })
        ));
        assert!(pair.client.request(&Request::Status(views::Status {})).is_err());
    }
}

#[test]
fn no_common_version_is_told_with_the_servers_versions() {
    let mut pair = Pair::new();
    let hello = Request::Hello(crate::wire::messages::hello::Hello {
        version_min: 2,
        version_max: 9,
        ..Default::default()
    });
    pair.server.handle_bytes(&frame(&hello, 1), pair.at);
    let answers = sent(&mut pair.server);
    assert_eq!(answers[0].status, Status::VERSION_MISMATCH);
    let answer = Response::decode(Opcode::HELLO, answers[0].status, &answers[0].body);
    assert!(matches!(answer, Ok(Some(Response::Refused(_, refusal))) if refusal.version_max == Some(1)));
}

#[test]
fn a_connection_without_hello_ends_after_five_seconds_and_not_before() {
    let mut pair = Pair::new();
    let due = Monotonic(1_000 + limits::HELLO_MS);
    assert_eq!(pair.server.poll_timeout(), Some(due));
    // Dripping bytes does not count.
    pair.server.handle_bytes(&[0, 0], Monotonic(5_000));
    pair.server.handle_timeout(Monotonic(due.0 - 1));
    assert_eq!(pair.server.poll_action(), None);
    pair.server.handle_timeout(due);
    assert!(matches!(pair.server.poll_action(), Some(Action::Send(_))));
    assert_eq!(pair.server.poll_action(), Some(Action::Close(Reason::HelloDeadline)));
    assert_eq!(pair.server.poll_timeout(), None);
}

#[test]
fn the_silence_limit_follows_the_role_and_waits_while_the_server_is_asked() {
    for (role, limit) in [
        (Role::Agent, limits::SILENCE_AGENT_MS),
        (Role::Administrator, limits::SILENCE_ADMINISTRATOR_MS),
    ] {
        let mut pair = Pair::greeted(role);
        assert_eq!(pair.server.poll_timeout(), Some(pair.at.after_millis(limit)));
        pair.at = Monotonic(9_000);
        pair.ask(&Request::Status(views::Status {}));
        assert_eq!(pair.server.poll_timeout(), None, "the peer waits for the server");
        pair.at = Monotonic(20_000);
        let (tag, _) = pair.submitted.pop().expect("submitted");
        pair.reply(tag, Answer::Failed);
        assert_eq!(pair.server.poll_timeout(), Some(pair.at.after_millis(limit)));
        pair.server.handle_timeout(pair.at.after_millis(limit));
        pair.carry();
        assert_eq!(pair.closed, Some(Reason::Silent));
    }
}

#[test]
fn a_stop_answers_what_was_accepted_and_then_parts() {
    let mut pair = Pair::greeted(Role::Agent);
    pair.ask(&Request::Checkout(checkout_of(&checkout(0))));
    let (tag, _) = pair.submitted.pop().expect("submitted");
    pair.server.begin_stop(pair.at);
    pair.ask(&Request::Checkout(checkout_of(&checkout(1))));
    assert_eq!(pair.submitted, []);
    assert_eq!(pair.closed, None);
    pair.reply(tag, Answer::Reply(Box::new(Reply::NothingHeld)));
    assert_eq!(pair.closed, Some(Reason::Stopping));
    let answers = pair.answers();
    // A reply that does not belong to the request is a fault of the server, and told as that.
    assert!(
        matches!(answers[..], [Response::Refused(Status::INTERNAL, _)]),
        "{answers:?}"
    );
    assert!(matches!(
        pair.client.handle_bytes(&[]),
        Err(ClientError::Ended {
            status: Status::GOING_AWAY,
            ..
        })
    ));
}

#[test]
fn a_stop_refuses_what_it_had_read_and_not_accepted() {
    let mut pair = Pair::greeted(Role::Agent);
    let whole = frame(&Request::Checkout(checkout_of(&checkout(0))), 2);
    pair.server.handle_bytes(&whole[..whole.len() - 1], pair.at);
    pair.server.begin_stop(pair.at);
    let answers = sent(&mut pair.server);
    assert_eq!(answers.len(), 1, "half a frame was not asked");
    assert_eq!(
        (answers[0].opcode, answers[0].status),
        (Opcode::PARTING, Status::GOING_AWAY)
    );
}

#[test]
fn a_peer_that_closed_its_side_is_still_answered() {
    let mut pair = Pair::greeted(Role::Agent);
    pair.ask(&Request::Status(views::Status {}));
    let (tag, _) = pair.submitted.pop().expect("submitted");
    pair.server.handle_end(pair.at);
    assert_eq!(pair.server.poll_action(), None);
    pair.reply(tag, Answer::Busy);
    assert_eq!(pair.answers().len(), 1);
    assert_eq!(pair.closed, Some(Reason::PeerClosed));
}

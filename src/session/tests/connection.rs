//! A connection from its first byte on: order, bounds, waits, partings.

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
    let mut pair = Pair::greeted(Role::Agent);
    let ask = Request::Checkout(checkout_of(&checkout(0)));
    for _ in 0..limits::IN_FLIGHT_MAX {
        assert!(pair.server.wants_input());
        pair.ask(&Request::Checkout(checkout_of(&checkout(0))));
    }
    assert!(!pair.server.wants_input());
    assert_eq!(pair.client.request(&ask), Err(ClientError::Full));
    assert_eq!(pair.submitted.len(), limits::IN_FLIGHT_MAX);
    // What was read along with the last of them is kept, not decided.
    pair.server.handle_bytes(&frame(&ask, 999), pair.at);
    assert_eq!(pair.server.poll_action(), None);
    let first = pair.submitted[0].0;
    pair.server.handle_reply(first, Answer::Busy, NOW, pair.at);
    assert!(matches!(pair.server.poll_action(), Some(Action::Send(_))));
    assert!(matches!(pair.server.poll_action(), Some(Action::Submit { .. })));
    assert!(!pair.server.wants_input());
}

/// A request as long as one may be, which agents may not ask.
fn longest(request: u32) -> Bytes {
    let catalogue = Bytes::from(vec![7; limits::CATALOGUE_LEN_MAX]);
    frame(
        &Request::CatalogueImport(admin::CatalogueImport {
            catalogue,
            ..Default::default()
        }),
        request,
    )
}

#[test]
fn what_a_peer_has_in_flight_is_bounded_in_bytes_too_and_goes_on_when_it_is_answered() {
    let mut pair = Pair::greeted(Role::Agent);
    let at = pair.at;
    // Longer than the bound of all that is unanswered, cut as the socket cuts it.
    let stream: Vec<u8> = (1..=8).flat_map(longest).collect();
    let mut rest = stream.chunks(4_096);
    let (mut held_most, mut submitted) = (0, Vec::new());
    let mut give = |pair: &mut Pair, submitted: &mut Vec<RequestTag>| {
        while pair.server.wants_input() {
            let Some(bytes) = rest.next() else { return true };
            pair.server.handle_bytes(bytes, at);
            held_most = held_most.max(pair.server.held_len());
            while let Some(action) = pair.server.poll_action() {
                let Action::Submit { tag, .. } = action else {
                    panic!("{action:?}")
                };
                submitted.push(tag);
            }
        }
        false
    };
    assert!(!give(&mut pair, &mut submitted), "the peer waits");
    assert_eq!(submitted.len(), 2, "a third one with its answer finds no room");
    let mut answered = 0;
    while let Some(tag) = submitted.get(answered).copied() {
        answered += 1;
        pair.server.handle_reply(tag, Answer::Busy, NOW, at);
        for action in std::iter::from_fn(|| pair.server.poll_action()) {
            if let Action::Submit { tag, .. } = action {
                submitted.push(tag);
            }
        }
        give(&mut pair, &mut submitted);
    }
    assert_eq!(answered, 8, "none is forgotten");
    let most = limits::UNANSWERED_LEN_MAX + HEADER_LEN + BODY_LEN_MAX + 2 * 4_096;
    assert!(held_most <= most, "{held_most} bytes");
    assert!(pair.server.held_len() < 1_024, "what is answered is let go");
}

#[test]
fn a_frame_that_is_begun_must_be_whole_in_time_however_its_bytes_drip() {
    let begun = |pair: &mut Pair| {
        let at = pair.at;
        pair.server.handle_bytes(&longest(1)[..20], at);
        Monotonic(at.0 + limits::FRAME_MS)
    };
    for role in [Role::Agent, Role::Administrator] {
        let mut pair = Pair::greeted(role);
        let due = begun(&mut pair);
        assert_eq!(pair.server.poll_timeout(), Some(due));
        pair.server.handle_bytes(&[7], Monotonic(due.0 - 1));
        pair.server.handle_timeout(Monotonic(due.0 - 1));
        assert_eq!(pair.server.poll_action(), None);
        pair.server.handle_timeout(due);
        assert!(matches!(pair.server.poll_action(), Some(Action::Send(_))));
        assert_eq!(pair.server.poll_action(), Some(Action::Close(Reason::SlowFrame)));
    }
    // Also while an answer is waited for, which the peer still gets.
    let mut pair = Pair::greeted(Role::Agent);
    pair.ask(&Request::Checkout(checkout_of(&checkout(0))));
    let (tag, _) = pair.submitted.pop().expect("submitted");
    let due = begun(&mut pair);
    pair.server.handle_timeout(due);
    assert_eq!(pair.server.poll_action(), None);
    pair.reply(tag, Answer::Busy);
    assert_eq!(pair.answers().len(), 1);
    assert_eq!(pair.closed, Some(Reason::SlowFrame));
}

#[test]
fn neither_a_frame_nor_silence_runs_out_while_the_server_writes() {
    let mut pair = Pair::greeted(Role::Agent);
    pair.ask(&Request::Checkout(checkout_of(&checkout(0))));
    let (tag, _) = pair.submitted.pop().expect("submitted");
    let at = pair.at;
    pair.server.handle_bytes(&longest(1)[..20], at);
    pair.reply(tag, Answer::Busy);
    // The peer took that answer slowly, and the frame waited in its socket.
    let written = at.after_millis(limits::SILENCE_AGENT_MS - 1);
    pair.server.handle_written(at, written);
    let due = written.after_millis(limits::FRAME_MS);
    assert_eq!(pair.server.poll_timeout(), Some(due));
    let frame = longest(1);
    pair.server.handle_bytes(&frame[20..], written);
    let Some(Action::Submit { tag, .. }) = pair.server.poll_action() else {
        panic!("the frame is whole")
    };
    pair.reply(tag, Answer::Busy);
    pair.server.handle_written(at, written);
    let due = at.after_millis(limits::SILENCE_AGENT_MS + limits::SILENCE_AGENT_MS - 1);
    assert_eq!(
        pair.server.poll_timeout(),
        Some(due),
        "it could not say anything either"
    );
}

#[test]
fn a_frame_is_not_owed_while_the_server_does_not_read() {
    let mut pair = Pair::greeted(Role::Agent);
    let ask = frame(&Request::Checkout(checkout_of(&checkout(0))), 1);
    let mut stream: Vec<u8> = (0..limits::IN_FLIGHT_MAX).flat_map(|_| ask.to_vec()).collect();
    stream.extend(&ask[..20]);
    pair.server.handle_bytes(&stream, pair.at);
    assert_eq!(pair.server.poll_timeout(), None);
    let Some(Action::Submit { tag, .. }) = pair.server.poll_action() else {
        panic!("nothing submitted")
    };
    let at = Monotonic(99_000);
    pair.server.handle_reply(tag, Answer::Busy, NOW, at);
    assert_eq!(pair.server.poll_timeout(), Some(at.after_millis(limits::FRAME_MS)));
}

#[test]
fn what_a_header_shows_to_be_wrong_is_told_without_waiting_for_the_body() {
    let header = |len: u32, opcode: u16, status: u16| {
        let mut bytes = len.to_be_bytes().to_vec();
        bytes.extend(opcode.to_be_bytes());
        bytes.extend(status.to_be_bytes());
        bytes.extend(9_u32.to_be_bytes());
        bytes
    };
    let too_long_for_hello = u32::try_from(limits::HELLO_LEN_MAX).expect("small") + 1;
    for (greeted, bytes, reason) in [
        (false, header(60_000, 0x0031, 0), Reason::OutOfOrder),
        (false, header(too_long_for_hello, 0x0001, 0), Reason::Malformed),
        (true, header(60_000, 0x0001, 0), Reason::OutOfOrder),
        (true, header(60_000, 0x0010, 1), Reason::Malformed),
    ] {
        let mut pair = if greeted {
            Pair::greeted(Role::Agent)
        } else {
            Pair::new()
        };
        pair.server.handle_bytes(&bytes, pair.at);
        assert!(matches!(pair.server.poll_action(), Some(Action::Send(_))), "{bytes:?}");
        assert_eq!(pair.server.poll_action(), Some(Action::Close(reason)));
        assert_eq!(pair.server.held_len(), 0);
    }
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
fn frames_that_are_answered_at_once_are_all_read_however_many_came_together() {
    let unknown = |request: u32| Frame {
        opcode: Opcode(0x0777),
        status: Status::OK,
        request,
        body: Bytes::new(),
    };
    let count = 3 * u32::try_from(limits::IN_FLIGHT_MAX).expect("few");
    let numbers = || 1..=count;
    let stream: Vec<u8> = numbers()
        .flat_map(|number| unknown(number).encode().expect("short"))
        .collect();
    let mut pair = Pair::greeted(Role::Agent);
    pair.server.handle_bytes(&stream, pair.at);
    let answered: Vec<_> = sent(&mut pair.server).iter().map(|frame| frame.request).collect();
    assert_eq!(answered, numbers().collect::<Vec<_>>());
    // Behind a request that is under way they wait, and are not forgotten once it is answered.
    pair.ask(&Request::Checkout(checkout_of(&checkout(0))));
    let (tag, _) = pair.submitted.pop().expect("submitted");
    pair.server.handle_bytes(&stream, pair.at);
    assert_eq!(pair.server.poll_action(), None);
    pair.server.handle_reply(tag, Answer::Busy, NOW, pair.at);
    assert_eq!(sent(&mut pair.server).len(), stream.len() / HEADER_LEN + 1);
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
fn another_configuration_counts_at_once_but_for_how_long_a_peer_was_told_it_may_be_silent() {
    let mut pair = Pair::greeted(Role::Viewer);
    let due = pair.server.poll_timeout();
    let mut other = SessionConfig::new("other".into(), "1.2.3".into(), Monotonic(0));
    other.silence_administrator_ms = 1;
    other.rebind = Rebind::Approve;
    pair.server.reconfigure(&Arc::new(other.clone()));
    assert_eq!(pair.server.poll_timeout(), due);
    pair.ask(&Request::Checkout(checkout_of(&checkout(0))));
    let (_, work) = pair.submitted.pop().expect("submitted");
    assert!(
        matches!(&work, Work::Command(Command::Checkout(checkout)) if checkout.rebind == Rebind::Approve),
        "{work:?}"
    );
    // Who was not greeted yet is told the new limit, and keeps to that.
    let mut pair = Pair::new();
    pair.server.reconfigure(&Arc::new(other));
    pair.carry();
    assert_eq!(pair.submitted.pop(), Some((RequestTag(0), Work::Hello)));
    pair.reply(RequestTag(0), Answer::Hello(Box::new(greeting(Role::Viewer))));
    assert_eq!(pair.server.poll_timeout(), Some(pair.at.after_millis(1)));
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

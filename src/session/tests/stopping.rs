//! The end of a connection: what was accepted is answered, what was not is refused.

use super::*;

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
fn a_stop_refuses_what_waited_for_room_behind_what_it_had_accepted() {
    let mut pair = Pair::greeted(Role::Agent);
    let ask = frame(&Request::Checkout(checkout_of(&checkout(0))), 7);
    pair.server
        .handle_bytes(&ask.repeat(limits::IN_FLIGHT_MAX + 1), pair.at);
    let submitted: Vec<_> = std::iter::from_fn(|| pair.server.poll_action()).collect();
    assert_eq!(submitted.len(), limits::IN_FLIGHT_MAX);
    pair.server.begin_stop(pair.at);
    for action in submitted {
        let Action::Submit { tag, .. } = action else {
            panic!("{action:?}")
        };
        pair.server.handle_reply(tag, Answer::Busy, NOW, pair.at);
    }
    let answers = sent(&mut pair.server);
    let ends: Vec<_> = answers[limits::IN_FLIGHT_MAX..]
        .iter()
        .map(|frame| (frame.opcode, frame.status))
        .collect();
    let refused = (Opcode::CHECKOUT.reply(), Status::GOING_AWAY);
    assert_eq!(ends, [refused, (Opcode::PARTING, Status::GOING_AWAY)]);
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

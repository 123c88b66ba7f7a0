//! What a connection may have of the requests that those of its source share.

use super::*;

#[test]
fn fewer_requests_are_under_way_where_fewer_are_allowed_and_none_is_forgotten() {
    let mut pair = Pair::greeted(Role::Agent);
    let ask = Request::Checkout(checkout_of(&checkout(0)));
    let bytes: Vec<u8> = (100..108).flat_map(|number| frame(&ask, number)).collect();
    pair.server.allow(3);
    pair.server.handle_bytes(&bytes, pair.at);
    let mut waiting = submitted(&mut pair);
    assert_eq!(waiting.len(), 3);
    // None at all would never be answered; more than the bound is the bound. Each answer makes room for what is allowed by
    // then: how many wait afterwards, of the five that are left.
    for (allowed, after) in [(0, 2), (0, 1), (0, 1), (2, 2), (usize::MAX, 3)] {
        assert!(!pair.server.wants_input());
        pair.server.allow(allowed);
        let first = waiting.remove(0);
        pair.server.handle_reply(first, Answer::Busy, NOW, pair.at);
        waiting.extend(submitted(&mut pair));
        assert_eq!(waiting.len(), after, "{allowed}");
    }
    assert!(pair.server.wants_input());
}

/// The requests that the server's side wants decided since this was last asked.
fn submitted(pair: &mut Pair) -> Vec<RequestTag> {
    let actions = std::iter::from_fn(|| pair.server.poll_action());
    actions
        .filter_map(|action| match action {
            Action::Submit { tag, .. } => Some(tag),
            _ => None,
        })
        .collect()
}

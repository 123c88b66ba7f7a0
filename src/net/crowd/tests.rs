use super::*;

const LIMITS: ConnectionLimits = ConnectionLimits {
    total: 6,
    per_source: 4,
    requests_per_source: 256,
    held_len: 100,
};

const NOBODY: [Number; 0] = [];

fn source(last: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, last])
}

/// Lets one in; its number, and who gave way.
fn admit(crowd: &mut Crowd<Number>, last: u8) -> Option<(Number, Option<Number>)> {
    let handle = crowd.next;
    let admitted = crowd.admit(source(last), handle)?;
    Some((admitted.number, admitted.gives_way))
}

fn greeted(crowd: &mut Crowd<Number>, last: u8) -> Number {
    let (number, gave_way) = admit(crowd, last).expect("room");
    assert_eq!(gave_way, None);
    crowd.greet(number);
    number
}

#[test]
fn a_source_at_its_bound_replaces_its_own_oldest_that_has_not_said_hello_and_no_other() {
    let mut crowd = Crowd::new(LIMITS);
    let greeted = greeted(&mut crowd, 1);
    let strangers: Vec<_> = (0..3).map(|_| admit(&mut crowd, 1).expect("room").0).collect();
    let (newest, gave_way) = admit(&mut crowd, 1).expect("one gives way");
    assert_eq!(gave_way, Some(strangers[0]));
    assert_eq!(crowd.len(), 4);
    for number in [strangers[1], strangers[2], newest] {
        crowd.greet(number);
    }
    assert!(admit(&mut crowd, 1).is_none(), "who has said HELLO stays");
    assert!(admit(&mut crowd, 2).is_some(), "another source has its own places");
    assert_eq!(crowd.leave(greeted), Some(greeted));
    assert!(admit(&mut crowd, 1).is_some(), "places come back");
}

#[test]
fn when_all_places_are_taken_the_most_crowded_source_makes_room_for_one_with_fewer() {
    let mut crowd = Crowd::new(LIMITS);
    let hog = [greeted(&mut crowd, 1), greeted(&mut crowd, 1), greeted(&mut crowd, 1)];
    let stranger = admit(&mut crowd, 1).expect("room").0;
    let others = [greeted(&mut crowd, 2), greeted(&mut crowd, 3)];
    assert_eq!(
        admit(&mut crowd, 4).expect("room").1,
        Some(stranger),
        "strangers go first"
    );
    assert_eq!(admit(&mut crowd, 5).expect("room").1, Some(hog[0]), "then the oldest");
    // Two against nothing and one: only a source without any is worth an established connection.
    assert!(admit(&mut crowd, 2).is_none());
    let newcomer = admit(&mut crowd, 6).expect("room");
    assert_eq!(newcomer.1, Some(hog[1]));
    // Everybody has one now. Whoever has said HELLO stays.
    for number in 0..crowd.next {
        crowd.greet(number);
    }
    assert!(admit(&mut crowd, 7).is_none());
    for number in others {
        assert_eq!(crowd.leave(number), Some(number));
    }
}

#[test]
fn of_several_sources_with_the_most_one_with_a_stranger_makes_room_wherever_it_is() {
    for stranger_at in [1, 3] {
        let mut crowd = Crowd::new(LIMITS);
        let stranger = admit(&mut crowd, stranger_at).expect("room").0;
        for last in [stranger_at, 2, 2, 4 - stranger_at, 4 - stranger_at] {
            greeted(&mut crowd, last);
        }
        assert_eq!(admit(&mut crowd, 4).expect("room").1, Some(stranger), "{stranger_at}");
    }
}

#[test]
fn a_source_that_nobody_makes_room_for_replaces_its_own_oldest_that_has_not_said_hello() {
    let mut crowd = Crowd::new(LIMITS);
    for last in [1, 1, 1, 2] {
        greeted(&mut crowd, last);
    }
    let own = [admit(&mut crowd, 2), admit(&mut crowd, 3)].map(|admitted| admitted.expect("room").0);
    assert_eq!(
        admit(&mut crowd, 2).expect("room").1,
        Some(own[0]),
        "one fewer than the most"
    );
}

#[test]
fn the_largest_of_the_source_that_holds_the_most_goes_when_all_together_hold_too_much() {
    let mut crowd = Crowd::new(LIMITS);
    let [first, second, third] = [1, 2, 3].map(|last| greeted(&mut crowd, last));
    assert_eq!(crowd.hold(first, 40), NOBODY);
    assert_eq!(crowd.hold(second, 39), NOBODY);
    assert_eq!(crowd.hold(third, 20), NOBODY);
    assert_eq!(crowd.hold(third, 22), [first]);
    assert_eq!(crowd.hold(third, 0), NOBODY);
    assert_eq!(crowd.hold(second, 101), [second], "and if it is the one that asks");
    assert_eq!((crowd.held, crowd.len()), (0, 1));
    assert_eq!(crowd.hold(second, 50), NOBODY, "what it still holds is on its way out");
    assert_eq!(crowd.held, 0);
}

#[test]
fn a_source_that_spreads_what_it_holds_over_many_connections_does_not_outlive_one_that_has_few() {
    let mut crowd = Crowd::new(LIMITS);
    let honest = greeted(&mut crowd, 9);
    let hog: Vec<_> = (0..4).map(|_| greeted(&mut crowd, 1)).collect();
    assert_eq!(crowd.hold(honest, 40), NOBODY);
    for (number, bytes) in [(hog[0], 14), (hog[1], 15), (hog[2], 15)] {
        assert_eq!(crowd.hold(number, bytes), NOBODY);
    }
    // Each holds less than the honest one, all of them more.
    assert_eq!(crowd.hold(hog[3], 17), [hog[3]]);
    assert_eq!(crowd.hold(hog[0], 31), [hog[0]], "the largest");
    assert_eq!(crowd.hold(honest, 71), [honest], "which holds the most now");
    assert_eq!(crowd.hold(hog[1], 86), [hog[1]]);
    assert_eq!((crowd.held, crowd.len()), (15, 1));
}

#[test]
fn what_is_kept_of_connections_goes_with_them() {
    let mut crowd = Crowd::new(LIMITS);
    for round in 0..100_u8 {
        for last in 0..5 {
            if let Some((number, _)) = admit(&mut crowd, last) {
                if last % 2 == 0 {
                    crowd.greet(number);
                }
                crowd.hold(number, usize::from(round % 50));
            }
        }
        assert!(crowd.len() <= LIMITS.total && crowd.held <= LIMITS.held_len);
        assert_eq!(crowd.by_size.len(), crowd.sources.len());
        assert_eq!(crowd.by_size.iter().map(|(size, ..)| size).sum::<usize>(), crowd.len());
        let held: usize = crowd.members.values().map(|member| member.held).sum();
        assert_eq!(held, crowd.held);
        assert_eq!(held, crowd.by_held.iter().map(|(held, _)| held).sum::<usize>());
    }
    for number in 0..crowd.next {
        crowd.leave(number);
        assert_eq!(crowd.leave(number), None, "nobody leaves twice");
    }
    assert_eq!((crowd.len(), crowd.held), (0, 0));
    assert!(crowd.sources.is_empty() && crowd.by_size.is_empty() && crowd.by_held.is_empty());
}

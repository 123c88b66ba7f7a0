//! What a site's configuration, its disk and its clock have to do with a checkout is explained by what turns it away.

use super::*;
use crate::domain::explain::{Explain, Explanation, Step};
use crate::domain::timekeeper::Standing;
use crate::service::Enrolment;

/// Explains a checkout, then makes it: what is said beforehand is what it is answered.
fn explained<S: Store>(writer: &mut Writer<S>, asked: &Request) -> Explanation {
    let (Command::Checkout(checkout), Actor::Peer { identity, .. }) = (&asked.command, asked.actor) else {
        panic!("no checkout: {asked:?}");
    };
    let explain = as_server(Command::Explain(Box::new(Explain {
        mac: checkout.key.mac,
        product: ProductName {
            vendor: None,
            product: checkout.key.product,
        },
        component: None,
        identity: Some(identity),
        continuation: Some(checkout.continuation),
        refused: None,
        rebind: Rebind::Honour,
    })));
    let mut replies = writer.round(&[explain, asked.clone()], at(START)).expect("commits");
    let (answered, told) = (replies.pop(), replies.pop());
    let Some(Reply::Explained(explanation)) = told else {
        panic!("{told:?}");
    };
    assert_eq!(Some(&explanation.outcome), answered.as_ref(), "{:?}", explanation.steps);
    *explanation
}

fn set_up(policy: Enrolment) -> Writer<MemoryStore> {
    let mut writer = writer(MemoryStore::new()).serving(policy);
    writer.round(&setup(10), at(START)).expect("commits");
    writer
}

// proves V2
// proves T2
#[test]
fn a_checkout_is_explained_from_the_clock_to_the_license() {
    let told = explained(&mut set_up(Enrolment::Open), &checkout(1, 1));
    let [clock, enrolment, room, pace, rest @ ..] = &told.steps[..] else {
        panic!("{told:?}");
    };
    assert!(
        matches!(
            clock,
            Step::Clock {
                standing: Standing::Fine,
                ..
            }
        ),
        "{clock:?}"
    );
    assert!(matches!(
        enrolment,
        Step::Enrolment {
            is_asked: false,
            is_served: true
        }
    ));
    assert!(matches!(room, Step::Room { is_enough: true }));
    assert!(matches!(pace, Step::Pace { retry_secs: None }));
    assert!(
        matches!(rest.last(), Some(Step::Licenses(looked)) if looked.serves.is_some()),
        "{rest:?}"
    );
}

// proves V2
#[test]
fn where_agents_enrol_a_stranger_is_explained_by_that() {
    let mut writer = set_up(Enrolment::Token);
    let told = explained(&mut writer, &checkout(1, 1));
    assert_eq!(
        told.steps.last(),
        Some(&Step::Enrolment {
            is_asked: true,
            is_served: false
        })
    );
    assert_eq!(told.steps.len(), 2, "nothing is decided behind it: {told:?}");
}

// proves V2
#[test]
fn who_asks_for_too_many_machines_is_explained_by_that_and_a_renewal_is_not() {
    let mut writer = set_up(Enrolment::Open);
    for mac in 1..=4 {
        explained(&mut writer, &checkout(1, mac));
    }
    let told = explained(&mut writer, &checkout(1, 5));
    let slow = Step::Pace {
        retry_secs: Some(86_400),
    };
    assert_eq!(told.steps.last(), Some(&slow));
    let told = explained(&mut writer, &checkout(1, 4));
    assert!(matches!(told.steps.last(), Some(Step::SeatLicense { .. })), "{told:?}");
    assert!(
        !told.steps.iter().any(|step| matches!(step, Step::Pace { .. })),
        "{told:?}"
    );
}

/// What is said of a machine where nobody is named.
fn of_machine<S: Store>(writer: &mut Writer<S>, mac: u8, component: Option<&str>) -> Explanation {
    let explain = as_server(Command::Explain(Box::new(Explain {
        mac: Mac::new([2, 0, 0, 0, 0, mac]).expect("unicast"),
        product: ProductName {
            vendor: None,
            product: "BKSRV".parse().expect("good"),
        },
        component: component.map(|name| name.parse().expect("good")),
        identity: None,
        continuation: None,
        refused: None,
        rebind: Rebind::Honour,
    })));
    match writer.round(&[explain], at(START)).expect("commits").pop() {
        Some(Reply::Explained(told)) => *told,
        other => panic!("{other:?}"),
    }
}

// proves V2
#[test]
fn who_was_refused_last_is_supposed_until_he_is_granted() {
    let mut writer = set_up(Enrolment::Open);
    for mac in 1..=4 {
        explained(&mut writer, &checkout(1, mac));
    }
    let refused = checkout(1, 5);
    let replies = writer
        .round(std::slice::from_ref(&refused), at(START))
        .expect("commits");
    let told = of_machine(&mut writer, 5, None);
    assert_eq!(Some(&told.outcome), replies.first(), "{:?}", told.steps);
    let (Actor::Peer { identity, address }, Command::Checkout(asked)) = (refused.actor, &refused.command) else {
        panic!("{refused:?}");
    };
    assert_eq!(
        (told.identity, told.address, told.component, told.refused_at),
        (identity, address, Some(asked.component), Some(told_at()))
    );
    let component = asked.component.to_string();
    assert_eq!(of_machine(&mut writer, 5, Some(&component)).refused_at, Some(told_at()));
    assert_eq!(
        of_machine(&mut writer, 5, Some("other")).refused_at,
        None,
        "another component"
    );
    assert_eq!(of_machine(&mut writer, 6, None).refused_at, None, "another machine");
    // Another identity is given the seat, and is not the one that was refused; then that one is.
    explained(&mut writer, &checkout(2, 5));
    assert_eq!(of_machine(&mut writer, 5, None).identity, identity);
    writer.round(&[refused], at(START)).expect("commits");
    assert_eq!(of_machine(&mut writer, 5, None).refused_at, None, "granted since");
}

fn told_at() -> Timestamp {
    Timestamp(START)
}

//! Agents that enrol by token: who is turned away, and who guesses.

use super::*;
use crate::domain::command::{Release, Role};
use crate::domain::ids::TokenHash;
use crate::domain::time::Monotonic;
use crate::service::{Enrolment, Settings};

const TOKEN: TokenHash = TokenHash([0xc1; 32]);

fn by(identity: u8, address: [u8; 4], command: Command) -> Request {
    let actor = Actor::Peer {
        identity: Fingerprint([identity; 32]),
        address: address.into(),
    };
    Request { actor, command }
}

fn bring(identity: u8, address: [u8; 4], token: TokenHash) -> Request {
    by(identity, address, Command::Enrol { token })
}

fn add() -> Request {
    as_server(Command::AddToken {
        token: TOKEN,
        label: "office".to_owned(),
        secs: 3_600,
        uses: 5,
    })
}

fn ask(writer: &mut Writer<MemoryStore>, request: Request, counted_ms: u64) -> Reply {
    let reading = Reading {
        counted: Monotonic(counted_ms),
        ..at(START)
    };
    writer.round(&[request], reading).expect("commits").remove(0)
}

/// The writer goes by other settings from the next round on, and remembers who engaged seats before.
#[test]
fn other_settings_count_from_then_on_and_who_came_lately_is_remembered() {
    let (mut writer, _) = open();
    let settings = |new_seats, enrolment| Settings {
        new_seats,
        enrolment,
        wrong_tokens: 10,
        checkpoint_bytes: 1 << 20,
        retention: crate::store::Retention::default(),
    };
    let seats = |macs_per_identity| NewSeatLimits {
        macs_per_identity,
        seats_per_source: 100,
    };
    let asks = |machine: u8| checkout(1, machine);
    writer.configure(&settings(seats(1), Enrolment::Open));
    let reply = ask(&mut writer, asks(2), 1);
    assert!(matches!(denial(&reply), Some(Denial::SlowDown { .. })), "{reply:?}");
    writer.configure(&settings(seats(2), Enrolment::Token));
    assert_eq!(denial(&ask(&mut writer, asks(2), 2)), Some(Denial::EnrolmentRequired));
    writer.configure(&settings(seats(2), Enrolment::Open));
    assert_eq!(denial(&ask(&mut writer, asks(2), 3)), None);
    let reply = ask(&mut writer, asks(3), 4);
    assert!(matches!(denial(&reply), Some(Denial::SlowDown { .. })), "{reply:?}");
}

fn denial(reply: &Reply) -> Option<Denial> {
    match reply {
        Reply::Denied(denied) => Some(denied.denial),
        _ => None,
    }
}

/// A server that serves whoever connects, on which machine 1 holds a seat; and its store.
fn open() -> (Writer<MemoryStore>, MemoryStore) {
    let store = MemoryStore::new();
    let disk = store.reopen();
    let mut writer = writer(store);
    let mut requests = setup(5);
    requests.extend([checkout(1, 1), add()]);
    writer.round(&requests, at(START)).expect("commits");
    (writer, disk)
}

/// The same server started again with tokens.
fn closed() -> Writer<MemoryStore> {
    let (_, disk) = open();
    writer(disk).serving(Enrolment::Token)
}

#[test]
fn an_open_server_serves_whoever_connects_and_takes_tokens_all_the_same() {
    let (mut writer, _) = open();
    assert!(matches!(ask(&mut writer, checkout(2, 2), 0), Reply::Seat(_)));
    assert!(matches!(
        ask(&mut writer, bring(3, [10, 0, 0, 3], TOKEN), 0),
        Reply::Enrolled { .. }
    ));
}

#[test]
fn with_tokens_only_those_are_served_that_are_known() {
    let mut writer = closed();
    let required = Some(Denial::EnrolmentRequired);
    let refused = ask(&mut writer, checkout(2, 2), 0);
    assert_eq!(denial(&refused), required);
    let Reply::Denied(denied) = refused else { unreachable!() };
    assert_eq!(denied.subject.product, Some(product()), "what it is about is told");
    let available = || {
        Command::Availability(ProductName {
            vendor: None,
            product: product(),
        })
    };
    assert_eq!(
        denial(&ask(&mut writer, by(2, [10, 0, 0, 2], available()), 0)),
        required
    );
    // What needs a role is refused for want of it.
    let status = by(2, [10, 0, 0, 2], Command::Status);
    assert_eq!(denial(&ask(&mut writer, status, 0)), Some(Denial::NotAuthorized));
    assert!(matches!(
        ask(&mut writer, bring(2, [10, 0, 0, 2], TOKEN), 0),
        Reply::Enrolled { .. }
    ));
    assert!(matches!(ask(&mut writer, checkout(2, 2), 0), Reply::Seat(_)));
    // The server itself and whoever has a role need no token.
    let role = Command::AddAdmin {
        fingerprint: Fingerprint([9; 32]),
        role: Role::Viewer,
        label: String::new(),
    };
    assert_eq!(ask(&mut writer, as_server(role), 0), Reply::Done);
    let seen = ask(&mut writer, by(9, [10, 0, 0, 9], available()), 0);
    assert!(matches!(seen, Reply::Availability { .. }), "{seen:?}");
}

#[test]
fn a_machine_from_before_renews_and_releases_what_it_holds_and_engages_nothing_new() {
    let mut writer = closed();
    assert!(
        matches!(ask(&mut writer, checkout(1, 1), 0), Reply::Seat(_)),
        "it renews"
    );
    let required = Some(Denial::EnrolmentRequired);
    assert_eq!(
        denial(&ask(&mut writer, checkout(1, 2), 0)),
        required,
        "another machine's seat"
    );
    assert_eq!(
        denial(&ask(&mut writer, checkout(3, 1), 0)),
        required,
        "another identity"
    );
    let Command::Checkout(held) = checkout(1, 1).command else {
        unreachable!("a checkout")
    };
    let release = || {
        let (key, component) = (held.key, held.component);
        by(1, [127, 0, 0, 1], Command::Release(Release { key, component }))
    };
    assert!(matches!(ask(&mut writer, release(), 0), Reply::Released { .. }));
    assert_eq!(ask(&mut writer, release(), 0), Reply::NothingHeld, "asked again");
    assert_eq!(denial(&ask(&mut writer, checkout(1, 1), 0)), required);
}

#[test]
fn ten_wrong_tokens_a_minute_then_a_source_waits_and_no_other() {
    let mut writer = closed();
    let wrong = |identity| bring(identity, [10, 0, 0, 2], TokenHash([identity; 32]));
    for identity in 0..10 {
        let told = denial(&ask(&mut writer, wrong(identity), 5_000));
        assert_eq!(told, Some(Denial::TokenRefused), "{identity}");
    }
    let slowed = |retry_secs| Some(Denial::TooManyWrongTokens { retry_secs });
    assert_eq!(denial(&ask(&mut writer, wrong(11), 15_000)), slowed(50));
    let right = || bring(12, [10, 0, 0, 2], TOKEN);
    assert_eq!(
        denial(&ask(&mut writer, right(), 15_000)),
        slowed(50),
        "a right one too"
    );
    let elsewhere = bring(13, [10, 0, 0, 3], TOKEN);
    assert!(matches!(ask(&mut writer, elsewhere, 15_000), Reply::Enrolled { .. }));
    assert!(matches!(ask(&mut writer, right(), 65_000), Reply::Enrolled { .. }));
}

#[test]
fn tokens_and_whom_they_enrolled_are_there_after_a_restart() {
    let (mut before, disk) = open();
    ask(&mut before, bring(2, [10, 0, 0, 2], TOKEN), 0);
    ask(&mut before, bring(3, [10, 0, 0, 3], TOKEN), 0);
    let revoke = Command::RevokeToken {
        id: TOKEN.id(),
        also_identities: true,
    };
    ask(&mut before, bring(4, [10, 0, 0, 4], TOKEN), 0);
    ask(&mut before, as_server(revoke), 0);
    let mut after = writer(disk).serving(Enrolment::Token);
    assert_eq!(after.ledger(), before.ledger());
    let refused = ask(&mut after, checkout(2, 2), 0);
    assert_eq!(denial(&refused), Some(Denial::EnrolmentRequired));
}

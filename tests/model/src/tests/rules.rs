//! Rules one by one, on small cases.

use crate::{
    Answer, Ask, Blacklisting, Checkout, CommitRow, ConflictKind, DAY, Denial, GrantKind, ImportOutcome, Key,
    KeyRefusal, Kind, Model, Now, ProductKey, Reserved, Rollout, SeatKey, Usage, Validity, base_catalogue,
};

const START: u64 = 1_767_225_600;

fn product(id: &'static str) -> ProductKey {
    ProductKey { vendor: 1, id }
}

fn seat(id: &'static str, machine: u8) -> SeatKey {
    SeatKey {
        product: product(id),
        mac: [2, 0, 0, 0, 0, machine],
    }
}

fn key(serial: u32, id: &'static str, seats: u32, usage: Usage, validity: Validity) -> Key {
    Key {
        serial,
        product: product(id),
        seats,
        usage,
        kind: Kind::Commercial,
        validity,
        certificate: u64::from(serial) * 1_000 + u64::from(seats),
    }
}

/// A server whose clock is moved by hand.
struct Server {
    model: Model,
    at: u64,
}

impl Server {
    fn new() -> Self {
        let mut server = Self {
            model: Model::default(),
            at: START,
        };
        server.model.trust(1);
        server.ask(&Ask::ImportCatalogue {
            vendor: 1,
            version: 1,
            products: base_catalogue(1),
        });
        server
    }

    fn with(keys: &[Key]) -> Self {
        let mut server = Self::new();
        for key in keys {
            assert_eq!(server.import(*key), ImportOutcome::Added);
        }
        server
    }

    fn ask_as(&mut self, identity: u16, ask: &Ask) -> Answer {
        let answer = self.model.decide(identity, ask, Now::at(self.at));
        self.model.assert_s2();
        answer
    }

    fn ask(&mut self, ask: &Ask) -> Answer {
        self.ask_as(0, ask)
    }

    fn import(&mut self, key: Key) -> ImportOutcome {
        match self.ask(&Ask::Import(key)) {
            Answer::Imported(outcome) => outcome,
            other => panic!("{other:?}"),
        }
    }

    /// Answers the number, too.
    fn check_out(&mut self, identity: u16, seat: SeatKey, continuation: u64) -> (Answer, u64) {
        let checkout = Checkout {
            seat,
            component: "agent",
            continuation,
            approve: false,
        };
        let answer = self.ask_as(identity, &Ask::Checkout(checkout));
        let number = self.model.some_number();
        if matches!(answer, Answer::Seat { .. }) {
            self.model.told(number);
        }
        (answer, number.unwrap_or(0))
    }

    fn free(&self, serial: u32) -> u32 {
        let rows = self.model.licenses(Now::at(self.at));
        rows.iter().find(|row| row.key.serial == serial).unwrap().free
    }
}

fn kind_of(answer: &Answer) -> GrantKind {
    match answer {
        Answer::Seat { kind, .. } => *kind,
        other => panic!("{other:?}"),
    }
}

fn denial_of(answer: &Answer) -> Denial {
    match answer {
        Answer::Denied { denial, .. } => *denial,
        other => panic!("{other:?}"),
    }
}

fn conflict_of(answer: &Answer) -> Option<ConflictKind> {
    match answer {
        Answer::Seat { conflict, .. } => conflict.map(|one| one.kind),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_seat_is_free_at_its_renew_date_and_not_a_second_earlier() {
    let mut server = Server::with(&[key(1, "WORK", 1, Usage::Machine, Validity::Forever)]);
    server.check_out(1, seat("WORK", 1), 0);
    server.at += DAY - 1;
    let (answer, _) = server.check_out(2, seat("WORK", 2), 0);
    assert_eq!(denial_of(&answer), Denial::SeatsExhausted);
    server.at += 1;
    assert_eq!(kind_of(&server.check_out(2, seat("WORK", 2), 0).0), GrantKind::Granted);
}

#[test]
fn two_copies_that_ran_show_themselves_and_a_lost_answer_does_not() {
    let mut server = Server::with(&[key(1, "SERVER", 1, Usage::Machine, Validity::Forever)]);
    let key = seat("SERVER", 1);
    let (_, first) = server.check_out(1, key, 0);
    let (lost, second) = server.check_out(1, key, first);
    let (again, third) = server.check_out(1, key, first);
    assert_eq!((conflict_of(&lost), conflict_of(&again)), (None, None));
    assert!(first < second && second < third);
    let (copy, _) = server.check_out(1, key, second);
    assert_eq!(conflict_of(&copy), Some(ConflictKind::StaleContinuation));
}

#[test]
fn five_copies_that_take_turns_show_themselves_and_six_do_not() {
    for (copies, shown) in [(5, true), (6, false)] {
        let mut server = Server::with(&[key(1, "SERVER", 1, Usage::Machine, Validity::Forever)]);
        for identity in 0..copies {
            let (answer, _) = server.check_out(identity, seat("SERVER", 1), 0);
            assert_eq!(conflict_of(&answer), None);
        }
        let (answer, _) = server.check_out(0, seat("SERVER", 1), 0);
        assert_eq!(conflict_of(&answer).is_some(), shown, "{copies} copies");
    }
}

#[test]
fn a_renewal_key_is_smaller_in_nothing() {
    let days = |days| Validity::Days(days);
    let mut server = Server::with(&[key(1, "SERVER", 2, Usage::Machine, days(10))]);
    let mut import = |seats, validity| server.import(key(1, "SERVER", seats, Usage::Machine, validity));
    assert_eq!(import(2, days(10)), ImportOutcome::AlreadyPresent);
    assert_eq!(import(1, days(10)), ImportOutcome::Refused(KeyRefusal::Superseded));
    assert_eq!(import(3, days(9)), ImportOutcome::Refused(KeyRefusal::NotARenewal));
    assert_eq!(import(1, days(11)), ImportOutcome::Refused(KeyRefusal::NotARenewal));
    assert_eq!(import(3, days(11)), ImportOutcome::Added);
    let other = key(1, "SERVER", 4, Usage::Deployment, days(11));
    assert_eq!(server.import(other), ImportOutcome::Refused(KeyRefusal::SerialTaken));
}

#[test]
fn a_removed_license_comes_back_with_what_it_spent() {
    let wipe = key(1, "WIPE", 2, Usage::Machine, Validity::Days(9));
    let mut server = Server::with(&[wipe]);
    server.check_out(1, seat("WIPE", 1), 0);
    let remove = |end_seats| Ask::Remove { serial: 1, end_seats };
    let refused = server.ask(&remove(false));
    assert_eq!(denial_of(&refused), Denial::LicenseInUse { seats: 1 });
    let removed = Answer::Removed {
        moved: 0,
        ended: 1,
        spent: 1,
        dropped: 0,
    };
    assert_eq!(server.ask(&remove(true)), removed);
    server.at += 9 * DAY - 1;
    assert_eq!(server.import(wipe), ImportOutcome::Added);
    assert_eq!(server.free(1), 1);
    server.ask(&remove(true));
    server.at += 1;
    assert_eq!(server.import(wipe), ImportOutcome::Refused(KeyRefusal::Expired));
}

#[test]
fn a_deployment_is_reserved_for_all_or_none_and_committed_once() {
    let mut server = Server::with(&[
        key(1, "SERVER", 1, Usage::Machine, Validity::Forever),
        key(2, "SERVER", 2, Usage::Deployment, Validity::Forever),
    ]);
    let macs: Vec<_> = [3, 1, 2, 4].map(|machine| seat("SERVER", machine).mac).to_vec();
    let reserve = |macs: &[_]| Ask::Reserve {
        id: 7,
        product: product("SERVER"),
        for_secs: None,
        what: Rollout::Machines(macs.to_vec()),
        preferred_only: false,
    };
    assert_eq!(denial_of(&server.ask(&reserve(&macs))), Denial::SeatsExhausted);
    let reserved = Answer::Reserved {
        ends_at: START + 2 * DAY,
        machines: vec![
            (macs[1], Reserved::Seat),
            (macs[2], Reserved::Unit(2)),
            (macs[0], Reserved::Unit(2)),
        ],
        seats: vec![(macs[1], 1)],
        held: Vec::new(),
    };
    assert_eq!(server.ask(&reserve(&macs[..3])), reserved);
    let commit = |macs: &[_]| Ask::Commit {
        id: 7,
        product: product("SERVER"),
        macs: macs.to_vec(),
        preferred_only: false,
    };
    let two = &macs[1..3];
    let rows = |second| Answer::Committed(vec![(macs[1], CommitRow::Covered), (macs[2], second)]);
    assert_eq!(server.ask(&commit(two)), rows(CommitRow::Spent(2)));
    assert_eq!(server.ask(&commit(two)), rows(CommitRow::AlreadyCommitted));
    server.at += 2 * DAY;
    assert_eq!(
        server.ask(&commit(&[])),
        crate::model::plain(Denial::UnknownReservation)
    );
    assert_eq!(server.free(2), 1);
    let late = Answer::Committed(vec![(macs[0], CommitRow::Spent(2))]);
    assert_eq!(server.ask(&commit(&macs[..1])), late);
}

#[test]
fn a_held_seat_is_not_available_and_binds_first() {
    let mut server = Server::with(&[key(1, "SERVER", 2, Usage::Machine, Validity::Forever)]);
    let held = Ask::Reserve {
        id: 1,
        product: product("SERVER"),
        for_secs: Some(60),
        what: Rollout::Count(2),
        preferred_only: false,
    };
    server.ask(&held);
    let counts = server.model.counts(product("SERVER"), Now::at(server.at)).seats;
    assert_eq!((counts.used, counts.available), (2, 0));
    assert_eq!(
        kind_of(&server.check_out(1, seat("SERVER", 1), 0).0),
        GrantKind::Granted
    );
    assert_eq!(server.model.reservations()[0].held, [1]);
    server.at += 60;
    server.ask(&Ask::Availability(product("SERVER")));
    assert_eq!(server.free(1), 1);
}

#[test]
fn a_blacklist_is_replaced_as_a_whole() {
    let mut server = Server::with(&[key(1, "SERVER", 2, Usage::Machine, Validity::Forever)]);
    let list = |version, entries| Ask::ImportBlacklist {
        vendor: 1,
        version,
        entries,
    };
    server.check_out(1, seat("SERVER", 1), 0);
    server.ask(&list(1, vec![(1, Blacklisting::Superseded)]));
    let (answer, _) = server.check_out(1, seat("SERVER", 1), 1);
    assert_eq!(denial_of(&answer), Denial::LicenseSuperseded);
    let stale = server.ask(&list(1, Vec::new()));

    assert_eq!(denial_of(&stale), Denial::BlacklistNotNewer { held: 1 });
    server.ask(&list(2, Vec::new()));
    assert_eq!(
        kind_of(&server.check_out(1, seat("SERVER", 1), 1).0),
        GrantKind::Renewed
    );
}

#[test]
fn an_identity_that_waits_is_bound_by_resolving() {
    let mut server = Server::with(&[key(1, "SERVER", 1, Usage::Machine, Validity::Forever)]);
    let ask = |continuation| {
        Ask::Checkout(Checkout {
            seat: seat("SERVER", 1),
            component: "agent",
            continuation,
            approve: true,
        })
    };
    server.ask_as(1, &ask(0));
    server.model.told(Some(5));
    assert_eq!(denial_of(&server.ask_as(2, &ask(0))), Denial::RebindPending);
    let resolve = Ask::Resolve {
        mac: seat("SERVER", 1).mac,
        product: None,
    };
    assert_eq!(server.ask(&resolve), Answer::Resolved(1));
    assert_eq!(server.ask(&resolve), Answer::Resolved(0));
    // Whoever comes first, the one bound before or another, is not the one that was approved.
    for other in [1, 3] {
        assert_eq!(denial_of(&server.ask_as(other, &ask(5))), Denial::RebindPending);
    }
    for (sent, answered) in [(99, 100), (100, 101)] {
        let answer = server.ask_as(2, &ask(sent));
        assert_eq!(kind_of(&answer), GrantKind::Renewed);
        assert!(matches!(answer, Answer::Seat { conflict: None, .. }), "{answer:?}");
        server.model.told(Some(answered));
    }
    let answer = server.ask_as(2, &ask(99));
    assert!(matches!(answer, Answer::Seat { conflict: Some(_), .. }), "{answer:?}");
}

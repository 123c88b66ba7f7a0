//! Tokens, and whom they enrol.

use super::fixture::*;
use crate::domain::change::{EventKind, Fact};
use crate::domain::command::{Actor, Command, Page, Release};
use crate::domain::denial::Denial;
use crate::domain::enrolment::{Enrolled, REVOKED_MAX, TOKENS_MAX, Token};
use crate::domain::ids::{Fingerprint, TokenHash, TokenId};
use crate::domain::ledger::{AuditError, Ledger};
use crate::domain::reply::{Reply, TokenRow};
use crate::domain::time::Timestamp;

const fn hash(number: u8) -> TokenHash {
    TokenHash([number; 32])
}

fn add(number: u8, uses: u32) -> Command {
    Command::AddToken {
        token: hash(number),
        label: format!("token {number}"),
        secs: 3_600,
        uses,
    }
}

const fn bring(number: u8) -> Command {
    Command::Enrol { token: hash(number) }
}

const fn revoke(number: u8, also_identities: bool) -> Command {
    Command::RevokeToken {
        id: TokenId([number; 8]),
        also_identities,
    }
}

const fn remove(number: u8) -> Command {
    Command::RemoveEnrolled {
        identity: identity(number),
    }
}

fn enrolled(site: &mut Site, after: Option<Fingerprint>) -> Vec<(Fingerprint, Enrolled)> {
    match site.serve(&Command::EnrolledIdentities(Page { after, limit: 256 })) {
        Reply::EnrolledIdentities(listing) => listing.rows,
        other => panic!("{other:?}"),
    }
}

fn tokens(site: &mut Site) -> Vec<TokenRow> {
    let page = Page {
        after: None,
        limit: 256,
    };
    match site.serve(&Command::Tokens(page)) {
        Reply::Tokens(listing) => listing.rows,
        other => panic!("{other:?}"),
    }
}

fn is_enrolled(reply: &Reply) -> bool {
    matches!(reply, Reply::Enrolled { .. })
}

fn availability() -> Command {
    Command::Availability(named("SERVER"))
}

#[test]
fn a_token_enrols_as_many_as_it_has_uses_and_nobody_twice() {
    let mut site = Site::with(&[]);
    site.serve(&add(1, 2));
    let label = Reply::Enrolled {
        label: "token 1".to_owned(),
    };
    for identity in [5, 5, 6, 5] {
        assert_eq!(site.ask(peer(identity), &bring(1)), label, "{identity}");
    }
    assert_eq!(denial(&site.ask(peer(7), &bring(1))), Denial::TokenRefused, "used up");
    let rows = tokens(&mut site);
    let row = &rows[0];
    assert_eq!(
        (row.token.uses_left, row.token.enrolled, row.identities),
        (0, 2, 2),
        "{row:?}"
    );
    let enrolled = site.events(|kind| match kind {
        EventKind::IdentityEnrolled { identity, .. } => Some(*identity),
        _ => None,
    });
    assert_eq!(enrolled, [identity(5), identity(6)]);
    // Who is enrolled is told nothing of what it brings.
    assert_eq!(site.ask(peer(5), &bring(9)), label);
}

#[test]
fn a_token_enrols_nobody_from_the_second_on_in_which_it_expires_and_after_it_is_revoked() {
    let mut site = Site::with(&[]);
    site.serve(&add(1, 9));
    assert!(is_enrolled(&site.at(3_599).ask(peer(5), &bring(1))));
    let refused = site.at(3_600).ask(peer(6), &bring(1));
    assert_eq!(denial(&refused), Denial::TokenRefused);
    site.serve(&add(2, 9));
    site.serve(&revoke(2, false));
    assert_eq!(denial(&site.ask(peer(6), &bring(2))), Denial::TokenRefused);
    assert_eq!(
        denial(&site.ask(peer(6), &bring(3))),
        Denial::TokenRefused,
        "never made"
    );
    assert_eq!(denial(&site.serve(&revoke(3, true))), Denial::UnknownToken);
}

#[test]
fn a_token_that_is_added_again_stays_as_it_is() {
    let mut site = Site::with(&[]);
    let first = site.serve(&add(1, 9));
    let log = site.log.len();
    let again = Command::AddToken {
        token: hash(1),
        label: "another".to_owned(),
        secs: 9,
        uses: 1,
    };
    assert_eq!(site.serve(&again), first);
    assert_eq!(site.log.len(), log);
}

#[test]
fn so_many_tokens_are_remembered_and_those_that_ended_make_room_after_30_days() {
    let mut site = Site::with(&[]);
    for number in 0..TOKENS_MAX {
        let number = u8::try_from(number).unwrap();
        assert!(matches!(site.serve(&add(number, 1)), Reply::TokenAdded(_)));
    }
    let more = Command::AddToken {
        token: TokenHash([[1; 16], [2; 16]].concat().try_into().unwrap()),
        label: String::new(),
        secs: 60,
        uses: 1,
    };
    assert_eq!(denial(&site.serve(&more)), Denial::TooManyTokens);
    // They expired an hour after they were made.
    site.at(30 * DAY + 3_599);
    assert_eq!(denial(&site.serve(&more)), Denial::TooManyTokens);
    site.at(30 * DAY + 3_600);
    assert!(matches!(site.serve(&more), Reply::TokenAdded(_)));
    assert_eq!(tokens(&mut site).len(), 1);
}

#[test]
fn who_is_served_where_agents_enrol() {
    let mut site = Site::with(&[key(1, "SERVER", 5), key(2, "WORK", 5)]);
    let (held, other_part, other_product) = (agent(1), agent(1).part("cli"), agent(1).of("WORK"));
    site.grant(held);
    let serves = |site: &Site, number: u8, command: &Command| site.ledger.serves(&identity(number), command);
    let checkout = |ask: Ask<'_>| Command::Checkout(ask.checkout());
    let release = |ask: Ask<'_>| {
        Command::Release(Release {
            key: seat_key(ask.machine, ask.product),
            component: component(ask.component),
        })
    };
    assert!(serves(&site, 1, &checkout(held)), "what runs goes on");
    assert!(serves(&site, 1, &release(held)));
    assert!(!serves(&site, 1, &checkout(other_part)));
    assert!(!serves(&site, 1, &checkout(other_product)));
    assert!(!serves(&site, 1, &availability()));
    assert!(!serves(&site, 2, &checkout(held)), "another identity on the machine");
    // It asks again when the answer was lost.
    site.release(held);
    assert!(serves(&site, 1, &release(held)));
    assert!(
        !serves(&site, 1, &checkout(held)),
        "a seat that is given up is a new one"
    );

    site.serve(&add(1, 5));
    site.ask(peer(2), &bring(1));
    assert!(serves(&site, 2, &checkout(held)) && serves(&site, 2, &availability()));

    let role = Command::AddAdmin {
        fingerprint: identity(3),
        role: crate::domain::command::Role::Deployer,
        label: String::new(),
    };
    site.serve(&role);
    assert!(serves(&site, 3, &checkout(held)));
}

#[test]
fn whose_enrolment_was_taken_back_is_served_nothing_not_even_what_it_holds() {
    let mut site = Site::with(&[key(1, "SERVER", 5)]);
    site.serve(&add(1, 5));
    site.ask(peer(1), &bring(1));
    site.grant(agent(1));
    let checkout = Command::Checkout(agent(1).checkout());
    site.serve(&revoke(1, false));
    assert!(site.ledger.serves(&identity(1), &checkout), "the token alone");
    let reply = site.serve(&revoke(1, true));
    assert_eq!(
        reply,
        Reply::TokenRevoked {
            identities: 1,
            more: false
        }
    );
    assert!(!site.ledger.serves(&identity(1), &checkout));
    // Another token enrols it again.
    site.serve(&add(2, 5));
    assert!(is_enrolled(&site.ask(peer(1), &bring(2))));
    assert!(site.ledger.serves(&identity(1), &checkout));
    let identities: Vec<u32> = tokens(&mut site).iter().map(|row| row.identities).collect();
    assert_eq!(identities, [0, 1]);
}

#[test]
fn one_enrolment_is_taken_back_and_no_other_of_its_token() {
    let mut site = Site::with(&[key(1, "SERVER", 5)]);
    site.serve(&add(1, 5));
    for number in [1, 2] {
        site.ask(peer(number), &bring(1));
        site.grant(agent(number.into()));
    }
    let serves = |site: &Site, number: u8| {
        let checkout = Command::Checkout(agent(number.into()).checkout());
        site.ledger.serves(&identity(number), &checkout)
    };
    assert_eq!(
        denial(&site.serve(&remove(3))),
        Denial::UnknownIdentity,
        "never enrolled"
    );
    assert_eq!(site.at(60).serve(&remove(1)), Reply::Done);
    assert!(!serves(&site, 1) && serves(&site, 2));
    let rows = enrolled(&mut site, None);
    let told: Vec<_> = rows.iter().map(|(identity, one)| (*identity, one.revoked_at)).collect();
    assert_eq!(told, [(identity(1), Some(Timestamp(START + 60))), (identity(2), None)]);
    assert_eq!(enrolled(&mut site, Some(identity(1))), rows[1..]);
    assert_eq!(tokens(&mut site)[0].identities, 1);
    assert_eq!(denial(&site.serve(&remove(1))), Denial::UnknownIdentity, "not any more");
    let removed = site.events(|kind| match kind {
        EventKind::IdentityRemoved { token, identity } => Some((*token, *identity)),
        _ => None,
    });
    assert_eq!(removed, [(TokenId([1; 8]), identity(1))]);
    // Its seat stays, and the token enrols it again.
    assert_eq!(site.ledger.seats.len(), 2);
    assert!(is_enrolled(&site.ask(peer(1), &bring(1))));
    assert!(serves(&site, 1));
}

#[test]
fn enrolments_are_taken_back_a_portion_at_a_time_also_of_a_token_that_is_forgotten() {
    let mut site = Site::with(&[]);
    let count = REVOKED_MAX + 3;
    site.serve(&add(1, u32::try_from(count).unwrap()));
    for number in 0..count {
        let mut bytes = [7; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        let actor = Actor::Peer {
            identity: Fingerprint(bytes),
            address: [10, 0, 0, 1].into(),
        };
        site.ledger.apply(actor, &bring(1), site.now);
    }
    site.at(31 * DAY).serve(&add(2, 1));
    assert_eq!(tokens(&mut site).len(), 1, "the first one is forgotten");
    let told = |site: &mut Site| site.serve(&revoke(1, true));
    let portion = |identities, more| Reply::TokenRevoked { identities, more };
    let full = u32::try_from(REVOKED_MAX).unwrap();
    assert_eq!(told(&mut site), portion(full, true));
    assert_eq!(told(&mut site), portion(3, false));
    assert_eq!(denial(&told(&mut site)), Denial::UnknownToken, "nothing is left of it");
    let revoked = site.events(|kind| match kind {
        EventKind::TokenRevoked { identities, .. } => Some(*identities),
        _ => None,
    });
    assert_eq!(revoked, [full, 3]);
}

#[test]
fn a_clock_that_was_ahead_moves_a_tokens_dates_back_with_the_others() {
    let mut site = Site::with(&[]);
    site.at(1_000 * DAY).serve(&add(1, 5));
    site.ask(peer(5), &bring(1));
    site.at(0);
    assert_eq!(site.serve(&Command::ClockReset), Reply::Done);
    while site.serve(&Command::MendDates) == Reply::Unfinished {}
    let row = tokens(&mut site).remove(0);
    let Token {
        created_at,
        expires_at,
        last_used_at,
        ..
    } = row.token;
    assert_eq!(
        (created_at.0, expires_at.0, last_used_at.map(|at| at.0)),
        (START, START + 3_600, Some(START))
    );
}

#[test]
fn what_was_recorded_makes_the_same_ledger_and_more_enrolled_than_a_token_did_is_found() {
    let mut site = Site::with(&[]);
    site.serve(&add(1, 5));
    site.ask(peer(5), &bring(1));
    site.ask(peer(6), &bring(1));
    site.serve(&revoke(1, true));
    site.serve(&add(2, 5));
    site.ask(peer(6), &bring(2));
    let mut again = Ledger::default();
    site.log.iter().for_each(|change| again.evolve(change));
    assert_eq!(again, site.ledger);
    let walked = again.facts_after(None, 100);
    let mut copy = Ledger::default();
    for fact in &walked {
        copy.record(fact);
    }
    assert_eq!(copy, site.ledger);

    let row = tokens(&mut site).remove(1);
    let few = Token {
        enrolled: 0,
        ..row.token
    };
    again.record(&Fact::TokenPut(row.hash, few));
    assert!(matches!(again.audit(), Err(AuditError::Overenrolled { .. })));
}

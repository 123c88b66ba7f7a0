//! Copies that are refused, identities that wait, and how an administrator lets them in (rule I7).

use super::fixture::*;
use crate::domain::catalogue::OnConflict;
use crate::domain::change::EventKind;
use crate::domain::command::{Command, Rebind};
use crate::domain::denial::Denial;
use crate::domain::reply::{GrantKind, Reply};
use crate::domain::seat::{Binding, Bound, ConflictKind};

/// A site whose `SERVER` refuses copies.
fn strict_site() -> Site {
    let mut site = Site::with(&[key(1, "SERVER", 2)]);
    site.serve(&importing(changed(|server| server.on_conflict = OnConflict::Refuse)));
    site
}

fn bound(site: &mut Site) -> Bound {
    match &site.seat(1, "SERVER").unwrap().components[&component("agent")] {
        Binding::Identity(bound) => bound.clone(),
        Binding::Unbound => panic!("nothing is bound"),
    }
}

fn resolve(site: &mut Site) -> Reply {
    site.serve(&Command::Resolve {
        mac: mac(1),
        product: None,
    })
}

fn approved_only(site: &mut Site, ask: Ask<'_>) -> Reply {
    let mut checkout = ask.checkout();
    checkout.rebind = Rebind::Approve;
    site.ask(peer(ask.identity), &Command::Checkout(checkout))
}

// proves I7
#[test]
fn a_stale_number_is_refused_where_the_catalogue_says_so_and_the_other_copy_goes_on() {
    let mut site = strict_site();
    let first = site.grant(agent(1)).continuation;
    let second = site.at(1).grant(agent(1).with(first)).continuation;
    let third = site.at(2).grant(agent(1).with(second)).continuation;
    let before = site.seat(1, "SERVER").unwrap();
    // The copy still has the number from two checkouts ago.
    assert_eq!(site.at(DAY).denied(agent(1).with(first)).denial, Denial::Conflict);
    let after = site.seat(1, "SERVER").unwrap();
    assert_eq!(
        (after.renewed_at, after.renew_by),
        (before.renewed_at, before.renew_by),
        "nothing is renewed"
    );
    let noted = bound(&mut site);
    let conflict = noted.conflict.unwrap();
    assert_eq!((conflict.kind, conflict.count), (ConflictKind::StaleContinuation, 1));
    assert_eq!(noted.continuation, third, "and no number is used up");
    assert_eq!(site.grant(agent(1).with(third)).kind, GrantKind::Renewed);
    assert!(bound(&mut site).conflict.is_some(), "it stands until it is resolved");
}

// proves I7
#[test]
fn an_identity_that_comes_back_is_refused_and_the_one_that_took_its_place_stays() {
    let mut site = strict_site();
    site.grant(agent(1));
    site.at(1).grant(agent(1).under(7));
    assert_eq!(site.at(2).denied(agent(1)).denial, Denial::Conflict);
    assert_eq!(bound(&mut site).identity, identity(7));
    assert_eq!(
        bound(&mut site).conflict.unwrap().kind,
        ConflictKind::AlternatingIdentity
    );
}

// proves I7
#[test]
fn two_components_of_a_machine_with_identities_of_their_own_are_never_a_conflict() {
    let mut site = strict_site();
    let mut numbers = [0, 0];
    for day in 0..10 {
        for (place, part) in ["agent", "cli"].into_iter().enumerate() {
            let ask = agent(1).part(part).under(u8::try_from(place).unwrap() + 1);
            let grant = site.at(day * 3_600).grant(ask.with(numbers[place]));
            assert_eq!(grant.conflict, None);
            numbers[place] = grant.continuation;
        }
    }
}

// proves I7
#[test]
fn a_new_identity_waits_where_it_has_to_be_approved_and_the_bound_one_goes_on() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    let number = site.grant(agent(1)).continuation;
    let reply = approved_only(site.at(5), agent(1).under(7));
    assert_eq!(denial(&reply), Denial::RebindPending);
    approved_only(site.at(9), agent(1).under(7));
    let waiting = bound(&mut site).waiting.unwrap();
    assert_eq!((waiting.identity, waiting.since.0), (identity(7), START + 5));
    approved_only(&mut site, agent(1).under(8));
    assert_eq!(
        bound(&mut site).waiting.unwrap().identity,
        identity(8),
        "the last one counts"
    );
    let reply = approved_only(&mut site, agent(1).with(number));
    assert!(matches!(reply, Reply::Seat(_)), "{reply:?}");
    assert!(bound(&mut site).waiting.is_some(), "its checkouts leave the note");
    let told = site.events(|event| match event {
        EventKind::IdentityWaits { identity, .. } => Some(*identity),
        _ => None,
    });
    assert_eq!(told, [identity(7), identity(8)], "each is told once");
    assert!(matches!(site.serve(&Command::Status), Reply::Status(status) if status.waiting == 1));
    // Without the option nothing waits.
    site.grant(agent(1).under(7));
    assert_eq!(bound(&mut site).waiting, None);
}

// proves I7
#[test]
fn resolving_forgets_what_is_bound_and_the_next_checkout_binds_anew() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1));
    site.grant(agent(1).part("cli"));
    approved_only(&mut site, agent(1).under(7));
    let seat = site.seat(1, "SERVER").unwrap();
    assert_eq!(resolve(&mut site), Reply::Resolved { components: 1 });
    let resolved = site.seat(1, "SERVER").unwrap();
    assert_eq!(resolved.components[&component("agent")], Binding::Unbound);
    assert_eq!(
        resolved.components[&component("cli")],
        seat.components[&component("cli")],
        "one without a conflict is left alone"
    );
    assert_eq!((resolved.serial, resolved.acquired_at), (seat.serial, seat.acquired_at));
    let reply = approved_only(&mut site, agent(1).under(7));
    assert!(matches!(reply, Reply::Seat(_)), "{reply:?}");
    assert_eq!(bound(&mut site).identity, identity(7));
    assert_eq!(resolve(&mut site), Reply::Resolved { components: 0 });
    assert!(matches!(site.release(agent(1).under(7)), Reply::Released { .. }));
}

// proves I7
#[test]
fn a_conflict_is_gone_once_it_is_resolved() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    let first = site.grant(agent(1)).continuation;
    let second = site.grant(agent(1).with(first)).continuation;
    site.grant(agent(1).with(second));
    assert!(site.grant(agent(1).with(first)).conflict.is_some());
    assert!(matches!(site.serve(&Command::Status), Reply::Status(status) if status.conflicts == 1));
    resolve(&mut site);
    assert!(matches!(site.serve(&Command::Status), Reply::Status(status) if status.conflicts == 0));
    assert_eq!(site.grant(agent(1).with(first)).conflict, None);
}

//! Copies that are refused, identities that wait, and how an administrator lets them in (rule I7).

use super::fixture::*;
use crate::domain::catalogue::OnConflict;
use crate::domain::change::EventKind;
use crate::domain::command::{Command, Rebind};
use crate::domain::denial::Denial;
use crate::domain::ids::ServerId;
use crate::domain::reply::{GrantKind, Reply};
use crate::domain::seat::{Binding, Bound, ConflictKind, Others};
use crate::domain::time::Timestamp;

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
    let conflict = noted.others.conflict.unwrap();
    assert_eq!((conflict.kind, conflict.count), (ConflictKind::StaleContinuation, 1));
    assert_eq!(noted.continuation, third, "and no number is used up");
    assert_eq!(site.grant(agent(1).with(third)).kind, GrantKind::Renewed);
    assert!(
        bound(&mut site).others.conflict.is_some(),
        "it stands until it is resolved"
    );
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
        bound(&mut site).others.conflict.unwrap().kind,
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
    let waiting = bound(&mut site).others.waiting.unwrap();
    assert_eq!((waiting.identity, waiting.since.0), (identity(7), START + 5));
    approved_only(&mut site, agent(1).under(8));
    assert_eq!(
        bound(&mut site).others.waiting.unwrap().identity,
        identity(8),
        "the last one counts"
    );
    let reply = approved_only(&mut site, agent(1).with(number));
    assert!(matches!(reply, Reply::Seat(_)), "{reply:?}");
    assert!(
        bound(&mut site).others.waiting.is_some(),
        "its checkouts leave the note"
    );
    let told = site.events(|event| match event {
        EventKind::IdentityWaits { identity, .. } => Some(*identity),
        _ => None,
    });
    assert_eq!(told, [identity(7), identity(8)], "each is told once");
    assert!(matches!(site.serve(&Command::Status), Reply::Status(status) if status.waiting == 1));
    // Without the option nothing waits.
    site.grant(agent(1).under(7));
    assert_eq!(bound(&mut site).others.waiting, None);
}

/// A site on whose first machine identity 7 was approved in place of 1, and what the last answer to 1 was.
fn approved_site() -> (Site, u64) {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    let first = site.grant(agent(1)).continuation;
    let last = site.grant(agent(1).with(first)).continuation;
    let reply = approved_only(&mut site, agent(1).under(7));
    assert_eq!(denial(&reply), Denial::RebindPending);
    assert_eq!(resolve(&mut site), Reply::Resolved { components: 1 });
    (site, last)
}

// proves I7
#[test]
fn resolving_binds_the_identity_that_waits_and_leaves_the_rest_alone() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1));
    site.grant(agent(1).part("cli"));
    site.grant(agent(1).under(2));
    assert!(site.grant(agent(1)).conflict.is_some(), "1, 2 and 1 again");
    approved_only(&mut site, agent(1).under(6));
    approved_only(&mut site, agent(1).under(7));
    let before = site.seat(1, "SERVER").unwrap();
    assert_eq!(resolve(&mut site), Reply::Resolved { components: 1 });
    let seat = site.seat(1, "SERVER").unwrap();
    assert_eq!((seat.serial, seat.acquired_at), (before.serial, before.acquired_at));
    assert_eq!((seat.renewed_at, seat.renew_by), (before.renewed_at, before.renew_by));
    let cli = component("cli");
    assert_eq!(seat.components[&cli], before.components[&cli]);
    let bound = bound(&mut site);
    assert_eq!(bound.identity, identity(7));
    assert_eq!(bound.others, Others::none());
    let told = site.events(|event| match event {
        EventKind::IdentityApproved { from, to, .. } => Some((*from, *to)),
        _ => None,
    });
    assert_eq!(told, [(identity(1), identity(7))]);
    assert!(matches!(
        site.serve(&Command::Status),
        Reply::Status(status) if (status.waiting, status.conflicts) == (0, 0)
    ));
    assert_eq!(resolve(&mut site), Reply::Resolved { components: 0 });
}

// proves I7
#[test]
fn whoever_comes_before_the_approved_identity_is_refused_and_that_one_is_honoured() {
    for sent in [0, 1, 2, 3, 77, u64::MAX] {
        for (intruder, number) in [(1, None), (1, Some(0)), (6, Some(0)), (6, Some(sent))] {
            let (mut site, last) = approved_site();
            let ask = agent(1).under(intruder).with(number.unwrap_or(last));
            assert_eq!(denial(&approved_only(&mut site, ask)), Denial::RebindPending);
            assert_eq!(denial(&site.release(ask)), Denial::IdentityNotBound);
            let reply = approved_only(&mut site, agent(1).under(7).with(sent));
            let Reply::Seat(grant) = reply else {
                panic!("{sent}: {reply:?}");
            };
            assert_eq!((grant.kind, grant.conflict), (GrantKind::Renewed, None), "{sent}");
            assert_eq!(bound(&mut site).identity, identity(7));
            // The one that came too early waits, as on any component.
            assert_eq!(bound(&mut site).others.waiting.unwrap().identity, identity(intruder));
            assert_eq!(denial(&approved_only(&mut site, ask)), Denial::RebindPending);
        }
    }
}

// proves I7
#[test]
fn numbers_of_an_approved_identity_go_on_from_the_one_it_came_with() {
    for sent in [0, 1, 77, u64::MAX - 1, u64::MAX] {
        let (mut site, _) = approved_site();
        let ask = agent(1).under(7);
        let first = site.grant(ask.with(sent)).continuation;
        assert!(first != 0 && first != sent, "{first} for {sent}");
        assert!(first > sent || sent == u64::MAX, "{first} for {sent}");
        // Its answer was lost: the same number again.
        let second = site.grant(ask.with(sent));
        assert_eq!(second.conflict, None);
        let third = site.grant(ask.with(second.continuation));
        assert_eq!(third.conflict, None);
        let conflict = site.grant(ask.with(first)).conflict.unwrap();
        assert_eq!(conflict.kind, ConflictKind::StaleContinuation, "{sent}");
    }
}

// proves I7
#[test]
fn an_approved_identity_releases_at_once_before_it_checks_out_and_after() {
    for checks_out in [false, true] {
        let (mut site, _) = approved_site();
        if checks_out {
            site.grant(agent(1).under(7));
        }
        let reply = site.release(agent(1).under(7));
        assert!(matches!(reply, Reply::Released { seat_freed: true, .. }), "{reply:?}");
    }
}

// proves I7
#[test]
fn an_approved_identity_is_replaced_like_any_other_where_nobody_has_to_be_approved() {
    let (mut site, last) = approved_site();
    let grant = site.at(DAY).grant(agent(1).with(last));
    assert_eq!(grant.conflict, None, "that it was bound before is forgotten");
    assert!(grant.continuation > last, "numbers go on from the one it came with");
    assert!(matches!(
        denial(&site.release(agent(1))),
        Denial::ReboundRecently { .. }
    ));
    let conflict = site.grant(agent(1).under(7)).conflict.unwrap();
    assert_eq!(conflict.kind, ConflictKind::AlternatingIdentity);
}

// proves I7
#[test]
fn a_conflict_is_gone_once_it_is_resolved_and_where_nobody_waits_the_next_checkout_binds() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    let first = site.grant(agent(1)).continuation;
    let second = site.grant(agent(1).with(first)).continuation;
    site.grant(agent(1).with(second));
    assert!(site.grant(agent(1).with(first)).conflict.is_some());
    assert!(matches!(site.serve(&Command::Status), Reply::Status(status) if status.conflicts == 1));
    let before = site.seat(1, "SERVER").unwrap();
    assert_eq!(resolve(&mut site), Reply::Resolved { components: 1 });
    assert!(matches!(site.serve(&Command::Status), Reply::Status(status) if status.conflicts == 0));
    let seat = site.seat(1, "SERVER").unwrap();
    assert_eq!(seat.components[&component("agent")], Binding::Unbound);
    assert_eq!((seat.serial, seat.acquired_at), (before.serial, before.acquired_at));
    assert_eq!(denial(&site.release(agent(1))), Denial::IdentityNotBound);
    let reply = approved_only(&mut site, agent(1).under(7).with(first));
    assert!(matches!(reply, Reply::Seat(_)), "{reply:?}");
    assert_eq!(
        (bound(&mut site).identity, bound(&mut site).others.conflict),
        (identity(7), None)
    );
}

/// A copy that releases before the other one runs again; answers the number that the original still has.
fn release_of_a_copy(site: &mut Site) -> u64 {
    let original = site.grant(agent(1)).continuation;
    let copied = site.at(DAY).grant(agent(1).with(original)).continuation;
    let later = site.at(2 * DAY).grant(agent(1).with(copied)).continuation;
    assert!(matches!(site.release(agent(1).with(later)), Reply::Released { .. }));
    original
}

// proves I7
#[test]
fn a_copy_that_releases_between_runs_shows_itself_all_the_same() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    let original = release_of_a_copy(&mut site);
    let grant = site.at(3 * DAY).grant(agent(1).with(original));
    assert_eq!(grant.conflict.unwrap().kind, ConflictKind::StaleContinuation);
    let told = site.events(|event| matches!(event, EventKind::ConflictSeen { .. }).then_some(()));
    assert_eq!(told, [()]);
}

// proves I7
#[test]
fn a_component_that_releases_and_comes_back_with_its_number_or_a_new_identity_is_no_copy() {
    let mut site = strict_site();
    let mut number = 0;
    for _ in 0..4 {
        for _ in 0..3 {
            let grant = site.grant(agent(1).with(number));
            assert_eq!(grant.conflict, None);
            number = grant.continuation;
        }
        site.release(agent(1));
    }
    // Its state went with the installation.
    assert_eq!(site.grant(agent(1).under(2)).conflict, None);
}

// proves I7
#[test]
fn a_copy_is_refused_behind_a_release_and_of_a_seat_that_others_hold_until_it_is_resolved() {
    for is_held in [false, true] {
        let mut site = strict_site();
        if is_held {
            site.grant(agent(1).part("cli"));
        }
        let original = release_of_a_copy(&mut site);
        assert_eq!(site.seat(1, "SERVER").is_some(), is_held);
        assert_eq!(site.denied(agent(1).with(original)).denial, Denial::Conflict);
        assert_eq!(site.seat(1, "SERVER").is_some(), is_held, "nothing is engaged");
        assert_eq!(resolve(&mut site), Reply::Resolved { components: 1 });
        assert_eq!(resolve(&mut site), Reply::Resolved { components: 0 });
        assert_eq!(site.grant(agent(1).with(original)).conflict, None);
    }
}

// proves I7
#[test]
fn what_was_left_behind_is_resolved_when_the_product_has_no_license_any_more() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    release_of_a_copy(&mut site);
    site.remove(1, true);
    assert_eq!(site.counts("SERVER").total, 0);
    assert_eq!(resolve(&mut site), Reply::Resolved { components: 1 });
}

// proves I7
#[test]
fn what_was_left_behind_is_forgotten_after_a_year() {
    const YEAR: u64 = 365 * DAY;
    for (wait, expected) in [(YEAR - 1, Some(ConflictKind::StaleContinuation)), (YEAR, None)] {
        let mut site = Site::with(&[key(1, "SERVER", 1)]);
        let original = release_of_a_copy(&mut site);
        let grant = site.at(2 * DAY + wait).grant(agent(1).with(original));
        assert_eq!(grant.conflict.map(|conflict| conflict.kind), expected);
    }
}

/// Asks for a restore until all of it is done; in how many portions before.
fn restore(site: &mut Site) -> usize {
    site.serve(&Command::Found { id: ServerId([1; 16]) });
    let restore = Command::Restore {
        made_at: Timestamp(START),
        epoch: 0,
    };
    let mut portions = 0;
    while site.serve(&restore) == Reply::Unfinished {
        portions += 1;
    }
    portions
}

// proves I7
#[test]
fn who_renewed_since_the_backup_is_no_copy_to_the_restored_server_and_copies_show_from_then_on() {
    let mut site = strict_site();
    let backed_up = site.grant(agent(1)).continuation;
    assert_eq!(restore(&mut site), 1);
    assert_eq!(site.ledger.server().unwrap().epoch, 2);
    // Numbers that the server of before gave out meanwhile.
    let next = site.at(1).grant(agent(1).with(backed_up + 3)).continuation;
    assert!(next > backed_up + 3 && bound(&mut site).others.conflict.is_none());
    let after = site.at(2).grant(agent(1).with(next)).continuation;
    assert_eq!(site.at(3).denied(agent(1).with(backed_up)).denial, Denial::Conflict);
    assert_eq!(site.grant(agent(1).with(after)).kind, GrantKind::Renewed);
}

#[test]
fn a_restore_looks_at_many_seats_in_portions_and_raises_the_epoch_once_behind_all_of_them() {
    let mut site = Site::with(&[key(1, "SERVER", 10_000)]);
    for machine in 1..=2_500 {
        // Not by way of the site, which audits all of them each time.
        let ask = agent(machine);
        site.ledger
            .apply(peer(ask.identity), &Command::Checkout(ask.checkout()), site.now);
    }
    assert_eq!(restore(&mut site), 3);
    assert_eq!(site.ledger.server().unwrap().epoch, 2);
}

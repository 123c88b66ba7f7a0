//! Who may ask what, the last administrator, and the check after loading.

use std::sync::Arc;

use super::fixture::*;
use crate::domain::backup::Backup;
use crate::domain::change::{Admin, Event, EventKind, Fact};
use crate::domain::command::{Actor, Command, Page, Release, Role, SeatsPage};
use crate::domain::denial::Denial;
use crate::domain::ids::{ServerId, TokenHash, TokenId};
use crate::domain::ledger::AuditError;
use crate::domain::license::License;
use crate::domain::reply::Reply;
use crate::domain::time::{Now, Timestamp};

const ROLES: [Role; 4] = [Role::Agent, Role::Deployer, Role::Viewer, Role::Administrator];

/// The commands about enrolment, likewise.
fn enrolment() -> Vec<(Command, &'static [Role])> {
    let administration = &[Role::Administrator][..];
    vec![
        (
            Command::Enrol {
                token: TokenHash([1; 32]),
            },
            &ROLES[..],
        ),
        (Command::Tokens(Page { after: None, limit: 9 }), administration),
        (
            Command::AddToken {
                token: TokenHash([1; 32]),
                label: String::new(),
                secs: 60,
                uses: 1,
            },
            administration,
        ),
        (
            Command::RevokeToken {
                id: TokenId([1; 8]),
                also_identities: true,
            },
            administration,
        ),
    ]
}

/// Every command with the roles that may give it.
fn commands() -> Vec<(Command, &'static [Role])> {
    use Role::{Administrator, Viewer};
    let all = &ROLES[..];
    let views = &[Viewer, Administrator][..];
    let administration = &[Administrator][..];
    vec![
        (Command::Availability(named("SERVER")), all),
        (Command::Checkout(agent(1).checkout()), all),
        (
            Command::Release(Release {
                key: seat_key(1, "SERVER"),
                component: component("agent"),
            }),
            all,
        ),
        (Command::Admins(Page { after: None, limit: 9 }), views),
        (Command::Licenses(Page { after: None, limit: 9 }), views),
        (Command::Products(Page { after: None, limit: 9 }), views),
        (
            Command::Seats(SeatsPage {
                mac: None,
                product: None,
                page: Page { after: None, limit: 9 },
            }),
            views,
        ),
        (Command::Status, views),
        (add(9, Viewer), administration),
        (
            Command::EndSeat {
                mac: mac(1),
                product: named("SERVER"),
                component: None,
                reason: "gone".to_owned(),
            },
            administration,
        ),
        (Command::Found { id: ServerId([1; 16]) }, administration),
        (Command::Import(vec![key(1, "SERVER", 1)]), administration),
        (importing(catalogue(1)), administration),
        (Command::Reclaim, administration),
        (remove(9), administration),
        (
            Command::RemoveLicense {
                serial: serial(1),
                end_seats: true,
            },
            administration,
        ),
        (
            Command::TrustVendor {
                public_key: [3; 32],
                vendor: vendor(3),
            },
            administration,
        ),
    ]
}

fn add(number: u8, role: Role) -> Command {
    Command::AddAdmin {
        fingerprint: identity(number),
        role,
        label: "someone".to_owned(),
    }
}

fn remove(number: u8) -> Command {
    Command::RemoveAdmin {
        fingerprint: identity(number),
    }
}

// proves V2
#[test]
fn each_command_is_refused_to_each_role_that_does_not_include_it() {
    for (command, allowed) in commands().into_iter().chain(enrolment()) {
        for role in ROLES {
            let mut site = Site::with(&[key(1, "SERVER", 1)]);
            site.grant(agent(1));
            site.serve(&add(8, Role::Administrator));
            site.serve(&add(7, role));
            let before = site.ledger.clone();
            let reply = site.ask(peer(7), &command);
            let refused = matches!(&reply, Reply::Denied(denied) if denied.denial == Denial::NotAuthorized);
            assert_eq!(refused, !allowed.contains(&role), "{role:?}: {command:?}");
            assert!(
                !refused || site.ledger == before,
                "{role:?}: {command:?} changed something"
            );
        }
    }
}

// proves V2
#[test]
fn whoever_has_no_role_is_an_agent_and_loses_one_at_once() {
    let mut site = Site::with(&[]);
    assert_eq!(denial(&site.ask(peer(7), &Command::Status)), Denial::NotAuthorized);
    site.serve(&add(7, Role::Viewer));
    assert!(matches!(site.ask(peer(7), &Command::Status), Reply::Status(_)));
    site.serve(&remove(7));
    assert_eq!(denial(&site.ask(peer(7), &Command::Status)), Denial::NotAuthorized);
}

#[test]
fn the_last_administrator_can_be_neither_removed_nor_given_a_lesser_role() {
    let mut site = Site::with(&[]);
    site.serve(&add(1, Role::Administrator));
    site.serve(&add(2, Role::Viewer));
    for command in [remove(1), add(1, Role::Viewer), add(1, Role::Agent)] {
        assert_eq!(denial(&site.ask(peer(1), &command)), Denial::LastAdministrator);
    }
    site.serve(&add(2, Role::Administrator));
    assert_eq!(site.ask(peer(1), &remove(1)), Reply::Done);
    assert_eq!(denial(&site.ask(peer(2), &remove(2))), Denial::LastAdministrator);
    assert!(site.ledger.has_administrator());
}

#[test]
fn removing_an_identity_without_a_role_says_so() {
    let mut site = Site::with(&[]);
    assert_eq!(denial(&site.serve(&remove(1))), Denial::UnknownAdministrator);
}

#[test]
fn adding_the_same_role_again_changes_nothing() {
    let mut site = Site::with(&[]);
    site.serve(&add(1, Role::Administrator));
    let recorded = site.log.len();
    assert_eq!(site.at(5).serve(&add(1, Role::Administrator)), Reply::Done);
    assert_eq!(site.log.len(), recorded);
}

#[test]
fn a_server_is_founded_once() {
    let mut site = Site::with(&[]);
    for byte in [1, 2] {
        site.serve(&Command::Found {
            id: ServerId([byte; 16]),
        });
    }
    assert_eq!(site.ledger.server().unwrap().id, ServerId([1; 16]));
}

#[test]
fn a_restore_raises_the_epoch_once_each_time_and_changes_nothing_else_of_the_server() {
    let mut site = Site::with(&[]);
    let restore = |epoch| Command::Restore {
        made_at: Timestamp(7),
        epoch,
    };
    assert_eq!(site.serve(&restore(9)), Reply::Done);
    assert!(site.ledger.server().is_none(), "what was never founded has no epoch");
    site.serve(&Command::Found { id: ServerId([1; 16]) });
    let before = *site.ledger.server().unwrap();
    // Never lower than one more than before.
    for (asked, epoch) in [(0, 2), (3, 3), (3, 4), (90, 90), (7, 91)] {
        site.serve(&restore(asked));
        let expected = crate::domain::change::Server { epoch, ..before };
        assert_eq!(site.ledger.server(), Some(&expected));
    }
}

#[test]
fn the_backup_that_was_made_last_is_kept_whichever_is_told_last_and_a_repeated_one_is_no_event() {
    let mut site = Site::with(&[]);
    let told = |made_at, round| Backup {
        made_at: Timestamp(made_at),
        round,
        bytes: 1_000,
        has_identities: true,
    };
    assert_eq!(site.serve(&Command::NoteBackup(told(START, 1))), Reply::Done);
    assert!(
        site.ledger.server().is_none(),
        "what was never founded was never backed up"
    );
    site.serve(&Command::Found { id: ServerId([1; 16]) });
    let mut tell = |backup| {
        let (_, changes) = site
            .ledger
            .apply(Actor::Server, &Command::NoteBackup(backup), Now::at(START));
        let events: Vec<_> = changes.into_iter().flat_map(|change| change.events).collect();
        (events.len(), site.ledger.server().unwrap().last_backup)
    };
    assert_eq!(tell(told(START - 9, 5)), (1, Some(told(START - 9, 5))));
    assert_eq!(tell(told(START - 9, 5)), (0, Some(told(START - 9, 5))), "told twice");
    assert_eq!(
        tell(told(START - 20, 4)),
        (1, Some(told(START - 9, 5))),
        "an older one, told late"
    );
    let (events, last) = tell(told(u64::MAX, 6));
    assert_eq!(events, 1);
    assert_eq!(last, Some(told(START, 6)), "a clock that is ahead");
}

#[test]
fn a_backup_without_identities_takes_the_place_of_none_that_has_them() {
    let mut site = Site::with(&[]);
    site.serve(&Command::Found { id: ServerId([1; 16]) });
    let made = |made_at, has_identities| Backup {
        made_at: Timestamp(made_at),
        round: 7,
        bytes: 1_000,
        has_identities,
    };
    let mut last_after = |backup| {
        let (_, changes) = site
            .ledger
            .apply(Actor::Server, &Command::NoteBackup(backup), Now::at(START));
        let events: Vec<_> = changes.into_iter().flat_map(|change| change.events).collect();
        assert!(matches!(events[..], [Event { kind: EventKind::BackedUp(told), .. }] if told == backup));
        site.ledger.server().unwrap().last_backup
    };
    assert_eq!(
        last_after(made(START - 9, false)),
        Some(made(START - 9, false)),
        "better than none"
    );
    assert_eq!(
        last_after(made(START - 20, true)),
        Some(made(START - 20, true)),
        "older, and whole"
    );
    assert_eq!(last_after(made(START - 5, false)), Some(made(START - 20, true)));
    assert_eq!(last_after(made(START - 1, true)), Some(made(START - 1, true)));
}

#[test]
fn the_epoch_of_a_restored_server_is_the_time_of_the_restore_and_higher_than_any_known_one() {
    const LAST: u32 = u32::MAX;
    const TOP: u64 = LAST as u64;
    let restored = |epoch, at, above| {
        let server = crate::domain::change::Server {
            id: ServerId([1; 16]),
            epoch,
            founded_at: Timestamp(0),
            last_backup: None,
        };
        server.epoch_restored(Timestamp(at), above)
    };
    for (epoch, at, above, expected) in [
        (1, START, 0, u32::try_from(START).ok()),
        // A second restore of the same backup, a second later.
        (1, START + 1, 0, u32::try_from(START + 1).ok()),
        // A clock that is wrong: as before there were times in it.
        (1, 0, 0, Some(2)),
        (5, 5, 0, Some(6)),
        (1, 0, 77, Some(78)),
        (1, START, 77, u32::try_from(START).ok()),
        // A clock beyond all epochs uses none up.
        (1, TOP - 1, 0, Some(LAST - 1)),
        (1, TOP, 0, Some(2)),
        (1, u64::MAX, 0, Some(2)),
        (LAST - 1, START, 0, Some(LAST)),
        (LAST, START, 0, None),
        (1, START, LAST, None),
    ] {
        assert_eq!(restored(epoch, at, above), expected, "{epoch} at {at} above {above}");
    }
}

#[test]
fn a_new_identity_of_the_server_is_an_event_and_no_other_change() {
    let mut site = Site::with(&[]);
    site.serve(&Command::Found { id: ServerId([1; 16]) });
    let before = site.ledger.clone();
    let recorded = site.log.len();
    let (from, to) = (identity(1), identity(2));
    site.serve(&Command::NoteIdentity { from, to });
    assert!(site.ledger == before);
    assert_eq!(site.log.len(), recorded + 1);
    let told = site.log.last().unwrap().events.first().map(|event| &event.kind);
    assert_eq!(told, Some(&EventKind::ServerIdentityReplaced { from, to }));
}

fn record(site: &mut Site, fact: Fact) {
    site.ledger.evolve(&fact.into());
}

// proves S2
#[test]
fn the_audit_finds_an_oversold_license() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1));
    let seat = site.seat(1, "SERVER").unwrap();
    record(&mut site, Fact::SeatPut(seat_key(2, "SERVER"), Arc::new(seat)));
    let expected = AuditError::Oversold {
        serial: serial(1),
        used: 2,
        total: 1,
    };
    assert_eq!(site.ledger.audit(), Err(expected));
}

// proves S2
#[test]
fn the_audit_finds_a_seat_without_license_or_of_another_products() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    site.grant(agent(1));
    let intact = site.ledger.clone();
    record(&mut site, Fact::LicenseRemoved(serial(1)));
    let orphan = |machine, product| AuditError::Orphan {
        key: seat_key(machine, product),
        serial: serial(1),
    };
    assert_eq!(site.ledger.audit(), Err(orphan(1, "SERVER")));
    site.ledger = intact;
    let seat = site.seat(1, "SERVER").unwrap();
    record(&mut site, Fact::SeatEnded(seat_key(1, "SERVER")));
    record(&mut site, Fact::SeatPut(seat_key(1, "WORK"), Arc::new(seat)));
    assert_eq!(site.ledger.audit(), Err(orphan(1, "WORK")));
}

#[test]
fn roles_other_than_administrator_do_not_include_one_another() {
    for (role, needed) in [(Role::Deployer, Role::Viewer), (Role::Viewer, Role::Deployer)] {
        assert!(!role.includes(needed));
    }
    for role in ROLES {
        assert!(role.includes(Role::Agent) && Role::Administrator.includes(role));
    }
}

#[test]
fn an_administrators_record_says_since_when() {
    let mut site = Site::with(&[]);
    site.at(7).serve(&add(1, Role::Administrator));
    let Reply::Admins(listing) = site.ask(peer(1), &Command::Admins(Page { after: None, limit: 9 })) else {
        panic!("no listing");
    };
    let admin = Admin {
        role: Role::Administrator,
        label: "someone".to_owned(),
        added_at: Timestamp(START + 7),
    };
    assert_eq!(listing.rows, [(identity(1), admin)]);
}

// proves K2
#[test]
fn the_audit_finds_a_license_of_a_vendor_that_is_not_trusted() {
    let mut site = Site::with(&[]);
    let mut license = License {
        claims: key(1, "SERVER", 1).claims,
        imported_at: Timestamp(START),
        certificate: bytes::Bytes::new(),
        listed: None,
    };
    license.claims.vendor = vendor(3);
    record(&mut site, Fact::LicensePut(Box::new(license)));
    let expected = AuditError::Untrusted { serial: serial(1) };
    assert_eq!(site.ledger.audit(), Err(expected));
}

// proves K2
#[test]
fn the_audit_finds_a_catalogue_of_a_vendor_that_is_not_trusted() {
    let mut site = Site::with(&[]);
    record(&mut site, Fact::CataloguePut(Box::new(catalogue(3))));
    let expected = AuditError::UntrustedCatalogue { vendor: vendor(3) };
    assert_eq!(site.ledger.audit(), Err(expected));
}

// proves I7
#[test]
fn the_server_itself_cannot_check_out_since_it_has_no_identity_to_bind() {
    let mut site = Site::with(&[key(1, "SERVER", 2)]);
    site.grant(agent(1));
    let before = site.ledger.clone();
    for ask in [agent(1), agent(2), agent(2).part("disc"), agent(2).part("console")] {
        let reply = site.serve(&Command::Checkout(ask.checkout()));
        assert_eq!(denial(&reply), Denial::NotAuthorized, "{ask:?}");
    }
    assert_eq!(site.ledger, before);
}

//! What administrators ask beyond keys and roles: dry runs, blacklists, bindings, the clock; and how it is answered.

use super::*;
use crate::domain::command::ProductName;
use crate::domain::reply::{Altered, EFFECTS_MAX, Effect, Removed};
use crate::domain::timekeeper::{Jump, Standing};
use crate::wire;

fn administrator() -> Pair {
    Pair::greeted(Role::Administrator)
}

fn catalogue() -> Request {
    Request::CatalogueImport(admin::CatalogueImport {
        catalogue: Bytes::from_static(b"c"),
        dry_run: None,
    })
}

fn effect(what: Altered) -> Effect {
    Effect {
        product: key().product,
        component: (what == Altered::Counted).then(|| "agent".parse().expect("an id")),
        what,
        before: "before".into(),
        after: "after".into(),
        seats: 3,
        licenses: (what == Altered::Product).then_some(2),
    }
}

#[test]
fn every_effect_of_a_catalogue_has_a_code_of_its_own() {
    let effects = [
        Altered::Component,
        Altered::Counted,
        Altered::Ephemeral,
        Altered::IdleDays,
        Altered::Lenient,
        Altered::Name,
        Altered::Offers,
        Altered::OfflineDays,
        Altered::OnConflict,
        Altered::Product,
        Altered::Required,
        Altered::SingleUse,
    ]
    .map(effect)
    .to_vec();
    let count = effects.len();
    let reply = Reply::CatalogueImported { products: 5, effects };
    let (work, response) = administrator().exchange(&catalogue(), reply);
    assert!(
        matches!(work, Work::VerifyCatalogue { dry_run: false, .. }),
        "{work:?}: it is imported unless asked otherwise"
    );
    let Response::CatalogueImport(reply) = response else {
        panic!("{response:?}");
    };
    let codes: BTreeSet<_> = reply.effects.iter().map(|one| one.what).collect();
    let known: BTreeSet<_> = wire::Altered::TABLE.iter().map(|(code, _)| *code).collect();
    assert_eq!((reply.products, reply.more, count), (5, false, known.len()));
    assert_eq!(codes, known);
    let counted = reply.effects.iter().find(|one| one.what == wire::Altered::COUNTED);
    assert_eq!(
        counted,
        Some(&admin::Effect {
            product: "BKSRV".into(),
            component: Some("agent".into()),
            what: wire::Altered::COUNTED,
            before: "before".into(),
            after: "after".into(),
            seats: 3,
            licenses: None,
        })
    );
    let product = reply.effects.iter().find(|one| one.what == wire::Altered::PRODUCT);
    assert_eq!(product.and_then(|one| one.licenses), Some(2));
}

#[test]
fn effects_that_do_not_fit_are_told_to_be_more() {
    let longest = Effect {
        before: "b".repeat(64),
        after: "a".repeat(64),
        ..effect(Altered::Name)
    };
    let short = effect(Altered::Name);
    for (effect, count, fitting, more) in [
        (short.clone(), EFFECTS_MAX, EFFECTS_MAX, false),
        (short, EFFECTS_MAX + 1, EFFECTS_MAX, true),
        (longest, EFFECTS_MAX, 394, true),
    ] {
        let reply = Reply::CatalogueImported {
            products: 5,
            effects: vec![effect; count],
        };
        let (_, response) = administrator().exchange(&catalogue(), reply);
        let Response::CatalogueImport(reply) = response else {
            panic!("{response:?}");
        };
        assert_eq!((reply.effects.len(), reply.more), (fitting, more));
    }
}

#[test]
fn blacklists_and_removals_are_answered_with_all_their_counts() {
    let request = Request::BlacklistImport(admin::BlacklistImport {
        list: Bytes::from_static(b"l"),
        dry_run: None,
    });
    let reply = Reply::BlacklistImported {
        serials: 12,
        licenses: 2,
        used: 7,
    };
    let (_, response) = administrator().exchange(&request, reply);
    let expected = admin::BlacklistImportOk {
        server_time: NOW.0,
        serials: 12,
        licenses: 2,
        used: 7,
    };
    assert_eq!(response, Response::BlacklistImport(expected));
    let request = Request::LicenseRemove(admin::LicenseRemove {
        serial: serial().as_str().to_owned(),
        end_seats: true,
    });
    let reply = Reply::LicenseRemoved(Removed {
        seats_moved: 1,
        seats_ended: 2,
        spent: 3,
        dropped: 4,
    });
    let (_, response) = administrator().exchange(&request, reply);
    let expected = admin::LicenseRemoveOk {
        server_time: NOW.0,
        seats_ended: 2,
        seats_moved: 1,
        spent: 3,
        dropped: 4,
    };
    assert_eq!(response, Response::LicenseRemove(expected));
}

#[test]
fn a_binding_is_resolved_of_one_product_or_of_all() {
    for product in [None, Some("BKSRV".to_owned())] {
        let request = Request::BindingResolve(admin::BindingResolve {
            mac: key().mac.bytes(),
            vendor: product.as_ref().map(|_| key().vendor.0),
            product: product.clone(),
        });
        let (work, response) = administrator().exchange(&request, Reply::Resolved { components: 2 });
        let command = Command::Resolve {
            mac: key().mac,
            product: product.map(|_| ProductName {
                vendor: Some(key().vendor),
                product: key().product,
            }),
        };
        assert_eq!(work, Work::Command(command));
        assert!(
            matches!(&response, Response::BindingResolve(reply) if reply.components == 2),
            "{response:?}"
        );
    }
}

#[test]
fn the_clock_is_accepted_and_reset() {
    for (request, command) in [
        (Request::ClockAccept(admin::ClockAccept {}), Command::ClockAccept),
        (Request::ClockReset(admin::ClockReset {}), Command::ClockReset),
    ] {
        let (work, response) = administrator().exchange(&request, Reply::Done);
        assert_eq!(work, Work::Command(command));
        assert_eq!(response, Response::Done(admin::Done { server_time: NOW.0 }));
    }
}

#[test]
fn status_tells_how_the_clock_stands() {
    let jump = Jump {
        size_secs: 172_800,
        began_at: Timestamp(1),
    };
    let jumped = Standing::Jumped {
        jump,
        accepted_in_secs: 7_200,
    };
    for (standing, expected) in [
        (Standing::Fine, (None, None, None)),
        (Standing::SetBack { secs: 60 }, (Some(60), None, None)),
        (jumped, (None, Some(172_800), Some(7_200))),
    ] {
        let status = crate::domain::reply::Status {
            server: None,
            vendors: Vec::new(),
            products: 0,
            licenses: 9,
            licenses_expired: 1,
            licenses_blacklisted: 2,
            licenses_superseded: 3,
            seats: 0,
            conflicts: 4,
            waiting: 5,
            reservations: 6,
            clock: Some((Timestamp(77), standing)),
            disk_left: None,
            needs_enrolment: false,
            ending: Vec::new(),
            scarce: Vec::new(),
            checkpoint: None,
            admins: 1,
        };
        let mut pair = Pair::greeted(Role::Viewer);
        let request = Request::Status(views::Status {});
        let (_, Response::Status(reply)) = pair.exchange(&request, Reply::Status(Box::new(status))) else {
            panic!("not a status");
        };
        let clock = reply.clock;
        assert_eq!(clock.mark, 77);
        assert_eq!((clock.set_back_secs, clock.jump_secs, clock.accepted_in_secs), expected);
        assert_eq!((reply.licenses_blacklisted, reply.licenses_superseded), (2, 3));
        assert_eq!((reply.waiting, reply.reservations), (5, 6));
    }
}

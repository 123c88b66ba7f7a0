//! What a newer catalogue changes for live seats, told before it is imported (rule K2).

use super::fixture::*;
use crate::domain::catalogue::{Component, Offers, OnConflict};
use crate::domain::command::Command;
use crate::domain::reply::{Altered, Effect, Reply};

fn effects(reply: Reply) -> Vec<Effect> {
    match reply {
        Reply::CatalogueImported { effects, .. } => effects,
        other => panic!("{other:?}"),
    }
}

// proves K2
#[test]
fn a_dry_run_tells_what_changes_for_how_many_seats_and_changes_nothing() {
    let mut site = Site::with(&[key(1, "SERVER", 3), key(2, "WORK", 1)]);
    site.grant(agent(1));
    site.grant(agent(1).part("cli"));
    site.grant(agent(2));
    site.grant(agent(1).of("WORK"));
    let mut next = changed(|server| {
        server.idle_days = 7;
        server.offers = Offers::MachineOnly;
        server.on_conflict = OnConflict::Refuse;
        server.required = Some("WORK".parse().unwrap());
        server.components.remove(&component("cli"));
        let agent = server.components.get_mut(&component("agent")).unwrap();
        agent.lenient = true;
        server.components.insert(component("new"), Component::default());
    });
    next.products.remove(&"WORK".parse().unwrap());
    let before = site.ledger.clone();
    let dry = Command::ImportCatalogue {
        catalogue: Box::new(next.clone()),
        dry_run: true,
    };
    let told = effects(site.serve(&dry));
    assert_eq!(site.ledger, before);
    let told: Vec<_> = told
        .iter()
        .map(|one| {
            let component = one.component.map_or(String::new(), |id| id.to_string());
            (
                one.product.to_string(),
                component,
                one.what,
                one.before.as_str(),
                one.after.as_str(),
                one.seats,
            )
        })
        .collect();
    let server = "SERVER".to_owned();
    let none = String::new();
    let expected = [
        (server.clone(), none.clone(), Altered::IdleDays, "30", "7", 2),
        (
            server.clone(),
            none.clone(),
            Altered::Offers,
            "machine, deployment",
            "machine",
            2,
        ),
        (server.clone(), none.clone(), Altered::Required, "", "WORK", 2),
        (server.clone(), none.clone(), Altered::OnConflict, "flag", "refuse", 2),
        (server.clone(), "agent".to_owned(), Altered::Lenient, "no", "yes", 2),
        (
            server.clone(),
            "cli".to_owned(),
            Altered::Component,
            "counted, strict",
            "",
            1,
        ),
        (
            server,
            "new".to_owned(),
            Altered::Component,
            "",
            "not counted, strict",
            0,
        ),
        ("WORK".to_owned(), none, Altered::Product, "A product", "", 1),
    ];
    assert_eq!(told, expected);
    // Imported, it tells the same; once more, nothing.
    assert_eq!(effects(site.serve(&importing(next.clone()))).len(), expected.len());
    assert_eq!(effects(site.serve(&importing(next))), []);
}

//! What a newer catalogue changes for live seats, told before it is imported (rule K2).

use super::fixture::*;
use crate::domain::catalogue::{Component, Offers, OnConflict};
use crate::domain::command::Command;
use crate::domain::reply::{Effect, Reply};

fn effects(reply: Reply) -> Vec<Effect> {
    match reply {
        Reply::CatalogueImported { effects, .. } => effects,
        other => panic!("{other:?}"),
    }
}

fn row(effect: &Effect) -> String {
    let Effect {
        product,
        component,
        what,
        before,
        after,
        seats,
        licenses,
    } = effect;
    let component = component.map(|id| format!(" {id}")).unwrap_or_default();
    let licenses = licenses.map(|count| format!(", {count} licenses")).unwrap_or_default();
    format!("{product}{component} {what:?}: {before} -> {after}, {seats} seats{licenses}")
}

// proves K2
#[test]
fn a_dry_run_tells_what_changes_for_how_many_seats_and_changes_nothing() {
    let mut site = Site::with(&[key(1, "SERVER", 3), key(2, "WORK", 1), deployment_key(3, "WORK", 5)]);
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
    let told: Vec<_> = told.iter().map(row).collect();
    let expected = [
        "SERVER IdleDays: 30 -> 7, 2 seats",
        "SERVER Offers: machine, deployment -> machine, 2 seats",
        "SERVER Required:  -> WORK, 2 seats",
        "SERVER OnConflict: flag -> refuse, 2 seats",
        "SERVER agent Lenient: no -> yes, 2 seats",
        "SERVER cli Component: counted, strict -> , 1 seats",
        "SERVER new Component:  -> not counted, strict, 0 seats",
        "WORK Product: A product -> , 1 seats, 2 licenses",
    ];
    assert_eq!(told, expected);
    // Imported, it tells the same; once more, nothing.
    assert_eq!(effects(site.serve(&importing(next.clone()))).len(), expected.len());
    assert_eq!(effects(site.serve(&importing(next))), []);
}

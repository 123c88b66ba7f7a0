//! Keys and catalogues coming in: rules K2, K4 and K7, as far as the ledger decides them.

use bytes::Bytes;

use super::fixture::*;
use crate::domain::command::{Actor, Command};
use crate::domain::denial::{Denial, KeyRefusal};
use crate::domain::ledger::Ledger;
use crate::domain::license::{Validity, VerifiedKey};
use crate::domain::reply::{ImportOutcome, Reply};
use crate::domain::time::Now;

fn refusal(outcome: ImportOutcome) -> KeyRefusal {
    match outcome {
        ImportOutcome::Refused { refusal, .. } => refusal,
        other => panic!("{other:?}"),
    }
}

// proves K2
#[test]
fn a_key_counts_only_for_its_signers_products() {
    let mut site = Site::with(&[]);
    site.serve(&Command::TrustVendor {
        public_key: [2; 32],
        vendor: vendor(2),
    });
    let mut theirs = key(2, "SERVER", 5);
    theirs.claims.vendor = vendor(2);
    // The first vendor has such a product; the signer has none.
    assert_eq!(refusal(site.import(&theirs)), KeyRefusal::UnknownProduct);
    assert_eq!(site.denied(agent(1)).denial, Denial::NoLicense);
}

// proves K2
#[test]
fn keys_of_many_products_and_vendors_come_in_at_once_and_each_says_its_product() {
    let mut site = Site::with(&[]);
    site.trust(2);
    let mut theirs = key(2, "SERVER", 5);
    theirs.claims.vendor = vendor(2);
    let keys = vec![key(1, "SERVER", 1), theirs, key(3, "WORK", 2)];
    let Reply::Imported(outcomes) = site.serve(&Command::Import(keys)) else {
        panic!("not imported");
    };
    let products: Vec<_> = outcomes
        .iter()
        .map(|outcome| match outcome {
            ImportOutcome::Added { product, seats, .. } => (*product, *seats),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [(1, "SERVER", 1), (2, "SERVER", 5), (1, "WORK", 2)];
    assert_eq!(
        products,
        expected.map(|(vendor, product, seats)| (product_of(vendor, product), seats))
    );
}

// proves K3
#[test]
fn repeating_an_import_adds_nothing_in_one_command_or_in_two() {
    let mut site = Site::with(&[]);
    let twice = Command::Import(vec![key(1, "SERVER", 2), key(1, "SERVER", 2)]);
    let Reply::Imported(outcomes) = site.serve(&twice) else {
        panic!("not imported");
    };
    assert!(matches!(
        outcomes[..],
        [ImportOutcome::Added { .. }, ImportOutcome::AlreadyPresent { .. }]
    ));
    let before = site.ledger.clone();
    site.at(DAY).serve(&twice);
    assert_eq!((site.ledger.clone(), site.counts("SERVER").total), (before, 2));
}

// proves K4
#[test]
fn unknown_vendor_unknown_product_and_expiry_are_told_apart_and_good_keys_are_added_all_the_same() {
    let mut site = Site::with(&[]);
    let mut stranger = key(1, "SERVER", 1);
    stranger.claims.vendor = vendor(3);
    let mut expired = key(3, "SERVER", 1);
    expired.claims.validity = Validity::ThroughDay(u32::try_from(START / DAY).unwrap() - 1);
    let keys = vec![stranger, key(2, "OTHER", 1), expired, key(4, "SERVER", 1)];
    let Reply::Imported(outcomes) = site.serve(&Command::Import(keys)) else {
        panic!("not imported");
    };
    let refusals: Vec<_> = outcomes[..3].iter().map(|outcome| refusal(outcome.clone())).collect();
    let expected = [
        KeyRefusal::UnknownVendor,
        KeyRefusal::UnknownProduct,
        KeyRefusal::Expired,
    ];
    assert_eq!(refusals, expected);
    assert!(matches!(outcomes[3], ImportOutcome::Added { .. }));
}

// proves K4
#[test]
fn a_serial_belongs_to_the_product_and_usage_that_it_was_first_imported_for() {
    let mut site = Site::with(&[key(1, "SERVER", 1)]);
    let other = |key| VerifiedKey {
        certificate: Bytes::from_static(b"other"),
        ..key
    };
    for other in [other(key(1, "WORK", 9)), other(deployment_key(1, "SERVER", 9))] {
        assert_eq!(refusal(site.import(&other)), KeyRefusal::SerialTaken);
        site.remove(1, false);
        assert_eq!(refusal(site.import(&other)), KeyRefusal::SerialTaken);
        site.import(&key(1, "SERVER", 1));
    }
}

// proves K7
#[test]
fn keys_come_before_agents_and_survive_replay_in_the_order_of_their_recording() {
    let mut site = Site::with(&[key(1, "SERVER", 2), key_for(2, "WORK", 3, 10)]);
    site.at(5).grant(agent(1));
    site.at(6).release(agent(1));
    let mut replayed = Ledger::default();
    for change in &site.log {
        replayed.evolve(change);
    }
    assert_eq!(replayed, site.ledger);
    assert_eq!(replayed.audit(), Ok(()));
}

// proves K2
#[test]
fn a_catalogue_replaces_only_an_older_one_of_a_trusted_vendor() {
    let mut site = Site::with(&[]);
    let stranger = importing(catalogue(3));
    assert_eq!(denial(&site.serve(&stranger)), Denial::UnknownVendor);
    let again = importing(catalogue(1));
    assert_eq!(
        site.serve(&again),
        Reply::CatalogueImported {
            products: 4,
            effects: Vec::new()
        }
    );
    let mut other = catalogue(1);
    other.signed = Bytes::from_static(b"other");
    let reply = site.serve(&importing(other.clone()));
    assert_eq!(denial(&reply), Denial::CatalogueNotNewer { held: 1 });
    other.version = 2;
    other.products.clear();
    let reply = site.serve(&importing(other));
    assert!(matches!(reply, Reply::CatalogueImported { products: 0, .. }));
    assert_eq!(site.denied(agent(1)).denial, Denial::UnknownProduct);
}

// proves K4
#[test]
fn a_checkout_of_an_untrusted_vendors_product_is_refused_as_such() {
    let mut site = Site::with(&[]);
    let mut checkout = agent(1).checkout();
    checkout.key.vendor = vendor(3);
    let reply = site.ask(peer(1), &Command::Checkout(checkout));
    assert_eq!(denial(&reply), Denial::UnknownVendor);
}

#[test]
fn as_many_vendors_are_trusted_as_one_status_can_tell_and_no_more() {
    let mut ledger = Ledger::default();
    let now = Now::at(START);
    let mut trust = |number: u8| {
        let command = Command::TrustVendor {
            public_key: [number; 32],
            vendor: vendor(number),
        };
        ledger.apply(Actor::Server, &command, now).0
    };
    assert!((0..128).all(|number| trust(number) == Reply::Done));
    assert!(matches!(
        trust(128),
        Reply::Denied(denied) if denied.denial == Denial::TooManyVendors
    ));
    assert_eq!(trust(5), Reply::Done, "one that is trusted already");
}

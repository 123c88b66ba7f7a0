//! Has a session's work done: signatures are checked here, before the queue; the ledger decides the rest.

use std::collections::BTreeMap;

use crate::domain::blacklist::Blacklist;
use crate::domain::catalogue::Catalogue;
use crate::domain::command::{Actor, Command, Role};
use crate::domain::ids::VendorId;
use crate::domain::license::VerifiedKey;
use crate::domain::reply::Reply;
use crate::service::{Service, SubmitError};
use crate::session::{Answer, Greeting, KeyOutcome, Work};
use crate::vendor::{KeyError, LicenseKey, ListError, SignedBlacklist, SignedCatalogue, VendorKey};

/// Does one piece of work for `actor`. `weight` is the request's size on the wire in bytes.
pub(super) async fn perform(service: &Service, actor: Actor, work: Work, weight: usize) -> Answer {
    match work {
        Work::Command(command) => ask(service, actor, command, weight).await,
        Work::Hello => greet(service, actor),
        // The ledger refuses, and says so in its words; no time is spent on what came with the request.
        _ if !may_administer(service, actor) => ask(service, actor, Command::Import(Vec::new()), weight).await,
        Work::TrustVendor(public_key) => match VendorKey::from_bytes(public_key) {
            Ok(key) => {
                ask(
                    service,
                    actor,
                    Command::TrustVendor {
                        public_key,
                        vendor: key.id(),
                    },
                    weight,
                )
                .await
            }
            Err(error) => Answer::VendorKeyRefused(error),
        },
        Work::VerifyBlacklist(signed) => match verify_blacklist(&signed, &vendor_keys(service)) {
            Ok(list) => ask(service, actor, Command::ImportBlacklist(Box::new(list)), weight).await,
            Err(error) => Answer::ListRefused(error),
        },
        Work::VerifyCatalogue { signed, dry_run } => match verify_catalogue(&signed, &vendor_keys(service)) {
            Ok(catalogue) => {
                let catalogue = Box::new(catalogue);
                ask(service, actor, Command::ImportCatalogue { catalogue, dry_run }, weight).await
            }
            Err(error) => Answer::ListRefused(error),
        },
        Work::VerifyKeys(texts) => import_keys(service, actor, texts, weight).await,
    }
}

/// Puts a command into the queue now; what it returns waits for the answer.
pub(super) fn ask(
    service: &Service,
    actor: Actor,
    command: Command,
    weight: usize,
) -> impl Future<Output = Answer> + Send + use<> {
    let submitted = service.submit(actor, command, weight);
    async move {
        match submitted {
            Ok(reply) => reply
                .await
                .map_or(Answer::Failed, |reply| Answer::Reply(Box::new(reply))),
            Err(SubmitError::Busy) => Answer::Busy,
            Err(SubmitError::Stopped) => Answer::Stopping,
        }
    }
}

fn greet(service: &Service, actor: Actor) -> Answer {
    let greeting = service.with_facts(|facts| {
        let role = match actor {
            Actor::Peer { identity, .. } => facts.role_of(&identity),
            Actor::Server => Role::Administrator,
        };
        facts.server.map(|server| Greeting {
            role,
            server,
            succession: None,
        })
    });
    greeting.map_or(Answer::Failed, |greeting| Answer::Hello(Box::new(greeting)))
}

fn verify_catalogue(signed: &[u8], keys: &BTreeMap<VendorId, [u8; 32]>) -> Result<Catalogue, ListError> {
    let catalogue = SignedCatalogue::from_bytes(signed)?;
    let vendor = catalogue.vendor();
    catalogue.verify(&vendor_key(keys, vendor).ok_or(ListError::UnknownVendor { vendor })?)
}

fn verify_blacklist(signed: &[u8], keys: &BTreeMap<VendorId, [u8; 32]>) -> Result<Blacklist, ListError> {
    let list = SignedBlacklist::from_bytes(signed)?;
    let vendor = list.vendor();
    list.verify(&vendor_key(keys, vendor).ok_or(ListError::UnknownVendor { vendor })?)
}

async fn import_keys(service: &Service, actor: Actor, texts: Vec<String>, weight: usize) -> Answer {
    let keys = vendor_keys(service);
    // Some milliseconds of arithmetic: not for the threads that carry other connections.
    let verified = tokio::task::spawn_blocking(move || {
        texts
            .iter()
            .map(|text| verify_key(text, &keys))
            .collect::<Vec<Result<VerifiedKey, KeyError>>>()
    });
    let Ok(verified) = verified.await else {
        return Answer::Failed;
    };
    let good = verified.iter().filter_map(|key| key.as_ref().ok().cloned()).collect();
    match ask(service, actor, Command::Import(good), weight).await {
        Answer::Reply(reply) => match *reply {
            Reply::Imported(decided) => {
                let mut decided = decided.into_iter();
                let outcome = |key: Result<VerifiedKey, KeyError>| match key {
                    Ok(_) => decided.next().map(KeyOutcome::Decided),
                    Err(error) => Some(KeyOutcome::Unverified(error)),
                };
                Answer::Imported(verified.into_iter().filter_map(outcome).collect())
            }
            other => Answer::Reply(Box::new(other)),
        },
        other => other,
    }
}

fn may_administer(service: &Service, actor: Actor) -> bool {
    match actor {
        Actor::Peer { identity, .. } => service.with_facts(|facts| facts.role_of(&identity)) == Role::Administrator,
        Actor::Server => true,
    }
}

fn vendor_keys(service: &Service) -> BTreeMap<VendorId, [u8; 32]> {
    service.with_facts(|facts| facts.vendor_keys.clone())
}

fn verify_key(text: &str, keys: &BTreeMap<VendorId, [u8; 32]>) -> Result<VerifiedKey, KeyError> {
    let key = LicenseKey::parse(text)?;
    let vendor = key.vendor();
    key.verify(&vendor_key(keys, vendor).ok_or(KeyError::UnknownVendor { vendor })?)
}

fn vendor_key(keys: &BTreeMap<VendorId, [u8; 32]>, vendor: VendorId) -> Option<VendorKey> {
    // What was trusted was checked to be a key then.
    VendorKey::from_bytes(*keys.get(&vendor)?).ok()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use bytes::Bytes;

    use super::*;
    use crate::clock::Clock;
    use crate::domain::denial::Denial;
    use crate::domain::ids::Fingerprint;
    use crate::domain::time::Timestamp;
    use crate::service::{NewSeatLimits, Writer, spawn};
    use crate::store::MemoryStore;

    #[tokio::test]
    async fn whoever_may_not_administer_is_told_so_before_what_it_sent_is_looked_at() {
        let writer = Writer::load(MemoryStore::default(), NewSeatLimits::default()).expect("empty");
        let (service, _thread) = spawn(writer, Clock::manual(Timestamp(1))).expect("a thread");
        let stranger = Actor::Peer {
            identity: Fingerprint([1; 32]),
            address: Ipv4Addr::LOCALHOST.into(),
        };
        // An even y of a point that is not on the curve: no key at all.
        let no_key = [2; 32];
        assert!(VendorKey::from_bytes(no_key).is_err());
        for work in [
            Work::TrustVendor(no_key),
            Work::VerifyBlacklist(Bytes::from_static(b"damaged")),
            Work::VerifyCatalogue {
                signed: Bytes::from_static(b"damaged"),
                dry_run: true,
            },
            Work::VerifyKeys(vec!["damaged".to_owned()]),
        ] {
            let Answer::Reply(reply) = perform(&service, stranger, work.clone(), 1).await else {
                panic!("not the ledger's answer to {work:?}");
            };
            assert!(
                matches!(&*reply, Reply::Denied(denied) if denied.denial == Denial::NotAuthorized),
                "{reply:?}"
            );
        }
    }
}

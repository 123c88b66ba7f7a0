//! Has a session's work done: signatures are checked here, before the queue; the ledger decides the rest.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::sync::oneshot;

use crate::domain::blacklist::Blacklist;
use crate::domain::catalogue::Catalogue;
use crate::domain::command::{Actor, Command, Role};
use crate::domain::event_log::{ChainPage, EventsPage};
use crate::domain::ids::VendorId;
use crate::domain::license::VerifiedKey;
use crate::domain::reply::Reply;
use crate::service::{Facts, Service, SubmitError};
use crate::session::{Answer, Greeting, KeyOutcome, Work};
use crate::vendor::{KeyError, LicenseKey, ListError, SignedBlacklist, SignedCatalogue, VendorKey};

/// A piece of work once what came with it was checked.
#[derive(Debug)]
pub enum Prepared {
    /// There is nothing to ask the ledger.
    Answered(Answer),
    /// The ledger is to be asked.
    Ask(Command),
    /// The ledger is to be asked for those of these keys that are good.
    Import {
        /// The keys as they were found to be.
        verified: Vec<Result<VerifiedKey, KeyError>>,
        /// Whether the ledger is only to tell.
        dry_run: bool,
    },
}

/// Checks what came with a piece of work of `actor`, with the trusted keys among `facts`.
#[must_use]
pub fn prepare(facts: &Facts, actor: Actor, work: Work) -> Prepared {
    match work {
        Work::Command(command) => Prepared::Ask(command),
        // What is on the disk is not read here.
        Work::Events(page) => Prepared::Ask(Command::Events(page)),
        Work::EventsVerify(page) => Prepared::Ask(Command::EventsVerify(page)),
        Work::Hello => Prepared::Answered(greet(facts, actor)),
        _ if !may_bring(facts, actor) => Prepared::Ask(refused_by_the_ledger()),
        // Who reads it is asked elsewhere, where there is anybody.
        Work::Reload { .. } => Prepared::Answered(Answer::NoConfiguration),
        Work::TrustVendor(public_key) => match VendorKey::from_bytes(public_key) {
            Ok(key) => Prepared::Ask(Command::TrustVendor {
                public_key,
                vendor: key.id(),
            }),
            Err(error) => Prepared::Answered(Answer::VendorKeyRefused(error)),
        },
        Work::VerifyBlacklist { signed, dry_run } => match verify_blacklist(&signed, &facts.vendor_keys) {
            Ok(list) => {
                let list = Box::new(list);
                Prepared::Ask(Command::ImportBlacklist { list, dry_run })
            }
            Err(error) => Prepared::Answered(Answer::ListRefused(error)),
        },
        Work::VerifyCatalogue { signed, dry_run } => match verify_catalogue(&signed, &facts.vendor_keys) {
            Ok(catalogue) => {
                let catalogue = Box::new(catalogue);
                Prepared::Ask(Command::ImportCatalogue { catalogue, dry_run })
            }
            Err(error) => Prepared::Answered(Answer::ListRefused(error)),
        },
        Work::VerifyKeys { texts, dry_run } => {
            let verified = texts.iter().map(|text| verify_key(text, &facts.vendor_keys));
            Prepared::Import {
                verified: verified.collect(),
                dry_run,
            }
        }
    }
}

impl Prepared {
    /// What to ask the ledger; the reply to that goes to [`Prepared::answer`].
    ///
    /// # Errors
    /// Not a failure: the ledger has nothing to decide, and this is the answer to give the peer.
    pub fn command(&self) -> Result<Command, &Answer> {
        match self {
            Self::Answered(answer) => Err(answer),
            Self::Ask(command) => Ok(command.clone()),
            // Also where none is good: the ledger decides whether the peer may ask at all.
            Self::Import { verified, dry_run } => {
                let good = verified.iter().filter_map(|key| key.as_ref().ok().cloned()).collect();
                Ok(if *dry_run {
                    Command::JudgeKeys(good)
                } else {
                    Command::Import(good)
                })
            }
        }
    }

    /// The answer to the work, of that to the command.
    #[must_use]
    pub fn answer(self, answer: Answer) -> Answer {
        let Self::Import { verified, .. } = self else {
            return answer;
        };
        match answer {
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
}

/// Does one piece of work for `actor`. `weight` is the request's size on the wire in bytes.
pub(super) async fn perform(service: &Service, actor: Actor, work: Work, weight: usize) -> Answer {
    let prepared = match work {
        Work::Command(command) => return ask(service, actor, command, weight).await,
        Work::Events(page) => return events(service, actor, *page, weight).await,
        Work::EventsVerify(page) => return events_verified(service, actor, page, weight).await,
        Work::Hello => return service.with_facts(|facts| greet(facts, actor)),
        // Before the facts are copied and a thread is taken: whoever may not bring anything costs no more than any agent.
        _ if !service.with_facts(|facts| may_bring(facts, actor)) => Prepared::Ask(refused_by_the_ledger()),
        Work::VerifyKeys { .. } => {
            let facts = service.facts();
            // Some milliseconds of arithmetic: not for the threads that carry other connections.
            match tokio::task::spawn_blocking(move || prepare(&facts, actor, work)).await {
                Ok(prepared) => prepared,
                Err(_) => return Answer::Failed,
            }
        }
        Work::Reload { .. } | Work::TrustVendor(_) | Work::VerifyBlacklist { .. } | Work::VerifyCatalogue { .. } => {
            prepare(&service.facts(), actor, work)
        }
    };
    match prepared.command() {
        Ok(command) => {
            let answer = ask(service, actor, command, weight).await;
            prepared.answer(answer)
        }
        Err(answer) => answer.clone(),
    }
}

/// A page of the event log. The writer tells how far it is durable, and whether the peer may read it at all.
async fn events(service: &Service, actor: Actor, page: EventsPage, weight: usize) -> Answer {
    let command = Command::Events(Box::new(page.clone()));
    match ask(service, actor, command, weight).await {
        Answer::Reply(reply) => match *reply {
            Reply::Events(told) => match service.event_log().read(page, *told).await {
                Ok(read) => Answer::Reply(Box::new(Reply::Events(Box::new(read)))),
                Err(_) => Answer::Failed,
            },
            other => Answer::Reply(Box::new(other)),
        },
        other => other,
    }
}

/// A portion of the event log's chain, likewise.
async fn events_verified(service: &Service, actor: Actor, page: ChainPage, weight: usize) -> Answer {
    match ask(service, actor, Command::EventsVerify(page), weight).await {
        Answer::Reply(reply) => match *reply {
            Reply::EventsVerified(told) => match service.event_log().check(page, *told).await {
                Ok(read) => Answer::Reply(Box::new(Reply::EventsVerified(Box::new(read)))),
                Err(_) => Answer::Failed,
            },
            other => Answer::Reply(Box::new(other)),
        },
        other => other,
    }
}

/// Puts a command into the queue now; what it returns waits for the answer.
pub(super) fn ask(service: &Service, actor: Actor, command: Command, weight: usize) -> Asked {
    Asked(service.submit(actor, command, weight))
}

/// A command's answer, once the writer gives it.
#[derive(Debug)]
pub(super) struct Asked(Result<oneshot::Receiver<Reply>, SubmitError>);

impl Future for Asked {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        Poll::Ready(match &mut self.0 {
            Ok(reply) => match ready!(Pin::new(reply).poll(context)) {
                Ok(reply) => Answer::Reply(Box::new(reply)),
                Err(_) => Answer::Failed,
            },
            Err(SubmitError::Busy) => Answer::Busy,
            Err(SubmitError::Stopped) => Answer::Stopping,
        })
    }
}

fn greet(facts: &Facts, actor: Actor) -> Answer {
    let role = role_of(facts, actor);
    facts.server.map_or(Answer::Failed, |server| {
        Answer::Hello(Box::new(Greeting { role, server }))
    })
}

/// Whether `actor` may bring what has signatures to check, or have files read: no time is spent on what anybody else
/// brings.
pub(super) fn may_bring(facts: &Facts, actor: Actor) -> bool {
    role_of(facts, actor) == Role::Administrator
}

/// What to ask for whoever may not bring anything: the ledger refuses in its own words, and with the role of that moment.
const fn refused_by_the_ledger() -> Command {
    Command::Import(Vec::new())
}

fn role_of(facts: &Facts, actor: Actor) -> Role {
    match actor {
        Actor::Peer { identity, .. } => facts.role_of(&identity),
        Actor::Server => Role::Administrator,
    }
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
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;
    use crate::clock::Clock;
    use crate::domain::denial::Denial;
    use crate::domain::ids::Fingerprint;
    use crate::domain::time::Timestamp;
    use crate::service::{NewSeatLimits, Writer, spawn};
    use crate::store::MemoryStore;

    /// A service that nobody administers, whose writer decides in a thread of its own.
    fn service() -> Service {
        let writer = Writer::load(MemoryStore::default(), NewSeatLimits::default()).expect("empty");
        spawn(writer, Clock::manual(Timestamp(1))).expect("a thread").0
    }

    fn stranger() -> Actor {
        Actor::Peer {
            identity: Fingerprint([1; 32]),
            address: Ipv4Addr::LOCALHOST.into(),
        }
    }

    /// An even y of a point that is not on the curve: no key at all.
    const NO_KEY: [u8; 32] = [2; 32];

    /// Everything that has to be checked before the ledger is asked, none of it good.
    fn damaged() -> [Work; 4] {
        [
            Work::TrustVendor(NO_KEY),
            Work::VerifyBlacklist {
                signed: Bytes::from_static(b"damaged"),
                dry_run: true,
            },
            Work::VerifyCatalogue {
                signed: Bytes::from_static(b"damaged"),
                dry_run: true,
            },
            Work::VerifyKeys {
                texts: vec!["damaged".to_owned()],
                dry_run: false,
            },
        ]
    }

    async fn is_refused(service: &Service, work: Work) {
        let Answer::Reply(reply) = perform(service, stranger(), work.clone(), 1).await else {
            panic!("not the ledger's answer to {work:?}");
        };
        assert!(
            matches!(&*reply, Reply::Denied(denied) if denied.denial == Denial::NotAuthorized),
            "{reply:?}"
        );
    }

    #[tokio::test]
    async fn whoever_may_not_administer_is_told_so_before_what_it_sent_is_looked_at() {
        assert!(VendorKey::from_bytes(NO_KEY).is_err());
        let service = service();
        for work in damaged() {
            is_refused(&service, work).await;
        }
    }

    #[test]
    fn whoever_may_not_administer_takes_no_thread_from_those_who_may() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .max_blocking_threads(1)
            .build()
            .expect("a runtime");
        let (busy, wait) = std::sync::mpsc::channel::<()>();
        // The only thread for arithmetic has something to do until `busy` is dropped.
        let _thread = runtime.spawn_blocking(move || wait.recv());
        let service = service();
        runtime.block_on(async {
            for work in damaged() {
                tokio::time::timeout(Duration::from_secs(10), is_refused(&service, work))
                    .await
                    .expect("refused without that thread");
            }
        });
        drop(busy);
    }
}

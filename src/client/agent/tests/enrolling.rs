//! Enrolment: a token is brought where it is asked for, to the server that it names and to no other.

use super::*;
use crate::client::EnrolmentToken;
use crate::client::agent::EnrolError;
use crate::wire::messages::enrol::EnrolOk;

const SECRET: [u8; 20] = [7; 20];

/// A server that asks for a token once, and grants after it has one.
async fn asking(vendor: &Arc<Vendor>) -> Stub {
    let [identity] = identities();
    let vendor = vendor.clone();
    let mut enrolled = false;
    Stub::start(&identity, hello_ok(), move |request| {
        Some(match request {
            Request::Enrol(_) => {
                enrolled = true;
                Response::Enrol(EnrolOk {
                    server_time: 1_000,
                    label: "office".to_owned(),
                })
            }
            _ if enrolled => vendor.grant(7),
            _ => refused(Status::ENROLMENT_REQUIRED),
        })
    })
    .await
}

fn brought(stub: &Stub) -> Vec<[u8; 20]> {
    let asked = stub.asked();
    let secrets = asked.iter().filter_map(|request| match request {
        Request::Enrol(enrol) => Some(enrol.secret.0),
        _ => None,
    });
    secrets.collect()
}

fn for_server(stub: &Stub) -> EnrolmentToken {
    EnrolmentToken::new(SECRET, stub.fingerprint)
}

#[tokio::test]
async fn a_checkout_brings_the_token_where_it_is_asked_for_one_and_pins_by_the_grant() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let stub = asking(&vendor).await;
    let agent = vendor.agent(&directory, "strict").servers(of(&[&stub]));
    let standing = agent.acquire().await;
    let Standing::Denied(denied) = &standing else {
        panic!("{standing}")
    };
    assert_eq!(denied.status, Status::ENROLMENT_REQUIRED);
    assert!(denied.text.starts_with("invalid license: "), "{}", denied.text);
    let standing = agent.clone().enrolment_token(for_server(&stub)).acquire().await;
    assert!(matches!(standing, Standing::Licensed(_)), "{standing}");
    assert_eq!(brought(&stub), [SECRET]);
    // Nothing is asked for any more, so nothing is brought.
    assert!(agent.enrolment_token(for_server(&stub)).acquire().await.may_run());
    assert_eq!(brought(&stub), [SECRET]);
}

#[tokio::test]
async fn a_server_that_the_token_does_not_name_never_gets_it() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let (rogue, right) = (asking(&vendor).await, asking(&vendor).await);
    let token = for_server(&right);
    let agent = vendor.agent(&directory, "strict").enrolment_token(token.clone());
    let standing = agent.clone().servers(of(&[&rogue])).acquire().await;
    assert!(
        standing
            .to_string()
            .contains("the enrolment token that was given is for another server"),
        "{standing}"
    );
    let enrolling = agent.clone().deadline(Duration::from_secs(2)).servers(of(&[&rogue]));
    let error = enrolling.enrol(&token).await.unwrap_err();
    assert!(matches!(&error, EnrolError::NoServer(_)), "{error}");
    assert!(
        error.to_string().contains("not the server that this token is for"),
        "{error}"
    );
    // Also not where it is trusted.
    assert!(agent.trust(rogue.fingerprint).await.unwrap());
    let standing = agent.clone().servers(of(&[&rogue])).acquire().await;
    assert!(!standing.may_run(), "{standing}");
    assert_eq!(brought(&rogue), Vec::<[u8; 20]>::new());
}

#[tokio::test]
async fn enrolling_alone_asks_for_no_seat_and_pins_nothing() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let (other, right) = (asking(&vendor).await, asking(&vendor).await);
    let agent = vendor.agent(&directory, "strict").servers(of(&[&other, &right]));
    let enrolled = agent.enrol(&for_server(&right)).await.unwrap();
    assert_eq!(
        (enrolled.label.as_str(), enrolled.server.fingerprint),
        ("office", right.fingerprint)
    );
    assert_eq!(right.asked().len(), 1);
    assert_eq!(other.asked(), []);
    assert_eq!(agent.recall().await.unwrap().pins, []);
}

#[tokio::test]
async fn a_refused_token_is_what_the_user_is_told_of() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let [identity] = identities();
    let stub = Stub::start(&identity, hello_ok(), |request| {
        Some(refused(match request {
            Request::Enrol(_) => Status::TOKEN_REFUSED,
            _ => Status::ENROLMENT_REQUIRED,
        }))
    })
    .await;
    let agent = vendor.agent(&directory, "strict").servers(of(&[&stub]));
    let standing = agent.clone().enrolment_token(for_server(&stub)).acquire().await;
    let Standing::Denied(denied) = &standing else {
        panic!("{standing}")
    };
    assert_eq!(denied.status, Status::TOKEN_REFUSED);
    let error = agent.enrol(&for_server(&stub)).await.unwrap_err();
    assert!(
        matches!(error, EnrolError::Refused(Status::TOKEN_REFUSED, _)),
        "{error}"
    );
}

#[tokio::test]
async fn the_successor_of_the_server_that_a_token_names_gets_it() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let [old, new] = identities();
    let statement = Succession::sign(&old, new.public_key()).unwrap();
    let hello = HelloOk {
        succession: vec![hello::Succession {
            old_spki: statement.old_spki.into(),
            signature: statement.signature.into(),
        }],
        ..hello_ok()
    };
    let stub = Stub::start(&new, hello, |_| {
        Some(Response::Enrol(EnrolOk {
            server_time: 1_000,
            label: String::new(),
        }))
    })
    .await;
    let token = EnrolmentToken::new(SECRET, Fingerprint(old.fingerprint()));
    let agent = vendor.agent(&directory, "strict").servers(of(&[&stub]));
    assert!(agent.enrol(&token).await.is_ok());
    assert_eq!(brought(&stub), [SECRET]);
}

#[test]
fn an_agent_does_not_show_its_token() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Vendor::new(1));
    let agent = vendor.agent(&directory, "strict");
    let agent = agent.enrolment_token(EnrolmentToken::new(SECRET, Fingerprint([1; 32])));
    assert!(format!("{agent:?}").contains("EnrolmentToken(..)"));
}

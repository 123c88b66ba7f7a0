use std::time::Duration;

use super::*;
use crate::client::testing::{Peer, Stub, hello_ok, identities, listening};
use crate::wire::messages::hello::{Refusal, Succession};
use crate::wire::messages::seat::{Availability, AvailabilityOk, Counts};
use crate::wire::{Opcode, Status, decode_frame};

fn soon() -> Deadline {
    Deadline::after(Duration::from_millis(200))
}

fn patient() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

#[tokio::test]
async fn hello_tells_who_the_server_is() {
    let [client, server] = identities();
    let (listener, target) = listening().await;
    let serving = tokio::spawn({
        let server = server.clone();
        async move {
            let mut peer = Peer::accept(&listener, &server).await.unwrap();
            peer.greet(hello_ok()).await;
        }
    });
    let pins = PinRule::OneOf(vec![server.fingerprint()]);
    let connection = connect(target, &client, pins, patient()).await.unwrap();
    assert_eq!(connection.fingerprint(), Fingerprint(server.fingerprint()));
    assert_eq!(connection.server(), ServerId([5; 16]));
    assert_eq!(connection.hello().epoch, 3);
    assert_eq!(connection.succeeds(), []);
    serving.await.unwrap();
}

#[tokio::test]
async fn who_connects_again_resumes_with_the_server_that_the_pins_admit() {
    let [client, server, other] = identities();
    let stub = Stub::start(&server, hello_ok(), |_| None).await;
    let sessions = Sessions::default();
    let again = |pins| connect_again(stub.address.into(), &client, pins, patient(), &sessions);
    let pins = PinRule::OneOf(vec![server.fingerprint()]);
    for resumed in [false, false, true, true] {
        let connection = again(pins.clone()).await.unwrap();
        assert_eq!(connection.is_resumed(), resumed);
        assert_eq!(connection.fingerprint(), Fingerprint(server.fingerprint()));
        assert_eq!(connection.hello().epoch, 3);
    }
    let error = again(PinRule::OneOf(vec![other.fingerprint()])).await.unwrap_err();
    assert!(matches!(error.fault, Fault::NotTrusted(seen) if seen == Fingerprint(server.fingerprint())));
    let connection = connect(stub.address.into(), &client, pins, patient()).await.unwrap();
    assert!(!connection.is_resumed());
}

#[tokio::test]
async fn steps_are_told_as_they_are_taken() {
    let [client, server] = identities();
    let (listener, target) = listening().await;
    let serving = tokio::spawn({
        let server = server.clone();
        async move {
            let peer = Peer::accept(&listener, &server).await.unwrap();
            drop(peer);
        }
    });
    let mut steps = Vec::new();
    let error = connect_in_steps(target, &client, PinRule::Any, patient(), |step| steps.push(step))
        .await
        .unwrap_err();
    serving.await.unwrap();
    let [Step::Connected(local), Step::Secured(fingerprint)] = steps[..] else {
        unreachable!("{steps:?}, then {error}");
    };
    assert!(local.ip().is_loopback());
    assert_eq!(fingerprint, Fingerprint(server.fingerprint()));
}

#[tokio::test]
async fn a_server_that_is_not_pinned_is_asked_nothing() {
    let [client, pinned, other] = identities();
    let (listener, target) = listening().await;
    let serving = tokio::spawn({
        let other = other.clone();
        async move { Peer::accept(&listener, &other).await.map(|_| ()) }
    });
    let pins = PinRule::OneOf(vec![pinned.fingerprint()]);
    let error = connect(target.clone(), &client, pins, patient()).await.unwrap_err();
    assert_eq!(error.target, target);
    assert!(matches!(error.fault, Fault::NotTrusted(seen) if seen == Fingerprint(other.fingerprint())));
    assert!(serving.await.unwrap().is_err());
}

#[tokio::test]
async fn a_server_that_says_nothing_costs_no_more_than_the_deadline() {
    let [client] = identities();
    let (listener, target) = listening().await;
    let error = connect(target, &client, PinRule::Any, soon()).await.unwrap_err();
    assert!(matches!(error.fault, Fault::Silent(_)), "{error}");
    drop(listener);
}

#[tokio::test]
async fn a_server_that_greets_and_then_says_nothing_costs_no_more_than_the_deadline() {
    let [client, server] = identities();
    let (listener, target) = listening().await;
    let serving = tokio::spawn(async move {
        let mut peer = Peer::accept(&listener, &server).await.unwrap();
        peer.greet(hello_ok()).await;
        while peer.read().await.is_some() {}
    });
    let mut connection = connect(target, &client, PinRule::Any, patient()).await.unwrap();
    let asked = Request::Availability(Availability {
        vendor: None,
        product: "BKSRV".to_owned(),
    });
    let error = connection.request(&asked, soon()).await.unwrap_err();
    assert!(matches!(error.fault, Fault::Silent(_)), "{error}");
    let error = connection.request(&asked, patient()).await.unwrap_err();
    assert!(
        matches!(error.fault, Fault::Closed),
        "a late answer would be taken for this one"
    );
    drop(connection);
    serving.await.unwrap();
}

#[tokio::test]
async fn a_closed_port_is_told_as_unreachable_with_its_address() {
    let [client] = identities();
    let (listener, target) = listening().await;
    drop(listener);
    let error = connect(target.clone(), &client, PinRule::Any, patient())
        .await
        .unwrap_err();
    assert!(matches!(error.fault, Fault::Unreachable(_)));
    let told = crate::client::with_causes(&error);
    assert!(
        told.starts_with(&format!("{target}: not reachable: ")),
        "no cause in {told:?}"
    );
}

#[tokio::test]
async fn many_requests_are_answered_in_order_and_within_the_servers_limit() {
    let [client, server] = identities();
    let (listener, target) = listening().await;
    let serving = tokio::spawn(async move {
        let mut peer = Peer::accept(&listener, &server).await.unwrap();
        peer.greet(hello_ok()).await;
        for window in [4_u64, 4, 2] {
            let mut asked = Vec::new();
            for _ in 0..window {
                asked.push(peer.read().await.unwrap());
            }
            assert!(
                decode_frame(&mut peer.inbox).unwrap().is_none(),
                "more than 4 in flight"
            );
            for (request, body) in asked {
                let Request::Availability(body) = body else {
                    panic!("{body:?}")
                };
                let total = body.product.strip_prefix('P').unwrap().parse().unwrap();
                let counts = Counts {
                    total,
                    ..Counts::default()
                };
                let answer = Response::Availability(AvailabilityOk {
                    server_time: 1,
                    counts,
                    units: Counts::default(),
                });
                peer.answer(request, Opcode::AVAILABILITY, &answer).await;
            }
        }
    });
    let mut connection = connect(target, &client, PinRule::Any, patient()).await.unwrap();
    let requests: Vec<Request> = (0..10)
        .map(|number| {
            Request::Availability(Availability {
                vendor: None,
                product: format!("P{number}"),
            })
        })
        .collect();
    let answers = connection.pipeline(&requests, patient()).await.unwrap();
    let totals: Vec<u64> = answers
        .iter()
        .map(|answer| match answer {
            Response::Availability(answer) => answer.counts.total,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(totals, (0..10).collect::<Vec<u64>>());
    serving.await.unwrap();
}

#[tokio::test]
async fn a_refusal_at_hello_is_told_in_the_servers_words() {
    let [client, server] = identities();
    let (listener, target) = listening().await;
    let serving = tokio::spawn(async move {
        let mut peer = Peer::accept(&listener, &server).await.unwrap();
        let (request, _) = peer.read().await.unwrap();
        let refusal = Refusal {
            text: "the server is busy".to_owned(),
            retry_secs: Some(2),
            ..Refusal::default()
        };
        let refused = Response::Refused(Status::BUSY, refusal);
        peer.answer(request, Opcode::HELLO, &refused).await;
    });
    let error = connect(target, &client, PinRule::Any, patient()).await.unwrap_err();
    assert_eq!(error.fault.retry_after(), Some(Duration::from_secs(2)));
    assert!(error.to_string().ends_with("the server is busy"));
    serving.await.unwrap();
}

#[tokio::test]
async fn a_succession_is_believed_for_the_key_of_this_session_only() {
    let [client, old, new, thief] = identities();
    let statement = tls::Succession::sign(&old, new.public_key()).unwrap();
    for (server, believed) in [(new, vec![Fingerprint(old.fingerprint())]), (thief, vec![])] {
        let (listener, target) = listening().await;
        let hello = HelloOk {
            succession: vec![Succession {
                old_spki: statement.old_spki.clone().into(),
                signature: statement.signature.clone().into(),
            }],
            ..hello_ok()
        };
        let serving = tokio::spawn(async move {
            let mut peer = Peer::accept(&listener, &server).await.unwrap();
            peer.greet(hello).await;
        });
        let connection = connect(target, &client, PinRule::Any, patient()).await.unwrap();
        assert_eq!(connection.succeeds(), believed);
        serving.await.unwrap();
    }
}

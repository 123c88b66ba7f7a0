//! Offers that are false: forged, sent from elsewhere, kept from another question.

use std::net::SocketAddr;

use tokio::net::{TcpListener, UdpSocket};

use super::servers::{answer_with, numbered, offer_of, on_every_interface};
use super::*;

#[tokio::test]
async fn no_false_offer_diverts_an_agent_from_its_pinned_server_or_hides_it() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let own = granting(&vendor, numbered(1)).await;
    // It has seen a certificate of the vendor's, and would grant whatever it is asked.
    let thief = granting(&vendor, numbered(1)).await;
    let (silent, dead) = crate::client::testing::listening().await;
    let sockets = on_every_interface();
    let mut site = Site::only::<&str>(&[], 1);
    site.ways = BTreeSet::from([Way::Lan]);
    let agent = vendor
        .agent(&directory, "strict")
        .site(site)
        .port(sockets.port().unwrap());
    assert!(agent.trust(own.fingerprint).await.unwrap());
    // As if sent with the server's own address as their source, which nothing in a network keeps anybody from; each is
    // preferred to the true one, and there before it.
    let forged = |offer: Offer| Offer { priority: 0, ..offer };
    let at = |port| {
        forged(Offer {
            port,
            ..offer_of(&own, 1)
        })
    };
    let false_ones = [
        // The server's id and identity at another port: where a thief listens, and where nobody answers.
        at(thief.address.port()),
        at(dead.address.port()),
        // Another id and identity where the server is.
        forged(Offer {
            port: own.address.port(),
            ..offer_of(&thief, 2)
        }),
    ];
    for known in [0, 7] {
        let offers = [&false_ones[..], &[offer_of(&own, 1)]].concat();
        let standing = tokio::select! {
            standing = agent.acquire() => standing,
            () = answer_with(&sockets, &offers) => unreachable!(),
        };
        let Standing::Licensed(licensed) = standing else {
            panic!("{standing}")
        };
        assert_eq!(licensed.server.fingerprint, own.fingerprint);
        assert_eq!(checkouts(&own).last(), Some(&known));
    }
    // Where there are false ones alone, the thief is visited, and asked nothing.
    let agent = agent.deadline(Duration::from_secs(2));
    let standing = tokio::select! {
        standing = agent.acquire() => standing,
        () = answer_with(&sockets, &false_ones[..2]) => unreachable!(),
    };
    assert!(matches!(standing, Standing::NoServer(_)), "{standing}");
    assert!(
        standing.to_string().contains(&thief.fingerprint.to_string()),
        "{standing}"
    );
    assert_eq!(thief.asked(), []);
    let pins = agent.recall().await.unwrap().pins;
    assert_eq!(pins.len(), 1);
    assert_eq!(pins[0].fingerprint, own.fingerprint);
    drop(silent);
}

/// A host that nobody asked, whose address is 127.0.0.77. Whoever connects there meets `thief`.
async fn elsewhere(thief: &Stub) -> (UdpSocket, SocketAddr) {
    let at = ([127, 0, 0, 77], 0);
    let (socket, listener) = (
        UdpSocket::bind(SocketAddr::from(at)),
        TcpListener::bind(SocketAddr::from(at)),
    );
    let (socket, listener) = (socket.await.unwrap(), listener.await.unwrap());
    let (address, thief) = (listener.local_addr().unwrap(), thief.address);
    tokio::spawn(async move {
        while let Ok((mut here, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut there = tokio::net::TcpStream::connect(thief).await.unwrap();
                tokio::io::copy_bidirectional(&mut here, &mut there).await
            });
        }
    });
    (socket, address)
}

/// Answers questions from a host that was not asked, with each of `false_ones`: with the nonce of the question, or their
/// own. Then whoever was asked answers with the true ones.
async fn answer_from(
    (socket, sockets): (&UdpSocket, &ServerSockets),
    own_nonces: bool,
    false_ones: &[Offer],
    true_ones: &[Offer],
) {
    let asked = sockets.v4.as_ref().unwrap();
    let mut buffer = [0; 1_024];
    loop {
        let received = asked.receive(&mut buffer).await.unwrap();
        let question = Question::decode(&buffer[..received.len]).unwrap();
        let answer = |offer: &Offer, own_nonce| Offer {
            nonce: if own_nonce { offer.nonce } else { question.nonce },
            ..offer.clone()
        };
        for offer in false_ones {
            let bytes = answer(offer, own_nonces).encode().unwrap();
            socket.send_to(&bytes, received.source).await.unwrap();
        }
        for offer in true_ones {
            let bytes = answer(offer, false).encode().unwrap();
            asked.send(&bytes, received.source, received.way_back()).unwrap();
        }
    }
}

/// The nonces of the questions that are asked until `standing` is there.
async fn nonces_of<T>(sockets: &ServerSockets, standing: impl Future<Output = T>) -> Vec<[u8; 16]> {
    let mut nonces = Vec::new();
    let listen = async {
        let mut buffer = [0; 1_024];
        loop {
            let received = sockets.v4.as_ref().unwrap().receive(&mut buffer).await.unwrap();
            nonces.push(Question::decode(&buffer[..received.len]).unwrap().nonce);
        }
    };
    tokio::select! {
        _ = standing => {}
        () = listen => unreachable!(),
    }
    nonces
}

#[tokio::test]
async fn an_offer_from_elsewhere_or_to_an_earlier_question_leads_to_nobody() {
    let (directory, vendor) = (tempfile::tempdir().unwrap(), Arc::new(Vendor::new(1)));
    let own = granting(&vendor, numbered(1)).await;
    let thief = granting(&vendor, numbered(1)).await;
    let (socket, there) = elsewhere(&thief).await;
    let sockets = on_every_interface();
    let mut site = Site::only::<&str>(&[], 1);
    site.ways = BTreeSet::from([Way::Lan]);
    let agent = vendor
        .agent(&directory, "strict")
        .site(site)
        .port(sockets.port().unwrap())
        .deadline(Duration::from_secs(2));
    assert!(agent.trust(own.fingerprint).await.unwrap());
    let earlier = nonces_of(&sockets, agent.acquire()).await;
    assert!(!earlier.is_empty());
    // Who hears the question can answer it from any address: whoever is there has to be the pinned one, and the thief is
    // not, whatever it says of itself.
    let false_offer = |nonce| Offer {
        nonce,
        priority: 0,
        port: there.port(),
        ..offer_of(&own, 1)
    };
    let forged = [false_offer([0; 16])];
    let standing = tokio::select! {
        standing = agent.acquire() => standing,
        () = answer_from((&socket, &sockets), false, &forged, &[]) => unreachable!(),
    };
    let is_met = |standing: &Standing| standing.to_string().contains(&thief.fingerprint.to_string());
    assert!(
        matches!(standing, Standing::NoServer(_)) && is_met(&standing),
        "it is visited, and told: {standing}"
    );
    // What answers a question of before, or none, is no offer: nobody is visited, though it would be the thief again, or
    // the server itself.
    let late = earlier.into_iter().chain([[0; 16], [0xff; 16]]).flat_map(|nonce| {
        let true_one = Offer {
            nonce,
            ..offer_of(&own, 1)
        };
        [false_offer(nonce), true_one]
    });
    let late: Vec<_> = late.collect();
    let standing = tokio::select! {
        standing = agent.acquire() => standing,
        () = answer_from((&socket, &sockets), true, &late, &[]) => unreachable!(),
    };
    assert!(
        matches!(standing, Standing::NoServer(_)) && !is_met(&standing),
        "{standing}"
    );
    assert_eq!((thief.asked(), own.asked()), (vec![], vec![]));
    // Beside all of them the true offer is followed.
    let true_one = [offer_of(&own, 1)];
    let standing = tokio::select! {
        standing = agent.acquire() => standing,
        () = answer_from((&socket, &sockets), true, &late, &true_one) => unreachable!(),
    };
    let Standing::Licensed(licensed) = standing else {
        panic!("{standing}")
    };
    assert_eq!(licensed.server.fingerprint, own.fingerprint);
    assert_eq!(thief.asked(), []);
}

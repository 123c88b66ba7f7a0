//! Datagrams read as what they are written as, and an answer is never longer than its question.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seatkeeper::domain::ids::{Fingerprint, ProductKey, ServerId, VendorId};
use seatkeeper::domain::time::{Monotonic, Timestamp};
use seatkeeper::session::responder::Action;
use seatkeeper::session::{Addressed, Facts, Responder};
use seatkeeper::wire::discovery::{Offer, Question};
use seatkeeper::wire::limits::QUESTION_LEN;

fn facts() -> Facts {
    let product = ProductKey {
        vendor: VendorId([0x11; 16]),
        product: "BKSRV".parse().expect("an id"),
    };
    Facts {
        server: ServerId([1; 16]),
        fingerprint: Fingerprint([2; 32]),
        name: "a server".to_owned(),
        server_version: "1".to_owned(),
        port: 17_328,
        epoch: 1,
        priority: 100,
        products: [product].into(),
    }
}

fuzz_target!(|datagram: &[u8]| {
    let question = Question::decode(datagram);
    if let Ok(question) = &question {
        assert_eq!(datagram.len(), QUESTION_LEN);
        let written = question.encode().expect("it was read, so it is within its bounds");
        assert_eq!(Question::decode(&written).as_ref(), Ok(question));
    }
    if let Ok(offer) = Offer::decode(datagram) {
        let written = offer.encode().expect("it was read, so it is within its bounds");
        assert!(written.len() <= QUESTION_LEN);
        assert_eq!(Offer::decode(&written), Ok(offer));
    }

    let (from, at) = ("192.0.2.7:4000".parse().expect("an address"), Monotonic(1));
    let mut responder = Responder::new([3; 16], at);
    for addressed in [Addressed::Direct, Addressed::Group] {
        match responder.handle(datagram, (from, addressed), &facts(), (Timestamp(1), at), 7) {
            Action::Ignore(_) => {}
            Action::Respond { offer, .. } => {
                assert!(offer.len() <= datagram.len());
                let offer = Offer::decode(&offer).expect("a readable offer");
                assert_eq!(Ok(offer.nonce), question.as_ref().map(|question| question.nonce));
            }
        }
    }
});

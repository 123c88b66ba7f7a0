//! What peers call things: whatever they say, no file comes or goes by it.

use std::collections::BTreeSet;
use std::path::Path;

use bytes::Bytes;
use seatkeeper::codec::Writer;
use seatkeeper::codec::tlv::{self, Fields};
use seatkeeper::tls::Identity;
use seatkeeper::wire::messages::{self, FieldRow, Place};
use seatkeeper::wire::{Opcode, Status};
use seatkeeper_harm::names_below;

use super::roles::request;
use crate::site::Site;
use crate::wire::{Wire, hello};

/// What a file, a shell or a log would stumble over. None of them leads to anything that matters: where the claim does
/// not hold, the machine that finds out must not pay for it.
const HOSTILE: [&str; 14] = [
    "../../../../../../tmp/pwned-by-a-peer",
    "..",
    "/",
    "/tmp/pwned-by-a-peer",
    "~/pwned-by-a-peer",
    "file:///tmp/pwned-by-a-peer",
    r"\\host\share\pwned",
    "identity.pem",
    "journal/../admin.pem",
    "$(touch pwned-by-a-peer)",
    "%2e%2e%2fpwned-by-a-peer",
    "pwned-by-a-peer\0/../x",
    "pwned-by-a-peer\n[2026] a line of its own",
    "\x1b[2Jpwned-by-a-peer",
];

/// `body` with its field `row` saying `value`, or with one more of it.
fn saying(body: &[u8], row: &FieldRow, value: &[u8]) -> Bytes {
    let mut fields: Vec<(u16, Vec<u8>)> = Fields::of(body)
        .map(|field| field.expect("an encoded body"))
        .map(|field| (field.tag, field.value.to_vec()))
        .collect();
    fields.retain(|(tag, _)| *tag != row.tag);
    fields.push((row.tag, value.to_vec()));
    fields.sort();
    let mut out = Writer::new();
    for (tag, value) in fields {
        tlv::put(&mut out, tag, &value).expect("within its bounds");
    }
    out.into_bytes().into()
}

/// Says `value` in one field of one request, over a connection of its own; what it was answered.
async fn say(site: &Site, identity: &Identity, opcode: Opcode, row: &FieldRow, value: &[u8]) -> Status {
    let mut wire = Wire::connect(site.server().address(), identity).await.expect("TLS");
    if opcode != Opcode::HELLO {
        wire.ask(&hello()).await.expect("HELLO");
    }
    let body = request(site, opcode).to_body().expect("within its bounds");
    wire.send_frame(opcode, saying(&body, row, value)).await.expect("sent");
    let frame = wire.receive().await.expect("an answer").expect("an answer");
    frame.status
}

#[tokio::test]
async fn no_name_that_a_peer_says_makes_opens_or_removes_a_file() {
    let mut site = Site::open();
    site.buy(1, "BKSRV", 1_000);
    let administrator = Identity::load(&site.data().join("admin.pem")).unwrap();
    let before = names_below(site.dir.path());
    let here = site.dir.path().join("pwned");
    let (mut texts, mut taken) = (0, BTreeSet::new());
    for row in messages::TABLE {
        let Place::Request(opcodes) = row.place else { continue };
        for (field, &opcode) in row
            .fields
            .iter()
            .filter(|field| field.kind == "text")
            .zip(opcodes.iter().cycle())
        {
            let longest = "x".repeat(field.len_max);
            let too_long = format!("{longest}x");
            let more = [here.to_str().unwrap(), &longest, &too_long];
            for value in HOSTILE.iter().copied().chain(more) {
                let status = say(&site, &administrator, opcode, field, value.as_bytes()).await;
                texts += 1;
                let has_controls = value.chars().any(char::is_control);
                if has_controls || value.len() > field.len_max {
                    assert_eq!(status, Status::MALFORMED, "{}.{}: {value:?}", row.name, field.name);
                } else if status == Status::OK {
                    taken.insert(format!("{}.{}", row.name, field.name));
                }
            }
        }
    }
    assert!(texts > 15 * HOSTILE.len(), "{texts} texts were said");
    // Texts that are only kept and shown are kept as they are.
    for kept in ["AdminAdd.label", "Checkout.host_name", "Hello.client", "SeatEnd.reason"] {
        assert!(taken.contains(kept), "{kept} is not among {taken:?}");
    }
    // Views and a start show and read them; neither makes a file of them.
    for view in [&["seats"][..], &["licenses"], &["admin", "list"], &["reservations"]] {
        site.json(view);
        site.admin(view.iter().copied()).ok();
    }
    assert!(
        !site.server().log().contains("pwned-by-a-peer\n[2026]"),
        "a line of its own in the log"
    );
    site.stop();
    site.start();
    let after = names_below(site.dir.path());
    assert_eq!(after, before, "{:?}", after.symmetric_difference(&before));
    // Nor where the server was started.
    for place in ["/tmp/pwned-by-a-peer", "pwned-by-a-peer", "identity.pem"] {
        assert!(!Path::new(place).exists(), "{place}");
    }
}

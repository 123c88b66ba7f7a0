//! Fills the corpora with the protocol's vectors, with texts that a vendor signed, and with what a store writes:
//! `cargo +nightly run --manifest-path tests/fuzz/Cargo.toml --example seeds`.

mod stored;
mod story;

use std::fs;
use std::io;
use std::path::Path;

use data_encoding::HEXLOWER_PERMISSIVE;
use seatkeeper::domain::blacklist::Listed;
use seatkeeper::domain::catalogue::{Component, Offers, OnConflict};
use seatkeeper::domain::ids::Serial;
use seatkeeper::domain::license::{Claims, Kind, Usage, Validity};
use seatkeeper::domain::time::Timestamp;
use seatkeeper::vendor::{
    BlacklistDraft, CatalogueDraft, KeyDraft, ProductDraft, SignedBlacklist, SignedCatalogue, SigningKey,
    sign_blacklist, sign_catalogue, sign_key,
};
use seatkeeper::wire::Opcode;
use seatkeeper_fuzz::step;

/// A vector: its kind with its name, and its bytes.
type Vector = (String, Vec<u8>);

fn main() -> io::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = vectors(here, "accept")?;
    all.extend(vectors(here, "reject")?);
    for (name, bytes) in &all {
        seed(here, "datagrams", name, bytes)?;
        // The numbers of a target come first, low byte before high byte, then the bytes.
        seed(here, "frames", name, &[&[1], bytes.as_slice()].concat())?;
        if let Some((header, body)) = bytes.split_at_checked(12) {
            let little = |at: usize| [header[at + 1], header[at]];
            let opcode = u16::from_le_bytes(little(4)) & 0x7fff;
            let message = [&opcode.to_le_bytes(), little(6).as_slice(), body].concat();
            seed(here, "messages", name, &message)?;
        }
        seed(here, "server_session", name, bytes)?;
        seed(here, "client_session", name, &conversation(&all, bytes))?;
    }
    signed(here)?;
    stored::seeds(here)
}

fn vectors(here: &Path, kind: &str) -> io::Result<Vec<Vector>> {
    let mut vectors = Vec::new();
    for entry in fs::read_dir(here.join("../../proto-spec/vectors/v1").join(kind))? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "hex") {
            let name = format!("{kind}-{}", path.file_stem().unwrap_or_default().to_string_lossy());
            vectors.push((name, vector(&fs::read_to_string(&path)?)));
        }
    }
    vectors.sort();
    Ok(vectors)
}

/// A client's session that is greeted, asks what `bytes` answer, if they are a reply, and gets them. The first byte says
/// how long pieces are.
fn conversation(all: &[Vector], bytes: &[u8]) -> Vec<u8> {
    let body_of = |opcode: u16| {
        let is_it =
            |(name, bytes): &&Vector| name.starts_with("accept") && bytes.get(4..6) == Some(&opcode.to_be_bytes());
        all.iter().find(is_it).and_then(|(_, bytes)| bytes.get(12..))
    };
    let mut steps = vec![63];
    let hello_ok = body_of(Opcode::HELLO.reply().0).unwrap_or_default();
    steps.extend(step(2, &[&[0, 0], hello_ok].concat()));
    if let Some((&[_, _, _, _, high, low, status_high, status_low, _, _, _, _], body)) = bytes.split_first_chunk() {
        let opcode = u16::from_be_bytes([high & 0x7f, low]);
        let place = Opcode::TABLE.iter().position(|row| row.opcode == Opcode(opcode));
        let place = place.and_then(|place| u8::try_from(place).ok()).unwrap_or_default();
        steps.extend(step(0, &[&[place], body_of(opcode).unwrap_or_default()].concat()));
        steps.extend(step(5, &[]));
        steps.extend(step(0, &[&[place], body_of(opcode).unwrap_or_default()].concat()));
        steps.extend(step(2, &[&[status_low, status_high], body].concat()));
        // The second answer is one to another request.
        steps.extend(step(6, &[&[1, 0], body].concat()));
    }
    steps.extend(step(1, bytes));
    steps
}

/// The bytes of a vector: hexadecimal digits, with a comment behind `#`.
fn vector(text: &str) -> Vec<u8> {
    let digits = text.lines().filter_map(|line| line.split('#').next());
    let digits: String = digits.flat_map(str::chars).filter(char::is_ascii_hexdigit).collect();
    HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).unwrap_or_default()
}

fn signed(here: &Path) -> io::Result<()> {
    let signer = SigningKey::from_seed([1; 32]);
    let product: seatkeeper::domain::ids::ProductId = "BKSRV".parse().map_err(io::Error::other)?;
    let claims = Claims {
        vendor: signer.vendor_key().id(),
        serial: Serial::from_random([7; 10]),
        product,
        seats: 10,
        kind: Kind::Trial,
        usage: Usage::Machine,
        issued_at: Timestamp(1_767_225_600),
        validity: Validity::Days(30),
        support_until_day: Some(20_500),
        auto_renew: true,
    };
    let key = sign_key(&signer, &KeyDraft::from(claims), [3; 16]).map_err(io::Error::other)?;
    seed(here, "signed_texts", "key", key.as_bytes())?;
    let text = format!("# Licenses\r\n\"{key}\"; {}\r\n", key.to_lowercase());
    seed(here, "signed_texts", "key-file", text.as_bytes())?;
    // Words, a key in a shape, a damaged one, a wrapped one.
    for shape in 0..8 {
        let steps = [
            step(0, b"\xef\xbb\xbf# Licenses, ten seats each"),
            step(3, &[shape, shape, 20]),
            step(1, &[1, 30, 0, b'?', b' ']),
            step(2, &[]),
            step(3, &[1, 5 + 8 * (shape % 5), shape * 7]),
            step(0, text.as_bytes()),
        ];
        seed(here, "import_files", &format!("keys-{shape}"), &steps.concat())?;
    }
    seed(
        here,
        "signed_texts",
        "public-key",
        signer.vendor_key().to_pem().as_bytes(),
    )?;
    let component = Component {
        counted: true,
        lenient: true,
        ephemeral: false,
    };
    let entry = ProductDraft {
        name: "Backup Server".to_owned(),
        idle_days: 7,
        single_use: false,
        offline_days: 5,
        components: [("agent".parse().map_err(io::Error::other)?, component)].into(),
        required_product: None,
        on_conflict: OnConflict::Refuse,
        offers: Offers::DeploymentFirst,
    };
    let draft = CatalogueDraft {
        vendor_name: "Vendor".to_owned(),
        version: 1,
        issued_at: Timestamp(1_767_225_600),
        products: [(product, entry)].into(),
    };
    let text = sign_catalogue(&signer, &draft).map_err(io::Error::other)?;
    seed(here, "signed_texts", "catalogue", text.as_bytes())?;
    let catalogue = SignedCatalogue::parse(&text).map_err(io::Error::other)?;
    seed(here, "signed_texts", "catalogue-bytes", catalogue.bytes())?;
    let verified = catalogue.verify(&signer.vendor_key()).map_err(io::Error::other)?;
    for product in verified.products.values() {
        seed(here, "signed_texts", "entry", &product.signed_entry)?;
    }
    blacklist(here, &signer)
}

fn blacklist(here: &Path, signer: &SigningKey) -> io::Result<()> {
    let draft = BlacklistDraft {
        version: 2,
        issued_at: Timestamp(1_767_225_600),
        contact: "licenses@example.com".to_owned(),
        serials: [
            (Serial::from_random([7; 10]), Listed::Blacklisted),
            (Serial::from_random([8; 10]), Listed::Superseded),
        ]
        .into(),
    };
    let text = sign_blacklist(signer, &draft).map_err(io::Error::other)?;
    seed(here, "signed_texts", "blacklist", text.as_bytes())?;
    let blacklist = SignedBlacklist::parse(&text).map_err(io::Error::other)?;
    seed(here, "signed_texts", "blacklist-bytes", blacklist.bytes())
}

fn seed(here: &Path, target: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
    let corpus = here.join("corpus").join(target);
    fs::create_dir_all(&corpus)?;
    fs::write(corpus.join(name), bytes)
}

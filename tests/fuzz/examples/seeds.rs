//! Fills the corpora with the protocol's vectors and with texts that a vendor signed:
//! `cargo +nightly run --manifest-path tests/fuzz/Cargo.toml --example seeds`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

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

fn main() -> io::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for kind in ["accept", "reject"] {
        let mut vectors: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(here.join("../../proto-spec/vectors/v1").join(kind))? {
            vectors.push(entry?.path());
        }
        for path in vectors
            .iter()
            .filter(|path| path.extension().is_some_and(|ending| ending == "hex"))
        {
            let bytes = vector(&fs::read_to_string(path)?);
            let name = format!("{kind}-{}", path.file_stem().unwrap_or_default().to_string_lossy());
            seed(here, "datagrams", &name, &bytes)?;
            // The numbers of a target come first, low byte before high byte, then the bytes.
            seed(here, "frames", &name, &[&[1], bytes.as_slice()].concat())?;
            if let Some((header, body)) = bytes.split_at_checked(12) {
                let little = |at: usize| [header[at + 1], header[at]];
                let opcode = u16::from_le_bytes(little(4)) & 0x7fff;
                seed(
                    here,
                    "messages",
                    &name,
                    &[&opcode.to_le_bytes(), little(6).as_slice(), body].concat(),
                )?;
            }
            seed(here, "server_session", &name, &bytes)?;
        }
    }
    signed(here)
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

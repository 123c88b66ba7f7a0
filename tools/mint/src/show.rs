//! `seatmint show`

mod blacklist;
mod explain;

use std::path::Path;

use seatkeeper::vendor::{VendorKey, find_keys};

use self::explain::Explained;
use crate::file;
use crate::output::{Failure, Output};

/// Explain a license key, a file with keys, a catalogue, a blacklist or a public key
///
/// With --vendor-key signatures are checked; without it nothing shown of a key or list is proven. A private key is
/// named as such and not shown.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  seatmint show SK1-... --vendor-key acme.pub\n  seatmint show keys.txt --vendor-key \
                        acme.pub\n  seatmint show acme.catalogue --json\n\nExits with 1 if any of it is damaged or, with \
                        --vendor-key, not genuine."
)]
pub(crate) struct Args {
    /// A license key, a file, or `-` for standard input
    #[arg(value_name = "KEY|FILE|-")]
    what: String,
    /// The vendor's public key file, to check signatures with
    #[arg(long, value_name = "FILE")]
    vendor_key: Option<std::path::PathBuf>,
}

pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    let key = args.vendor_key.as_deref().map(file::vendor_key).transpose()?;
    let begins_like_key = args
        .what
        .get(..3)
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case("SK1"));
    let text = if begins_like_key && !Path::new(&args.what).exists() {
        args.what.clone()
    } else {
        file::read(Path::new(&args.what))?
    };
    let items = explain_all(&text, key.as_ref())?;
    let shown: Vec<String> = items.iter().map(Explained::to_text).collect();
    output.print(&serde_json::json!({ "items": items }), &shown.join("\n"))?;
    match items.iter().filter(|item| item.is_bad()).count() {
        0 => Ok(()),
        bad => Err(Failure::Refused(format!("{bad} of {} cannot be used", items.len()))),
    }
}

fn explain_all(text: &str, key: Option<&VendorKey>) -> Result<Vec<Explained>, Failure> {
    if text.contains("PRIVATE KEY-----") {
        return Ok(vec![Explained::PrivateKey {}]);
    }
    if text.contains("-----BEGIN PUBLIC KEY-----") {
        let public = VendorKey::from_pem(text).map_err(|fault| Failure::Refused(fault.to_string()))?;
        return Ok(vec![explain::public_key(&public)]);
    }
    let mut lists = Vec::new();
    if text.contains("SEATKEEPER CATALOGUE-----") {
        lists.push(explain::catalogue(text, key));
    }
    if text.contains("SEATKEEPER BLACKLIST-----") {
        lists.push(blacklist::explain(text, key));
    }
    if !lists.is_empty() {
        return Ok(lists);
    }
    let found = find_keys(text).map_err(|fault| Failure::Refused(fault.to_string()))?;
    if found.is_empty() {
        return Err(Failure::Refused(
            "no license key, catalogue, blacklist or public key in it; give a file or text of one of these".to_owned(),
        ));
    }
    Ok(found.iter().map(|found| explain::license_key(found, key)).collect())
}

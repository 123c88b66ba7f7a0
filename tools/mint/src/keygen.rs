//! `seatmint keygen`

use std::path::{Path, PathBuf};

use seatkeeper::vendor::SigningKey;
use serde::Serialize;

use crate::file::{self, Secrecy};
use crate::output::{Failure, Output};

/// Make a vendor's key pair
///
/// The private key is readable by its owner only; keep a copy in a safe place: who has it can issue licenses. The public
/// key beside it is for license servers (`seatkeeper vendor trust FILE`) and for building agents. Nothing is overwritten.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  seatmint keygen --out keys --name acme     makes keys/acme.key and keys/acme.pub\n  \
                        seatmint keygen --out acme.key             makes acme.key and acme.pub"
)]
pub(crate) struct Args {
    /// An existing directory, or the private key's file
    #[arg(long, value_name = "DIR|FILE")]
    out: PathBuf,
    /// The files' name in the directory, without ending
    #[arg(long, default_value = "vendor")]
    name: String,
}

#[derive(Serialize)]
struct Made {
    vendor: String,
    private_key: PathBuf,
    public_key: PathBuf,
}

pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    if args.name.is_empty() || Path::new(&args.name).file_name() != Some(args.name.as_ref()) {
        return Err(Failure::Usage(
            "--name is a file's name, without a directory".to_owned(),
        ));
    }
    let (private_key, public_key) = if args.out.is_dir() {
        let place = |ending| args.out.join(format!("{}.{ending}", args.name));
        (place("key"), place("pub"))
    } else {
        (args.out.clone(), args.out.with_extension("pub"))
    };
    if private_key == public_key {
        return Err(Failure::Usage(
            "--out is the private key's file: .pub is for the public one".to_owned(),
        ));
    }
    if public_key.exists() {
        return Err(file::FileError::Exists(public_key).into());
    }
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|fault| Failure::at("no random numbers", fault))?;
    let key = SigningKey::from_seed(seed);
    file::create(&private_key, &key.to_pem(), Secrecy::Secret)?;
    file::create(&public_key, &key.vendor_key().to_pem(), Secrecy::Open)?;
    let made = Made {
        vendor: key.vendor_key().id().to_string(),
        private_key,
        public_key,
    };
    let text = format!(
        "Vendor       {}\nPrivate key  {} (keep it safe and to yourself)\nPublic key   {} (for servers and agents)\n",
        made.vendor,
        made.private_key.display(),
        made.public_key.display(),
    );
    output.print(&made, &text)
}

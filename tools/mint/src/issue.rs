//! `seatmint issue`

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use seatkeeper::domain::ids::{ProductId, Serial};
use seatkeeper::domain::license::{self, Claims, SEATS_MAX, Validity};
use seatkeeper::vendor::{SignedCatalogue, SigningKey, sign_key};
use serde::Serialize;

use crate::dates;
use crate::file::{self, Secrecy};
use crate::output::{Failure, Output};

/// Sign license keys
///
/// Each key gets a serial and an import secret of its own. Keep the output as secret as money: who has a key can import it.
///
/// A renewal is a key with the --serial of the license that it renews, for the same product and usage, with a later end or
/// more seats, and neither of them smaller: --seats and --expires say how it is to be from then on. Without --expires and
/// --days it serves without end. The server keeps the seats of the license.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  seatmint issue --key acme.key --product BKSRV --seats 10\n  \
                        seatmint issue --key acme.key --product BKWKS --seats 3 --kind trial --days 30\n  \
                        seatmint issue --key acme.key --product DEPLOY --seats 50 --usage deployment --expires 2027-12-31 \
                        --count 20 --out keys.txt\n  seatmint issue --key acme.key --product BKSRV --seats 20 --expires \
                        2028-12-31 --serial 0W3G-E1R7-0W3G-E1R7"
)]
pub(crate) struct Args {
    /// The vendor's private key file
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The product's id
    #[arg(long, value_name = "ID")]
    product: ProductId,
    /// Seats of each license, or units of each deployment license
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(SEATS_MAX)))]
    seats: u32,
    /// How the license was bought
    #[arg(long, value_enum, default_value_t = Kind::Commercial)]
    kind: Kind,
    /// What the license is for
    #[arg(long, value_enum, default_value_t = Usage::Machine)]
    usage: Usage,
    /// The last day on which it serves (UTC)
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = dates::parse_day, conflicts_with = "days")]
    expires: Option<u32>,
    /// Days that it serves from its first import on a server, to the second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_525))]
    days: Option<u32>,
    /// Until when the vendor supports the product; shown, not enforced
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = dates::parse_day)]
    support_until: Option<u32>,
    /// The vendor renews the license by itself; shown, not enforced
    #[arg(long)]
    auto_renew: bool,
    /// How many keys
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    count: u32,
    /// The serial, 16 letters and digits: that of the license to renew; random without it
    #[arg(long)]
    serial: Option<Serial>,
    /// A signed catalogue of this vendor; the product must be in it and have such licenses
    #[arg(long, value_name = "FILE")]
    catalogue: Option<PathBuf>,
    /// A new file for the keys, readable by its owner only; without it they are printed
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Commercial,
    Subscription,
    Trial,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Usage {
    Machine,
    Deployment,
}

impl From<Usage> for license::Usage {
    fn from(usage: Usage) -> Self {
        match usage {
            Usage::Machine => Self::Machine,
            Usage::Deployment => Self::Deployment,
        }
    }
}

#[derive(Serialize)]
struct Issued {
    vendor: String,
    product: String,
    seats: u32,
    keys: Vec<IssuedKey>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
}

#[derive(Serialize)]
struct IssuedKey {
    serial: String,
    key: String,
}

pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    if args.serial.is_some() && args.count > 1 {
        return Err(Failure::Usage("--serial names one key: leave --count away".to_owned()));
    }
    let signer = file::signing_key(&args.key)?;
    if let Some(path) = &args.catalogue {
        check_product(path, &signer, args.product, args.usage.into())?;
    }
    let mut keys = Vec::new();
    for _ in 0..args.count {
        keys.push(issue(args, &signer)?);
    }
    let lines: String = keys.iter().flat_map(|issued| [&issued.key, "\n"]).collect();
    let text = match &args.out {
        Some(path) => {
            file::create(path, &lines, Secrecy::Secret)?;
            format!("{} written to {}\n", counted(keys.len()), path.display())
        }
        None => lines,
    };
    let issued = Issued {
        vendor: signer.vendor_key().id().to_string(),
        product: args.product.to_string(),
        seats: args.seats,
        keys,
        file: args.out.clone(),
    };
    output.print(&issued, &text)
}

fn counted(keys: usize) -> String {
    if keys == 1 {
        "1 key".to_owned()
    } else {
        format!("{keys} keys")
    }
}

fn issue(args: &Args, signer: &SigningKey) -> Result<IssuedKey, Failure> {
    let issued_at = dates::now();
    let validity = match (args.expires, args.days) {
        (Some(day), _) if day < dates::day_of(issued_at) => {
            return Err(Failure::Usage(
                "--expires is past: no server would import the key".to_owned(),
            ));
        }
        (Some(day), _) => Validity::ThroughDay(day),
        (None, Some(days)) => Validity::Days(days),
        (None, None) => Validity::Forever,
    };
    let serial = match args.serial {
        Some(serial) => serial,
        None => Serial::from_random(random()?),
    };
    let claims = Claims {
        vendor: signer.vendor_key().id(),
        serial,
        product: args.product,
        seats: args.seats,
        kind: match args.kind {
            Kind::Commercial => license::Kind::Commercial,
            Kind::Subscription => license::Kind::Subscription,
            Kind::Trial => license::Kind::Trial,
        },
        usage: args.usage.into(),
        issued_at,
        validity,
        support_until_day: args.support_until,
        auto_renew: args.auto_renew,
    };
    let key = sign_key(signer, &claims.into(), random()?).map_err(|fault| Failure::Refused(fault.to_string()))?;
    Ok(IssuedKey {
        serial: serial.to_string(),
        key,
    })
}

fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|fault| Failure::at("no random numbers", fault))?;
    Ok(bytes)
}

fn check_product(path: &Path, signer: &SigningKey, product: ProductId, usage: license::Usage) -> Result<(), Failure> {
    let catalogue = SignedCatalogue::parse(&file::read(path)?)
        .and_then(|signed| signed.verify(&signer.vendor_key()))
        .map_err(|fault| Failure::at(path.display(), fault))?;
    if let Some(entry) = catalogue.products.get(&product) {
        if entry.offers.usages().contains(&usage) {
            return Ok(());
        }
        return Err(Failure::at(
            path.display(),
            format!("product {product} is not sold by licenses of this usage: give the other --usage"),
        ));
    }
    let known: Vec<&str> = catalogue.products.keys().map(ProductId::as_str).collect();
    Err(Failure::at(
        path.display(),
        format!(
            "product {product} is not in the catalogue, which has {}",
            known.join(", ")
        ),
    ))
}

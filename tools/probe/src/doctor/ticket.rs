//! The file for a ticket: what was found, and the facts that it was judged from. Nothing in it is secret: the facts hold
//! fingerprints and never a key, a token or a license's text.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use seatkeeper::client::harmless;

use super::facts::Facts;
use super::gather::date;
use super::report::Report;
use crate::output::Failure;

/// Writes the file, which must not be there yet.
pub(super) fn write(path: &Path, report: &Report, facts: &Facts) -> Result<(), Failure> {
    let text = text(report, facts)?;
    let cannot = |reason: String| Failure::Failed(format!("cannot write the report to {}: {reason}", path.display()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    // It is for whoever sends it: names and addresses of a site are nobody else's business.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => cannot("there is such a file already; name another one".to_owned()),
        _ => cannot(error.to_string()),
    })
}

fn text(report: &Report, facts: &Facts) -> Result<String, Failure> {
    let json = serde_json::to_string_pretty(report).map_err(|error| Failure::Failed(error.to_string()))?;
    let now = date(seatkeeper::clock::Clock::system().calendar());
    let mut text = format!(
        "seatprobe doctor, version {}, {} {}, {now}\n\nThis file holds names, addresses and fingerprints of this machine and \
         of license servers, and no secret.\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
    );
    let chapters = [
        ("Findings", report.text()),
        ("The same for programs", harmless::json(&json)),
        ("Facts", harmless::lines(&format!("{facts:#?}"))),
    ];
    for (head, body) in chapters {
        write!(text, "\n== {head}\n\n{}\n", body.trim_end()).expect("a string takes all that is written");
    }
    Ok(text)
}

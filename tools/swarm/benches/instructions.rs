//! How many instructions each pure part takes, as Valgrind counts them: the same on a busy machine as on an idle one, so that
//! a change of a few in a hundred shows.
//!
//!     cargo bench -p seatswarm --bench instructions                                  all, as a table
//!     cargo bench -p seatswarm --bench instructions -- --save before.json            and keep them
//!     cargo bench -p seatswarm --bench instructions -- --against before.json ledger  those of the ledger, by what they were
//!
//! Each part is done in two processes, once and many times more; the difference, divided by how many more, is what it takes:
//! what was prepared is in both. Of system calls only the way there is counted. Valgrind shows programs a processor without
//! instructions for SHA: whatever is hashed counts for more than it takes elsewhere.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking"
)]

mod pieces;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::Parser;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};

/// So often more in the second process.
const MORE: u32 = 200;

/// Counts the instructions of the pure parts with Valgrind.
#[derive(Debug, Parser)]
struct Args {
    /// Only those with this in their name.
    filter: Vec<String>,
    /// Compare with what was saved in this file.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Write what was counted into this file, as JSON.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Do this part so often, and nothing else: what is counted.
    #[arg(long, value_name = "TIMES", hide = true)]
    times: Option<u32>,
    /// What cargo gives to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(times) = args.times {
        do_it(&args.filter[0], times);
        return ExitCode::SUCCESS;
    }
    match measure(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            println!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn do_it(name: &str, times: u32) {
    let piece = pieces::all().find(|piece| piece.name == name).unwrap();
    let mut run = (piece.prepare)();
    for _ in 0..times {
        run();
    }
}

fn measure(args: &Args) -> Result<(), String> {
    let before: BTreeMap<String, f64> = match &args.against {
        None => BTreeMap::new(),
        Some(file) => {
            let text = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
            serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", file.display()))?
        }
    };
    let mut counted = BTreeMap::new();
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header(["instructions", "a request", "by before"]);
    let is_wanted = |name: &str| args.filter.is_empty() || args.filter.iter().any(|part| name.contains(part.as_str()));
    for piece in pieces::all().filter(|piece| is_wanted(piece.name)) {
        let more = count(piece.name, 1 + MORE)?.saturating_sub(count(piece.name, 1)?);
        #[expect(clippy::cast_precision_loss, reason = "a rounded figure for people")]
        let each = more as f64 / f64::from(MORE * piece.requests);
        let by_before = before.get(piece.name).map(|before| format!("{:.3}", each / before));
        table.add_row([
            piece.name.to_owned(),
            format!("{each:.0}"),
            by_before.unwrap_or_default(),
        ]);
        counted.insert(piece.name, each);
    }
    for column in [1, 2] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    println!("{table}");
    if let Some(file) = &args.save {
        let text = serde_json::to_vec_pretty(&counted).map_err(|error| error.to_string())?;
        std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
}

/// The instructions of a process that does a part so often.
fn count(name: &str, times: u32) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(program)
        .args(["--times", &times.to_string(), name])
        .output()
        .map_err(|error| format!("valgrind: {error}; install it (apt-get install valgrind)"))?;
    let told = String::from_utf8_lossy(&output.stderr);
    // "I refs:", with as many blanks as the version likes.
    let refs = told.lines().find_map(|line| {
        let (what, number) = line.split_once(':')?;
        let mut words = what.split_whitespace().skip(1);
        (words.next() == Some("I") && words.next() == Some("refs")).then_some(number)
    });
    let number = refs.and_then(|text| text.trim().replace(',', "").parse().ok());
    number
        .filter(|_| output.status.success())
        .ok_or_else(|| format!("{name}:\n{told}"))
}

//! `seatmint`: the vendor's key tool. Makes key pairs, signs catalogues, blacklists and license keys, explains any of
//! their texts.

mod blacklist;
mod catalogue;
mod dates;
mod file;
mod generate;
mod issue;
mod keygen;
mod one_line;
mod output;
mod show;
mod signing;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::output::{Failure, Output};

/// The vendor's key tool: key pairs, signed catalogues and blacklists, license keys.
///
/// The private key never belongs on a license server or with a customer.
#[derive(Debug, Parser)]
#[command(name = "seatmint", version, after_help = EXAMPLES)]
struct Args {
    /// Print one JSON object on standard output instead of text
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Blacklist(blacklist::Args),
    Catalogue(catalogue::Args),
    Issue(issue::Args),
    Keygen(keygen::Args),
    Show(show::Args),
    /// Print a completion script for a shell
    #[command(hide = true)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages
    #[command(hide = true)]
    Man {
        /// The directory to write them to
        directory: std::path::PathBuf,
    },
}

const EXAMPLES: &str = "Examples:
  seatmint keygen --out keys --name acme
  seatmint catalogue sign products.toml --key keys/acme.key --out acme.catalogue
  seatmint issue --key keys/acme.key --catalogue acme.catalogue --product BKSRV --seats 10
  seatmint blacklist sign withdrawn.toml --key keys/acme.key --out acme.blacklist
  seatmint show acme.catalogue --vendor-key keys/acme.pub

Exit codes: 0 done, 1 failed, 2 usage.";

fn main() -> ExitCode {
    let args = Args::parse();
    let output = Output::new(args.json);
    match run(&args.command, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output.fail(&failure),
    }
}

fn run(command: &Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Blacklist(args) => blacklist::run(args, output),
        Command::Catalogue(args) => catalogue::run(args, output),
        Command::Issue(args) => issue::run(args, output),
        Command::Keygen(args) => keygen::run(args, output),
        Command::Show(args) => show::run(args, output),
        Command::Completions { shell } => generate::completions(*shell),
        Command::Man { directory } => generate::man(directory),
    }
}

//! `seatprobe watch`: the servers as they come and go, how fast they answer, their seats and refusals.

mod board;
mod round;

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use console::Term;
use seatkeeper::client::{Deadline, with_causes};
use seatkeeper::clock::Clock;
use seatkeeper::domain::ids::ProductId;
use seatkeeper::tls::Identity;

use self::board::Board;
use self::round::Asker;
use crate::output::{self, Failure, Output};

/// Watch the servers: latency, seats, refusals, and which come and go.
///
/// Every few seconds everybody is asked anew, and each server that answers is asked over a connection of its own. On a terminal
/// the picture is drawn anew each time; elsewhere the pictures follow each other. It ends after --rounds, or with Ctrl-C.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage.")]
pub(crate) struct Args {
    /// Show the seats of this product.
    #[arg(long)]
    product: Option<ProductId>,
    /// The product's vendor, a public key file; needed where two vendors have a product of this id.
    #[arg(long, value_name = "FILE", requires = "product")]
    vendor_key: Option<PathBuf>,
    /// Ask as this identity, a PEM file. A viewer's or an administrator's is told of refusals too.
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Seconds from one round to the next.
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    every: u32,
    /// End after so many rounds.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// The port of this site's servers, UDP and TCP.
    #[arg(long, value_name = "PORT", env = "SEATKEEPER_PORT", default_value_t = crate::default_port())]
    port: NonZeroU16,
}

pub(crate) async fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    let made = match &args.identity {
        Some(path) => Identity::load(path),
        None => Identity::generate(),
    };
    let identity =
        made.map_err(|error| Failure::Failed(format!("no identity to ask with: {}", with_causes(&error))))?;
    let vendor = args.vendor_key.as_deref().map(crate::query::vendor_key).transpose()?;
    let started = Clock::system().calendar();
    let asker = Asker::new(
        identity,
        args.port.get(),
        args.product,
        vendor.map(|key| key.id()),
        started,
    );
    let mut board = Board::new(args.port.get(), args.product.map(|product| product.to_string()));
    let term = Term::stdout();
    let every = Duration::from_secs(args.every.into());
    let mut round = 0_u32;
    while args.rounds.is_none_or(|rounds| round < rounds) {
        let next = Deadline::after(every);
        let seen = tokio::select! {
            seen = asker.ask(every) => seen?,
            pressed = tokio::signal::ctrl_c() => {
                pressed.map_err(no_signal)?;
                break;
            }
        };
        board.take(seen, Clock::system().calendar());
        round += 1;
        if !output.is_json() {
            draw(&term, &board.text())?;
        }
        if args.rounds == Some(round) {
            break;
        }
        tokio::select! {
            () = tokio::time::sleep(next.left()) => {}
            pressed = tokio::signal::ctrl_c() => {
                pressed.map_err(no_signal)?;
                break;
            }
        }
    }
    if output.is_json() {
        output.print(&board, "")?;
    }
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err hands it in")]
fn no_signal(error: std::io::Error) -> Failure {
    Failure::Failed(format!("Ctrl-C cannot be heard: {error}"))
}

fn draw(term: &Term, picture: &str) -> Result<(), Failure> {
    if term.is_term() {
        term.clear_screen().map_err(Failure::Output)?;
    }
    output::write(picture)
}

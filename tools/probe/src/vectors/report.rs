use std::net::SocketAddr;

use seatkeeper::client::harmless;
use serde::Serialize;

use crate::output::Failure;

/// What `vectors --json` prints.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// As it was typed.
    target: String,
    address: SocketAddr,
    played: Vec<Played>,
    /// Whether the server serves on as it did before.
    stands: bool,
    /// Why it is taken not to.
    fault: Option<String>,
}

/// What became of a vector.
#[derive(Debug, Serialize)]
pub(super) struct Played {
    pub(super) vector: &'static str,
    pub(super) transport: &'static str,
    /// What the specification says is wrong with it.
    pub(super) error: String,
    pub(super) outcome: Outcome,
    /// What was answered, or what failed.
    pub(super) text: String,
    /// Whether that is as it must be.
    pub(super) good: bool,
}

/// What a server did with a vector.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// It was taken for a request, or a question was answered.
    Taken,
    /// The connection was closed without a word.
    Closed,
    /// It could not be sent.
    Failed,
    /// Nothing came back.
    Silent,
    /// It was refused with a status.
    Refused,
}

impl Report {
    pub(super) fn new(target: String, address: SocketAddr, played: Vec<Played>, stands: Result<(), String>) -> Self {
        Self {
            target,
            address,
            played,
            stands: stands.is_ok(),
            fault: stands.err(),
        }
    }

    /// For people: a line a vector, and whether the server stands.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for one in &self.played {
            let verdict = if one.good { "good" } else { "BAD" };
            let line = format!("{verdict:<5} {:<4} {:<42} {}", one.transport, one.vector, one.text);
            text += &harmless::text(&line);
            text.push('\n');
        }
        let last = match &self.fault {
            None => format!("{} vectors were played; the server stands", self.played.len()),
            Some(fault) => format!("THE SERVER DOES NOT STAND: {fault}"),
        };
        text + &harmless::text(&last) + "\n"
    }

    pub(super) fn verdict(&self) -> Result<(), Failure> {
        if let Some(fault) = &self.fault {
            return Err(Failure::Failed(format!("the server does not stand: {fault}")));
        }
        match self.played.iter().filter(|one| !one.good).count() {
            0 => Ok(()),
            count => Err(Failure::Failed(format!(
                "{count} vectors were not refused as they must be"
            ))),
        }
    }
}

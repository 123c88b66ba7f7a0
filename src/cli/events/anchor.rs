//! `events anchor`: the newest round and its hash, to be kept where whoever can change the server cannot.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::Serialize;

use super::verify;
use crate::cli::args::Global;
use crate::cli::error::CliError;
use crate::cli::output::{self, rfc3339};
use crate::cli::session::Session;
use crate::domain::ids::ServerId;
use crate::domain::time::Timestamp;
use crate::wire::messages::events::EventsVerify;

/// How an anchor begins; the number is the version of its form.
const START: &str = "seatkeeper-anchor 1";

/// The longest file that is looked for an anchor in, in bytes.
const FILE_LEN_MAX: u64 = 1 << 16;

/// A round of a server, and its hash.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Anchor {
    pub(super) server: ServerId,
    pub(super) round: u64,
    pub(super) hash: [u8; 32],
    pub(super) at: Timestamp,
}

/// What `events anchor --json` prints.
#[derive(Serialize)]
struct Printed {
    anchor: String,
    server: String,
    round: u64,
    hash: String,
    time: Option<String>,
}

pub(super) async fn run(global: &Global) -> Result<(), CliError> {
    let mut session = Session::open(global).await?;
    let ask = EventsVerify {
        newest_only: Some(true),
        ..EventsVerify::default()
    };
    let page = verify::page(&mut session, ask).await?;
    let Some(span) = page.rows.iter().filter_map(|row| row.span.as_ref()).next_back() else {
        return Err(CliError::failed(
            "the server's newest round cannot be read; see seatkeeper events verify",
        ));
    };
    if span.last < page.through {
        return Err(CliError::failed(format!(
            "of the server's {} rounds those behind {} cannot be read; see seatkeeper events verify",
            page.through, span.last
        )));
    }
    let anchor = Anchor {
        server: session.server(),
        round: span.last,
        hash: span.hash,
        at: Timestamp(span.last_at),
    };
    if !global.json {
        return output::line(&anchor.to_string());
    }
    output::json(&Printed {
        anchor: anchor.to_string(),
        server: anchor.server.to_string(),
        round: anchor.round,
        hash: output::hex(&anchor.hash),
        time: rfc3339(Some(anchor.at)),
    })
}

impl Anchor {
    /// Reads an anchor from a text, or from the file of this name.
    pub(super) fn of(text: &str) -> Result<Self, CliError> {
        if text.trim_start().starts_with(START) {
            return text.parse().map_err(CliError::Usage);
        }
        let path = Path::new(text);
        let read = std::fs::metadata(path).and_then(|found| {
            if found.len() > FILE_LEN_MAX {
                return Err(std::io::Error::other("it is too long for an anchor"));
            }
            std::fs::read_to_string(path)
        });
        let content =
            read.map_err(|error| CliError::because(format!("cannot read the anchor {}", path.display()), error))?;
        let lines = content.lines().filter(|line| line.trim_start().starts_with(START));
        let newest = lines
            .map(str::parse::<Self>)
            .collect::<Result<Vec<_>, _>>()
            .map_err(CliError::Usage)?
            .into_iter()
            .max_by_key(|anchor| anchor.round);
        newest.ok_or_else(|| {
            CliError::Usage(format!(
                "{} holds no anchor: a line that begins with {START}, as seatkeeper events anchor prints it",
                path.display()
            ))
        })
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            server,
            round,
            hash,
            at,
        } = self;
        let time = rfc3339(Some(*at)).unwrap_or_else(|| "?".to_owned());
        write!(
            f,
            "{START} server {server} round {round} sha256 {} time {time}",
            output::hex(hash)
        )
    }
}

impl FromStr for Anchor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("an anchor is a line as `{START} server ID round N sha256 HASH time TIME`: copy it whole");
        let words: Vec<&str> = text.split_whitespace().collect();
        let [_, "1", "server", server, "round", round, "sha256", hash, "time", time] = words.as_slice() else {
            return Err(wrong());
        };
        let bytes = |text: &str| data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
        let server = bytes(server).and_then(|bytes| bytes.try_into().ok());
        let hash = bytes(hash).and_then(|bytes| bytes.try_into().ok());
        let at = time.parse::<jiff::Timestamp>().ok();
        let at = at.and_then(|at| u64::try_from(at.as_second()).ok());
        Ok(Self {
            server: ServerId(server.ok_or_else(wrong)?),
            round: round.parse().map_err(|_| wrong())?,
            hash: hash.ok_or_else(wrong)?,
            at: Timestamp(at.ok_or_else(wrong)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_is_read_as_it_was_printed_from_text_or_file_and_not_from_half_of_it() {
        let anchor = Anchor {
            server: ServerId([3; 16]),
            round: 1_234,
            hash: [0xab; 32],
            at: Timestamp(1_767_225_600),
        };
        let text = anchor.to_string();
        assert!(text.ends_with("time 2026-01-01T00:00:00Z"), "{text}");
        assert_eq!(Anchor::of(&text).expect("good"), anchor);
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("anchors.txt");
        let older = Anchor { round: 7, ..anchor };
        std::fs::write(&path, format!("kept by Ada\n{text}\n{older}\n")).expect("written");
        assert_eq!(
            Anchor::of(&path.display().to_string()).expect("good"),
            anchor,
            "the newest of a file"
        );
        std::fs::write(&path, "nothing\n").expect("written");
        for wrong in [
            &text[..90],
            &path.display().to_string(),
            "seatkeeper-anchor 1 server",
            "/nowhere/at all",
        ] {
            assert!(Anchor::of(wrong).is_err(), "{wrong}");
        }
    }
}

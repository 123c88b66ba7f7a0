//! `seatprobe decode`: frames and datagrams field by field, from the code that servers read them with.

mod input;

use std::fmt::Write;

use jiff::Timestamp;
use seatkeeper::client::harmless;
use seatkeeper::wire::discovery::MAGIC;
use seatkeeper::wire::dissect::{self, Dissected, Piece};
use serde::Serialize;

use crate::output::{Failure, Output};

/// Columns that the name of a field takes, with its indent.
const NAME_WIDTH: usize = 24;

/// Show frames or datagrams field by field, with the names of proto-spec/registry.md.
///
/// It is told of each whether its receiver takes it, in the words of the server's own code. What is not whole, or not sound, is
/// shown as far as it goes. Frames that follow each other are shown one after the other.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 all of it is sound, 1 some is not, 2 wrong usage.")]
pub(crate) struct Args {
    /// Hexadecimal digits, a file of them or of the bytes themselves, or - for standard input. Blanks, colons, and what is
    /// behind # on a line do not count.
    #[arg(value_name = "HEX|FILE", required = true, num_args = 1..)]
    input: Vec<String>,
}

/// What `decode --json` prints.
#[derive(Debug, Serialize)]
struct Report {
    /// In bytes.
    length: usize,
    units: Vec<Unit>,
}

/// A frame or a datagram.
#[derive(Debug, Serialize)]
struct Unit {
    what: &'static str,
    message: Option<&'static str>,
    offset: usize,
    length: usize,
    fields: Vec<Field>,
    fault: Option<String>,
}

/// A field.
#[derive(Debug, Serialize)]
struct Field {
    offset: usize,
    length: usize,
    tag: Option<u16>,
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    value: String,
    fields: Vec<Field>,
    fault: Option<String>,
}

pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    let bytes = input::read(&args.input)?;
    let units = if bytes.starts_with(&MAGIC) {
        vec![dissect::datagram(&bytes)]
    } else {
        dissect::frames(&bytes)
    };
    if units.is_empty() {
        return Err(Failure::Usage("there are no bytes to show".to_owned()));
    }
    let report = Report {
        length: bytes.len(),
        units: units.iter().map(unit).collect(),
    };
    output.print(&report, &report.text())?;
    let unsound = units.iter().filter(|unit| unit.fault.is_some()).count();
    match (unsound, units.as_slice()) {
        (0, _) => Ok(()),
        (_, [only]) => Err(Failure::Failed(format!(
            "its receiver refuses it: {}",
            only.fault.as_deref().unwrap_or_default()
        ))),
        (count, all) => Err(Failure::Failed(format!(
            "{count} of {} are refused by their receiver",
            all.len()
        ))),
    }
}

fn unit(unit: &Dissected) -> Unit {
    Unit {
        what: unit.what,
        message: unit.message,
        offset: unit.offset,
        length: unit.len,
        fields: unit.pieces.iter().map(field).collect(),
        fault: unit.fault.clone(),
    }
}

fn field(piece: &Piece) -> Field {
    Field {
        offset: piece.offset,
        length: piece.len,
        tag: piece.tag,
        name: piece.name,
        kind: piece.kind,
        value: piece.value.clone(),
        fields: piece.pieces.iter().map(field).collect(),
        fault: piece.fault.clone(),
    }
}

impl Report {
    /// For people: a line a field.
    fn text(&self) -> String {
        let mut text = String::new();
        for unit in &self.units {
            let message = unit
                .message
                .map_or_else(String::new, |message| format!(" with {message}"));
            let (what, at, len) = (unit.what, unit.offset, unit.length);
            line(&mut text, &format!("{what}{message}, {len} bytes at {at}"));
            for field in &unit.fields {
                field.tell(&mut text, 1);
            }
            match &unit.fault {
                None => line(&mut text, "=> sound"),
                Some(fault) => line(&mut text, &format!("=> refused: {fault}")),
            }
        }
        text
    }
}

impl Field {
    fn tell(&self, text: &mut String, depth: usize) {
        let tag = self.tag.map_or_else(|| "    ".to_owned(), |tag| format!("{tag:04x}"));
        let name = format!("{:w$}{}", "", self.name, w = 2 * depth);
        let mut told = format!(
            "{:06x}  {tag}  {name:<NAME_WIDTH$}  {:<10}  {}",
            self.offset, self.kind, self.value
        );
        if let Some(date) = self.date() {
            write!(told, " ({date})").expect("a string takes all that is written");
        }
        if let Some(fault) = &self.fault {
            write!(told, "  <-- {fault}").expect("a string takes all that is written");
        }
        line(text, told.trim_end());
        for field in &self.fields {
            field.tell(text, depth + 1);
        }
    }

    /// The date that the field's seconds are, where its name says that they are one.
    fn date(&self) -> Option<String> {
        let is_time = ["_at", "_time", "renew_by"].iter().any(|end| self.name.ends_with(end))
            || ["at", "since", "until", "last_seen", "mark"].contains(&self.name);
        let secs: i64 = self.value.parse().ok().filter(|_| is_time && self.kind == "u64")?;
        Some(
            Timestamp::from_second(secs)
                .ok()?
                .strftime("%Y-%m-%d %H:%M:%S UTC")
                .to_string(),
        )
    }
}

fn line(text: &mut String, line: &str) {
    text.push_str(&harmless::text(line));
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The vectors of a folder: name, bytes, and the error in the first line.
    fn vectors(folder: &str) -> Vec<(String, Vec<u8>, Option<String>)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../proto-spec/vectors/v1")
            .join(folder);
        let entries = std::fs::read_dir(folder)
            .expect("the vectors")
            .map(|entry| entry.expect("an entry").path());
        entries
            .map(|path| {
                let text = std::fs::read_to_string(&path).expect("text");
                let error = text.lines().next().and_then(|line| line.strip_prefix("# error: "));
                let bytes = crate::hex::bytes(&text).expect("digits");
                let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
                (name, bytes, error.map(str::to_owned))
            })
            .filter(|(name, ..)| !name.starts_with("lease"))
            .collect()
    }

    fn dissected(name: &str, bytes: &[u8]) -> Vec<Dissected> {
        if name.starts_with("question") || name.starts_with("offer") {
            vec![dissect::datagram(bytes)]
        } else {
            dissect::frames(bytes)
        }
    }

    fn faults(pieces: &[Piece]) -> usize {
        let of = |piece: &Piece| usize::from(piece.fault.is_some()) + faults(&piece.pieces);
        pieces.iter().map(of).sum()
    }

    #[test]
    fn every_vector_that_is_accepted_is_sound_and_each_of_its_fields_has_a_name_of_the_registry() {
        let vectors = vectors("accept");
        assert!(vectors.len() > 80);
        for (name, bytes, _) in vectors {
            let [unit] = &dissected(&name, &bytes)[..] else {
                panic!("{name}: one frame")
            };
            assert_eq!((&unit.fault, faults(&unit.pieces)), (&None, 0), "{name}: {unit:#?}");
            assert_eq!(unit.len, bytes.len(), "{name}");
            assert!(
                unit.pieces.iter().all(|piece| piece.name != "unknown"),
                "{name}: {unit:#?}"
            );
        }
    }

    #[test]
    fn every_vector_that_is_rejected_is_refused_in_the_words_that_it_names() {
        let vectors = vectors("reject");
        assert!(vectors.len() > 80);
        for (name, bytes, error) in vectors {
            let [unit] = &dissected(&name, &bytes)[..] else {
                panic!("{name}: one frame")
            };
            assert_eq!(unit.fault, error, "{name}");
        }
    }

    #[test]
    fn a_frame_is_told_line_by_line_with_places_and_dates() {
        let (_, bytes, _) = vectors("accept")
            .into_iter()
            .find(|(name, ..)| name == "release_ok")
            .expect("there");
        let units = dissect::frames(&bytes);
        let report = Report {
            length: bytes.len(),
            units: units.iter().map(unit).collect(),
        };
        let text = report.text();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], format!("frame with ReleaseOk, {} bytes at 0", bytes.len()));
        assert_eq!(
            lines[2],
            "000004          opcode                  u16         RELEASE reply"
        );
        assert!(
            lines[5].starts_with("00000c  0001    server_time             u64         1"),
            "{text}"
        );
        assert!(lines[5].ends_with(" UTC)"), "{text}");
        assert_eq!(lines.last(), Some(&"=> sound"));
    }
}

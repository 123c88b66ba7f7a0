//! Everything that is wrong in a configuration file, and not only what is met first.

use super::{Config, ConfigError};

/// Faults that are told at once, at most.
const FAULTS_MAX: usize = 20;

/// What a file says; else everything that is wrong in it. What is wrong is taken out of the text for the rest to be read, as far
/// as the text is TOML then.
pub(super) fn read(text: &str) -> Result<Config, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut rest = text.to_owned();
    loop {
        match toml::from_str::<Config>(&rest) {
            Ok(config) => {
                faults.extend(config.faults().into_iter().map(Fault::Value));
                return if faults.is_empty() { Ok(config) } else { Err(faults) };
            }
            Err(error) => {
                let without = error.span().and_then(|span| without(&rest, span.start, span.end));
                faults.push(Fault::of(&rest, error));
                match without {
                    Some(text) if faults.len() < FAULTS_MAX => rest = text,
                    _ => return Err(faults),
                }
            }
        }
    }
}

/// Something that is wrong.
#[derive(Debug)]
pub(super) enum Fault {
    /// The parser says so.
    Text {
        /// The line that it is about, from 1.
        line: Option<usize>,
        /// What it says.
        error: toml::de::Error,
    },
    /// A value cannot be.
    Value(ConfigError),
}

impl Fault {
    /// What the parser says of a text.
    pub(super) fn of(text: &str, error: toml::de::Error) -> Self {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map(|before| before.matches('\n').count() + 1);
        Self::Text { line, error }
    }
}

/// The text with nothing on the lines of a place, and of what stands below them if they begin a table; nothing where that
/// changes nothing, or what is left is not TOML.
fn without(text: &str, start: usize, end: usize) -> Option<String> {
    let (mut left, mut at) = (String::new(), 0);
    let mut is_in_table = false;
    for line in text.split_inclusive('\n') {
        let line_end = at + line.len();
        let is_head = line.trim_start().starts_with('[');
        is_in_table &= !is_head;
        let is_meant = at <= end && start < line_end;
        is_in_table |= is_meant && is_head;
        if is_meant || is_in_table {
            left.extend(line.chars().filter(|c| *c == '\n'));
        } else {
            left.push_str(line);
        }
        at = line_end;
    }
    (left != text && toml::from_str::<toml::Table>(&left).is_ok()).then_some(left)
}

//! No peer names a path: no request has a field for one, and no code between the socket and the store opens a file.

use std::fs;
use std::path::{Path, PathBuf};

use seatkeeper::wire::messages::{self, Place};

/// The modules through which what a peer says goes; the store behind them names its files by numbers of its own.
const WAYS: [&str; 7] = ["codec", "domain", "vendor", "wire", "session", "net", "service"];

/// What opens, makes, removes or names files.
const FILES: [&str; 9] = [
    "std::fs",
    "tokio::fs",
    "fs::",
    "File::",
    "OpenOptions",
    "PathBuf",
    "std::path",
    "process::Command",
    "whole_file",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the repository") {
        let path = entry.expect("readable").path();
        let name = path.file_name().expect("a name");
        if path.is_dir() {
            if name != "tests" {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|ending| ending == "rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}

#[test]
fn nothing_that_handles_what_peers_say_opens_a_file() {
    let mut found = Vec::new();
    for way in WAYS {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(way), &mut found);
    }
    assert!(found.len() > 50, "{} files", found.len());
    for path in found {
        let text = fs::read_to_string(&path).expect("readable");
        let production = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        for (number, line) in production.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let word = FILES.iter().find(|word| code.contains(**word));
            assert_eq!(word, None, "{}:{}: {line}", path.display(), number + 1);
        }
    }
}

#[test]
fn no_request_has_a_field_for_a_path() {
    for row in messages::TABLE
        .iter()
        .filter(|row| matches!(row.place, Place::Request(_)))
    {
        for field in row.fields {
            let words: Vec<&str> = field.name.split('_').collect();
            for place in ["path", "file", "dir", "directory", "url", "uri", "folder"] {
                assert!(!words.contains(&place), "{}.{}", row.name, field.name);
            }
        }
    }
}

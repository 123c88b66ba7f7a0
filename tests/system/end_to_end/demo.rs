//! The demonstration that is interrupted.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Child;

use crate::process::{SEATKEEPER, command, signal};

fn demo(temporary: &Path, args: &[&str]) -> Child {
    let mut demo = command(SEATKEEPER);
    demo.arg("demo").args(args).env("TMPDIR", temporary);
    demo.spawn().expect("start")
}

/// Reads its output until a line begins with `begin`.
fn await_line(demo: &mut Child, begin: &str) {
    let lines = BufReader::new(demo.stdout.as_mut().expect("piped")).lines();
    let found = lines.map_while(Result::ok).any(|line| line.starts_with(begin));
    assert!(found, "the demonstration never said '{begin}'");
}

fn is_empty(directory: &Path) -> bool {
    std::fs::read_dir(directory).unwrap().next().is_none()
}

#[test]
fn an_interrupted_demonstration_leaves_nothing_behind() {
    for (name, code) in [("TERM", 143), ("INT", 130)] {
        let temporary = tempfile::tempdir().unwrap();
        let mut demo = demo(temporary.path(), &[]);
        await_line(&mut demo, "  1 ");
        assert!(!is_empty(temporary.path()));
        signal(demo.id(), name);
        // What it still says is not read: a pipe holds all of it.
        assert_eq!(demo.wait().unwrap().code(), Some(code), "{name}");
        assert!(is_empty(temporary.path()), "{name}");
    }
}

#[test]
fn a_kept_demonstration_ends_at_a_signal_and_leaves_nothing_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let mut demo = demo(temporary.path(), &["--keep"]);
    await_line(&mut demo, "The server goes on");
    signal(demo.id(), "TERM");
    assert_eq!(demo.wait().unwrap().code(), Some(0));
    assert!(is_empty(temporary.path()));
}

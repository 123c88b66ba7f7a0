//! What commands draw on a terminal, and draw on nothing else.

use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;
use std::process::Stdio;

use nix::pty::{Winsize, openpty};
use seatkeeper::domain::ids::Serial;
use seatkeeper::domain::license::Claims;

use crate::process::{SEATKEEPER, command};
use crate::site::Site;

const COLUMNS: u16 = 100;

/// Lines of a terminal as somebody sees them, as far as a progress bar needs one. What it does not know fails the test.
#[derive(Default)]
struct Screen {
    lines: Vec<Vec<char>>,
    row: usize,
    column: usize,
}

impl Screen {
    fn showing(text: &str) -> Self {
        let mut screen = Self::default();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match c {
                '\r' => screen.column = 0,
                '\n' => {
                    screen.row += 1;
                    screen.column = 0;
                }
                '\u{1b}' => {
                    assert_eq!(chars.next(), Some('['), "{text:?}");
                    let mut numbers = String::new();
                    let verb = chars
                        .by_ref()
                        .find(|c| {
                            numbers.push(*c);
                            c.is_ascii_alphabetic()
                        })
                        .expect("a whole sequence");
                    screen.control(verb, numbers.trim_end_matches(verb));
                }
                c => screen.put(c),
            }
        }
        screen
    }

    fn line(&mut self) -> &mut Vec<char> {
        while self.lines.len() <= self.row {
            self.lines.push(Vec::new());
        }
        &mut self.lines[self.row]
    }

    fn put(&mut self, c: char) {
        let column = self.column;
        let line = self.line();
        while line.len() <= column {
            line.push(' ');
        }
        line[column] = c;
        self.column += 1;
    }

    fn control(&mut self, verb: char, numbers: &str) {
        let number = numbers.parse::<usize>().unwrap_or(1);
        let column = self.column;
        match (verb, numbers) {
            ('A', _) => self.row = self.row.saturating_sub(number),
            ('B', _) => self.row += number,
            ('K', "2") => self.line().clear(),
            ('K', "" | "0") => self.line().truncate(column),
            // Colours, and whether the cursor is seen.
            ('m', _) | ('h' | 'l', "?25") => {}
            other => panic!("a sequence that the bar does not need: {other:?}"),
        }
    }

    fn is_blank(&self) -> bool {
        self.lines.iter().flatten().all(|c| *c == ' ')
    }
}

/// Runs an administrator's command with its standard error on a terminal; its standard output and what was drawn.
fn on_terminal(site: &Site, args: &[&str]) -> (String, String) {
    let window = Winsize {
        ws_row: 24,
        ws_col: COLUMNS,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let pty = openpty(&window, None).expect("a terminal");
    let mut asked = command(SEATKEEPER);
    asked.args(args).arg("--data").arg(site.data());
    asked.env("TERM", "xterm").stderr(Stdio::from(pty.slave));
    let mut child = asked.spawn().expect("start");
    // The command still has the other end open.
    drop(asked);
    let mut drawn = Vec::new();
    let mut from = File::from(pty.master);
    let mut chunk = [0; 4_096];
    // On Linux the end of a terminal that nobody holds any more is an error.
    while let Ok(len @ 1..) = from.read(&mut chunk) {
        drawn.extend_from_slice(&chunk[..len]);
    }
    let mut told = String::new();
    child.stdout.take().unwrap().read_to_string(&mut told).unwrap();
    assert!(
        child.wait().unwrap().success(),
        "{told} {:?}",
        String::from_utf8_lossy(&drawn)
    );
    (told, String::from_utf8(drawn).expect("text"))
}

/// Writes so many license keys into a file, each mentioned so often.
fn keys(site: &Site, count: u32, mentions: usize) -> PathBuf {
    let mut text = String::new();
    for number in 0..count {
        let [a, b, c, d] = number.to_be_bytes();
        let key = site.vendor.sign(Claims {
            serial: Serial::from_random([0xca, 0xfe, 0, 0, 0, 0, a, b, c, d]),
            ..site.vendor.claims(1, "BKSRV", 1)
        });
        // Named first as mails do, which begins like a key and is none.
        for _ in 1..mentions {
            text.push_str("SK1- key: ");
        }
        text.push_str(&key);
        text.push('\n');
    }
    let path = site.dir.path().join("many.txt");
    fs::write(&path, text).unwrap();
    path
}

// proves K8
#[test]
fn an_import_draws_its_progress_on_a_terminal_and_leaves_it_clean_and_draws_nothing_elsewhere() {
    let site = Site::open();
    let path = keys(&site, 600, 1);
    let file = path.to_str().unwrap();
    let (told, drawn) = on_terminal(&site, &["import-file", file]);
    assert!(told.starts_with("added 600, already present 0, refused 0\n"), "{told}");
    let (_, last) = drawn.rsplit_once(" of 600 keys").expect("a bar was drawn");
    assert!(drawn.contains('\u{2588}') || drawn.contains('#'), "{drawn:?}");
    assert!(!last.contains('\n'), "no line of it stays: {drawn:?}");
    assert!(Screen::showing(&drawn).is_blank(), "{drawn:?}");
    // The emulation sees what is not cleared.
    let uncleared = drawn.split_inclusive(" of 600 keys").next().unwrap();
    assert!(!Screen::showing(uncleared).is_blank());

    let (told, drawn) = on_terminal(&site, &["import-file", file, "--json"]);
    assert!(told.contains("\"already_present\": 600"), "{told}");
    assert_eq!(drawn, "", "nothing beside JSON");
    let piped = site.admin(["import-file", file]);
    assert_eq!(piped.stderr, "", "nothing where nobody watches");
    assert!(piped.ok().starts_with("added 0, already present 600, refused 0\n"));
}

// proves K8
#[test]
#[ignore = "minutes: cargo test --test system -- --ignored a_hundred_thousand_keys"]
fn a_hundred_thousand_keys_each_mentioned_twice_are_imported_by_the_command_and_again() {
    const KEYS: u32 = 100_000;
    let site = Site::open();
    let path = keys(&site, KEYS, 2);
    let file = path.to_str().unwrap();
    let (told, drawn) = on_terminal(&site, &["import-file", file, "--timeout", "60"]);
    assert!(
        told.starts_with("added 100000, already present 0, refused 0\n"),
        "{told}"
    );
    assert!(drawn.contains(" of 100000 keys"), "{drawn:?}");
    assert!(Screen::showing(&drawn).is_blank(), "{drawn:?}");
    let (told, _) = on_terminal(&site, &["import-file", file, "--timeout", "60"]);
    assert!(
        told.starts_with("added 0, already present 100000, refused 0\n"),
        "{told}"
    );
    let status = site.json(["status"]);
    assert_eq!(status["licenses"], KEYS);
}

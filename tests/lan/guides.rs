//! The guides, command by command, as whoever reads them would type them: each ```` ```sh ```` block on the machine that it
//! names, the server if none; each ```` ```text ```` block behind one is in what it printed, `…` standing for anything. A
//! comment `<!-- copy FILE from MACHINE to MACHINE -->` does what the text around it says. What a chapter is about, a full
//! disk for example, is brought about by a comment that begins with a line `<!-- on MACHINE`, of commands that no reader
//! types, and a server whose clock was set by `<!-- newest time of MACHINE SECONDS s from now -->`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use seatkeeper::clock::{Clock, monotonic};
use seatkeeper::domain::change::Fact;
use seatkeeper::domain::time::{Now, Timestamp};
use seatkeeper::domain::timekeeper::ClockState;
use seatkeeper::store::{DiskStore, Round, Store};

use crate::lab::{Host, Lab};
use crate::machine::Machine;
use crate::process::SEATKEEPER;
use crate::wire::mac;

/// Set to `show` to see what is typed and what comes of it.
const SHOW: &str = "SEATKEEPER_GUIDE";

/// Where the guides and everything they speak of are.
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The programs of the suite.
const PROGRAMS: [&str; 3] = ["seatkeeper", "seatmint", "seatprobe"];

/// Where a server's data directory is, to root.
const DATA: &str = "/var/lib/private/seatkeeper";

/// The machines that guides speak of, in the order of their addresses and MAC addresses.
const MACHINES: [&str; 5] = ["server", "vendor", "desk-1", "desk-2", "new-server"];

/// The chapters of the administrator's guide that all others stand on.
const BEGINNING: &[&str] = &["1. ", "2. ", "3. "];

/// Those about what is done by day, and the one about damage, so that no test takes much longer than the others.
const DAYS: &[&str] = &["4. ", "5. ", "6. ", "7. ", "8. ", "12. ", "13. "];

/// Those about what comes once a year, behind the days.
const YEARS: &[&str] = &["16. ", "17. "];

/// Those about what goes wrong, but for damage.
const NIGHTS: &[&str] = &["9. ", "10. ", "11. "];

/// Those about other hosts and other keys.
const MOVING: &[&str] = &["14. ", "15. "];

/// What is done for a reader.
#[derive(Debug, Eq, PartialEq)]
enum Step {
    /// A block of commands: its line, its machine, the commands, what of it is printed.
    Run(usize, String, String, Vec<String>),
    /// A file, from a machine to another.
    Copy(usize, String, String, String),
    /// The newest time that the server of a machine has on its disk: so many seconds from now.
    Mark(String, i64),
}

/// The steps of a guide, each with the title of its chapter.
fn steps(guide: &str) -> Vec<(String, Step)> {
    let mut steps = Vec::new();
    let mut chapter = String::new();
    let mut lines = guide.lines().enumerate().map(|(place, line)| (place + 1, line));
    while let Some((number, line)) = lines.next() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut until = |end: &str| {
            let block = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != end);
            block.map(str::to_owned).collect::<Vec<_>>()
        };
        let step = match words[..] {
            ["##", ..] => {
                words[1..].join(" ").clone_into(&mut chapter);
                continue;
            }
            ["<!--", "copy", file, "from", one, "to", other, "-->"] => {
                Step::Copy(number, file.to_owned(), one.to_owned(), other.to_owned())
            }
            ["<!--", "newest", "time", "of", machine, secs, "s", "from", "now", "-->"] => {
                Step::Mark(machine.to_owned(), secs.parse().expect("a number of seconds"))
            }
            ["<!--", "on", machine] => Step::Run(number, machine.to_owned(), until("-->").join("\n"), Vec::new()),
            ["<!--", ..] => panic!("line {number} is no comment that this test knows: {line}"),
            ["```sh", ..] => {
                let machine = words.get(1).copied().unwrap_or(MACHINES[0]);
                Step::Run(number, machine.to_owned(), until("```").join("\n"), Vec::new())
            }
            ["```text"] => {
                let block = until("```");
                let Some((_, Step::Run(.., printed))) = steps.last_mut() else {
                    panic!("line {number} shows what nothing printed");
                };
                printed.extend(block);
                continue;
            }
            // Configurations and programs: they have tests of their own.
            [fence, ..] if fence.starts_with("```") => {
                until("```");
                continue;
            }
            _ => continue,
        };
        steps.push((chapter.clone(), step));
    }
    steps
}

fn text(guide: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join("tools/guide").join(guide)).expect(guide)
}

/// Whether a line is what a guide says of it, `…` standing for anything.
fn is_like(line: &str, told: &str) -> bool {
    let mut parts = told.trim().split('…');
    let Some(mut rest) = line.trim().strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        last = Some(part);
    }
    rest.is_empty() || last.is_some_and(str::is_empty)
}

/// The first line of what a guide shows that is not in what was printed, in order.
fn missing<'t>(printed: &str, told: &'t [String]) -> Option<&'t String> {
    let mut lines = printed.lines();
    told.iter()
        .filter(|told| !told.trim().is_empty())
        .find(|told| !lines.any(|line| is_like(line, told)))
}

/// A program of this build.
fn program(name: &str) -> PathBuf {
    Path::new(SEATKEEPER).with_file_name(name)
}

/// Has the newest time that a machine's server has on its disk be so many seconds from now, as if its clock had been set
/// since. The server does not run.
#[track_caller]
fn set_mark(machine: &Machine, secs: i64) {
    let data = machine.path(DATA);
    let mut store = DiskStore::open(&data).expect("its data directory");
    let loaded = store.load(&mut |_| {}).expect("what is in it");
    let mark = Timestamp(Clock::system().calendar().0.saturating_add_signed(secs));
    let round = Round {
        number: loaded.round + 1,
        now: Now {
            steady: mark,
            calendar: mark,
        },
        changes: &[Fact::ClockPut(ClockState { mark, jump: None }).into()],
    };
    store.commit(&round).expect("a round");
    drop(store);
    machine.shell(&format!("chown -R --reference={DATA} {DATA}")).ok();
}

/// The machines of a guide, on one switch.
struct Site {
    machines: BTreeMap<&'static str, Machine>,
    _hosts: Vec<Host>,
    _lab: Lab,
}

impl Site {
    /// The machines of these names, each with what was built of this repository, and its files.
    fn new(wanted: &[&str]) -> Self {
        let lab = Lab::new();
        // Each has its address and its MAC address, whichever of the others are there.
        let places: Vec<_> = (1_u16..)
            .zip(MACHINES)
            .filter(|(_, name)| wanted.contains(name))
            .collect();
        assert_eq!(places.len(), wanted.len(), "of {wanted:?} there are {places:?}");
        let mut hosts: Vec<_> = places.iter().map(|(_, name)| lab.host(name)).collect();
        let addresses: Vec<_> = places
            .iter()
            .map(|(number, _)| format!("192.0.2.{}/24", number + 9))
            .collect();
        let ends: Vec<_> = hosts.iter().zip(addresses.iter().map(String::as_str)).collect();
        let switch = lab.switch(&ends);
        let programs = PROGRAMS.map(|name| (program(name), format!("target/release/{name}")));
        let folders = ["tools/dist", "tools/mint/examples"].map(|name| (Path::new(ROOT).join(name), name.to_owned()));
        let seen: Vec<_> = programs
            .iter()
            .chain(&folders)
            .map(|(from, at)| (&**from, &**at))
            .collect();
        let booted = places.iter().zip(&hosts).map(|((number, name), host)| {
            let mut machine = Machine::boot(host, name, &seen);
            // No interface of a lab has a device behind it.
            let mac = mac(*number).map(|byte| format!("{byte:02x}")).join(":");
            machine.set("SEATKEEPER_MAC", &mac);
            (*name, machine)
        });
        let mut machines: BTreeMap<_, _> = booted.collect();
        for machine in machines.values_mut() {
            machine.await_up();
        }
        hosts.push(switch);
        Self {
            machines,
            _hosts: hosts,
            _lab: lab,
        }
    }

    /// A machine by its name. Whoever is not there sits at the server.
    fn machine(&self, name: &str) -> &Machine {
        assert!(MACHINES.contains(&name), "no machine is called {name}");
        self.machines.get(name).unwrap_or(&self.machines[MACHINES[0]])
    }

    /// Does what these chapters of a guide say, by how their titles begin; without any, all of it.
    #[track_caller]
    fn follow(&self, guide: &str, chapters: &[&str]) {
        let steps = steps(&text(guide));
        // What stands before the first chapter has no title.
        let is_in = |chapter: &str, told: &str| chapter.starts_with(told) && chapter.is_empty() == told.is_empty();
        for told in chapters {
            let is_there = steps.iter().any(|(chapter, _)| is_in(chapter, told));
            assert!(is_there, "{guide} has no commands in chapter {told:?}");
        }
        let wanted = |chapter: &str| chapters.is_empty() || chapters.iter().any(|told| is_in(chapter, told));
        for (_, step) in steps.into_iter().filter(|(chapter, _)| wanted(chapter)) {
            match step {
                Step::Copy(_, file, one, other) => self.copy(&file, &one, &other),
                Step::Mark(machine, secs) => set_mark(self.machine(&machine), secs),
                Step::Run(line, machine, script, told) => {
                    let since = monotonic();
                    let output = self.machine(&machine).shell(&script);
                    if std::env::var_os(SHOW).is_some() {
                        let took = monotonic().millis_since(since);
                        println!(
                            "\n== {guide}:{line} ({machine}, {took} ms)\n{script}\n--\n{}",
                            output.text()
                        );
                    }
                    assert_eq!(output.code, Some(0), "{guide}:{line}:\n{script}\n{}", output.text());
                    let missing = missing(&output.stdout, &told);
                    assert!(
                        missing.is_none(),
                        "{guide}:{line}: no {missing:?} in\n{}",
                        output.stdout
                    );
                }
            }
        }
    }

    /// Takes a file of root's to the same place on another machine.
    #[track_caller]
    fn copy(&self, file: &str, one: &str, other: &str) {
        let path = format!("/root/{file}");
        self.machine(other).put(&path, &self.machine(one).get(&path));
    }
}

/// A site with a server that has licenses, and `desk-1` with a seat: what every chapter begins with. What the vendor sends
/// is what these chapters of its own guide make.
#[track_caller]
fn begun(machines: &[&str], of_vendor: &[&str]) -> Site {
    let site = Site::new(machines);
    site.follow("vendor.md", of_vendor);
    site.follow("administrator.md", BEGINNING);
    site
}

pub(crate) fn every_day() {
    let site = begun(&["server", "vendor", "desk-1", "desk-2"], &[]);
    site.follow("administrator.md", DAYS);
    // Its keys are those that were bought first, before any is renewed.
    site.follow("old-tool.md", &[]);
    site.follow("administrator.md", YEARS);
}

pub(crate) fn at_night() {
    let site = begun(
        &["server", "desk-1"],
        &["", "Your key", "The catalogue", "License keys"],
    );
    site.follow("administrator.md", NIGHTS);
}

pub(crate) fn moving() {
    let site = begun(&["server", "desk-1", "new-server"], &[]);
    site.follow("administrator.md", MOVING);
}

/// That what a guide shows is compared, and no chapter left out: a harness that accepts anything would prove nothing.
pub(crate) fn comparing() {
    let typed = [BEGINNING, DAYS, YEARS, NIGHTS, MOVING].concat();
    for (chapter, _) in steps(&text("administrator.md")) {
        assert!(
            typed.iter().any(|begins| chapter.starts_with(begins)),
            "no test types {chapter:?}"
        );
    }
    let told = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    assert!(is_like("  a b c ", "a … c") && is_like("a b c", "…") && is_like("x y", "… y") && is_like("x", "x"));
    assert!(!is_like("a b c", "a … d") && !is_like("a b c", "a b") && !is_like("a b", "b") && !is_like("ab", "a…c"));
    assert_eq!(missing("one\ntwo\nthree\n", &told(&["one", "th…"])), None);
    assert_eq!(
        missing("one\ntwo\n", &told(&["two", "one"])).map(String::as_str),
        Some("one")
    );
    let read = steps(concat!(
        "# G\n```sh desk-1\na\nb\n```\nprints\n```text\nc\n```\n## 1. One\n<!-- copy f from a to b -->\n```toml\nx\n```\n",
        "```sh\nd\n```\n<!-- on desk-2\ne\n-->\n<!-- newest time of server -3 s from now -->\n"
    ));
    let run = |line, machine: &str, script: &str, printed: &[&str]| {
        Step::Run(line, machine.to_owned(), script.to_owned(), told(printed))
    };
    let copy = Step::Copy(11, "f".to_owned(), "a".to_owned(), "b".to_owned());
    let expected = [
        ("", run(2, "desk-1", "a\nb", &["c"])),
        ("1. One", copy),
        ("1. One", run(15, "server", "d", &[])),
        ("1. One", run(18, "desk-2", "e", &[])),
        ("1. One", Step::Mark("server".to_owned(), -3)),
    ];
    assert_eq!(read, expected.map(|(chapter, step)| (chapter.to_owned(), step)));
}

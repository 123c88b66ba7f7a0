//! The guides, command by command, as whoever reads them would type them: each ```` ```sh ```` block on the machine that it
//! names, the server if none; each ```` ```text ```` block behind one is in what it printed, `…` standing for anything. A
//! comment `<!-- copy FILE from MACHINE to MACHINE -->` does what the text around it says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::lab::{Host, Lab};
use crate::machine::Machine;
use crate::process::SEATKEEPER;
use crate::wire::mac;

/// Where the guides and everything they speak of are.
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The programs of the suite.
const PROGRAMS: [&str; 3] = ["seatkeeper", "seatmint", "seatprobe"];

/// The machines that guides speak of, in the order of their addresses and MAC addresses.
const MACHINES: [&str; 5] = ["server", "vendor", "desk-1", "desk-2", "new-server"];

/// What is done for a reader.
#[derive(Debug, Eq, PartialEq)]
enum Step {
    /// A block of commands: its line, its machine, the commands, what of it is printed.
    Run(usize, Option<String>, String, Vec<String>),
    /// A file, from a machine to another.
    Copy(usize, String, String, String),
}

/// The steps of a guide.
fn steps(guide: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = guide.lines().enumerate().map(|(place, line)| (place + 1, line));
    while let Some((number, line)) = lines.next() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["<!--", "copy", file, "from", one, "to", other, "-->"] => {
                steps.push(Step::Copy(number, file.to_owned(), one.to_owned(), other.to_owned()));
            }
            [fence, ..] if fence.starts_with("```") => {
                let block: Vec<&str> = lines
                    .by_ref()
                    .map(|(_, line)| line)
                    .take_while(|line| *line != "```")
                    .collect();
                match (&words[..], steps.last_mut()) {
                    (["```sh", machine @ ..], _) => {
                        let machine = machine.first().map(|name| (*name).to_owned());
                        steps.push(Step::Run(number, machine, block.join("\n"), Vec::new()));
                    }
                    (["```text"], Some(Step::Run(.., printed))) => {
                        printed.extend(block.iter().map(|line| (*line).to_owned()));
                    }
                    // Configurations and programs: they have tests of their own.
                    _ => {}
                }
            }
            _ => {}
        }
    }
    steps
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

/// The machines of a guide, on one switch.
struct Site {
    machines: BTreeMap<&'static str, Machine>,
    _hosts: Vec<Host>,
    _lab: Lab,
}

impl Site {
    fn new(wanted: &[&str]) -> Self {
        let lab = Lab::new();
        let names: Vec<_> = MACHINES.into_iter().filter(|name| wanted.contains(name)).collect();
        assert_eq!(names.len(), wanted.len(), "of {wanted:?} there are {names:?}");
        let mut hosts: Vec<_> = names.iter().map(|name| lab.host(name)).collect();
        let addresses: Vec<_> = (10..)
            .take(hosts.len())
            .map(|last| format!("192.0.2.{last}/24"))
            .collect();
        let places: Vec<_> = hosts.iter().zip(addresses.iter().map(String::as_str)).collect();
        let switch = lab.switch(&places);
        let machines = names
            .iter()
            .zip(&hosts)
            .zip(1..)
            .map(|((name, host), number)| (*name, Self::machine(host, name, number)))
            .collect();
        hosts.push(switch);
        Self {
            machines,
            _hosts: hosts,
            _lab: lab,
        }
    }

    /// A machine that has this repository's files and what was built of them, as the first lines of the guides say.
    fn machine(host: &Host, name: &str, number: u16) -> Machine {
        let mut machine = Machine::boot(host, name);
        // No interface of a lab has a device behind it.
        let mac = mac(number).map(|byte| format!("{byte:02x}")).join(":");
        machine.set("SEATKEEPER_MAC", &mac);
        for name in PROGRAMS {
            machine.install(&program(name), &format!("/root/target/release/{name}"));
        }
        for dir in ["tools/dist", "tools/mint/examples"] {
            for entry in std::fs::read_dir(Path::new(ROOT).join(dir)).expect(dir) {
                let entry = entry.expect(dir);
                let bytes = std::fs::read(entry.path()).expect(dir);
                machine.put(&format!("/root/{dir}/{}", entry.file_name().display()), &bytes);
            }
        }
        machine
    }

    /// Does what a guide says, with `server` for the machine of blocks that name none.
    #[track_caller]
    fn follow(&self, guide: &str, server: &str) {
        let text = std::fs::read_to_string(Path::new(ROOT).join("tools/guide").join(guide)).expect(guide);
        let steps = steps(&text);
        assert!(!steps.is_empty(), "{guide} has no commands");
        for step in steps {
            match step {
                Step::Copy(_, file, one, other) => self.copy(&file, &one, &other),
                Step::Run(line, machine, script, told) => {
                    let machine = machine.unwrap_or_else(|| server.to_owned());
                    let machine = self
                        .machines
                        .get(machine.as_str())
                        .unwrap_or_else(|| panic!("{guide}:{line}: no {machine}"));
                    let output = machine.shell(&script);
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
        self.machines[other].put(&path, &self.machines[one].get(&path));
    }
}

pub(crate) fn administrator() {
    let site = Site::new(&MACHINES);
    // What the vendor sends is what its own guide makes.
    site.follow("vendor.md", "vendor");
    for file in ["backup.pub", "backup.catalogue", "keys.txt"] {
        site.copy(file, "vendor", "server");
    }
    for desk in ["desk-1", "desk-2"] {
        site.copy("backup.pub", "vendor", desk);
    }
    site.follow("administrator.md", "server");
    // To where it leads.
    site.copy("keys.txt", "server", "new-server");
    site.follow("old-tool.md", "new-server");
}

/// That what a guide shows is compared: a harness that accepts anything would prove nothing.
pub(crate) fn comparing() {
    let told = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    assert!(is_like("  a b c ", "a … c") && is_like("a b c", "…") && is_like("x y", "… y") && is_like("x", "x"));
    assert!(!is_like("a b c", "a … d") && !is_like("a b c", "a b") && !is_like("a b", "b") && !is_like("ab", "a…c"));
    assert_eq!(missing("one\ntwo\nthree\n", &told(&["one", "th…"])), None);
    assert_eq!(
        missing("one\ntwo\n", &told(&["two", "one"])).map(String::as_str),
        Some("one")
    );
    let read = steps(
        "# G\n```sh desk-1\na\nb\n```\nprints\n```text\nc\n```\n<!-- copy f from a to b -->\n```toml\nx\n```\n```sh\nd\n```\n",
    );
    let run = |line, machine: Option<&str>, script: &str, printed: &[&str]| {
        Step::Run(line, machine.map(str::to_owned), script.to_owned(), told(printed))
    };
    let copy = Step::Copy(10, "f".to_owned(), "a".to_owned(), "b".to_owned());
    assert_eq!(
        read,
        [run(2, Some("desk-1"), "a\nb", &["c"]), copy, run(14, None, "d", &[])]
    );
}

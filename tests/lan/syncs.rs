//! What the running server asks of the operating system, in which order: nothing counts before it is on the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::lab::Lab;
use crate::process::{SEATKEEPER, ServerProcess, signal};
use crate::shop::Shop;

/// Licenses that are imported, each in a round of its own: enough for three checkpoints, the last of which lets the first go.
const IMPORTS: u16 = 140;

const CALLS: &str =
    "trace=openat,pwrite64,write,writev,fsync,fdatasync,link,linkat,rename,renameat,renameat2,unlink,unlinkat,mkdir";

pub(crate) fn in_order() {
    let lab = Lab::new();
    let host = lab.host("server");
    let (data, trace, config) = (host.data(), lab.dir().join("trace"), lab.dir().join("seatkeeper.toml"));
    fs::write(&config, "[journal]\ncheckpoint_kib = 16\n").unwrap();
    let shop = Shop::new(&lab);
    let served = |work: &dyn Fn()| {
        let mut serve = host.command("strace");
        serve
            .args(["-f", "-qq", "-y", "-s", "0", "-e", CALLS, "-o"])
            .arg(&trace);
        serve.args([SEATKEEPER, "serve", "--listen", "127.0.0.1:0", "--data"]);
        let server = ServerProcess::of(serve.arg(&data).arg("--config").arg(&config), &data);
        work();
        let pid = fs::read_to_string(data.join("LOCK")).unwrap();
        signal(pid.trim().parse().unwrap(), "TERM");
        let (code, log) = server.ended();
        assert_eq!(code, Some(0), "{log}");
        let mut disk = Traced::of(data.to_str().unwrap());
        fs::read_to_string(&trace)
            .unwrap()
            .lines()
            .for_each(|line| disk.line(line));
        disk
    };
    let licenses: Vec<_> = (1..=IMPORTS).map(|number| (number, "BKSRV", 1)).collect();
    let disk = served(&|| shop.supply(&host, &licenses));
    // It is a trace of what matters.
    assert!(disk.answers > u32::from(IMPORTS), "{} answers", disk.answers);
    assert!(disk.keys >= 2, "{} keys were given their names", disk.keys);
    assert!(
        disk.named > 3 && disk.removed > 0,
        "{} named, {} removed",
        disk.named,
        disk.removed
    );
    // A key that takes the place of one is no less of one: that of an older release gets its public key.
    fs::write(data.join("lease.pem"), OLD_LEASE_KEY).unwrap();
    let disk = served(&|| drop(host.admin(["status"]).ok()));
    assert_eq!(disk.keys, 1, "the key is written anew");
    assert!(disk.answers > 0);
}

/// A key for leases as it was written once.
const OLD_LEASE_KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\n\
                             -----END PRIVATE KEY-----\n";

/// What a connection begins with: the server's part of the handshake, and the answer to HELLO.
const GREETINGS: u32 = 2;

/// Files and directories below the data directory as the disk has them after the calls so far.
#[derive(Debug, Default)]
struct Traced {
    data: String,
    /// How often each file was written to, or each directory had a name put in or taken out, and how many of these are synced.
    changed: BTreeMap<String, (u64, u64)>,
    /// What was made or named and whose name is not synced.
    unnamed: BTreeSet<String>,
    /// Of each thread the sync that it is in: of what, and how many changes that had when it began.
    syncing: BTreeMap<String, (String, u64)>,
    /// What was written to each socket so far.
    told: BTreeMap<String, u32>,
    answers: u32,
    keys: u32,
    named: u32,
    removed: u32,
}

impl Traced {
    fn of(data: &str) -> Self {
        Self {
            data: data.to_owned(),
            ..Self::default()
        }
    }

    /// The next line of a trace: `PID name(arguments) = result`, or a call that begins and, later, how it ends.
    fn line(&mut self, line: &str) {
        let (pid, call) = line.split_once(' ').expect("a thread and what it does");
        let call = call.trim_start();
        if call.starts_with("<... fsync resumed") || call.starts_with("<... fdatasync resumed") {
            self.synced(pid);
            return;
        }
        let Some((name, arguments)) = call.split_once('(') else {
            return;
        };
        let failed = arguments.contains(") = -1");
        match name {
            "openat" if arguments.contains("O_CREAT") && !failed => {
                let path = quoted(arguments, 0);
                self.changes(&path);
                self.changes(parent(&path));
            }
            "mkdir" if !failed => drop(self.unnamed.insert(quoted(arguments, 0))),
            "pwrite64" | "write" | "writev" => self.writes(arguments, line),
            "fsync" | "fdatasync" => {
                let path = described(arguments);
                let begun = self.changed.get(&path).map_or(0, |(changes, _)| *changes);
                self.syncing.insert(pid.to_owned(), (path, begun));
                if !arguments.contains("<unfinished") {
                    self.synced(pid);
                }
            }
            // A key that was made is given its name so.
            "link" | "linkat" if !failed => {
                let (from, to) = (quoted(arguments, 0), quoted(arguments, 1));
                assert!(self.is_synced(&from), "named before it was synced: {line}");
                self.keys += u32::from(is_key(&to));
                self.unnamed.insert(to);
            }
            "rename" | "renameat" | "renameat2" if !failed => {
                self.renames(&quoted(arguments, 0), &quoted(arguments, 1), line);
            }
            "unlink" | "unlinkat" if !failed => {
                let name = quoted(arguments, 0);
                // What is removed with its directory is named within that.
                let path = if name.starts_with('/') {
                    name
                } else {
                    format!("{}/{name}", described(arguments))
                };
                self.removes(&path, line);
            }
            _ => {}
        }
    }

    fn changes(&mut self, path: &str) {
        if path.starts_with(&self.data) {
            self.changed.entry(path.to_owned()).or_default().0 += 1;
        }
    }

    fn synced(&mut self, pid: &str) {
        let Some((path, begun)) = self.syncing.remove(pid) else {
            return;
        };
        self.unnamed.retain(|name| parent(name) != path);
        if let Some((_, synced)) = self.changed.get_mut(&path) {
            *synced = begun.max(*synced);
        }
    }

    fn is_synced(&self, path: &str) -> bool {
        self.unsynced(path) == 0
    }

    /// Changes that no sync has put on the disk.
    fn unsynced(&self, path: &str) -> u64 {
        self.changed.get(path).map_or(0, |(changes, synced)| changes - synced)
    }

    fn writes(&mut self, arguments: &str, line: &str) {
        let path = described(arguments);
        if path.starts_with("socket:") || path.starts_with("TCP") {
            // An answer, or what becomes one: the journal holds what it tells. Not so the handshake and the answer to HELLO,
            // which tell of nothing that was decided: what was asked together with HELLO is being written meanwhile, and
            // that alone.
            let told = self.told.entry(path.clone()).or_default();
            *told += 1;
            let is_greeting = *told <= GREETINGS;
            let journal = self.changed.keys().filter(|path| path.ends_with(".journal"));
            for segment in journal {
                let most = u64::from(is_greeting);
                assert!(
                    self.unsynced(segment) <= most,
                    "answered while {segment} was not synced: {line}"
                );
            }
            // So are the keys of who answers there, and the directory in which all of it is.
            let lasts =
                |path: &&String| is_key(path) || path.ends_with("/FORMAT") || self.data.starts_with(path.as_str());
            let unnamed = self.unnamed.iter().find(lasts);
            assert_eq!(unnamed, None, "answered before it had its name: {line}");
            self.answers += 1;
            return;
        }
        assert!(
            !self.unnamed.contains(&path),
            "written to before its name was synced: {line}"
        );
        // A round may tell of whoever has a key: it must not outlive that.
        if path.ends_with(".journal") {
            let unnamed = self.unnamed.iter().find(|path| is_key(path));
            assert_eq!(unnamed, None, "a round before the key has its name: {line}");
        }
        self.changes(&path);
    }

    fn renames(&mut self, from: &str, to: &str, line: &str) {
        let is = |kind: &str, path: &str| path.starts_with(&format!("{}/{kind}", self.data));
        // What the engine does inside its files is compared as a whole when it has.
        if is("state.", to) || is("scratch", to) || !is("", to) {
            return self.changes(parent(to));
        }
        assert!(self.is_synced(from), "named before it was synced: {line}");
        self.keys += u32::from(is_key(to));
        if is("manifest.", to) {
            let unnamed = self.unnamed.iter().find(|path| is("state.", path));
            assert_eq!(unnamed, None, "it names what has no name after a power cut: {line}");
            for path in self.changed.keys().filter(|path| is("state.", path)) {
                assert!(self.is_synced(path), "{path} was not synced: {line}");
            }
            self.named += 1;
        }
        self.unnamed.insert(to.to_owned());
    }

    /// What no kept generation needs may go once the manifest that says so is on the disk under its name, and what is kept of it.
    fn removes(&mut self, path: &str, line: &str) {
        let is = |kind: &str, path: &str| path.starts_with(&format!("{}/{kind}", self.data));
        if is("state.", path) || path.ends_with(".journal") {
            let counts = |path: &&String| is("manifest.", path) || is("history", path);
            assert_eq!(self.unnamed.iter().find(counts), None, "removed too soon: {line}");
            self.removed += 1;
        }
        self.changed.remove(path);
        self.unnamed.remove(path);
    }
}

fn is_key(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, ending)| ending == "pem")
}

/// The `place`th text in quotes.
fn quoted(arguments: &str, place: usize) -> String {
    let text = arguments.split('"').nth(2 * place + 1);
    text.unwrap_or_else(|| panic!("no {place}th text in {arguments}"))
        .to_owned()
}

/// What the descriptor stands for that comes first.
fn described(arguments: &str) -> String {
    let path = arguments.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    path.map_or_else(String::new, |(path, _)| path.to_owned())
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

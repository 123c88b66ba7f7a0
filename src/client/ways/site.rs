//! What a site says of where its servers are: a file that configuration tools write, and variables that go before it.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{Way, words};
use crate::client::address::Address;
use crate::sockets::interfaces::Choice;

/// The site's file, where no variable names another.
pub const SITE_FILE: &str = "/etc/seatkeeper/site";

/// The environment variable that names another site file; empty for none.
pub const SITE_FILE_VARIABLE: &str = "SEATKEEPER_SITE_FILE";

/// The environment variable that names servers, in place of those of the site file: `HOST[:PORT]`, commas between them.
pub const SERVERS_VARIABLE: &str = "SEATKEEPER_SERVERS";

/// The environment variable that says by which paths servers are looked for, in place of the site file.
pub const PATHS_VARIABLE: &str = "SEATKEEPER_PATHS";

/// The environment variable that says on which interfaces everybody is asked, in place of the site file: names with commas
/// between them, `!` before those on which nobody is.
pub const INTERFACES_VARIABLE: &str = "SEATKEEPER_INTERFACES";

/// Servers that are named, at most: so many can be tried in a search of 3 seconds even if none of them answers.
pub const SERVERS_MAX: usize = 16;

/// The longest site file that is read, in bytes.
pub const SITE_FILE_MAX: u64 = 65_536;

/// Where a site's servers are looked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Site {
    /// The servers that are named, the preferred one first; at most [`SERVERS_MAX`].
    pub servers: Vec<Address>,
    /// The paths that are switched on.
    pub ways: BTreeSet<Way>,
    /// On which interfaces everybody is asked.
    pub interfaces: Choice,
    /// What cannot be understood, and where it stands, one sentence each. It is left out; all else counts.
    ///
    /// It stops nobody: what a later version may write into the file must not stop programs that embed an earlier one.
    pub faults: Vec<String>,
}

impl Default for Site {
    /// No server is named; every path is switched on.
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            ways: Way::ALL.into(),
            interfaces: Choice::default(),
            faults: Vec::new(),
        }
    }
}

impl Site {
    /// What this machine's site file and the variables of this process say; `port` where a server has none.
    #[must_use]
    pub fn of_this_machine(port: u16) -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let file = match std::env::var_os(SITE_FILE_VARIABLE) {
            Some(name) => Some(PathBuf::from(name)).filter(|path| !path.as_os_str().is_empty()),
            None => Some(PathBuf::from(SITE_FILE)),
        };
        let must_be_there = std::env::var_os(SITE_FILE_VARIABLE).is_some();
        let mut site = file.map_or_else(Self::default, |path| Self::read(&path, must_be_there, port));
        if let Some(servers) = variable(SERVERS_VARIABLE) {
            site.servers.clear();
            for server in words(&servers) {
                site.add(SERVERS_VARIABLE, server, port);
            }
        }
        if let Some(paths) = variable(PATHS_VARIABLE) {
            match Way::list(&paths) {
                Ok(ways) => site.ways = ways,
                Err(error) => site.faults.push(format!("{PATHS_VARIABLE}: {error}")),
            }
        }
        if let Some(names) = variable(INTERFACES_VARIABLE) {
            site.interfaces = Choice::default();
            for name in words(&names) {
                match name.strip_prefix('!') {
                    Some(denied) => site.choose(INTERFACES_VARIABLE, denied, true),
                    None => site.choose(INTERFACES_VARIABLE, name, false),
                }
            }
        }
        site
    }

    /// These servers and no other path, as somebody wants it who names them.
    #[must_use]
    pub fn only<S: AsRef<str>>(servers: &[S], port: u16) -> Self {
        let mut site = Self {
            ways: BTreeSet::from([Way::Servers]),
            ..Self::default()
        };
        for server in servers {
            site.add("", server.as_ref(), port);
        }
        site
    }

    /// Reads a site file. What cannot be read is told among the faults; that there is no file only where it
    /// `must_be_there`.
    #[must_use]
    pub fn read(path: &Path, must_be_there: bool, port: u16) -> Self {
        let mut text = String::new();
        let read = std::fs::File::open(path).and_then(|file| file.take(SITE_FILE_MAX + 1).read_to_string(&mut text));
        match read {
            Ok(len) if len as u64 <= SITE_FILE_MAX => Self::parse(&path.display().to_string(), &text, port),
            Ok(_) => Self::faulty(format!(
                "{}: longer than {SITE_FILE_MAX} bytes; it is not read",
                path.display()
            )),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_be_there => Self::default(),
            Err(error) => Self::faulty(format!("{} cannot be read: {error}", path.display())),
        }
    }

    fn faulty(fault: String) -> Self {
        Self {
            faults: vec![fault],
            ..Self::default()
        }
    }

    /// Reads the text of a site file whose name is `file`: a setting a line, `#` begins a comment.
    fn parse(file: &str, text: &str, port: u16) -> Self {
        let mut site = Self::default();
        let mut paths_at = None;
        for (place, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let number = place + 1;
            let at = format!("{file}:{number}");
            let line = line.split('#').next().unwrap_or_default().trim();
            let (word, rest) = line
                .split_once(char::is_whitespace)
                .map_or((line, ""), |(word, rest)| (word, rest.trim()));
            match word {
                "" => {}
                "server" => site.add(&at, rest, port),
                "interface" => site.choose(&at, rest, false),
                "not-interface" => site.choose(&at, rest, true),
                "paths" => match (paths_at, Way::list(rest)) {
                    (Some(first), _) => site.faults.push(format!(
                        "{at}: paths are said on line {first} already; that line counts"
                    )),
                    (None, Ok(ways)) => {
                        site.ways = ways;
                        paths_at = Some(number);
                    }
                    (None, Err(error)) => site.faults.push(format!("{at}: {error}")),
                },
                _ => site.faults.push(format!(
                    "{at}: '{}' is no setting of this file; write server, paths, interface or not-interface",
                    word.escape_debug()
                )),
            }
        }
        site
    }

    /// Adds an interface on which everybody is asked, or nobody.
    fn choose(&mut self, at: &str, name: &str, denied: bool) {
        if !Choice::is_name(name) {
            let name = name.escape_debug();
            self.faults.push(format!(
                "{at}: '{name}' names no interface; write one such as eth0, or veth*"
            ));
        } else if denied {
            self.interfaces.not.push(name.to_owned());
        } else {
            self.interfaces.only.push(name.to_owned());
        }
    }

    /// Adds a server that stands at this place; the place is empty where its reader wrote it himself.
    fn add(&mut self, at: &str, server: &str, port: u16) {
        let fault = match Address::parse(server, port) {
            Ok(address) if self.servers.contains(&address) => return,
            Ok(_) if self.servers.len() >= SERVERS_MAX => {
                format!("{server} is not asked: {SERVERS_MAX} servers before it are as many as are tried")
            }
            Ok(address) => {
                self.servers.push(address);
                return;
            }
            Err(error) => error.to_string(),
        };
        self.faults
            .push(if at.is_empty() { fault } else { format!("{at}: {fault}") });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\u{feff}# written by the configuration tool\r\n\
        server license.example.com   # the first one is preferred\r\n\
        \r\n\
        server\tlicense2.example.com:99\r\n\
        server [fe80::1%eth0]:17328\r\n\
        server license.example.com\r\n\
        paths  servers, lan\r\n\
        interface eth*\r\nnot-interface eth7\r\n";

    fn named(site: &Site) -> Vec<String> {
        site.servers.iter().map(Address::to_string).collect()
    }

    #[test]
    fn a_site_file_names_servers_in_their_order_and_switches_paths() {
        let site = Site::parse("site", FILE, 7);
        assert_eq!(site.faults, <[String; 0]>::default());
        assert_eq!(
            named(&site),
            [
                "license.example.com:7",
                "license2.example.com:99",
                "[fe80::1%eth0]:17328"
            ]
        );
        assert_eq!(Vec::from_iter(site.ways), [Way::Servers, Way::Lan]);
        let chosen = ["eth0", "eth7", "lo"].map(|name| site.interfaces.admits(name));
        assert_eq!(chosen, [true, false, false]);
        assert_eq!(Site::parse("site", "", 7), Site::default());
    }

    #[test]
    fn the_shipped_file_shows_the_default() {
        let shipped = include_str!("../../../tools/dist/site");
        assert_eq!(Site::parse("site", shipped, 7), Site::default());
        // What it shows behind `#` is right too.
        let site = Site::parse("site", &shipped.replace("\n#server", "\nserver"), 7);
        assert_eq!((site.servers.len(), site.faults.len()), (3, 0), "{:?}", site.faults);
    }

    #[test]
    fn what_a_site_file_says_wrongly_is_told_with_its_line_and_the_rest_counts() {
        let text = "server one\nserver\nserver two three\nservre x\npaths wan\npaths lan\npaths servers\nserver four\ninterface two words";
        let site = Site::parse("/etc/seatkeeper/site", text, 7);
        let at: Vec<_> = site
            .faults
            .iter()
            .map(|told| told.split_once(": ").expect("a place").0)
            .collect();
        let lines = [2, 3, 4, 5, 7, 9].map(|line| format!("/etc/seatkeeper/site:{line}"));
        assert_eq!(at, lines, "{:?}", site.faults);
        assert_eq!(named(&site), ["one:7", "four:7"]);
        assert_eq!(Vec::from_iter(site.ways), [Way::Lan]);
    }

    #[test]
    fn a_site_file_that_is_not_there_is_none_unless_somebody_named_it() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("site");
        assert_eq!(Site::read(&path, false, 7), Site::default());
        let told = Site::read(&path, true, 7).faults;
        assert!(told[0].contains("cannot be read"), "{told:?}");
        std::fs::write(&path, "server one\n").expect("written");
        assert_eq!(named(&Site::read(&path, true, 7)), ["one:7"]);
        let long = usize::try_from(SITE_FILE_MAX).expect("fits") + 1;
        std::fs::write(&path, "#".repeat(long)).expect("written");
        let told = Site::read(&path, false, 7).faults;
        assert!(told[0].contains("longer than"), "{told:?}");
    }

    #[test]
    fn more_servers_than_can_be_tried_are_told_and_left_out() {
        let servers: Vec<_> = (0..=SERVERS_MAX).map(|number| format!("server{number}")).collect();
        let site = Site::only(&servers, 7);
        assert_eq!(site.servers.len(), SERVERS_MAX);
        assert!(site.faults[0].starts_with("server16 is not asked"), "{:?}", site.faults);
        assert_eq!(Vec::from_iter(site.ways), [Way::Servers]);
    }
}

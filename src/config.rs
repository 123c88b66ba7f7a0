//! The server's configuration: a TOML file, with the command line over it. Unknown keys are errors with their line.

mod changes;
mod discovery;
mod error;
mod faults;
mod file;
mod limits;
mod listen;
mod near;
mod policies;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

pub use changes::{ConfigChange, Effect, Overrides};
pub use discovery::Discovery;
pub use error::ConfigError;
pub use file::ConfigFile;
pub use limits::Limits;
pub use listen::{Listen, ListenError};
pub use policies::{EnrolPolicy, RebindPolicy};
use serde::Deserialize;

use crate::net::NetLimits;
use crate::store::Retention;
use crate::wire::limits::PORT;

/// The environment variable that changes the port of a whole site, servers and agents.
pub const PORT_VARIABLE: &str = "SEATKEEPER_PORT";

/// Bytes of a MiB.
const MIB: usize = 1 << 20;

/// Everything that `seatkeeper serve` can be told. Every key has a default that works.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The server's name in offers, at most 64 bytes; the host's name if absent.
    pub name: Option<String>,
    /// The data directory.
    pub data: Option<PathBuf>,
    /// Addresses to listen on, `ADDRESS` or `ADDRESS:PORT`; every address of the host if empty.
    pub listen: Vec<Listen>,
    /// Which server agents without a pin prefer: the one with the lowest number; 100 if absent.
    pub priority: Option<u16>,
    /// What becomes of a checkout from a system that was installed anew; honoured if absent.
    pub rebind: RebindPolicy,
    /// Whom the server serves as an agent; whoever connects if absent.
    pub enrol: EnrolPolicy,
    /// Which questions of discovery are answered.
    pub discovery: Discovery,
    /// Bounds that a site may need other values for.
    pub limits: Limits,
    /// How long the journal may get.
    pub journal: Journal,
    /// How much of what happened is kept.
    pub events: Events,
    /// What to log, and how.
    pub log: Log,
}

/// How long the journal may get.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Journal {
    /// KiB that it grows by before the ledger is written down anew; more where the ledger is larger.
    pub checkpoint_kib: u32,
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            checkpoint_kib: 128 << 10,
        }
    }
}

/// How much of what happened is kept (rule V3).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Events {
    /// For how many days.
    pub keep_days: u32,
    /// How much of it, in MiB, compressed.
    pub keep_mib: u32,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            keep_days: 365,
            keep_mib: 4_096,
        }
    }
}

impl Events {
    /// How much the store keeps.
    #[must_use]
    pub fn retention(&self) -> Retention {
        Retention {
            days: self.keep_days,
            bytes: u64::from(self.keep_mib) << 20,
        }
    }
}

impl Config {
    /// What the connections of a server keep to.
    #[must_use]
    pub fn net(&self) -> NetLimits {
        let Limits {
            hello_secs,
            frame_secs,
            agent_silence_secs,
            administrator_silence_secs,
            ..
        } = self.limits;
        NetLimits {
            connections: self.limits.connections(),
            hello_ms: hello_secs.saturating_mul(1_000),
            frame_ms: frame_secs.saturating_mul(1_000),
            silence_agent_ms: agent_silence_secs.saturating_mul(1_000),
            silence_administrator_ms: administrator_silence_secs.saturating_mul(1_000),
            rebind: self.rebind.into(),
        }
    }
}

/// What to log, and how.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, `trace`, or filters as `info,seatkeeper::net=debug`.
    pub level: String,
    /// Lines for people, or JSON objects.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
            format: LogFormat::Text,
        }
    }
}

/// The shape of log lines.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// A JSON object a line.
    Json,
    /// Lines for people.
    Text,
}

impl Config {
    /// Checks what types cannot say.
    ///
    /// # Errors
    /// A value is out of its range; the message names the key.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.faults().into_iter().next().map_or(Ok(()), Err)
    }

    /// Every value that is out of its range.
    fn faults(&self) -> Vec<ConfigError> {
        let mut faults = Vec::new();
        let mut wrong = |key, reason: &str| {
            let reason = reason.to_owned();
            faults.push(ConfigError::Value { key, reason });
        };
        if self
            .name
            .as_ref()
            .is_some_and(|name| name.is_empty() || name.len() > 64 || name.contains(char::is_control))
        {
            wrong("name", "must have 1 to 64 bytes and no control characters");
        }
        let twice = |at: usize, one: &Listen| self.listen.iter().take(at).any(|other| other.address == one.address);
        if self.listen.iter().enumerate().any(|(at, one)| twice(at, one)) {
            wrong(
                "listen",
                "names an address twice, perhaps with two ports: name each once, with the one port that it has",
            );
        }
        let checkpoint_kib = u64::from(self.journal.checkpoint_kib);
        faults.extend(limits::within("journal.checkpoint_kib", checkpoint_kib, 16..=1 << 20));
        faults.extend(self.discovery.faults());
        faults.extend(self.limits.faults());
        faults
    }

    /// The addresses to listen on, each with its port.
    #[must_use]
    pub fn listen_on(&self, site_port: u16) -> Vec<SocketAddr> {
        if self.listen.is_empty() {
            let everywhere: [IpAddr; 2] = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
            return everywhere.map(|address| SocketAddr::new(address, site_port)).to_vec();
        }
        let with_port = |listen: &Listen| SocketAddr::new(listen.address, listen.port.unwrap_or(site_port));
        self.listen.iter().map(with_port).collect()
    }
}

/// Checks that all addresses have one port, which is what agents are told when they search.
///
/// # Errors
/// They have several.
pub fn one_port(addresses: &[SocketAddr]) -> Result<(), ConfigError> {
    let first = addresses.first().map(SocketAddr::port);
    if addresses.iter().any(|address| Some(address.port()) != first) {
        return Err(ConfigError::Ports);
    }
    Ok(())
}

/// The port of this site: [`PORT_VARIABLE`], or 17328.
///
/// # Errors
/// The variable is set to what is not a port.
pub fn site_port() -> Result<u16, ConfigError> {
    match std::env::var(PORT_VARIABLE) {
        Err(_) => Ok(PORT),
        Ok(text) => match text.parse() {
            Ok(port) if port != 0 => Ok(port),
            _ => Err(ConfigError::Port(text)),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::domain::command::Rebind;
    use crate::service::Enrolment;

    fn read(text: &str) -> Result<Config, ConfigError> {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("seatkeeper.toml");
        std::fs::write(&path, text).expect("write");
        ConfigFile::read(&path).map(|file| file.config)
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let error = read("name = \"one\"\n\n[limits]\nconnection = 5\n")
            .expect_err("unknown key")
            .to_string();
        assert!(error.contains("line 4"), "{error}");
        assert!(error.contains("connection"), "{error}");
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once_as_far_as_the_rest_can_be_read() {
        let text = "name = 5\n\n[limts]\nhello_secs = 1\nanything = 2\n[limits]\nhello_secs = 0\nconection = 5\nframe_secs = 99\n\
                    [log]\nformat = \"xml\"\n";
        let told = read(text).expect_err("wrong").to_string();
        for words in [
            "6 faults",
            "line 1, column 8",
            "line 3, column 2",
            "line 8, column 1",
            "line 11, column 10",
            "line 7: limits.hello_secs must be 1 to 60, and is 0",
            "line 9: limits.frame_secs must be 1 to 60, and is 99",
        ] {
            assert!(told.contains(words), "{words}: {told}");
        }
        assert!(!told.contains("anything"), "what stands below an unknown table: {told}");
        // What is no TOML is told beside it.
        let error = read("name = 5\nlisten = [\n").expect_err("wrong").to_string();
        assert!(
            error.contains("2 faults") && error.contains("unclosed array"),
            "{error}"
        );
        let places = ["line 1,", "line 3,", "line 7:", "line 8,"].map(|line| told.find(line));
        assert!(
            places.is_sorted() && places[0].is_some(),
            "in the order of the lines: {told}"
        );
    }

    #[test]
    fn a_huge_line_is_not_quoted_and_a_huge_file_is_not_read() {
        let long = "x".repeat(100_000);
        for text in [
            format!("{long} = 1"),
            format!("name = \"{long}\" \"again\""),
            format!("rebind = \"{long}\""),
            format!("listen = [\"{long}\"]"),
            long.clone(),
        ] {
            let error = read(&text).expect_err("wrong").to_string();
            assert!(error.contains("line 1, column") && error.len() < 2_000, "{error}");
        }
        let error = read(&"#\n".repeat(1 << 20)).expect_err("huge").to_string();
        assert!(error.contains("larger than any configuration"), "{error}");
    }

    #[test]
    fn values_out_of_range_name_their_key() {
        for (text, key) in [
            ("name = \"\"", "name"),
            ("[limits]\nconnections = 0", "limits.connections"),
            ("[limits]\nconnections_memory_mib = 15", "limits.connections_memory_mib"),
            ("listen = [\"::1\", \"127.0.0.1\", \"::1\"]", "listen"),
            (
                "[limits]\nagent_silence_secs = 0",
                "limits.agent_silence_secs must be 1 to 86400, and is 0",
            ),
            (
                "[limits]\nadministrator_silence_secs = 86401",
                "limits.administrator_silence_secs",
            ),
            ("[limits]\nconnections_per_source = 0", "limits.connections_per_source"),
            ("[limits]\nrequests_per_source = 4097", "limits.requests_per_source"),
            ("[limits]\nhello_secs = 61", "limits.hello_secs"),
            ("[limits]\nframe_secs = 0", "limits.frame_secs"),
            (
                "[limits]\nwrong_tokens_per_source_and_minute = 0",
                "limits.wrong_tokens_per_source_and_minute",
            ),
            ("[limits]\noffers_per_second = 0", "limits.offers_per_second"),
            (
                "[limits]\noffers_per_network_and_second = 40001",
                "limits.offers_per_network_and_second",
            ),
            ("[journal]\ncheckpoint_kib = 15", "journal.checkpoint_kib"),
        ] {
            let error = read(text).expect_err(text).to_string();
            assert!(error.contains(key), "{error}");
        }
    }

    #[test]
    fn a_value_out_of_range_is_told_with_its_line() {
        for (text, place) in [
            ("name = \"\"", "line 1: name must"),
            (
                "\n[limits]\n# frame_secs = 1\n  frame_secs = 61 # slow",
                "line 4: limits.frame_secs must be 1 to 60, and is 61",
            ),
            ("[log]\n[limits]\nhello_secs=0", "line 3: limits.hello_secs"),
            ("limits = { hello_secs = 0 }", "is wrong: limits.hello_secs"),
            (
                "[limits]\n[journal]\ncheckpoint_kib = 0",
                "line 3: journal.checkpoint_kib",
            ),
        ] {
            let error = read(text).expect_err(text).to_string();
            assert!(error.contains(place) && error.contains("seatkeeper.toml"), "{error}");
        }
    }

    #[test]
    fn addresses_are_read_with_and_without_a_port() {
        let addresses = |text| -> Vec<String> {
            let config = read(text).expect("good");
            config.listen_on(7).iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            addresses("listen = [\"127.0.0.1\", \"::1\"]"),
            ["127.0.0.1:7", "[::1]:7"]
        );
        assert_eq!(
            addresses("listen = [\"10.0.0.1:99\", \"[::1]:99\"]"),
            ["10.0.0.1:99", "[::1]:99"]
        );
        assert!(read("listen = [\"here\"]").is_err());
        assert_eq!(Config::default().listen_on(17328).len(), 2);
    }

    // proves I7
    #[test]
    fn new_identities_are_honoured_unless_approval_is_asked_for() {
        let rebind = |text| read(text).map(|config| config.net().rebind);
        assert_eq!(rebind("").expect("good"), Rebind::Honour);
        assert_eq!(rebind("rebind = \"honour\"").expect("good"), Rebind::Honour);
        assert_eq!(rebind("rebind = \"approve\"").expect("good"), Rebind::Approve);
        let error = rebind("rebind = \"refuse\"").expect_err("no policy").to_string();
        assert!(error.contains("approve") && error.contains("honour"), "{error}");
    }

    #[test]
    fn whoever_connects_is_served_unless_tokens_are_asked_for() {
        let enrol = |text| read(text).map(|config| Enrolment::from(config.enrol));
        assert_eq!(enrol("").expect("good"), Enrolment::Open);
        assert_eq!(enrol("enrol = \"open\"").expect("good"), Enrolment::Open);
        assert_eq!(enrol("enrol = \"token\"").expect("good"), Enrolment::Token);
        let error = enrol("enrol = \"closed\"").expect_err("no policy").to_string();
        assert!(error.contains("open") && error.contains("token"), "{error}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = ConfigFile::read(Path::new("/nowhere/seatkeeper.toml"))
            .expect_err("missing")
            .to_string();
        assert!(error.contains("/nowhere/seatkeeper.toml"), "{error}");
    }

    const SHIPPED: &str = include_str!("../tools/dist/seatkeeper.toml");

    /// The shipped file with every setting in force.
    fn uncommented() -> String {
        let lines = SHIPPED.lines().map(|line| match line.strip_prefix('#') {
            Some(rest) if rest.starts_with(char::is_alphabetic) => rest,
            _ => line,
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_shipped_file_changes_nothing_as_it_is() {
        assert_eq!(read(SHIPPED).expect("good"), Config::default());
    }

    #[test]
    fn the_shipped_file_shows_the_defaults() {
        let shown = read(&uncommented()).expect("good");
        // These two depend on the host: what is shown is an example.
        let hosts = Config {
            name: Some("license-server".to_owned()),
            data: Some("/var/lib/seatkeeper".into()),
            ..Config::default()
        };
        // The default of the priority is put in where it is used.
        assert_eq!(shown.priority, Some(100));
        assert_eq!(
            Config {
                priority: None,
                ..shown
            },
            hosts
        );
    }

    #[test]
    fn the_shipped_file_shows_every_key() {
        let text = uncommented();
        let shown: toml::Table = text.parse().expect("TOML");
        for (table, keys) in [
            ("", &shown),
            ("limits", shown["limits"].as_table().expect("a table")),
            ("log", shown["log"].as_table().expect("a table")),
        ] {
            // The error about an unknown key names all that there are.
            let head = if table.is_empty() {
                String::new()
            } else {
                format!("[{table}]\n")
            };
            let error = read(&format!("{head}no_such_key = 1"))
                .expect_err("unknown key")
                .to_string();
            let (_, expected) = error.split_once("expected").expect("names the keys");
            let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
            assert_eq!(known.len(), keys.len(), "[{table}]: {known:?}");
            assert!(known.iter().all(|key| keys.contains_key(*key)), "[{table}]: {known:?}");
        }
    }
}

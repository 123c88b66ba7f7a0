//! What becomes of a configuration that changed while the server runs: which keys are taken over at once, and which at the
//! next start. Whoever adds a key decides it here: neither list of keys compiles without it.

use std::path::{Path, PathBuf};

use super::{Config, ConfigFile, Discovery, Events, Journal, Limits, Listen, Log, LogFormat};
use crate::telemetry::LOG_VARIABLE;

/// What is set beside the file and goes before it: the command line, and the environment for the log.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Overrides {
    /// `--name`.
    pub name: Option<String>,
    /// `--data`.
    pub data: Option<PathBuf>,
    /// `--listen`; nothing where it is empty.
    pub listen: Vec<Listen>,
    /// [`LOG_VARIABLE`].
    pub log_level: Option<String>,
}

impl Overrides {
    /// What is in force where a file says `config`.
    #[must_use]
    pub fn over(&self, mut config: Config) -> Config {
        let Self {
            name,
            data,
            listen,
            log_level,
        } = self.clone();
        config.name = name.or(config.name);
        config.data = data.or(config.data);
        if !listen.is_empty() {
            config.listen = listen;
        }
        config.log.level = log_level.unwrap_or(config.log.level);
        config
    }

    /// What goes before the file for this key, if anything does.
    fn of(&self, key: &str) -> Option<&'static str> {
        match key {
            "name" => self.name.is_some().then_some("--name"),
            "data" => self.data.is_some().then_some("--data"),
            "listen" => (!self.listen.is_empty()).then_some("--listen"),
            "log.level" => self.log_level.is_some().then_some(LOG_VARIABLE),
            _ => None,
        }
    }
}

/// What becomes of a key whose value changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effect {
    /// It is in force at once.
    Applied,
    /// It is in force after the next start.
    NeedsRestart,
    /// It never is as long as this option or variable is set.
    Overruled(&'static str),
}

/// A key whose value in the file is not the one in force.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigChange {
    /// The key, as in the file, with its table's name before it.
    pub key: &'static str,
    /// The value in force; nothing where that is the program's own choice, as the host's name.
    pub before: Option<String>,
    /// The value in the file, likewise.
    pub after: Option<String>,
    /// What becomes of it.
    pub effect: Effect,
}

/// A key with its value, as people write it.
struct Setting {
    key: &'static str,
    value: Option<String>,
    effect: Effect,
}

impl Config {
    /// What `file`, with `overrides` over it, changes of this configuration, which is in force; in the order in which the
    /// keys are documented. Pure.
    #[must_use]
    pub fn changes(&self, file: &ConfigFile, overrides: &Overrides) -> Vec<ConfigChange> {
        let wanted = overrides.over(file.config.clone()).settings();
        let written = file.config.settings();
        let all = self.settings().into_iter().zip(wanted).zip(written);
        all.filter_map(|((before, wanted), written)| {
            let key = before.key;
            let (after, effect) = match overrides.of(key) {
                Some(by) if file.sets(key) => (written.value, Effect::Overruled(by)),
                Some(_) => (before.value.clone(), wanted.effect),
                None => (wanted.value, wanted.effect),
            };
            let before = before.value;
            (after != before).then_some(ConfigChange {
                key,
                before,
                after,
                effect,
            })
        })
        .collect()
    }

    /// What is in force once `wanted` was taken over as far as that can be done while the server runs.
    #[must_use]
    pub fn taking_over(&self, wanted: Self) -> Self {
        let Self {
            name,
            data: _,
            listen: _,
            priority,
            rebind,
            enrol,
            discovery,
            limits,
            journal,
            events,
            log: Log { level, format: _ },
        } = wanted;
        Self {
            name,
            data: self.data.clone(),
            listen: self.listen.clone(),
            priority,
            rebind,
            enrol,
            discovery,
            limits,
            journal,
            events,
            log: Log {
                level,
                format: self.log.format,
            },
        }
    }

    /// Every key.
    ///
    /// `data` and `listen` are what the server has open. `log.format` is the shape of the lines: who reads them would have
    /// to change in their midst.
    fn settings(&self) -> Vec<Setting> {
        use Effect::{Applied, NeedsRestart};
        let Self {
            name,
            data,
            listen,
            priority,
            rebind,
            enrol,
            discovery,
            limits,
            journal: Journal { checkpoint_kib },
            events: Events { keep_days, keep_mib },
            log: Log { level, format },
        } = self;
        let path = data.as_deref().map(Path::display);
        let listening: Vec<_> = listen.iter().map(Listen::to_string).collect();
        let mut settings = vec![
            setting("name", name.as_ref(), Applied),
            setting("data", path, NeedsRestart),
            setting(
                "listen",
                (!listening.is_empty()).then(|| listening.join(", ")),
                NeedsRestart,
            ),
            setting("priority", *priority, Applied),
            setting("rebind", Some(rebind.word()), Applied),
            setting("enrol", Some(enrol.word()), Applied),
        ];
        settings.extend(discovery.settings());
        settings.extend(limits.settings());
        settings.extend([
            setting("journal.checkpoint_kib", Some(checkpoint_kib), Applied),
            setting("events.keep_days", Some(keep_days), Applied),
            setting("events.keep_mib", Some(keep_mib), Applied),
            setting("log.level", Some(level), Applied),
            setting("log.format", Some(format.word()), NeedsRestart),
        ]);
        settings
    }
}

impl Discovery {
    fn settings(&self) -> [Setting; 4] {
        use Effect::Applied;
        let Self {
            broadcast,
            multicast,
            unicast,
            interfaces,
        } = self;
        let named = (!interfaces.is_empty()).then(|| interfaces.join(", "));
        [
            setting("discovery.broadcast", Some(broadcast), Applied),
            setting("discovery.multicast", Some(multicast), Applied),
            setting("discovery.unicast", Some(unicast), Applied),
            setting("discovery.interfaces", named, Applied),
        ]
    }
}

impl Limits {
    fn settings(&self) -> [Setting; 13] {
        let Self {
            connections,
            connections_per_source,
            connections_memory_mib,
            requests_per_source,
            hello_secs,
            frame_secs,
            new_macs_per_identity_and_day,
            new_seats_per_source_and_minute,
            wrong_tokens_per_source_and_minute,
            agent_silence_secs,
            administrator_silence_secs,
            offers_per_second,
            offers_per_network_and_second,
        } = *self;
        let bound = |key, value: usize| setting(key, Some(value), Effect::Applied);
        let number = |key, value: u32| setting(key, Some(value), Effect::Applied);
        [
            bound("limits.connections", connections),
            bound("limits.connections_per_source", connections_per_source),
            bound("limits.connections_memory_mib", connections_memory_mib),
            bound("limits.requests_per_source", requests_per_source),
            number("limits.hello_secs", hello_secs),
            number("limits.frame_secs", frame_secs),
            number("limits.new_macs_per_identity_and_day", new_macs_per_identity_and_day),
            number(
                "limits.new_seats_per_source_and_minute",
                new_seats_per_source_and_minute,
            ),
            number(
                "limits.wrong_tokens_per_source_and_minute",
                wrong_tokens_per_source_and_minute,
            ),
            number("limits.agent_silence_secs", agent_silence_secs),
            number("limits.administrator_silence_secs", administrator_silence_secs),
            number("limits.offers_per_second", offers_per_second),
            number("limits.offers_per_network_and_second", offers_per_network_and_second),
        ]
    }
}

fn setting(key: &'static str, value: Option<impl ToString>, effect: Effect) -> Setting {
    let value = value.map(|value| value.to_string());
    Setting { key, value, effect }
}

impl LogFormat {
    const fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with another value for every key.
    const OTHER: &str = r#"
        name = "other"
        data = "/elsewhere"
        listen = ["127.0.0.1", "[::1]:99"]
        priority = 7
        rebind = "approve"
        enrol = "token"
        [discovery]
        broadcast = false
        multicast = false
        unicast = false
        interfaces = ["eth*", "!eth1"]
        [limits]
        connections = 1
        connections_per_source = 2
        connections_memory_mib = 16
        requests_per_source = 11
        hello_secs = 12
        frame_secs = 13
        new_macs_per_identity_and_day = 3
        new_seats_per_source_and_minute = 5
        agent_silence_secs = 6
        administrator_silence_secs = 8
        wrong_tokens_per_source_and_minute = 14
        offers_per_second = 15
        offers_per_network_and_second = 16
        [journal]
        checkpoint_kib = 16
        [events]
        keep_days = 9
        keep_mib = 10
        [log]
        level = "debug"
        format = "json"
    "#;

    fn file(text: &str) -> ConfigFile {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("seatkeeper.toml");
        std::fs::write(&path, text).expect("write");
        ConfigFile::read(&path).expect("good")
    }

    #[test]
    fn every_key_that_changes_is_told_and_what_is_not_told_to_need_a_restart_is_taken_over() {
        let (running, other) = (Config::default(), file(OTHER));
        let none = Overrides::default();
        let changes = running.changes(&other, &none);
        let told: Vec<_> = changes.iter().map(|change| change.key.to_owned()).collect();
        let mut sorted = told.clone();
        sorted.sort();
        assert_eq!(sorted, other.settings, "the file sets every key");
        assert!(changes.iter().all(|change| change.before != change.after));
        let waiting: Vec<_> = changes
            .into_iter()
            .filter(|change| change.effect == Effect::NeedsRestart)
            .collect();
        let keys: Vec<_> = waiting.iter().map(|change| change.key).collect();
        assert_eq!(keys, ["data", "listen", "log.format"]);
        // What was not taken over is told again until the restart; nothing else is.
        let now = running.taking_over(other.config.clone());
        assert_eq!(now.changes(&other, &none), waiting);
        assert_eq!(
            now.changes(
                &ConfigFile {
                    config: now.clone(),
                    settings: told
                },
                &none
            ),
            []
        );
    }

    #[test]
    fn values_are_told_as_they_are_written() {
        let changes = Config::default().changes(&file(OTHER), &Overrides::default());
        let of = |key| changes.iter().find(|change| change.key == key).expect("told").clone();
        let listen = of("listen");
        assert_eq!(
            (listen.before, listen.after.as_deref()),
            (None, Some("127.0.0.1, [::1]:99"))
        );
        let days = of("events.keep_days");
        assert_eq!(
            (days.before.as_deref(), days.after.as_deref()),
            (Some("365"), Some("9"))
        );
    }

    #[test]
    fn what_the_command_line_says_goes_before_the_file_and_that_is_told() {
        let overrides = Overrides {
            name: Some("mine".to_owned()),
            log_level: Some("trace".to_owned()),
            ..Overrides::default()
        };
        let running = overrides.over(Config::default());
        let changes = running.changes(&file("name = \"other\"\npriority = 7"), &overrides);
        let told: Vec<_> = changes.iter().map(|change| (change.key, change.effect)).collect();
        assert_eq!(
            told,
            [("name", Effect::Overruled("--name")), ("priority", Effect::Applied)]
        );
        assert_eq!(changes[0].after.as_deref(), Some("other"));
        // The file does not set it, or says the same.
        assert_eq!(running.changes(&file(""), &overrides), []);
        assert_eq!(running.changes(&file("name = \"mine\""), &overrides), []);
    }
}

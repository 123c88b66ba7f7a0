use std::collections::{BTreeMap, BTreeSet};

use seatkeeper::client::discover::{Found, NO_INTERFACE};
use seatkeeper::client::harmless;
use seatkeeper::domain::ids::Fingerprint;
use seatkeeper::wire::limits::{OFFERS_PER_SERVER_MAX, SERVERS_MAX, VERSION_MAX, VERSION_MIN};
use serde::Serialize;

use crate::output::{self, Warning};
use crate::skew::Skew;

/// What `scan --json` prints.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    #[serde(flatten)]
    asked: Asked,
    /// One for each server, address, interface and path.
    pub(super) offers: Vec<Offered>,
    warnings: Vec<Warning>,
}

/// What was asked.
#[derive(Debug, Serialize)]
pub(super) struct Asked {
    /// The UDP port.
    pub(super) port: u16,
    /// How long was waited.
    pub(super) timeout_secs: u32,
    /// On how many paths.
    pub(super) paths: usize,
    /// Those of them on which the question could not be sent.
    pub(super) unsent: Vec<Unsent>,
}

/// A server's answer on one path.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Offered {
    name: String,
    /// The server's id, in hexadecimal.
    server: String,
    /// Where to connect.
    address: String,
    /// Of this machine.
    interface: String,
    path: &'static str,
    #[serde(skip)]
    path_name: String,
    round_trip_micros: u64,
    version: String,
    protocol_min: u16,
    protocol_max: u16,
    fingerprint: String,
    skew_secs: Skew,
    epoch: u32,
    priority: u16,
}

/// A path on which the question could not be sent.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(super) struct Unsent {
    /// Empty where the routing table decides.
    pub(super) interface: String,
    pub(super) path: &'static str,
    pub(super) destination: String,
    pub(super) reason: String,
}

impl Offered {
    pub(super) fn new(found: &Found, skew_secs: Skew) -> Self {
        let offer = &found.offer;
        Self {
            name: offer.name.clone(),
            server: found.server().to_string(),
            address: found.tcp_address().to_string(),
            interface: found.interface.clone(),
            path: super::code(found.kind),
            path_name: found.kind.to_string(),
            round_trip_micros: found.round_trip_micros,
            version: offer.server_version.clone(),
            protocol_min: offer.version_min,
            protocol_max: offer.version_max,
            fingerprint: Fingerprint(offer.fingerprint).to_string(),
            skew_secs,
            epoch: offer.epoch,
            priority: offer.priority,
        }
    }

    fn cells(&self) -> Vec<String> {
        vec![
            harmless::text(&self.interface),
            self.path_name.clone(),
            self.address.clone(),
            output::millis(self.round_trip_micros),
            self.skew_secs.to_string(),
        ]
    }
}

impl Report {
    pub(super) fn new(asked: Asked, mut offers: Vec<Offered>) -> Self {
        let order = |one: &Offered| (one.name.clone(), one.server.clone(), one.fingerprint.clone());
        offers.sort_by_cached_key(|one| (order(one), one.interface.clone(), one.path, one.address.clone()));
        let warnings = warnings(&offers);
        Self {
            asked,
            offers,
            warnings,
        }
    }

    /// The report for people: each server with a table of its paths.
    pub(super) fn text(&self) -> String {
        let same = |a: &Offered, b: &Offered| {
            (&a.name, &a.server, &a.fingerprint, &a.version, a.epoch)
                == (&b.name, &b.server, &b.fingerprint, &b.version, b.epoch)
        };
        let servers = self.offers.chunk_by(same).map(section);
        let unsent = self.asked.unsent.iter().map(|path| {
            let on = if path.interface.is_empty() {
                String::new()
            } else {
                format!(" on {}", path.interface)
            };
            format!("not asked: {}{on}: {}\n", path.destination, path.reason)
        });
        servers.chain(unsent).collect::<String>() + &output::warnings(&self.warnings)
    }

    /// What to check when no server answered.
    pub(super) fn nothing(&self) -> String {
        let Asked {
            port,
            timeout_secs,
            paths,
            unsent,
        } = &self.asked;
        if *paths == 0 {
            return format!("nobody could be asked: {NO_INTERFACE} (`ip address`)");
        }
        if unsent.len() == *paths {
            return "nobody could be asked: no network interface of this machine lets questions out; see its routes and \
                    firewall"
                .to_owned();
        }
        format!(
            "no server answered on UDP port {port} within {timeout_secs} s. Check that\n  - a server runs: on its host, `seatkeeper \
             status`\n  - it has this port, and SEATKEEPER_PORT is the same there and here\n  - the firewalls of both \
             hosts let UDP and TCP port {port} pass\n  - it is in one of this machine's networks: questions to \
             everybody cross no router\n`seatprobe ping HOST` asks one server alone, across routers too."
        )
    }
}

fn section(offers: &[Offered]) -> String {
    let Some(first) = offers.first() else {
        return String::new();
    };
    let protocol = if first.protocol_min == first.protocol_max {
        first.protocol_max.to_string()
    } else {
        format!("{} to {}", first.protocol_min, first.protocol_max)
    };
    let facts = [
        ("server", harmless::text(&first.name)),
        ("server id", first.server.clone()),
        ("fingerprint", first.fingerprint.clone()),
        (
            "version",
            format!("seatkeeper {}, protocol {protocol}", harmless::text(&first.version)),
        ),
        ("epoch", format!("{}, priority {}", first.epoch, first.priority)),
    ];
    let facts = facts.map(|(what, value)| format!("{what:<12} {value}\n"));
    let head = ["interface", "path", "address", "round trip", "clock skew"];
    facts.concat() + &output::table(&head, offers.iter().map(Offered::cells)) + "\n"
}

/// What is wrong with servers that answer.
fn warnings(offers: &[Offered]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut fingerprints: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut ways: BTreeMap<&str, usize> = BTreeMap::new();
    for one in offers {
        fingerprints.entry(&one.server).or_default().insert(&one.fingerprint);
        names.entry(&one.name).or_default().insert(&one.server);
        let way = ways.entry(&one.server).or_default();
        *way += 1;
        if *way > 1 {
            continue;
        }
        let name = harmless::text(&one.name);
        warnings.extend(one.skew_secs.warning(&name));
        if one.protocol_min > VERSION_MAX || one.protocol_max < VERSION_MIN {
            warnings.push(Warning {
                code: "protocol_version",
                text: format!("{name} speaks no protocol version that this program speaks; upgrade the older of both"),
            });
        }
    }
    if fingerprints.len() >= SERVERS_MAX || ways.values().any(|&count| count >= OFFERS_PER_SERVER_MAX) {
        warnings.push(Warning {
            code: "cut_short",
            text: format!(
                "only the first {SERVERS_MAX} servers and {OFFERS_PER_SERVER_MAX} answers of each are shown; there may \
                 be more servers and paths"
            ),
        });
    }
    for (server, shown) in fingerprints.iter().filter(|(_, shown)| shown.len() > 1) {
        let shown: Vec<_> = shown.iter().copied().collect();
        warnings.push(Warning {
            code: "two_identities",
            text: format!(
                "server id {server} is shown with {} identities ({}); a copy of the server runs, or somebody forges its \
                 answers: agents trust the fingerprint that they know",
                shown.len(),
                shown.join(", ")
            ),
        });
    }
    for (name, servers) in names.iter().filter(|(_, servers)| servers.len() > 1) {
        warnings.push(Warning {
            code: "same_name",
            text: format!(
                "{} servers call themselves {}; give each its own name (`name` in the configuration)",
                servers.len(),
                harmless::text(name)
            ),
        });
    }
    warnings
}

#[cfg(test)]
mod tests {
    use seatkeeper::client::discover::PathKind;
    use seatkeeper::clock::Clock;
    use seatkeeper::domain::time::Timestamp;
    use seatkeeper::wire::discovery::Offer;

    use super::*;

    fn offer(server: u8, fingerprint: u8, name: &str) -> Offered {
        let offer = Offer {
            nonce: [0; 16],
            server: [server; 16],
            fingerprint: [fingerprint; 32],
            port: 17_328,
            epoch: 3,
            priority: 100,
            server_time: 0,
            version_min: 1,
            version_max: 1,
            holds: None,
            name: name.to_owned(),
            server_version: "0.1.0".to_owned(),
        };
        let found = Found {
            offer,
            source: "192.0.2.10:17328".parse().expect("an address"),
            interface: "eth0".to_owned(),
            kind: PathKind::DirectedBroadcast,
            round_trip_micros: 1_234,
        };
        let skew = Skew::of(Clock::system().calendar());
        Offered::new(&found, skew)
    }

    /// Two paths, some of which failed.
    fn asked(unsent: Vec<Unsent>) -> Asked {
        Asked {
            port: 17_328,
            timeout_secs: 3,
            paths: 2,
            unsent,
        }
    }

    #[test]
    fn a_machine_without_a_network_is_told_so() {
        let asked = Asked {
            paths: 0,
            ..asked(Vec::new())
        };
        let told = Report::new(asked, Vec::new()).nothing();
        assert!(told.contains("no network interface"), "{told}");
    }

    #[test]
    fn a_scan_that_is_cut_short_says_so() {
        let ways = vec![offer(1, 1, "a"); OFFERS_PER_SERVER_MAX];
        let servers: Vec<_> = (0..64).map(|number| offer(number, 1, &number.to_string())).collect();
        for offers in [ways, servers] {
            assert_eq!(codes(&offers), ["cut_short"]);
            assert!(codes(&offers[1..]).is_empty());
        }
    }

    fn codes(offers: &[Offered]) -> Vec<&'static str> {
        warnings(offers).iter().map(|warning| warning.code).collect()
    }

    #[test]
    fn a_server_on_several_paths_is_nothing_to_warn_of() {
        assert_eq!(codes(&[offer(1, 1, "a"), offer(1, 1, "a")]), Vec::<&str>::new());
        assert_eq!(codes(&[offer(1, 1, "a"), offer(2, 2, "b")]), Vec::<&str>::new());
    }

    #[test]
    fn one_id_with_two_fingerprints_is_warned_of() {
        assert_eq!(codes(&[offer(1, 1, "a"), offer(1, 2, "a")]), ["two_identities"]);
    }

    #[test]
    fn one_name_for_two_servers_is_warned_of() {
        assert_eq!(codes(&[offer(1, 1, "a"), offer(2, 2, "a")]), ["same_name"]);
    }

    #[test]
    fn a_server_of_another_time_is_warned_of() {
        let mut newer = offer(1, 1, "a");
        (newer.protocol_min, newer.protocol_max) = (VERSION_MAX + 1, VERSION_MAX + 2);
        assert_eq!(codes(&[newer]), ["protocol_version"]);
        let mut late = offer(1, 1, "a");
        late.skew_secs = Skew::of(Timestamp(1_000));
        assert_eq!(
            codes(&[late.clone(), late]),
            ["clock_skew"],
            "told once for each server"
        );
    }

    #[test]
    fn each_server_is_shown_once_with_all_its_paths() {
        let mut other_path = offer(1, 1, "office");
        other_path.interface = "lo".to_owned();
        let report = Report::new(asked(Vec::new()), vec![offer(1, 1, "office"), other_path]);
        let text = report.text();
        assert_eq!(text.matches(&"01".repeat(32)).count(), 1, "{text}");
        for shown in [
            "eth0",
            "lo",
            "192.0.2.10:17328",
            "1.234 ms",
            "seatkeeper 0.1.0, protocol 1",
        ] {
            assert!(text.contains(shown), "{text}");
        }
    }

    #[test]
    fn paths_that_could_not_be_asked_are_named_with_the_reason() {
        let unsent = Unsent {
            interface: "wg0".to_owned(),
            path: "multicast_v4",
            destination: "239.255.73.28:17328".to_owned(),
            reason: "Operation not permitted".to_owned(),
        };
        let report = Report::new(asked(vec![unsent]), Vec::new());
        assert!(report.nothing().contains("firewalls"), "another path was asked");
        assert_eq!(
            report.text(),
            "not asked: 239.255.73.28:17328 on wg0: Operation not permitted\n"
        );
    }
}

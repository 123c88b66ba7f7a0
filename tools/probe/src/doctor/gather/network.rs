//! The network: interfaces, and everybody who answers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use seatkeeper::client::discover::{Found, PathKind};
use seatkeeper::client::find::{Finder, Quest, find};
use seatkeeper::client::ways::{Site, Verdict, Way};
use seatkeeper::client::{Address, AddressError, Deadline, with_causes};
use seatkeeper::domain::ids::Fingerprint;
use seatkeeper::sockets::Groups;
use seatkeeper::sockets::interfaces::{self, Interface as Listed};
use seatkeeper::sockets::paths::{self, everywhere};
use seatkeeper::wire::limits::{GROUP_V4, GROUP_V6};

use crate::doctor::facts::{Gathered, Interface, Offered, Path};

/// What everybody answered.
pub(super) struct Everybody {
    pub(super) paths: Gathered<Vec<Path>>,
    /// Each server once for each of its addresses.
    pub(super) offers: Vec<Offered>,
    /// What came of each path of the search.
    pub(super) ways: Vec<Verdict>,
    /// Where the site and its DNS say that servers are.
    pub(super) told: Vec<(Way, SocketAddr)>,
}

/// The interfaces, and what questions each carries.
pub(super) fn interfaces(port: u16) -> Gathered<Vec<Interface>> {
    match interfaces::list() {
        Ok(listed) => Gathered::Known(listed.iter().map(|one| interface(one, port)).collect()),
        Err(error) => Gathered::Unknown(format!("the network interfaces cannot be listed: {error}")),
    }
}

fn interface(one: &Listed, port: u16) -> Interface {
    let groups = Groups {
        v4: GROUP_V4,
        v6: GROUP_V6,
    };
    let v4 = one.v4.iter().map(|own| IpAddr::from(own.address));
    let v6 = one.v6.iter().map(|own| IpAddr::from(own.address));
    let paths = everywhere(std::slice::from_ref(one), groups, port);
    Interface {
        name: one.name.clone(),
        up: one.up,
        running: one.running,
        loopback: one.loopback,
        addresses: v4.chain(v6).collect(),
        carries: paths.iter().map(|path| path.kind).collect(),
    }
}

/// Looks for servers by every path that is switched on, and waits for so long.
pub(super) async fn search(site: &Site, port: u16, wait: Duration) -> Everybody {
    let quest = Quest {
        wanted: None,
        port,
        deadline: wait,
        every_path: true,
    };
    let mut finder = match find(site, quest) {
        Ok(finder) => finder,
        Err(error) => {
            return Everybody {
                paths: Gathered::Unknown(with_causes(&error)),
                offers: Vec::new(),
                ways: Vec::new(),
                told: Vec::new(),
            };
        }
    };
    let mut offers: Vec<Offered> = Vec::new();
    let mut answered: BTreeMap<(String, PathKind), BTreeSet<String>> = BTreeMap::new();
    while let Some(found) = finder.next().await {
        let way = (found.interface.clone(), found.kind);
        answered.entry(way).or_default().insert(found.offer.name.clone());
        let offer = offered(&found);
        if !offers.contains(&offer) {
            offers.push(offer);
        }
    }
    Everybody {
        paths: Gathered::Known(asked(&finder, &answered)),
        offers,
        ways: finder.verdicts(),
        told: finder.leads().collect(),
    }
}

/// The ways on which everybody was asked, with who answered on each. Servers that are asked alone are told elsewhere.
fn asked(finder: &Finder, answered: &BTreeMap<(String, PathKind), BTreeSet<String>>) -> Vec<Path> {
    let discovery = finder.discovery();
    let listed = interfaces::list().unwrap_or_default();
    let loopback = |name: &str| listed.iter().any(|one| one.loopback && one.name == name);
    let unsent = |path: &paths::Path| {
        let mut failures = discovery.failures().iter();
        let failure = failures.find(|failure| failure.path == *path);
        failure.map(|failure| failure.error.to_string())
    };
    let path = |path: &paths::Path| Path {
        interface: path.interface.clone(),
        loopback: loopback(&path.interface),
        kind: path.kind,
        destination: path.destination.to_string(),
        unsent: unsent(path),
        answered: answered
            .get(&(path.interface.clone(), path.kind))
            .map(|names| names.iter().cloned().collect())
            .unwrap_or_default(),
    };
    let everybody = discovery.paths().iter().filter(|path| path.kind != PathKind::Unicast);
    everybody.map(path).collect()
}

/// What a server said of itself.
pub(super) fn offered(found: &Found) -> Offered {
    let offer = &found.offer;
    Offered {
        name: offer.name.clone(),
        server: found.server().to_string(),
        fingerprint: Fingerprint(offer.fingerprint).to_string(),
        address: Some(found.tcp_address()),
        version: offer.server_version.clone(),
        protocol_min: offer.version_min,
        protocol_max: offer.version_max,
    }
}

/// Where the named server is; nothing where none was named.
pub(super) async fn name(server: Option<&str>, port: u16, wait: Duration) -> Option<Gathered<Vec<SocketAddr>>> {
    let server = server?;
    let resolve = async || -> Result<Vec<SocketAddr>, AddressError> {
        Address::parse(server, port)?.resolve(Deadline::after(wait)).await
    };
    Some(match resolve().await {
        Ok(addresses) => Gathered::Known(addresses),
        Err(error) => Gathered::Unknown(with_causes(&error)),
    })
}

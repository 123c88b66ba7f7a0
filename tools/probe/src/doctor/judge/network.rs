//! How servers are found.

use std::collections::{BTreeMap, BTreeSet};

use seatkeeper::client::discover::PathKind;
use seatkeeper::client::ways::{SITE_FILE, Verdict, Way};

use crate::doctor::facts::{Facts, Gathered, Lead, Path};
use crate::doctor::finding::{Check, Finding};

/// Where the named server is.
pub(super) fn name(facts: &Facts) -> Vec<Finding> {
    let (Some(server), Some(named)) = (&facts.asked.server, &facts.named) else {
        return Vec::new();
    };
    match named {
        Gathered::Known(addresses) => {
            let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
            vec![Finding::pass(
                Check::Name,
                server,
                format!("is at {}", addresses.join(", ")),
            )]
        }
        Gathered::Unknown(reason) => {
            let remedy = "check how the name is written and this machine's name service (DNS), or name the server by its address";
            vec![Finding::fail(Check::Name, server, reason, remedy)]
        }
    }
}

/// What cannot be understood of what the site says.
pub(super) fn site(facts: &Facts) -> Vec<Finding> {
    let told = |fault: &String| {
        let remedy = "mend that line; all else that stands there counts";
        Finding::warn(Check::Site, "", fault, remedy)
    };
    facts.site_faults.iter().map(told).collect()
}

/// Each path by which servers are looked for, with its own verdict.
pub(super) fn ways(facts: &Facts) -> Vec<Finding> {
    // Where nobody could be asked at all, that is told, and nothing of the paths is known.
    if facts.paths.known().is_none() {
        return Vec::new();
    }
    Way::ALL.into_iter().map(|way| searched(way, facts)).collect()
}

fn searched(way: Way, facts: &Facts) -> Finding {
    let (check, about) = (Check::Way, way.to_string());
    if way == Way::Remembered {
        return remembered(facts, about);
    }
    let Some(verdict) = facts.ways.iter().find(|one| one.way == way) else {
        return Finding::pass(check, about, SWITCHED_OFF);
    };
    let told = verdict.told();
    if !verdict.faults.is_empty() {
        let remedy = match way {
            Way::Dns => {
                "check the name servers of this machine (/etc/resolv.conf) and the records that they have; nothing, \
                         where the site's DNS names no server"
            }
            _ => "check the names and this machine's name service, or write addresses in their place",
        };
        // A server that is named and cannot be looked up is the cause where no other is there.
        let counts = way == Way::Servers && facts.asked.server.is_none() && facts.met().next().is_none();
        return Finding::fail(check, about, told, remedy).fail_if(counts);
    }
    // A note says why there was nobody to ask, which may be as it should.
    if verdict.answered > 0 || verdict.note.is_some() || verdict.asked.is_empty() {
        return Finding::pass(check, about, told);
    }
    Finding::warn(check, about, told, unanswered(verdict, facts))
}

/// What to do where a path leads to nobody.
fn unanswered(verdict: &Verdict, facts: &Facts) -> String {
    match verdict.way {
        // Whoever was met beside it is enough.
        _ if facts.met().next().is_some() => "nothing, as long as another path leads to a server".to_owned(),
        Way::Lan => "see the lines of the ways below".to_owned(),
        Way::Dns | Way::Remembered | Way::Servers => format!(
            "see what UDP and TCP say of these servers below; is the list ({SITE_FILE}, SEATKEEPER_SERVERS, DNS) up to date?"
        ),
    }
}

/// Why a path says nothing.
const SWITCHED_OFF: &str = "switched off for this machine (`paths` in the site file, or SEATKEEPER_PATHS)";

/// What the components of this machine remember.
fn remembered(facts: &Facts, about: String) -> Finding {
    let components = facts.components.known().map(Vec::as_slice).unwrap_or_default();
    let addresses: BTreeSet<_> = components.iter().flat_map(|one| &one.addresses).collect();
    let cause = if facts.remembers_off {
        SWITCHED_OFF.to_owned()
    } else if addresses.is_empty() {
        "none yet".to_owned()
    } else {
        let addresses: Vec<_> = addresses.into_iter().map(ToString::to_string).collect();
        addresses.join(", ")
    };
    Finding::pass(Check::Way, about, cause)
}

/// Each way on which everybody was asked, with its own verdict.
pub(super) fn paths(facts: &Facts) -> Vec<Finding> {
    let paths = facts.paths.known().map(Vec::as_slice).unwrap_or_default();
    paths.iter().map(|path| judged(path, paths)).collect()
}

fn judged(path: &Path, all: &[Path]) -> Finding {
    let check = Check::Path;
    let about = match path.interface.as_str() {
        "" => path.kind.to_string(),
        interface => format!("{} on {interface}", path.kind),
    };
    if let Some(reason) = &path.unsent {
        let remedy = "check this machine's firewall and routes; other ways may do";
        return Finding::warn(
            check,
            about,
            format!("the question to {} could not be sent: {reason}", path.destination),
            remedy,
        );
    }
    if !path.answered.is_empty() {
        return Finding::pass(check, about, format!("answered by {}", path.answered.join(", ")));
    }
    if path.loopback {
        return Finding::pass(check, about, "nobody answered: no server runs on this machine");
    }
    let elsewhere = |kind_wanted: Option<PathKind>| {
        let beside = all
            .iter()
            .filter(|other| other.interface == path.interface && !other.answered.is_empty());
        beside
            .into_iter()
            .any(|other| kind_wanted.is_none_or(|kind| other.kind == kind))
    };
    if elsewhere(None) {
        let remedy = "nothing, as long as another way leads there; if it should work, have the switches of this network pass it \
                      (multicast filtering) and the firewalls let UDP in";
        return Finding::warn(
            check,
            about,
            "nobody answered, although a server answers other questions on this interface",
            remedy,
        );
    }
    let remedy = "if a server should be in this network: is it running, does its firewall let UDP in, does it listen here? \
                  Questions to everybody cross no router: beyond one, name the server";
    Finding::warn(check, about, "nobody answered", remedy)
}

/// Whether any server was found.
pub(super) fn discovery(facts: &Facts) -> Vec<Finding> {
    let check = Check::Discovery;
    let found: BTreeSet<_> = facts.offers.iter().map(|offer| &offer.server).collect();
    if !found.is_empty() {
        let names: BTreeSet<_> = facts.offers.iter().map(|offer| offer.name.as_str()).collect();
        let names: Vec<_> = names.into_iter().collect();
        let number = match found.len() {
            1 => "1 server".to_owned(),
            count => format!("{count} servers"),
        };
        return vec![Finding::pass(
            check,
            "",
            format!("{number} answered: {}", names.join(", ")),
        )];
    }
    let port = facts.asked.port;
    let cause = match &facts.paths {
        Gathered::Unknown(reason) => format!("nobody could be asked: {reason}"),
        Gathered::Known(paths) if paths.is_empty() => "nobody could be asked: no network interface is up".to_owned(),
        Gathered::Known(paths) if paths.iter().all(|path| path.unsent.is_some()) => {
            "nobody could be asked: no interface lets questions out".to_owned()
        }
        Gathered::Known(_) => format!("no license server answered on UDP port {port} in any network of this machine"),
    };
    let remedy = format!(
        "on the server's host run `seatkeeper status`: is it running, and on port {port}? Then let UDP and TCP port {port} \
         through both hosts' firewalls. If it is behind a router, name it: --server HOST, for every component of this machine \
         `server HOST` in {SITE_FILE}, or for the whole site in its DNS"
    );
    // Whoever names a server, or has met one, needs no discovery; nor does who is told of one that does not answer.
    let is_told = facts.servers.iter().any(|server| matches!(server.lead, Lead::Told(_)));
    let needed = facts.asked.server.is_none() && facts.met().next().is_none() && !is_told;
    vec![Finding::fail(check, "", cause, remedy).fail_if(needed)]
}

/// Two servers of one name, or one server id with two identities: a copy, or somebody who forges offers.
pub(super) fn names(facts: &Facts) -> Vec<Finding> {
    let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut identities: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let claims = facts
        .offers
        .iter()
        .chain(facts.servers.iter().filter_map(|server| server.offer.as_ref()));
    for offer in claims {
        names.entry(&offer.name).or_default().insert(&offer.server);
        identities.entry(&offer.server).or_default().insert(&offer.fingerprint);
    }
    let two_names = names
        .iter()
        .filter(|(_, servers)| servers.len() > 1)
        .map(|(name, servers)| {
            let cause = format!("{} servers call themselves so", servers.len());
            let remedy =
                "give each server a name of its own (`name` in its configuration), or find out who runs the other one";
            Finding::warn(Check::Names, *name, cause, remedy)
        });
    let two_identities = identities.iter().filter(|(_, shown)| shown.len() > 1).map(|(server, shown)| {
        let shown: Vec<_> = shown.iter().copied().collect();
        let cause = format!("one server id is shown with {} identities: {}", shown.len(), shown.join(", "));
        let remedy = "stop the copy of the server, or find out who forges its answers: agents trust the identity that they \
                      know, which `seatkeeper identity show` tells on the server's host";
        Finding::warn(Check::Identity, *server, cause, remedy)
    });
    two_names.chain(two_identities).collect()
}

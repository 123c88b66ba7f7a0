//! The checks: pure functions over the facts, each on its own.

mod machine;
mod network;
mod seats;
mod site;
mod way;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::facts::{Facts, Lead, Met, Reached, Server};
use super::finding::{Finding, Unchecked};

/// What the checks found, in the order in which they are told, and those that could not be made.
pub(super) fn judge(facts: &Facts) -> (Vec<Finding>, Vec<Unchecked>) {
    let checks: [fn(&Facts) -> Vec<Finding>; 16] = [
        machine::interfaces,
        machine::mac,
        machine::components,
        network::name,
        network::site,
        network::ways,
        network::paths,
        network::discovery,
        network::names,
        way::servers,
        way::clocks,
        site::pins,
        site::enrolment,
        seats::product,
        seats::serials,
        site::warnings,
    ];
    let findings = checks.iter().flat_map(|check| check(facts)).collect();
    let unchecked = [site::unchecked, seats::unchecked];
    let unchecked = unchecked.iter().flat_map(|check| check(facts)).collect();
    (findings, unchecked)
}

impl Server {
    /// What it said in HELLO.
    fn met(&self) -> Option<&Met> {
        match &self.reached {
            Reached::Met(met) => Some(met),
            _ => None,
        }
    }

    /// Its name and address, for people.
    fn shown(&self) -> String {
        let name = self.met().map(|met| &met.name);
        let name = name.or(self.offer.as_ref().map(|offer| &offer.name));
        match name {
            Some(name) => format!("{name} at {}", self.address),
            None => self.address.to_string(),
        }
    }
}

impl Facts {
    /// The servers that an agent of this machine would use: the named one, else those that were found.
    fn candidates(&self) -> impl Iterator<Item = &Server> {
        let named = self.asked.server.is_some();
        let wanted = move |server: &&Server| !named || server.lead == Lead::Named;
        self.servers.iter().filter(wanted)
    }

    /// Those of them that answered HELLO.
    fn met(&self) -> impl Iterator<Item = (&Server, &Met)> {
        self.candidates().filter_map(|server| Some((server, server.met()?)))
    }

    /// Whether a fault of this server stops the agents of this machine: it is the named one, or no other can be reached.
    fn counts(&self, server: &Server) -> bool {
        match self.asked.server {
            // A name may have several addresses; one that leads there is enough.
            Some(_) => server.lead == Lead::Named && self.met().next().is_none(),
            None => self.met().next().is_none(),
        }
    }

    /// The fingerprints that the components of this machine trust, those of the product that was asked for where one was.
    fn trusted(&self) -> Vec<&str> {
        let product = self.asked.product.as_deref();
        let components = self.components.known().map(Vec::as_slice).unwrap_or_default();
        let wanted = components
            .iter()
            .filter(|one| product.is_none_or(|product| one.product == product));
        let own = wanted.flat_map(|one| &one.pins);
        let trusted: BTreeSet<&str> = own.chain(&self.trusted).map(String::as_str).collect();
        trusted.into_iter().collect()
    }

    /// The servers that the agents of this machine would ask: those that they trust, else all that were met.
    fn asked_by_agents(&self) -> Vec<(&Server, &Met)> {
        let trusted = self.trusted();
        let met: Vec<_> = self.met().collect();
        let is_trusted = |met: &Met| met.is_one_of(&trusted);
        if met.iter().any(|(_, met)| is_trusted(met)) {
            return met.into_iter().filter(|(_, met)| is_trusted(met)).collect();
        }
        met
    }
}

impl Met {
    /// Whether its identity is one of these, or stands in the place of one.
    fn is_one_of(&self, fingerprints: &[&str]) -> bool {
        let own = std::iter::once(&self.fingerprint).chain(&self.succeeds);
        own.into_iter().any(|own| fingerprints.contains(&own.as_str()))
    }
}

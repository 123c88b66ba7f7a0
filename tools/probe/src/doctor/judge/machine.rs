//! What this machine itself has to do with it.

use crate::doctor::facts::{Component, Facts, Gathered, Interface};
use crate::doctor::finding::{Check, Finding};

/// Each interface, and what it carries.
pub(super) fn interfaces(facts: &Facts) -> Vec<Finding> {
    let check = Check::Interfaces;
    let interfaces = match &facts.interfaces {
        Gathered::Known(interfaces) => interfaces,
        Gathered::Unknown(reason) => {
            let remedy =
                "name the server to the agents (--server HOST): nobody can be asked on interfaces that are not known";
            return vec![Finding::warn(check, "", reason, remedy)];
        }
    };
    let mut findings: Vec<_> = interfaces
        .iter()
        .map(|one| Finding::pass(check, &one.name, carried(one)))
        .collect();
    let leads_out = |one: &Interface| !one.loopback && !one.carries.is_empty();
    if !interfaces.iter().any(leads_out) {
        let cause = "no network interface of this machine is up with an address: nothing leads to other machines";
        let remedy = "connect this machine to its network (cable, Wi-Fi, or the network settings of its virtual machine) and try again";
        // With a server on this very machine nothing else is needed.
        findings.push(Finding::fail(check, "", cause, remedy).fail_if(facts.met().next().is_none()));
    }
    findings
}

fn carried(one: &Interface) -> String {
    let addresses: Vec<_> = one.addresses.iter().map(ToString::to_string).collect();
    let addresses = addresses.join(", ");
    match (one.up, one.running, one.carries.as_slice()) {
        (false, _, _) => "switched off, not used".to_owned(),
        (_, false, _) => "without a carrier, not used".to_owned(),
        (_, _, []) if addresses.is_empty() => "without an address, not used".to_owned(),
        (_, _, []) => format!("{addresses}; carries no question to everybody"),
        (_, _, carries) => {
            let mut kinds: Vec<_> = carries.iter().map(ToString::to_string).collect();
            kinds.dedup();
            format!("{addresses}; carries {}", kinds.join(", "))
        }
    }
}

/// The address that agents of this machine are counted by.
pub(super) fn mac(facts: &Facts) -> Vec<Finding> {
    let machine = match &facts.mac {
        Gathered::Known(machine) => machine,
        Gathered::Unknown(reason) => {
            let remedy = "give the agents an address with --mac ADDRESS, or SEATKEEPER_MAC in their environment, and ask \
                          again with the same";
            return vec![Finding::fail(Check::Mac, "", reason, remedy)];
        }
    };
    let Some(mac) = machine.mac else { return Vec::new() };
    let when = if machine.kept {
        "chosen and kept"
    } else {
        "would be chosen"
    };
    vec![Finding::pass(Check::Mac, "", format!("{mac}, {when}: {}", machine.why))]
}

/// What the components of this machine remember.
pub(super) fn components(facts: &Facts) -> Vec<Finding> {
    match &facts.components {
        Gathered::Known(components) if components.is_empty() => {
            let cause = "no component of this machine has asked for a seat yet, as far as this user can see";
            vec![Finding::pass(Check::Components, "", cause)]
        }
        Gathered::Known(components) => components.iter().map(component).collect(),
        Gathered::Unknown(reason) => {
            let remedy = "run this as the user that the component runs as, or as root";
            vec![Finding::warn(Check::Components, "", reason, remedy)]
        }
    }
}

fn component(one: &Component) -> Finding {
    let about = format!("{} {}", one.product, one.id);
    if let Some(fault) = &one.fault {
        let remedy = "run this as the user that the component runs as, or as root; if it says that a file is damaged, do what \
                      it says";
        return Finding::warn(Check::Components, about, fault, remedy);
    }
    if let Some(denied) = &one.denied {
        let cause = format!("was refused at {} ({}): {}", denied.at, denied.status, denied.text);
        let remedy = "what the server says today is told below; start the component again once that is mended";
        return Finding::warn(Check::Components, about, cause, remedy);
    }
    let seat = one.grant.as_ref().map_or_else(
        || "remembers no seat".to_owned(),
        |grant| {
            let until = grant
                .renew_by
                .as_ref()
                .map_or_else(String::new, |at| format!(" until {at}"));
            format!(
                "had license {} for {}{until} when it last asked",
                grant.serial, grant.mac
            )
        },
    );
    let trusts = match one.pins.as_slice() {
        [] => "trusts no server yet".to_owned(),
        pins => format!("trusts {}", pins.join(", ")),
    };
    Finding::pass(Check::Components, about, format!("{seat}; {trusts}"))
}

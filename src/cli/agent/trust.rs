//! `agent trust` and `agent distrust`: which servers every component of this machine uses.

use std::time::Duration;

use serde::Serialize;

use super::super::args::Global;
use super::super::error::CliError;
use super::super::output;
use crate::client::state::{self, Distrust, Distrusted, Owner, Whom};
use crate::domain::ids::Fingerprint;

/// What `agent trust --json` prints.
#[derive(Serialize)]
struct Trusted {
    fingerprint: String,
    new: bool,
}

/// What `agent distrust --json` prints.
#[derive(Serialize)]
struct DistrustedRow {
    fingerprint: String,
    all_but: bool,
    dry_run: bool,
    components: Vec<ComponentRow>,
    list: bool,
}

/// A component that trusted it.
#[derive(Serialize)]
struct ComponentRow {
    vendor: String,
    product: String,
    component: String,
    trusted_servers: Vec<String>,
}

pub(super) async fn trust(global: &Global, fingerprint: Fingerprint) -> Result<(), CliError> {
    let failed = |error| CliError::because("cannot trust the server", error);
    let directory = state::default_directory().map_err(failed)?;
    let wait = Duration::from_secs(global.timeout.into());
    let new = state::trust_on_this_machine(&directory, fingerprint, wait)
        .await
        .map_err(failed)?;
    if global.json {
        return output::json(&Trusted {
            fingerprint: fingerprint.to_string(),
            new,
        });
    }
    output::line(if new {
        "trusted by every component of this machine from now on"
    } else {
        "it was trusted by every component of this machine already"
    })
}

pub(super) async fn distrust(global: &Global, whom: Whom, even_last: bool, dry_run: bool) -> Result<(), CliError> {
    let failed = |error| CliError::because("cannot take the server out", error);
    let directory = state::default_directory().map_err(failed)?;
    let how = Distrust {
        even_last,
        dry_run,
        wait: Duration::from_secs(global.timeout.into()),
    };
    let told = state::distrust_on_this_machine(&directory, whom, how)
        .await
        .map_err(failed)?;
    if global.json {
        let (Whom::AllBut(fingerprint) | Whom::One(fingerprint)) = whom;
        return output::json(&DistrustedRow {
            fingerprint: fingerprint.to_string(),
            all_but: matches!(whom, Whom::AllBut(_)),
            dry_run,
            components: told.components.iter().map(row).collect(),
            list: told.machine.is_some(),
        });
    }
    if told.components.is_empty() && told.machine.is_none() {
        return output::line("nothing changed: no component of this machine trusts another one");
    }
    lines(&told, dry_run).iter().try_for_each(|line| output::line(line))
}

fn row((owner, left): &(Owner, Vec<Fingerprint>)) -> ComponentRow {
    ComponentRow {
        vendor: owner.product.vendor.to_string(),
        product: owner.product.product.to_string(),
        component: owner.component.to_string(),
        trusted_servers: left.iter().map(Fingerprint::to_string).collect(),
    }
}

/// What was taken out of what, and what is trusted still, a line each.
fn lines(told: &Distrusted, dry_run: bool) -> Vec<String> {
    let verb = if dry_run { "would trust" } else { "trusts" };
    let still = |left: &[Fingerprint]| match left {
        [] => format!("{verb} no server any more: the next one that shows a genuine license"),
        left => {
            let left: Vec<_> = left.iter().map(Fingerprint::to_string).collect();
            format!("{verb} {} alone", left.join(", "))
        }
    };
    let component = |(owner, left): &(Owner, Vec<Fingerprint>)| {
        format!("{} {} {}", owner.product.product, owner.component, still(left))
    };
    let list = told.machine.as_ref().map(|left| {
        let (taken, names) = if dry_run {
            ("would be", "would name")
        } else {
            ("was", "names")
        };
        format!(
            "its line {taken} taken out of the list of this machine, which {names} {} for components that are new",
            match left.len() {
                0 => "none".to_owned(),
                1 => "1 server".to_owned(),
                count => format!("{count} servers"),
            }
        )
    });
    told.components.iter().map(component).chain(list).collect()
}

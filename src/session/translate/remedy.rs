//! The one thing to do about a checkout, as EXPLAIN says it (rule V2).

use super::explain::Names;
use super::text::{NEVER, RAISE_LIMITS, text, waiting};
use crate::domain::denial::{Denial, Denied};
use crate::domain::explain::{Beside, Explanation};
use crate::domain::ids::ProductId;
use crate::domain::reply::Reply;
use crate::domain::time::{DAY_SECS, Timestamp};

/// A machine that was not seen for so long may be released rather than another key be bought, in seconds.
const UNSEEN_SECS: u64 = 7 * DAY_SECS;

/// The one thing to do.
pub(super) fn remedy(explanation: &Explanation, names: &Names, now: Timestamp) -> String {
    let mac = names.mac;
    match &explanation.outcome {
        Reply::Denied(denied) => about_licenses(denied, &explanation.beside, names.product, now)
            .or_else(|| about_machines(denied.denial, names))
            // The others' own words say what to do.
            .unwrap_or_else(|| text(denied)),
        Reply::Seat(grant) if grant.conflict.is_some() => {
            format!(
                "find the copy of this machine and install one of the two anew, then run `seatkeeper resolve {mac}`"
            )
        }
        _ => "nothing: such a checkout is not refused at this moment".to_owned(),
    }
}

fn about_licenses(denied: &Denied, beside: &Beside, product: ProductId, now: Timestamp) -> Option<String> {
    Some(match denied.denial {
        Denial::DeploymentOnly => format!("import a key of {product} for machines: `seatkeeper import KEY`"),
        Denial::LicenseBlacklisted => {
            let contact = denied.contact.as_deref().unwrap_or("the vendor");
            format!("contact {contact}")
        }
        Denial::LicenseExpired => format!("import a key of {product} that is valid: `seatkeeper import KEY`"),
        Denial::LicenseSuperseded => {
            "import the key that has taken the license's place: `seatkeeper import KEY`".to_owned()
        }
        Denial::NoLicense => format!("import a key of {product}: `seatkeeper import KEY`"),
        Denial::SeatsExhausted => {
            let unseen = |secs: u64| secs >= UNSEEN_SECS;
            match beside.holders.iter().find(|one| unseen(now.secs_since(one.renewed_at))) {
                Some(one) => format!(
                    "if {} is not used any more, run `seatkeeper release {} {product} --reason TEXT`: of all that hold a \
                     seat it was seen least lately",
                    if one.host_name.is_empty() {
                        "that machine"
                    } else {
                        &one.host_name
                    },
                    one.mac
                ),
                None => format!("import another key of {product}: `seatkeeper import KEY`"),
            }
        }
        Denial::UnknownComponent => {
            "check the component's name, else import the vendor's newer catalogue: `seatkeeper catalogue import FILE`"
                .to_owned()
        }
        Denial::UnknownProduct => "import the vendor's catalogue: `seatkeeper catalogue import FILE`".to_owned(),
        Denial::UnknownVendor => "trust the vendor's public key: `seatkeeper vendor trust FILE`".to_owned(),
        _ => return None,
    })
}

fn about_machines(denial: Denial, names: &Names) -> Option<String> {
    let (mac, product, component) = (names.mac, names.product, names.component());
    Some(match denial {
        Denial::Conflict => {
            format!("install one of the two copies of this machine anew, then run `seatkeeper resolve {mac}`")
        }
        Denial::DiskFull => "make room on the disk of the license server".to_owned(),
        Denial::EnrolmentRequired => format!(
            "make a token with `seatkeeper enrol token`, then run `seatkeeper agent enrol {product} {component} TOKEN` on \
             the machine"
        ),
        Denial::RebindPending => format!("if the machine was installed anew, run `seatkeeper resolve {mac}`"),
        Denial::RequiredProduct { product: required } => {
            format!("check out {required} on this machine first: see `seatkeeper explain {mac} {required}`")
        }
        Denial::SlowDown { retry_secs: NEVER } => RAISE_LIMITS.to_owned(),
        Denial::SlowDown { retry_secs } => format!("wait {}; the agent asks again by itself", waiting(retry_secs)),
        Denial::TooManyComponents => format!(
            "release a component that is not used any more: `seatkeeper release {mac} {product} COMPONENT --reason TEXT`"
        ),
        _ => return None,
    })
}

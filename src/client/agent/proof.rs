//! What a server must show before the agent believes it (rule K9).

use bytes::Bytes;

use crate::client::state::Owner;
use crate::domain::catalogue::Component;
use crate::domain::ids::Serial;
use crate::domain::time::Timestamp;
use crate::vendor::{CatalogueEntry, VendorKey, verify_certificate, verify_entry};
use crate::wire::Outcome;
use crate::wire::messages::seat::{CheckoutOk, Conflict, Counts, Former};

/// An answer to a checkout that the vendor's signatures vouch for.
#[derive(Debug)]
pub(super) struct Proven {
    pub(super) answer: ProvenAnswer,
    /// The catalogue entry to remember: the newer one of the answer's and the remembered one.
    pub(super) signed_entry: Bytes,
}

#[derive(Debug)]
pub(super) enum ProvenAnswer {
    NotCounted(Counts),
    Seat {
        serial: Serial,
        outcome: Outcome,
        acquired_at: Timestamp,
        renew_by: Option<Timestamp>,
        continuation: u64,
        conflict: Option<Conflict>,
        former: Option<Former>,
        /// Not checked yet: see [`super::lease`].
        lease: Option<Bytes>,
    },
}

/// What the vendor says of the component in a signed entry; nothing if the entry is not the vendor's or not about it.
pub(super) fn component_in(signed_entry: &[u8], owner: Owner, key: &VendorKey) -> Option<Component> {
    entry_of(signed_entry, owner, key).ok()?.1
}

/// Days that the vendor lets the component's product run without a server; nothing if the entry is not the vendor's or
/// not about the component.
pub(super) fn offline_days_in(signed_entry: &[u8], owner: Owner, key: &VendorKey) -> Option<u8> {
    let (entry, component) = entry_of(signed_entry, owner, key).ok()?;
    component.map(|_| entry.entry.offline_days)
}

/// Checks the vendor's signatures in an answer to a checkout. The error is one sentence for people.
pub(super) fn prove(
    answer: CheckoutOk,
    remembered: Option<&Bytes>,
    owner: Owner,
    key: &VendorKey,
) -> Result<Proven, String> {
    let offered = entry_of(&answer.catalogue_entry, owner, key)?;
    // An older entry than the one that is known could undo what the vendor changed since: the newer one counts.
    let known = remembered.and_then(|entry| entry_of(entry, owner, key).ok());
    let (entry, component) = match known {
        Some(known) if known.0.version > offered.0.version => known,
        _ => offered,
    };
    let component = component.ok_or_else(|| format!("the vendor's catalogue has no component {}", owner.component))?;
    let signed_entry = entry.entry.signed_entry;
    let answer = if answer.outcome == Outcome::NOT_COUNTED {
        if component.counted {
            return Err("it says that the component is not counted, the vendor's catalogue says that it is".to_owned());
        }
        ProvenAnswer::NotCounted(answer.counts.unwrap_or_default())
    } else {
        seat_in(answer, owner, key)?
    };
    Ok(Proven { answer, signed_entry })
}

fn entry_of(signed_entry: &[u8], owner: Owner, key: &VendorKey) -> Result<(CatalogueEntry, Option<Component>), String> {
    let entry = verify_entry(signed_entry, key).map_err(|error| format!("its catalogue entry is refused: {error}"))?;
    if entry.product != owner.product.product {
        return Err(format!("its catalogue entry is for {}", entry.product));
    }
    let component = entry.entry.components.get(&owner.component).copied();
    Ok((entry, component))
}

fn seat_in(answer: CheckoutOk, owner: Owner, key: &VendorKey) -> Result<ProvenAnswer, String> {
    let missing = |what: &str| format!("its grant has no {what}");
    let certificate = answer.certificate.ok_or_else(|| missing("certificate"))?;
    let claims = verify_certificate(&certificate, key).map_err(|error| format!("its license is refused: {error}"))?;
    if claims.product != owner.product.product {
        return Err(format!("its license is for {}", claims.product));
    }
    let serial = answer.serial.ok_or_else(|| missing("serial"))?;
    if serial != claims.serial.as_str() {
        return Err(format!(
            "its certificate is of license {}, its grant of {serial}",
            claims.serial
        ));
    }
    match answer.outcome {
        Outcome::GRANTED | Outcome::RENEWED | Outcome::ENGAGED_AGAIN => Ok(ProvenAnswer::Seat {
            serial: claims.serial,
            outcome: answer.outcome,
            acquired_at: Timestamp(answer.acquired_at.ok_or_else(|| missing("acquire date"))?),
            renew_by: answer.renew_by.map(Timestamp),
            continuation: answer.continuation.unwrap_or(0),
            conflict: answer.conflict,
            former: answer.former,
            lease: answer.lease,
        }),
        other => Err(format!("its answer {other:?} needs a newer version of this program")),
    }
}

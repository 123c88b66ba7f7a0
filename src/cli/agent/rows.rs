//! What `agent` prints as JSON.

use serde::Serialize;

use super::refusal_text;
use crate::cli::output::{self, rfc3339};
use crate::client::agent::{Check, Denied, Standing};
use crate::client::ways::Verdict;
use crate::domain::time::Timestamp;

/// What `agent checkout --json`, `agent renew --json` and `run` tell.
#[derive(Serialize)]
pub(super) struct Told {
    may_run: bool,
    outcome: String,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mac: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acquired_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    renew_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<Refusal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offline_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offline_left_secs: Option<u64>,
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    paths: Vec<PathRow>,
}

/// What came of a path by which servers were looked for.
#[derive(Serialize)]
struct PathRow {
    path: &'static str,
    asked: Vec<String>,
    answered: usize,
    faults: Vec<String>,
    note: Option<String>,
}

impl From<&Verdict> for PathRow {
    fn from(verdict: &Verdict) -> Self {
        let Verdict {
            way,
            asked,
            answered,
            faults,
            note,
        } = verdict.clone();
        Self {
            path: way.code(),
            asked,
            answered,
            faults,
            note,
        }
    }
}

/// A refusal, with what its reader wants to know next (rule V2).
#[derive(Serialize)]
struct Refusal {
    status: String,
    used: Option<u64>,
    total: Option<u64>,
    earliest_renew_by: Option<String>,
    former_ended_at: Option<String>,
    retry_secs: Option<u32>,
    required_product: Option<String>,
    contact: Option<String>,
}

/// What `agent release --json` prints.
#[derive(Serialize)]
pub(super) struct Given {
    pub(super) outcome: &'static str,
    pub(super) components_left: u32,
}

/// What `agent check --json` prints.
#[derive(Serialize)]
pub(super) struct Checked {
    mac: String,
    lenient: bool,
    offline_until: Option<String>,
    offline_left_secs: Option<u64>,
    serial: Option<String>,
    acquired_at: Option<String>,
    renew_by: Option<String>,
    trusted_servers: Vec<String>,
    available: Option<u64>,
    total: Option<u64>,
    server: Option<String>,
    faults: Vec<String>,
    paths: Vec<PathRow>,
}

/// What `agent trust --json` prints.
#[derive(Serialize)]
pub(super) struct Trusted {
    pub(super) fingerprint: String,
    pub(super) new: bool,
}

/// What `agent distrust --json` prints.
#[derive(Serialize)]
pub(super) struct Distrusted {
    pub(super) fingerprint: String,
    pub(super) forgotten_by: u32,
    pub(super) was_listed: bool,
    pub(super) addresses: u64,
}

/// How a component stands.
pub(super) fn told(standing: &Standing) -> Told {
    let mut told = Told {
        may_run: standing.may_run(),
        outcome: String::new(),
        text: standing.to_string(),
        mac: None,
        serial: None,
        acquired_at: None,
        renew_by: None,
        available: None,
        refusal: None,
        server: None,
        offline_until: standing.countdown().and_then(|term| rfc3339(Some(term.until))),
        offline_left_secs: standing.countdown().map(|term| term.left_secs),
        warnings: standing.warnings().to_vec(),
        paths: Vec::new(),
    };
    match standing {
        Standing::Denied(denied) => {
            told.outcome = "denied".into();
            told.text = refusal_text(denied);
            told.server = Some(denied.server.fingerprint.to_string());
            told.refusal = Some(refusal(denied));
        }
        Standing::Licensed(licensed) => {
            told.outcome = output::code(licensed.outcome.name());
            told.mac = Some(licensed.mac.to_string());
            told.serial = Some(licensed.serial.to_string());
            told.acquired_at = rfc3339(Some(licensed.acquired_at));
            told.renew_by = rfc3339(licensed.renew_by);
            told.server = Some(licensed.server.fingerprint.to_string());
        }
        Standing::NotCounted(not_counted) => {
            told.outcome = "not counted".into();
            told.available = Some(not_counted.counts.available);
            told.server = Some(not_counted.server.fingerprint.to_string());
        }
        Standing::NoServer(without) => {
            told.outcome = "no server".into();
            told.paths = without.paths.iter().map(PathRow::from).collect();
        }
        Standing::Unable(_) => told.outcome = "unable".into(),
    }
    told
}

fn refusal(denied: &Denied) -> Refusal {
    let at = |secs: u64| rfc3339(Some(Timestamp(secs)));
    Refusal {
        status: denied.status.name().unwrap_or("UNKNOWN").to_owned(),
        used: denied.refusal.used,
        total: denied.refusal.total,
        earliest_renew_by: denied.refusal.earliest_renew_by.and_then(at),
        former_ended_at: denied.refusal.former.as_ref().and_then(|former| at(former.ended_at)),
        retry_secs: denied.refusal.retry_secs,
        required_product: denied.refusal.required_product.clone(),
        contact: denied.refusal.contact.clone(),
    }
}

/// What a component has and may.
pub(super) fn checked(check: &Check) -> Checked {
    let term = check.offline.running().filter(|_| !check.lenient);
    Checked {
        mac: check.mac.to_string(),
        lenient: check.lenient,
        offline_until: term.and_then(|term| rfc3339(Some(term.until))),
        offline_left_secs: term.map(|term| term.left_secs),
        serial: check.memory.grant.map(|grant| grant.serial.to_string()),
        acquired_at: check.memory.grant.and_then(|grant| rfc3339(Some(grant.acquired_at))),
        renew_by: check.memory.grant.and_then(|grant| rfc3339(grant.renew_by)),
        trusted_servers: check
            .memory
            .pins
            .iter()
            .map(|pin| pin.fingerprint.to_string())
            .collect(),
        available: check.available.as_ref().map(|(counts, _)| counts.available),
        total: check.available.as_ref().map(|(counts, _)| counts.total),
        server: check
            .available
            .as_ref()
            .map(|(_, server)| server.fingerprint.to_string()),
        faults: check.faults.clone(),
        paths: check.paths.iter().map(PathRow::from).collect(),
    }
}

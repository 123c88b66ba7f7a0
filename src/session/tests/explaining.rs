//! EXPLAIN on the wire: every outcome has words and one thing to do, within the bounds of a frame (rule V2).

use super::refusals::denials;
use super::*;
use crate::domain::catalogue::COMPONENTS_MAX;
use crate::domain::explain::{
    Beside, Explanation, HOLDERS_TOLD_MAX, Held, Holder, LICENSES_TOLD_MAX, Looked, LookedAt, Meeting, NOBODY, Step,
};
use crate::domain::ids::ReservationId;
use crate::domain::license::{LicenseStatus, Usage};
use crate::domain::reply::Counts;
use crate::domain::seat::{Conflict, ConflictKind};
use crate::domain::timekeeper::Standing;
use crate::wire::limits::EXPLAIN_STEPS_MAX;
use crate::wire::messages::explain::{Explain, ExplainOk};
use crate::wire::{Check, Finding, Outcome};

const LATE: Timestamp = Timestamp(1_767_225_600);

/// More steps than any decision has, the longest ones.
fn steps() -> Vec<Step> {
    let licenses = (0..LICENSES_TOLD_MAX).map(|n| LookedAt {
        serial: serial(),
        usage: [Usage::Machine, Usage::Deployment][n % 2],
        status: [
            LicenseStatus::Valid,
            LicenseStatus::Expired,
            LicenseStatus::Blacklisted,
            LicenseStatus::Superseded,
        ][n % 4],
        total: u32::MAX,
        free: 0,
        ends_at: LATE,
    });
    vec![
        Step::Clock {
            mark: LATE,
            standing: Standing::SetBack { secs: 1 },
        },
        Step::Enrolment {
            is_asked: true,
            is_served: true,
        },
        Step::Room { is_enough: true },
        Step::Pace { retry_secs: None },
        Step::Vendor { is_trusted: true },
        Step::Product { is_known: true },
        Step::Component { is_known: true },
        Step::Counted { is_counted: true },
        Step::Required {
            product: "R".repeat(24).parse().ok(),
            is_missing: false,
        },
        Step::Held(Some(Held {
            serial: serial(),
            acquired_at: LATE,
            renewed_at: LATE,
            renew_by: Some(LATE),
        })),
        Step::Components {
            holding: COMPONENTS_MAX,
            is_full: false,
        },
        Step::Binding {
            meeting: Meeting::TakesPlace,
            conflict: Some(ConflictKind::AlternatingIdentity),
        },
        Step::SeatLicense {
            serial: serial(),
            why_not: Some(Denial::LicenseBlacklisted),
        },
        Step::SetAside(Some((ReservationId([1; 16]), serial()))),
        Step::Licenses(Looked {
            serves: None,
            licenses: licenses.collect(),
            more: 1,
        }),
    ]
}

fn explanation(outcome: Reply) -> Explanation {
    let holder = Holder {
        mac: key().mac,
        host_name: "h".repeat(253),
        renewed_at: Timestamp(1),
        renew_by: LATE,
    };
    Explanation {
        checkout: checkout(0),
        component: "c".repeat(24).parse().ok(),
        identity: NOBODY,
        address: peer().address,
        refused_at: None,
        steps: steps(),
        outcome,
        beside: Beside {
            conflict: Some(Conflict {
                kind: ConflictKind::StaleContinuation,
                since: LATE,
                last_seen: LATE,
                count: u32::MAX,
            }),
            former: Some(FormerSeat {
                ended_at: LATE,
                cause: EndCause::LicenseRemoved,
            }),
            holders: vec![holder; HOLDERS_TOLD_MAX],
        },
    }
}

fn told(outcome: Reply) -> ExplainOk {
    let mut pair = Pair::greeted(Role::Viewer);
    let request = Request::Explain(Explain {
        product: "BKSRV".to_owned(),
        mac: key().mac.bytes(),
        ..Explain::default()
    });
    match pair.exchange(&request, Reply::Explained(Box::new(explanation(outcome)))) {
        (_, Response::Explain(told)) => told,
        (_, other) => panic!("{other:?}"),
    }
}

// proves V2
#[test]
fn every_refusal_is_explained_with_its_status_and_one_thing_to_do() {
    for denial in denials() {
        let denied = Denied {
            subject: Subject {
                product: "P".repeat(24).parse().ok(),
                component: "c".repeat(24).parse().ok(),
                mac: Some(key().mac),
                serial: Some(serial()),
            },
            contact: Some("c".repeat(128)),
            ..denial.into()
        };
        let told = told(Reply::Denied(denied));
        assert_eq!(told.status, crate::session::translate::status_of(&denial), "{denial:?}");
        assert!(told.remedy.len() > 10 && told.text.len() > 20, "{denial:?}: {told:?}");
        assert!(told.steps.len() <= EXPLAIN_STEPS_MAX, "{}", told.steps.len());
        assert_eq!((told.outcome, told.identity), (None, None));
    }
}

// proves V2
#[test]
fn one_step_decides_and_what_follows_is_noted() {
    let told = told(Reply::NotCounted {
        counts: Counts::default(),
        signed_entry: Bytes::new(),
    });
    assert_eq!((told.status, told.outcome), (Status::OK, Some(Outcome::NOT_COUNTED)));
    let findings: Vec<Finding> = told.steps.iter().map(|step| step.finding).collect();
    let number = steps().len();
    assert!(findings[..number - 1].iter().all(|finding| *finding == Finding::PASSED));
    assert_eq!(findings[number - 1], Finding::DECIDED);
    assert!(findings[number..].iter().all(|finding| *finding == Finding::NOTED));
    // Each license with the rule by which it does not serve.
    let license = |step: &&crate::wire::messages::explain::ExplainStep| step.check == Check::LICENSE;
    let rules: Vec<&str> = told
        .steps
        .iter()
        .filter(license)
        .map(|step| step.rule.as_str())
        .collect();
    assert_eq!(rules[..4], ["S1", "K5", "C3", "C3"]);
    assert_eq!(rules.len(), LICENSES_TOLD_MAX);
}

//! Short soaks; the long ones are run by hand, see the README.

use crate::error::SoakError;
use crate::import;
use crate::report::Report;
use crate::soak::{self, Failure, Plan};

fn soak(seed: u64, skip: u64, wrong_from: Option<u64>) -> Result<Report, Failure> {
    let data = tempfile::tempdir().expect("a directory");
    let plan = Plan {
        seed,
        steps: 2_000,
        history: 1_000,
        skip,
        restarts: 4,
        depth: 32,
        data: data.path().to_owned(),
        wrong_from,
    };
    run(soak::run(&plan))
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(work)
}

// proves S2
// proves S6
// proves I2
// proves T2
#[test]
fn the_server_answers_its_clients_as_the_rules_do_across_restarts() {
    let report = soak(3, 0, None).expect("the rules and the server agree");
    assert_eq!((report.steps, report.histories, report.restarts), (2_000, 2, 6));
    assert!(report.steps / report.batches >= 8, "nothing is pipelined: {report}");
    for answer in ["Added", "Granted", "Renewed", "Released", "Reserved", "Committed"] {
        assert!(report.answers.get(answer).is_some_and(|count| *count > 0), "{report}");
    }
}

#[test]
fn a_rule_that_is_broken_fails_the_soak_and_again_where_it_is_told_to_begin() {
    let step = |outcome: Result<Report, Failure>| match outcome {
        Err(Failure { again, error }) => {
            assert!(again.ends_with("--skip 1"), "{again}");
            match *error {
                SoakError::Disagreement(found) => {
                    assert!(found.to_string().contains("Checkout"), "{found}");
                    found.step
                }
                other => panic!("{other:?}"),
            }
        }
        Ok(report) => panic!("nothing was found: {report}"),
    };
    let found = step(soak(3, 0, Some(1_200)));
    assert!((1_200..2_000).contains(&found), "{found}");
    assert_eq!(step(soak(3, 1, Some(1_200))), found);
}

#[test]
fn a_plan_says_how_to_do_it_again() {
    let plan = Plan {
        seed: 17,
        steps: 200_000,
        history: 5_000,
        skip: 7,
        restarts: 100,
        depth: 16,
        data: "/nowhere".into(),
        wrong_from: None,
    };
    assert_eq!(
        plan.command(),
        "seatsoak --seed 17 --steps 200000 --history 5000 --restarts 100 --depth 16 --skip 7"
    );
}

// proves K8
#[test]
fn an_interrupted_import_goes_on_where_it_stopped() {
    let dir = tempfile::tempdir().expect("a directory");
    let imported = run(import::run(dir.path(), 3_000)).expect("each key is there once");
    assert_eq!(imported.added_before, 1_500);
    assert_eq!(imported.added_after + imported.present_after, 3_000);
}

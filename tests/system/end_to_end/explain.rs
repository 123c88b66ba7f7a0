//! `explain`: why a machine is refused, rule by rule, before it is (rule V2).

use serde_json::Value;

use crate::site::Site;

/// What is said of the `number`th machine's checkout.
fn explain(site: &Site, number: u16, more: &[&str]) -> Value {
    let mac = site.machine(number).mac;
    let words = ["explain", &mac, "BKSRV"].map(str::to_owned);
    site.json(words.into_iter().chain(more.iter().map(|word| (*word).to_owned())))
}

/// The step that decided.
fn decided(told: &Value) -> (&str, &str) {
    let steps = told["steps"].as_array().expect("steps");
    let mut deciding = steps.iter().filter(|step| step["finding"] == "decided");
    let step = deciding.next().expect("one decides");
    assert!(deciding.next().is_none(), "one alone: {told}");
    let word = |name: &str| step[name].as_str().unwrap_or_default();
    (word("rule"), word("check"))
}

// proves V2
#[test]
fn explain_names_the_rule_the_facts_and_the_one_thing_to_do() {
    let site = Site::open();
    let told = explain(&site, 2, &[]);
    assert_eq!(
        (&told["status"], decided(&told)),
        (&"NO_LICENSE".into(), ("S1", "licenses")),
        "{told}"
    );
    let serial = site.buy(1, "BKSRV", 1);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let told = explain(&site, 2, &[]);
    assert_eq!(
        (&told["status"], &told["granted"]),
        (&"SEATS_EXHAUSTED".into(), &false.into())
    );
    assert_eq!(
        (decided(&told), &told["component"]),
        (("S1", "licenses"), &"agent".into()),
        "{told}"
    );
    let steps = told["steps"].as_array().unwrap();
    let checks: Vec<&str> = steps.iter().map(|step| step["check"].as_str().unwrap()).collect();
    let order = [
        "clock",
        "enrolment",
        "room",
        "pace",
        "vendor",
        "product",
        "component",
        "counted",
        "required product",
        "seat",
        "binding",
        "set aside",
        "licenses",
        "license",
        "holder",
    ];
    assert_eq!(checks, order);
    let [license, holder] = &steps[steps.len() - 2..] else {
        panic!("{told}")
    };
    assert_eq!(
        (&license["serial"], &license["rule"]),
        (&serial.as_str().into(), &"S1".into())
    );
    assert_eq!(
        holder["mac"],
        site.machine(1).mac,
        "administrators see who holds the seats"
    );
    assert!(
        told["remedy"].as_str().unwrap().contains("seatkeeper import KEY"),
        "{told}"
    );
    assert_eq!(site.json(["seats"]).as_array().unwrap().len(), 1, "nothing was changed");
}

// proves V2
#[test]
fn a_refused_checkout_points_to_explain_and_is_what_that_says() {
    let site = Site::open();
    site.buy(1, "BKSRV", 1);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    // The same is what the machine is answered, and its text says where to look.
    let refused = site.agent(2, "checkout", "BKSRV", "agent");
    assert_eq!(refused.code, Some(4), "{refused:?}");
    let hint = format!("`seatkeeper explain {} BKSRV`", site.machine(2).mac);
    assert!(
        refused.stderr.contains(&hint) || refused.stdout.contains(&hint),
        "{refused:?}"
    );

    let told = site.admin(["explain", &site.machine(2).mac, "BKSRV"]).ok();
    for said in [
        "DECIDES",
        "S15",
        "refused: no seat of BKSRV is available",
        "what to do: import another key",
    ] {
        assert!(told.contains(said), "{said} is not in {told}");
    }
}

// proves V2
// proves S15
#[test]
fn explain_says_of_a_held_seat_that_it_is_renewed_and_of_an_uncounted_component_that_it_needs_none() {
    let site = Site::open();
    let serial = site.buy(1, "BKSRV", 1);
    site.agent(1, "checkout", "BKSRV", "console").ok();
    let told = explain(&site, 1, &[]);
    assert_eq!(
        (&told["outcome"], &told["serial"], &told["component"], decided(&told)),
        (
            &"renewed".into(),
            &serial.as_str().into(),
            &"console".into(),
            ("S13", "seat license")
        ),
        "{told}"
    );
    assert!(told["identity"].is_string(), "the bound one is supposed: {told}");
    let told = explain(&site, 1, &["gui"]);
    assert_eq!(
        (&told["outcome"], decided(&told)),
        (&"not counted".into(), ("I3", "counted"))
    );
    let told = explain(&site, 1, &["nothing"]);
    assert_eq!(
        (&told["status"], decided(&told)),
        (&"UNKNOWN_COMPONENT".into(), ("I3", "component"))
    );
    let told = explain(&site, 2, &["--by", &"ab".repeat(32)]);
    assert_eq!(
        (&told["status"], &told["identity"]),
        (&"SEATS_EXHAUSTED".into(), &"ab".repeat(32).into())
    );
    let told = site.json(["explain", &site.machine(1).mac, "ELSE"]);
    assert_eq!(
        (&told["status"], decided(&told)),
        (&"UNKNOWN_PRODUCT".into(), ("K2", "product"))
    );
    for wrong in [&["explain", "nonsense", "BKSRV"][..], &["explain", "00:1a:2b:3c:4d:5e"]] {
        assert_eq!(site.admin(wrong.iter().copied()).code, Some(2), "{wrong:?}");
    }
}

// proves V2
#[test]
fn where_agents_enrol_explain_says_so_and_how() {
    let site = Site::open_with("enrol = \"token\"\n");
    site.buy(1, "BKSRV", 1);
    let told = explain(&site, 1, &[]);
    assert_eq!(
        (&told["status"], decided(&told)),
        (&"ENROLMENT_REQUIRED".into(), ("", "enrolment")),
        "{told}"
    );
    assert!(
        told["remedy"].as_str().unwrap().contains("seatkeeper enrol token"),
        "{told}"
    );
}

// proves V2
// proves I7
#[test]
fn explain_supposes_the_identity_that_waits_and_says_how_to_let_it_in() {
    let site = Site::open_with("rebind = \"approve\"\n");
    site.buy(1, "BKSRV", 1);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let told = explain(&site, 1, &[]);
    assert_eq!(
        (&told["outcome"], told["granted"].as_bool()),
        (&"renewed".into(), Some(true))
    );
    let mut anew = site.machine(1);
    anew.state = site.dir.path().join("installed-anew");
    let server = site.server().server_arg();
    let refused = anew.agent("checkout", "BKSRV", "agent", &["--server", &server]);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    let told = explain(&site, 1, &[]);
    assert_eq!(
        (&told["status"], decided(&told)),
        (&"REBIND_PENDING".into(), ("I7", "binding")),
        "{told}"
    );
    let mac = &anew.mac;
    assert!(
        told["remedy"]
            .as_str()
            .unwrap()
            .contains(&format!("seatkeeper resolve {mac}")),
        "{told}"
    );
    site.admin(["resolve", mac, "--yes"]).ok();
    let told = explain(&site, 1, &[]);
    assert_eq!(told["outcome"], "renewed", "{told}");
    anew.agent("checkout", "BKSRV", "agent", &["--server", &server]).ok();
}

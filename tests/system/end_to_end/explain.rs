//! `explain`: why a machine is refused, rule by rule, before it is (rule V2).

use serde_json::Value;

use crate::process::{Machine, Output};
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
    let hint = format!("`seatkeeper explain {} BKSRV agent`", site.machine(2).mac);
    assert!(
        refused.stderr.contains(&hint) || refused.stdout.contains(&hint),
        "{refused:?}"
    );

    let told = site.admin(["explain", &site.machine(2).mac, "BKSRV", "agent"]).ok();
    for said in [
        ", refused here at 20",
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
    // Whoever holds the seat by the first digits, as events show them.
    let holder = site.json(["seats"])[0]["components"][0]["identity"]
        .as_str()
        .unwrap()
        .to_owned();
    let told = explain(&site, 1, &["agent", "--by", &holder[..16]]);
    assert_eq!(
        (&told["identity"], &told["granted"]),
        (&holder.as_str().into(), &true.into())
    );
    let mac = &site.machine(1).mac;
    let unknown = site.admin(["explain", mac, "BKSRV", "--by", "01234567"]).failed_with(1);
    assert!(
        unknown.stderr.contains("no identity that begins with 01234567"),
        "{unknown:?}"
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

/// Runs the command that a refused checkout points to as it was printed, and demands the same refusal of it.
#[track_caller]
fn explained_the_same(site: &Site, refused: &Output, status: &str) -> Value {
    let answer: Value = serde_json::from_str(&refused.stdout).unwrap_or_else(|_| panic!("{refused:?}"));
    assert_eq!(
        (refused.code, &answer["refusal"]["status"]),
        (Some(4), &status.into()),
        "{answer}"
    );
    let text = answer["text"].as_str().expect("a text");
    let (_, behind) = text
        .split_once("`seatkeeper explain ")
        .unwrap_or_else(|| panic!("{text}"));
    let (words, _) = behind.split_once('`').expect("its end");
    let told = site.json(["explain"].into_iter().chain(words.split(' ')));
    assert_eq!(
        (&told["status"], &told["granted"]),
        (&status.into(), &false.into()),
        "{told}"
    );
    assert!(told["refused_at"].is_string() && told["identity"].is_string(), "{told}");
    told
}

/// The checkout of a component on one machine by the identity that another one keeps.
fn checkout(site: &Site, mac: u16, state: u16, component: &str) -> Output {
    let machine = Machine {
        mac: site.machine(mac).mac,
        ..site.machine(state)
    };
    let server = site.server().server_arg();
    machine.agent("checkout", "BKSRV", component, &["--json", "--server", &server])
}

// proves V2
#[test]
fn the_command_that_a_refusal_points_to_tells_the_same_refusal() {
    let site = Site::open_with("enrol = \"token\"\n");
    site.buy(1, "BKSRV", 1);
    let token = site.json(["enrol", "token"])["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let server = site.server().server_arg();
    for machine in [1, 2] {
        let enrolled = site.machine(machine);
        enrolled
            .agent("enrol", "BKSRV", "agent", &[&token, "--server", &server])
            .ok();
    }
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let told = explained_the_same(&site, &checkout(&site, 2, 2, "agent"), "SEATS_EXHAUSTED");
    assert_eq!(decided(&told), ("S1", "licenses"), "{told}");
    // The stranger is one still, and is meant where he was refused last.
    explained_the_same(&site, &checkout(&site, 3, 3, "agent"), "ENROLMENT_REQUIRED");
    let one_machine = Site::open_with("[limits]\nnew_macs_per_identity_and_day = 1\n");
    one_machine.buy(1, "BKSRV", 5);
    checkout(&one_machine, 1, 1, "agent").ok();
    let told = explained_the_same(&one_machine, &checkout(&one_machine, 2, 1, "agent"), "SLOW_DOWN");
    assert_eq!(decided(&told), ("", "pace"), "{told}");
    let told = explained_the_same(
        &one_machine,
        &checkout(&one_machine, 3, 3, "nothing"),
        "UNKNOWN_COMPONENT",
    );
    assert_eq!(told["component"], "nothing", "{told}");
    let one_seat = Site::open_with("[limits]\nnew_seats_per_source_and_minute = 1\n");
    one_seat.buy(1, "BKSRV", 5);
    checkout(&one_seat, 1, 1, "agent").ok();
    explained_the_same(&one_seat, &checkout(&one_seat, 2, 2, "agent"), "SLOW_DOWN");
    // Whoever is named is meant, wherever he asks from.
    let mac = one_seat.machine(2).mac;
    let by = one_seat.json(["explain", &mac, "BKSRV", "agent", "--by", &"ab".repeat(32)]);
    assert_eq!(
        (&by["refused_at"], &by["granted"]),
        (&Value::Null, &true.into()),
        "{by}"
    );
}

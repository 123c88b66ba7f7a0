//! Enrolment by token, over the real binary: who is served, what a token does, and that it is nowhere to be found.

use std::path::Path;

use seatkeeper::tls::Identity;
use seatkeeper::wire::messages::{Request, Response, enrol};
use seatkeeper::wire::{Opcode, Role, Status};
use serde_json::Value;

use super::roles::request;
use crate::process::{Output, SEATKEEPER, command, finish};
use crate::site::Site;
use crate::wire::{Wire, checkout, mac};

const TOKENS: &str = "enrol = \"token\"\n";

/// A server that serves who is enrolled, with five seats.
fn closed() -> Site {
    let site = Site::open_with(TOKENS);
    site.buy(1, "BKSRV", 5);
    site
}

/// Makes a token; the token and its short name.
fn token(site: &Site, more: &[&str]) -> (String, String) {
    let made = site.json([&["enrol", "token"], more].concat());
    let text = |field: &str| made[field].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    (text("token"), text("id"))
}

fn tokens(site: &Site) -> Vec<Value> {
    site.json(["enrol", "list"]).as_array().expect("rows").clone()
}

/// A checkout on the `number`th machine with a token in its environment.
fn checkout_with(site: &Site, number: u16, token: &str) -> Output {
    let (machine, server) = (site.machine(number), site.server().server_arg());
    let mut run = command(SEATKEEPER);
    run.args(machine.args("checkout", "BKSRV", "agent", &["--server", &server]));
    run.env("SEATKEEPER_ENROL_TOKEN", token);
    finish(machine.environment(&mut run))
}

fn agent(site: &Site, number: u16, verb: &str) -> Output {
    site.agent(number, verb, "BKSRV", "agent")
}

fn enrol(site: &Site, number: u16, token: &str) -> Output {
    let server = site.server().server_arg();
    site.machine(number)
        .agent("enrol", "BKSRV", "agent", &[token, "--server", &server])
}

#[test]
fn without_a_word_in_the_configuration_nobody_needs_a_token() {
    let site = Site::open();
    assert_eq!(site.json(["status"])["enrol"], "open");
    site.buy(1, "BKSRV", 2);
    agent(&site, 1, "checkout").ok();
    // Tokens can be handed out before the site asks for them.
    let (text, _) = token(&site, &[]);
    enrol(&site, 2, &text).ok();
    assert_eq!(tokens(&site)[0]["identities"], 1);
}

#[test]
fn who_is_not_enrolled_is_told_what_to_do_and_a_token_lets_it_in() {
    let site = closed();
    assert_eq!(site.json(["status"])["enrol"], "token");
    let refused = agent(&site, 1, "checkout").failed_with(4);
    let told = refused.stderr;
    for part in [
        "invalid license: ",
        "`seatkeeper agent enrol BKSRV agent TOKEN`",
        "SEATKEEPER_ENROL_TOKEN",
    ] {
        assert!(told.contains(part), "{told}");
    }
    agent(&site, 1, "check").failed_with(3);
    let (text, id) = token(&site, &["--label", "first floor", "--uses", "2", "--for", "2d"]);
    let told = checkout_with(&site, 1, &text).ok();
    assert!(told.contains("granted"), "{told}");
    // From then on nothing is brought, whatever stands in the environment.
    agent(&site, 1, "renew").ok();
    agent(&site, 1, "check").ok();
    let told = enrol(&site, 2, &text).ok();
    assert!(told.contains("enrolled as first floor"), "{told}");
    agent(&site, 2, "checkout").ok();
    let listed = tokens(&site);
    let row = &listed[0];
    assert_eq!((&row["id"], &row["state"]), (&id.into(), &"used up".into()), "{row}");
    assert_eq!((&row["enrolled"], &row["identities"]), (&2.into(), &2.into()), "{row}");
    assert!(row.get("token").is_none(), "{row}");
    enrol(&site, 1, &text).ok();
    let refused = enrol(&site, 3, &text).failed_with(4);
    assert!(refused.stderr.contains("expired, used up or revoked"), "{refused:?}");
    assert_eq!(site.audit()[0]["used"], 2);
}

#[test]
fn a_component_that_was_only_enrolled_is_checked_out_without_its_vendors_key() {
    let site = closed();
    let (text, _) = token(&site, &[]);
    // Nothing was asked for there before.
    enrol(&site, 1, &text).ok();
    let (machine, server) = (site.machine(1), site.server().server_arg());
    let mut args = machine.args("checkout", "BKSRV", "agent", &["--server", &server]);
    let option = args
        .iter()
        .position(|arg| *arg == *"--vendor-key")
        .expect("machines name it");
    drop(args.drain(option..option + 2));
    let mut run = command(SEATKEEPER);
    run.args(args);
    let told = finish(machine.environment(&mut run)).ok();
    assert!(told.contains("granted"), "{told}");
}

#[test]
fn a_token_can_be_read_from_standard_input_and_a_slip_is_found_before_anybody_is_asked() {
    let site = closed();
    let (text, _) = token(&site, &[]);
    let (machine, server) = (site.machine(1), site.server().server_arg());
    let mut slip = text.clone();
    let last = if slip.ends_with('0') { "1" } else { "0" };
    slip.replace_range(slip.len() - 1.., last);
    for (wrong, told) in [(slip.as_str(), "damaged"), ("SK1-00000", "no enrolment token")] {
        let refused = enrol(&site, 1, wrong).failed_with(2);
        assert!(refused.stderr.contains(told), "{refused:?}");
        assert!(!refused.text().contains(wrong), "it is repeated: {refused:?}");
        // What is enrolled already would go on.
        let refused = checkout_with(&site, 1, wrong).failed_with(4);
        assert!(refused.stderr.contains(told), "{refused:?}");
        assert!(!refused.text().contains(wrong), "it is repeated: {refused:?}");
    }
    let args = machine.args("enrol", "BKSRV", "agent", &["-", "--server", &server]);
    let file = site.dir.path().join("token.txt");
    std::fs::write(&file, format!("{text}\n")).unwrap();
    let mut run = command(SEATKEEPER);
    run.args(args).stdin(std::fs::File::open(&file).unwrap());
    finish(machine.environment(&mut run)).ok();
    agent(&site, 1, "checkout").ok();
}

#[test]
fn an_expired_and_a_revoked_token_enrol_nobody() {
    let site = closed();
    let (expired, _) = token(&site, &["--for", "1s"]);
    let (revoked, id) = token(&site, &[]);
    enrol(&site, 1, &revoked).ok();
    site.admin(["enrol", "revoke", &id]).failed_with(2);
    let told = site.admin(["enrol", "revoke", &id, "--dry-run"]).ok();
    assert!(told.contains("has enrolled 1 component; 1 of them still"), "{told}");
    assert!(tokens(&site).iter().all(|row| row["revoked_at"].is_null()));
    site.admin(["enrol", "revoke", &id, "--yes"]).ok();
    enrol(&site, 2, &revoked).failed_with(4);
    agent(&site, 1, "checkout").ok();
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    enrol(&site, 2, &expired).failed_with(4);
    let mut states: Vec<_> = tokens(&site).iter().map(|row| row["state"].to_string()).collect();
    states.sort();
    assert_eq!(states, ["\"expired\"", "\"revoked\""]);
    site.admin(["enrol", "revoke", "0000000000000000", "--yes"])
        .failed_with(4);
}

#[test]
fn whom_a_revoked_token_enrolled_keeps_its_seat_and_renews_it_no_more() {
    let mut site = closed();
    let (text, id) = token(&site, &[]);
    let (other, _) = token(&site, &[]);
    checkout_with(&site, 1, &text).ok();
    checkout_with(&site, 2, &other).ok();
    let revoked = site.json(["enrol", "revoke", &id, "--identities", "--yes"]);
    assert_eq!(revoked["identities"], 1, "{revoked}");
    for _ in 0..2 {
        let refused = agent(&site, 1, "renew").failed_with(4);
        assert!(
            refused.stderr.contains("serves only what has been enrolled"),
            "{refused:?}"
        );
        agent(&site, 1, "release").failed_with(4);
        agent(&site, 2, "renew").ok();
        assert_eq!(site.audit()[0]["used"], 2);
        // All of it is on the disk.
        site.kill();
        site.start();
    }
    site.admin(["release", &site.machine(1).mac, "BKSRV", "--reason", "it was stolen"])
        .ok();
    assert_eq!(site.audit()[0]["used"], 1);
}

#[test]
fn one_enrolment_is_taken_back_and_whom_its_token_enrolled_besides_goes_on() {
    let mut site = closed();
    let (text, id) = token(&site, &["--label", "first floor"]);
    checkout_with(&site, 1, &text).ok();
    checkout_with(&site, 2, &text).ok();
    let listed = site.json(["enrol", "list", "--identities"]);
    let of = |number| {
        let mac = site.machine(number).mac;
        let mut rows = listed.as_array().expect("rows").iter();
        rows.find(|row| row["holds"][0]["mac"] == mac)
            .unwrap_or_else(|| panic!("{mac} in {listed}"))
    };
    let row = of(1);
    assert_eq!(
        (&row["token"], &row["label"]),
        (&id.into(), &"first floor".into()),
        "{row}"
    );
    assert_eq!(row["state"], "enrolled", "{row}");
    assert_eq!(row["holds"][0]["component"], "agent", "{row}");
    let identity = row["identity"].as_str().expect("an identity").to_owned();
    let other = of(2)["identity"].as_str().expect("an identity").to_owned();

    site.admin(["enrol", "remove", "first-floor", "--yes"]).failed_with(2);
    site.admin(["enrol", "remove", &identity]).failed_with(2);
    let unknown = site.admin(["enrol", "remove", "0123456789", "--yes"]).failed_with(1);
    assert!(
        unknown.stderr.contains("no identity that begins with 0123456789"),
        "{unknown:?}"
    );
    let told = site.admin(["enrol", "remove", &identity[..12], "--dry-run"]).ok();
    let seat = format!("it holds BKSRV agent on {}", site.machine(1).mac);
    assert!(told.contains(&seat) && told.contains("nothing was done"), "{told}");
    agent(&site, 1, "renew").ok();
    let removed = site.json(["enrol", "remove", &identity, "--yes"]);
    assert_eq!(
        (&removed["identity"], &removed["done"]),
        (&identity.clone().into(), &true.into())
    );
    for _ in 0..2 {
        agent(&site, 1, "renew").failed_with(4);
        agent(&site, 1, "checkout").failed_with(4);
        agent(&site, 2, "renew").ok();
        // All of it is on the disk.
        site.kill();
        site.start();
    }
    let refused = site.admin(["enrol", "remove", &identity, "--yes"]).failed_with(4);
    assert!(refused.stderr.contains("is not enrolled here"), "{refused:?}");
    let told = site.admin(["enrol", "list", "--identities"]).ok();
    let states: Vec<_> = [&identity, &other]
        .map(|one| {
            told.lines()
                .find(|line| line.contains(one))
                .unwrap_or_else(|| panic!("{told}"))
        })
        .map(|line| line.contains("removed"))
        .into();
    assert_eq!(states, [true, false], "{told}");
}

#[test]
fn what_ran_before_a_site_began_with_tokens_goes_on_and_nothing_else_comes_in() {
    let mut site = Site::open_with("enrol = \"open\"\n");
    site.buy(1, "BKSRV", 5);
    agent(&site, 1, "checkout").ok();
    agent(&site, 2, "checkout").ok();
    site.stop();
    std::fs::write(site.dir.path().join("seatkeeper.toml"), TOKENS).unwrap();
    site.start();
    agent(&site, 1, "renew").ok();
    site.agent(1, "checkout", "BKSRV", "cli").failed_with(4);
    agent(&site, 3, "checkout").failed_with(4);
    agent(&site, 2, "release").ok();
    agent(&site, 2, "checkout").failed_with(4);
    assert_eq!(site.audit()[0]["used"], 1);
}

#[tokio::test]
async fn who_guesses_tokens_is_slowed_down_and_learns_nothing() {
    let site = closed();
    let (wire, _) = Wire::hello(site.server().address(), &Identity::generate().unwrap())
        .await
        .unwrap();
    let mut wire = wire;
    let guess = |byte| {
        Request::Enrol(enrol::Enrol {
            secret: enrol::Secret([byte; 20]),
        })
    };
    for byte in 0..10 {
        let answer = wire.ask(&guess(byte)).await.unwrap();
        assert_eq!(answer.status(), Status::TOKEN_REFUSED, "{byte}");
    }
    let Response::Refused(status, refusal) = wire.ask(&guess(10)).await.unwrap() else {
        panic!("it is let in");
    };
    assert_eq!(status, Status::SLOW_DOWN);
    assert!(
        refusal.retry_secs.is_some_and(|secs| (1..=60).contains(&secs)),
        "{refusal:?}"
    );
    let asked = checkout(site.vendor.id(), "BKSRV", "agent", mac(1));
    assert_eq!(wire.ask(&asked).await.unwrap().status(), Status::ENROLMENT_REQUIRED);
}

#[tokio::test]
async fn where_agents_enrol_every_opcode_is_refused_to_a_stranger_but_hello_and_enrol() {
    let site = closed();
    let stranger = Identity::generate().unwrap();
    for row in Opcode::TABLE.iter().filter(|row| row.opcode != Opcode::HELLO) {
        let (mut wire, hello) = Wire::hello(site.server().address(), &stranger).await.unwrap();
        assert_eq!(hello.role, Role::AGENT);
        let status = wire.ask(&request(&site, row.opcode)).await.unwrap().status();
        let expected = match row.opcode {
            Opcode::ENROL => Status::TOKEN_REFUSED,
            _ if row.roles.contains(&Role::AGENT) => Status::ENROLMENT_REQUIRED,
            _ => Status::NOT_AUTHORIZED,
        };
        assert_eq!(status, expected, "{}", row.name);
    }
    assert!(site.json(["seats"]).as_array().unwrap().is_empty());
}

/// The files below a directory that hold `needle`.
fn files_with(directory: &Path, needle: &[u8]) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, needle));
        } else if std::fs::read(&path)
            .unwrap()
            .windows(needle.len())
            .any(|part| part == needle)
        {
            found.push(path);
        }
    }
    found
}

#[test]
fn a_token_is_in_no_log_no_listing_and_no_file() {
    let mut site = Site::open_with("enrol = \"token\"\nlog.level = \"trace\"\n");
    site.buy(1, "BKSRV", 5);
    let (text, id) = token(&site, &[]);
    let mut told = checkout_with(&site, 1, &text).text();
    told.push_str(&enrol(&site, 2, &text).text());
    told.push_str(&site.admin(["enrol", "list", "--json"]).text());
    told.push_str(&site.admin(["enrol", "list"]).text());
    site.server().await_line("identity enrolled");
    told.push_str(&site.admin(["enrol", "revoke", &id, "--identities", "--yes"]).text());
    told.push_str(&enrol(&site, 3, &text).text());
    told.push_str(&site.server().log());
    assert!(told.contains(&id), "the log and the listing name it by its short name");
    let digits: String = text.trim_start_matches("SE1-").chars().filter(|c| *c != '-').collect();
    let alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let bits = digits.chars().map(|digit| alphabet.find(digit).unwrap());
    let bits: Vec<bool> = bits
        .flat_map(|digit| (0..5).rev().map(move |bit| digit >> bit & 1 == 1))
        .collect();
    let bytes = bits
        .chunks(8)
        .map(|byte| byte.iter().fold(0_u8, |sum, bit| sum << 1 | u8::from(*bit)));
    let secret: Vec<u8> = bytes.take(20).collect();
    let forms = [
        text.clone().into_bytes(),
        digits.into_bytes(),
        text.as_bytes()[4..22].to_vec(),
        data_encoding::HEXLOWER.encode(&secret).into_bytes(),
        format!("{secret:?}").trim_matches(['[', ']']).as_bytes().to_vec(),
    ];
    for form in &forms {
        let form = String::from_utf8_lossy(form);
        assert!(!told.contains(&*form), "{form} is told");
    }
    site.stop();
    for form in forms.iter().chain([&secret]) {
        let found = files_with(site.dir.path(), form);
        assert!(found.is_empty(), "{found:?} hold {form:?}");
    }
    // The search finds things: what the server keeps is the hash.
    let hash = data_encoding::HEXLOWER.decode(id.as_bytes()).unwrap();
    assert!(!files_with(&site.data(), &hash).is_empty());
}

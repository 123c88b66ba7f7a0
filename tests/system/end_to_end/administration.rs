//! Who may administer, and what an administrator may do to a seat.

use seatkeeper::tls::Identity;
use seatkeeper::wire::Status;
use seatkeeper::wire::messages::{Request, Response, seat};

use super::cause;
use super::colleague::Colleague;
use crate::site::Site;
use crate::wire::{Wire, mac};

#[test]
fn roles_are_given_listed_and_taken_away() {
    let site = Site::open();
    let colleague = Colleague::new(&site, "colleague");
    let fingerprint = colleague.fingerprint();
    colleague.ask(&["licenses"]).failed_with(5);
    site.admin(["admin", "add", &fingerprint, "--role", "viewer", "--label", "Ada"])
        .ok();
    colleague.ask(&["licenses"]).ok();
    colleague.ask(&["admin", "remove", &fingerprint]).failed_with(5);
    let list = site.json(["admin", "list"]);
    let row = list
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["fingerprint"] == *fingerprint)
        .expect("a row");
    assert_eq!(
        (&row["role"], &row["label"]),
        (&"viewer".into(), &"Ada".into()),
        "{list}"
    );
    let label = |site: &Site| {
        let list = site.json(["admin", "list"]);
        let row = list
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["fingerprint"] == *fingerprint);
        row.expect("a row")["label"].as_str().unwrap().to_owned()
    };
    let give = ["admin", "add", &fingerprint, "--role", "deployer"];
    site.admin(give).ok();
    assert_eq!(label(&site), "Ada", "it keeps its label where none is given");
    site.admin(give.into_iter().chain(["--label", ""])).ok();
    assert_eq!(label(&site), "");
    site.admin(["admin", "add", &fingerprint, "--role", "administrator"])
        .ok();
    colleague.ask(&["import", &site.vendor.license(1, "BKSRV", 1)]).ok();
    site.admin(["admin", "remove", &fingerprint]).ok();
    colleague.ask(&["licenses"]).failed_with(5);
    site.admin(["admin", "remove", &fingerprint]).failed_with(4);
}

#[test]
fn the_last_administrator_cannot_be_removed() {
    let site = Site::open();
    let before = site.json(["admin", "list"]);
    let last = before[0]["fingerprint"].as_str().unwrap();
    site.admin(["admin", "remove", last]).failed_with(4);
    site.admin(["admin", "add", last, "--role", "viewer"]).failed_with(4);
    assert_eq!(site.json(["admin", "list"]), before);
}

#[test]
fn a_lost_administrator_is_recovered_by_who_owns_the_data_directory() {
    let mut site = Site::open();
    site.stop();
    std::fs::remove_file(site.data().join("admin.pem")).unwrap();
    site.server = Some(crate::process::ServerProcess::start_with(
        &site.data(),
        ["--recover-admin"],
    ));
    assert_eq!(site.json(["admin", "list"]).as_array().unwrap().len(), 2);
    site.buy(1, "BKSRV", 1);
}

// proves S11
#[test]
fn an_administrator_takes_a_seat_back_with_a_reason() {
    let site = Site::open();
    site.buy(1, "BKSRV", 1);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    site.agent(1, "checkout", "BKSRV", "console").ok();
    let mac = site.machine(1).mac;
    site.admin(["release", &mac, "BKSRV"]).failed_with(2);
    site.admin(["release", &mac, "BKSRV", "--reason", " "]).failed_with(2);
    let slip = site
        .admin(["release", &mac, "BKSRV", "agnet", "--reason", "moved"])
        .ok();
    let held = format!("agnet holds nothing of BKSRV on {mac}, agent, console do; nothing changed\n");
    assert_eq!(slip, held);
    let one = site.json(["release", &mac, "BKSRV", "agent", "--reason", "moved"]);
    assert_eq!(one["components_left"], 1, "{one}");
    site.agent(2, "checkout", "BKSRV", "agent").failed_with(4);
    site.admin(["release", &mac, "BKSRV", "--reason", "scrapped"]).ok();
    site.agent(2, "checkout", "BKSRV", "agent").ok();
    // Nothing is held any more: told, and no error.
    let nothing = site
        .admin(["release", &mac, "BKSRV", "agent", "--reason", "again"])
        .ok();
    assert_eq!(nothing, format!("{mac} holds nothing of BKSRV; nothing changed\n"));
    // The machine that lost it is told so.
    let refused = site.agent(1, "checkout", "BKSRV", "agent").failed_with(4);
    assert!(refused.stderr.contains("administrator"), "{refused:?}");
}

// proves S11
#[tokio::test]
async fn another_identity_cannot_release_a_component() {
    let site = Site::open();
    site.buy(1, "BKSRV", 1);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let (mut thief, _) = Wire::hello(site.server().address(), &Identity::generate().unwrap())
        .await
        .unwrap();
    let release = Request::Release(seat::Release {
        vendor: site.vendor.id().0,
        product: "BKSRV".into(),
        component: "agent".into(),
        mac: mac(1),
    });
    let refused = thief.ask(&release).await.unwrap();
    assert!(
        matches!(refused, Response::Refused(Status::IDENTITY_NOT_BOUND, _)),
        "{refused:?}"
    );
    assert_eq!(site.audit()[0]["used"], 1);
    site.agent(1, "release", "BKSRV", "agent").ok();
    assert_eq!(site.audit()[0]["used"], 0);
}

// proves I7
#[test]
fn a_reinstalled_machine_keeps_its_seat_but_cannot_give_it_up_at_once() {
    let site = Site::open();
    site.buy(1, "BKSRV", 1);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    std::fs::remove_dir_all(site.machine(1).state).unwrap();
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    assert_eq!(site.audit()[0]["used"], 1);
    let seats = site.json(["seats"]);
    assert!(seats[0]["components"][0]["rebound_at"].is_string(), "{seats}");
    site.agent(1, "release", "BKSRV", "agent").failed_with(4);
}

// proves I7
#[test]
fn a_rolled_back_disk_shows_itself_as_a_conflict() {
    let site = Site::open();
    site.buy(1, "BKSRV", 1);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let state = site.machine(1).state;
    let saved: Vec<_> = std::fs::read_dir(&state)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    for _ in 0..3 {
        site.agent(1, "checkout", "BKSRV", "agent").ok();
    }
    for (path, bytes) in saved {
        std::fs::write(path, bytes).unwrap();
    }
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let seats = site.json(["seats", "--conflicts"]);
    assert_eq!(seats.as_array().unwrap().len(), 1, "{seats}");
    assert_eq!(
        seats[0]["components"][0]["conflict"]["kind"], "stale continuation",
        "{seats}"
    );
    assert_eq!(site.audit()[0]["used"], 1);
}

// proves K2
#[test]
fn a_catalogue_that_names_a_product_no_more_says_what_becomes_of_its_licenses_and_seats() {
    let site = Site::open();
    site.buy(1, "PRIV", 2);
    site.admin(["import", &site.vendor.deployment_license(2, "PRIV", 5)])
        .ok();
    site.agent(1, "checkout", "PRIV", "a").ok();
    let next = site.vendor.write_changed_catalogue(site.dir.path(), 2, |products| {
        products.remove(&"PRIV".parse().unwrap());
        products.remove(&"NEVER".parse().unwrap());
    });
    let next = next.to_str().unwrap();
    let stays = "its keys. Its 2 licenses and 1 seat stay here: a seat until it is released or idle, a license until it is removed; \
                 a catalogue that names PRIV again";
    let dry = site.admin(["catalogue", "import", next, "--dry-run"]).ok();
    assert!(
        dry.contains("PRIV would be known no more: every checkout") && dry.contains(stays),
        "{dry}"
    );
    assert!(!dry.contains("NEVER would"), "of it is nothing here: {dry}");
    let told = site.json(["catalogue", "import", next]);
    let effects: Vec<_> = told["effects"].as_array().unwrap().iter().collect();
    let licenses: Vec<_> = effects
        .iter()
        .map(|one| (one["product"].as_str().unwrap(), &one["licenses"]))
        .collect();
    assert_eq!(licenses, [("NEVER", &0.into()), ("PRIV", &2.into())]);
    // And so it is.
    let refused = site.agent(1, "renew", "PRIV", "a").failed_with(4);
    assert!(cause(&refused).contains("no catalogue here has PRIV"), "{refused:?}");
    assert_eq!(site.json(["licenses"]).as_array().unwrap().len(), 2);
    assert_eq!(site.json(["seats"]).as_array().unwrap().len(), 1);
    let again = site.vendor.write_changed_catalogue(site.dir.path(), 3, |_| {});
    site.admin(["catalogue", "import", again.to_str().unwrap()]).ok();
    site.agent(1, "renew", "PRIV", "a").ok();
}

//! The steps of SECURITY.md, "The other keys", with the commands that stand there.

use std::fs;

use seatkeeper::tls::Identity;
use seatkeeper::wire::messages::{Request, views};
use seatkeeper::wire::{Role, Status};
use serde_json::Value;

use super::colleague::Colleague;
use crate::process::{Output, ServerProcess};
use crate::site::Site;
use crate::wire::Wire;

#[test]
fn an_administrators_key_is_replaced_by_another_which_then_takes_it_out() {
    let site = Site::open();
    let old = Colleague::with_role(&site, "administrator");
    let new = Colleague::new(&site, "successor");
    new.ask(&["licenses"]).failed_with(5);
    old.ask(&["admin", "add", &new.fingerprint(), "--role", "administrator"])
        .ok();
    new.ask(&["admin", "remove", &old.fingerprint()]).ok();
    for args in [&["licenses"][..], &["admin", "list"]] {
        old.ask(args).failed_with(5);
        new.ask(args).ok();
    }
}

#[tokio::test]
async fn a_stolen_administrators_key_opens_nothing_once_a_new_one_was_made_and_it_was_removed() {
    let mut site = Site::open();
    let stolen = Identity::load(&site.data().join("admin.pem")).unwrap();
    let fingerprint = data_encoding::HEXLOWER.encode(&stolen.fingerprint());
    site.stop();
    site.server = Some(ServerProcess::start_with(&site.data(), ["--recover-admin"]));
    // From here on the new one is this host's.
    let shown = site.json(["identity", "show"])["fingerprint"].clone();
    assert_ne!(shown, *fingerprint);
    let (mut wire, hello) = Wire::hello(site.server().address(), &stolen).await.unwrap();
    assert_eq!(hello.role, Role::ADMINISTRATOR, "until it is removed");
    site.admin(["admin", "remove", &fingerprint]).ok();
    // On connections that were there before, too.
    let list = Request::AdminList(views::AdminList::default());
    assert_eq!(wire.ask(&list).await.unwrap().status(), Status::NOT_AUTHORIZED);
    let (_, hello) = Wire::hello(site.server().address(), &stolen).await.unwrap();
    assert_eq!(hello.role, Role::AGENT);
    let rows = site.json(["admin", "list"]);
    let rows: Vec<_> = rows.as_array().unwrap().iter().map(|row| &row["fingerprint"]).collect();
    assert_eq!(rows, [&shown]);
    // It is set aside on this host as well, and a start without the option changes nothing.
    site.stop();
    site.start();
    assert_eq!(site.json(["identity", "show"])["fingerprint"], shown);
}

/// The state of the component, changed.
fn change(site: &Site, change: impl FnOnce(&mut Value)) {
    let path = site
        .machine(1)
        .state
        .join(format!("{}~FIELD~agent.json", site.vendor.id()));
    let mut state: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut state);
    fs::write(path, state.to_string()).unwrap();
}

// proves O3
#[test]
fn a_new_lease_key_counts_from_the_next_renewal_and_leases_of_the_old_one_until_then() {
    let mut site = Site::open();
    site.buy(1, "FIELD", 1);
    site.agent(1, "checkout", "FIELD", "agent").ok();
    let without_server = |site: &Site| -> Output {
        site.machine(1)
            .agent("checkout", "FIELD", "agent", &["--server", "127.0.0.1:1"])
    };
    let (mut old_key, mut old_lease) = (Value::Null, Value::Null);
    change(&site, |state| {
        old_key = state["pins"][0]["lease_key"].clone();
        old_lease = state["lease"]["signed"].clone();
    });
    site.stop();
    fs::remove_file(site.data().join("lease.pem")).unwrap();
    site.start();
    site.server().await_line("lease.pem is missing");
    without_server(&site).ok();
    site.agent(1, "renew", "FIELD", "agent").ok();
    without_server(&site).ok();
    // What the old key signed counts no more: the thief's leases are over.
    change(&site, |state| {
        assert_ne!(state["pins"][0]["lease_key"], old_key);
        assert_ne!(state["lease"]["signed"], old_lease);
        state["lease"]["signed"] = old_lease;
    });
    without_server(&site).failed_with(3);
}

// proves I7
#[test]
fn an_agents_key_is_replaced_by_deleting_it_and_its_thief_releases_nothing() {
    let site = Site::open();
    site.buy(1, "BKSRV", 1);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let acquired = site.json(["seats"])[0]["acquired_at"].clone();
    let machine = site.machine(1);
    let key = machine.state.join(format!("{}~BKSRV~agent.pem", site.vendor.id()));
    let thief = crate::process::Machine {
        state: site.dir.path().join("thief"),
        ..machine.clone()
    };
    seatkeeper_harm::copy_dir(&machine.state, &thief.state);
    fs::remove_file(&key).unwrap();
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let seats = site.json(["seats"]);
    assert_eq!(seats[0]["acquired_at"], acquired, "{seats}");
    assert!(seats[0]["components"][0]["rebound_at"].is_string(), "{seats}");
    // It cannot give the seat up by itself at once, and whoever has the old key cannot either.
    site.agent(1, "release", "BKSRV", "agent").failed_with(4);
    let server = site.server().server_arg();
    let told = thief.agent("release", "BKSRV", "agent", &["--server", &server]);
    assert_ne!(told.code, Some(0), "{told:?}");
    assert_eq!(site.audit()[0]["used"], 1);
    site.agent(1, "renew", "BKSRV", "agent").ok();
}

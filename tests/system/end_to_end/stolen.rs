//! The steps of SECURITY.md, "Rotation", where the identity of a server was stolen, with the commands that stand there.

use std::fs;
use std::path::Path;

use seatkeeper::domain::catalogue::OnConflict;
use serde_json::{Value, json};

use super::cause;
use crate::process::{Machine, Output, SEATKEEPER, command, finish};
use crate::site::Site;

/// Where no server is.
const NOBODY: &str = "127.0.0.1:1";

/// `seatkeeper agent VERB FINGERPRINT` on a machine.
pub(super) fn of_servers(machine: &Machine, verb: &str, fingerprint: &str, more: &[&str]) -> Output {
    let mut run = command(SEATKEEPER);
    run.args(["agent", verb, fingerprint]).args(more);
    finish(machine.environment(&mut run))
}

/// Every file of a directory, with what is in it.
fn files(directory: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

/// The server's identity was stolen: it gets another one, and nobody follows. The fingerprints before and after.
fn rotated(site: &mut Site) -> (String, String) {
    let old = site.server().fingerprint.clone();
    site.admin(["identity", "rotate", "--compromised"]).ok();
    site.stop();
    site.start();
    let new = site.json(["status"])["fingerprint"].as_str().unwrap().to_owned();
    assert_ne!(new, old);
    (old, new)
}

#[test]
fn a_server_that_is_distrusted_is_out_of_every_state_and_of_the_list_and_so_is_its_lease() {
    let mut site = Site::open();
    site.buy(1, "BKSRV", 1);
    site.buy(2, "FIELD", 1);
    for (product, component) in [("BKSRV", "agent"), ("BKSRV", "console"), ("FIELD", "agent")] {
        site.agent(1, "checkout", product, component).ok();
    }
    let machine = site.machine(1);
    let without_server = |machine: &Machine| machine.agent("checkout", "FIELD", "agent", &["--server", NOBODY]);
    let (old, new) = rotated(&mut site);
    // Before it is told of the new one it would be left with none, and take the thief's again.
    let before = files(&machine.state);
    let refused = of_servers(&machine, "distrust", &old, &[]).failed_with(1);
    let told = &refused.stderr;
    assert!(
        told.contains("agent.json") && told.contains("agent trust") && told.contains("nothing changed"),
        "{told}"
    );
    let unknown = of_servers(&machine, "distrust", &new, &[]).failed_with(1);
    assert!(unknown.stderr.contains("agent check"), "{unknown:?}");
    assert_eq!(files(&machine.state).len(), before.len() + 1, "the lock of the list");

    for fingerprint in [&old, &new] {
        of_servers(&machine, "trust", fingerprint, &[]).ok();
    }
    without_server(&machine).ok();
    let before = files(&machine.state);
    let dry = of_servers(&machine, "distrust", &old, &["--dry-run"]).ok();
    assert!(dry.contains(&format!("BKSRV console would trust {new} alone")), "{dry}");
    assert_eq!(files(&machine.state), before, "it was only asked");
    let told = of_servers(&machine, "distrust", &old, &["--json"]).json();
    let vendor = site.vendor.id().to_string();
    let component = |product: &str, component: &str| json!({"vendor": vendor, "product": product, "component": component, "trusted_servers": [new]});
    let components = [("BKSRV", "agent"), ("BKSRV", "console"), ("FIELD", "agent")];
    let expected = json!({
        "fingerprint": old,
        "all_but": false,
        "dry_run": false,
        "list": true,
        "components": components.map(|(product, one)| component(product, one)),
    });
    assert_eq!(told, expected);
    for (path, bytes) in files(&machine.state) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains(&old), "{} names it: {text}", path.display());
    }
    let again = of_servers(&machine, "distrust", &old, &[]).failed_with(1);
    assert!(again.stderr.contains("no component"), "{again:?}");
    // Its lease went with it; those of the new one count.
    without_server(&machine).failed_with(3);
    for (product, component) in components {
        site.agent(1, "renew", product, component).ok();
    }
    without_server(&machine).ok();
    // Who says so is left with none, and meets a server anew.
    let told = of_servers(&machine, "distrust", &new, &["--even-last"]).ok();
    assert!(told.contains("no server any more"), "{told}");
    site.agent(1, "renew", "BKSRV", "agent").ok();
}

#[test]
fn the_thief_of_an_identity_serves_no_machine_that_was_told_to_distrust_it() {
    let mut site = Site::open();
    site.buy(1, "BKSRV", 2);
    for number in [1, 2] {
        site.agent(number, "checkout", "BKSRV", "agent").ok();
    }
    let identity = site.data().join("identity.pem");
    let stolen = fs::read(&identity).unwrap();
    let (old, new) = rotated(&mut site);
    for number in [1, 2] {
        of_servers(&site.machine(number), "trust", &new, &[]).ok();
    }
    of_servers(&site.machine(1), "distrust", &old, &[]).ok();
    // The thief's server, with all that the true one knows.
    site.stop();
    let current = fs::read(&identity).unwrap();
    fs::write(&identity, stolen).unwrap();
    site.start();
    assert_eq!(site.server().fingerprint, old);
    site.agent(1, "renew", "BKSRV", "agent").failed_with(3);
    site.agent(2, "renew", "BKSRV", "agent").ok();
    site.stop();
    fs::write(&identity, current).unwrap();
    site.start();
    site.agent(1, "renew", "BKSRV", "agent").ok();
}

#[test]
fn a_thief_who_led_machines_on_to_an_identity_of_their_own_is_found_out_by_distrusting_all_but_the_new_one() {
    let mut site = Site::open();
    site.buy(1, "BKSRV", 1);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let (machine, identity) = (site.machine(1), site.data().join("identity.pem"));
    // The thief's server, which says that another identity takes the place of the one that was stolen.
    let true_one = fs::read(&identity).unwrap();
    site.admin(["identity", "rotate"]).ok();
    site.stop();
    site.start();
    let (thief, of_thief) = (site.server().fingerprint.clone(), fs::read(&identity).unwrap());
    site.agent(1, "renew", "BKSRV", "agent").ok();
    site.stop();
    fs::write(&identity, true_one).unwrap();
    site.start();
    let (old, new) = rotated(&mut site);
    of_servers(&machine, "trust", &new, &[]).ok();
    let unknown = of_servers(&machine, "distrust", &old, &[]).failed_with(1);
    assert!(unknown.stderr.contains("agent check"), "{unknown:?}");
    let told = of_servers(&machine, "distrust", &new, &["--all-but", "--json"]).json();
    assert_eq!(told["components"][0]["trusted_servers"], json!([new]), "{told}");
    assert_eq!((&told["all_but"], &told["list"]), (&json!(true), &json!(false)));
    let again = of_servers(&machine, "distrust", &new, &["--all-but"]).ok();
    assert!(again.contains("nothing changed"), "{again}");
    let none = of_servers(&machine, "distrust", &thief, &["--all-but"]).failed_with(1);
    assert!(none.stderr.contains("no component"), "{none:?}");
    site.agent(1, "renew", "BKSRV", "agent").ok();
    site.stop();
    fs::write(&identity, of_thief).unwrap();
    site.start();
    site.agent(1, "renew", "BKSRV", "agent").failed_with(3);
}

// proves I7
#[test]
fn where_copies_are_refused_machines_that_were_told_a_new_identity_go_on_and_copies_show_themselves() {
    let mut site = Site::open();
    let changed = site.vendor.write_changed_catalogue(site.dir.path(), 2, |products| {
        let product = products.get_mut(&"BKSRV".parse().unwrap()).unwrap();
        product.on_conflict = OnConflict::Refuse;
    });
    site.admin(["catalogue", "import", changed.to_str().unwrap()]).ok();
    site.buy(1, "BKSRV", 1);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let machine = site.machine(1);
    let copied = files(&machine.state);
    for _ in 0..3 {
        site.agent(1, "checkout", "BKSRV", "agent").ok();
    }
    let acquired = site.json(["seats"])[0]["acquired_at"].clone();
    let (old, new) = rotated(&mut site);
    let tell = |more: &[&str]| {
        of_servers(&machine, "trust", &new, &[]).ok();
        of_servers(&machine, "distrust", &old, more).ok();
    };
    tell(&[]);
    for _ in 0..3 {
        site.agent(1, "renew", "BKSRV", "agent").ok();
    }
    assert_eq!(site.json(["status"])["conflicts"], 0);
    assert_eq!(site.json(["seats"])[0]["acquired_at"], acquired, "the seat stayed");
    // The numbers count as before: a disk that was copied long ago shows itself under the new identity too.
    for (path, _) in files(&machine.state) {
        fs::remove_file(path).unwrap();
    }
    for (path, bytes) in copied {
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }
    tell(&[]);
    let refused = site.agent(1, "renew", "BKSRV", "agent").failed_with(4);
    assert!(cause(&refused).contains("seatkeeper resolve"), "{refused:?}");
    assert_eq!(site.json(["status"])["conflicts"], 1);
}

#[test]
fn tokens_that_name_a_stolen_identity_are_revoked_and_new_ones_enrol() {
    let mut site = Site::open_with("enrol = \"token\"\n");
    site.buy(1, "BKSRV", 2);
    let token = |site: &Site| {
        let made = site.json(["enrol", "token"]);
        ["token", "id"].map(|field| made[field].as_str().unwrap().to_owned())
    };
    let enrol = |site: &Site, number: u16, token: &str| {
        let server = site.server().server_arg();
        site.machine(number)
            .agent("enrol", "BKSRV", "agent", &[token, "--server", &server])
    };
    let [old_token, old_id] = token(&site);
    enrol(&site, 1, &old_token).ok();
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let (old, new) = rotated(&mut site);
    // It names the old identity, so nobody brings it to the new one.
    let refused = enrol(&site, 2, &old_token).failed_with(3);
    assert!(cause(&refused).contains("token"), "{refused:?}");
    site.admin(["enrol", "revoke", &old_id, "--yes"]).ok();
    let [new_token, _] = token(&site);
    enrol(&site, 2, &new_token).ok();
    site.agent(2, "checkout", "BKSRV", "agent").ok();
    let tokens = site.json(["enrol", "list"]);
    let of_old = tokens.as_array().unwrap().iter().find(|row| row["id"] == *old_id);
    assert!(of_old.is_some_and(|row| row["state"] == "revoked"), "{tokens}");
    // Who was enrolled needs no other token.
    of_servers(&site.machine(1), "trust", &new, &[]).ok();
    of_servers(&site.machine(1), "distrust", &old, &[]).ok();
    site.agent(1, "renew", "BKSRV", "agent").ok();
}

#[test]
fn a_state_that_cannot_be_read_stops_it_before_anything_is_changed() {
    let mut site = Site::open();
    site.buy(1, "BKSRV", 1);
    for component in ["agent", "console"] {
        site.agent(1, "checkout", "BKSRV", component).ok();
    }
    let (old, new) = rotated(&mut site);
    let machine = site.machine(1);
    of_servers(&machine, "trust", &new, &[]).ok();
    let last = machine.state.join(format!("{}~BKSRV~console.json", site.vendor.id()));
    let good = fs::read(&last).unwrap();
    let mut newer: Value = serde_json::from_slice(&good).unwrap();
    newer["version"] = 99.into();
    fs::write(&last, newer.to_string()).unwrap();
    let before = files(&machine.state);
    let refused = of_servers(&machine, "distrust", &old, &[]).failed_with(1);
    assert!(refused.stderr.contains("upgrade the program"), "{refused:?}");
    assert_eq!(files(&machine.state), before);
    fs::write(&last, good).unwrap();
    of_servers(&machine, "distrust", &old, &[]).ok();
    site.agent(1, "renew", "BKSRV", "console").ok();
}

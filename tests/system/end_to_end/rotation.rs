//! The steps of SECURITY.md, "Rotation", with the commands that stand there.

use std::fs;

use super::cause;
use super::colleague::Colleague;
use super::stolen::of_servers;
use crate::process::{Machine, SEATKEEPER, ServerProcess, command};
use crate::site::Site;
use crate::vendor::{Vendor, serial};
use seatkeeper::domain::blacklist::Listed;

/// `seatkeeper agent trust FINGERPRINT` on a machine.
#[track_caller]
fn trust(machine: &Machine, fingerprint: &str) {
    of_servers(machine, "trust", fingerprint, &[]).ok();
}

#[test]
fn the_identity_of_a_server_is_rotated_and_machines_go_over_when_they_are_told_to() {
    let mut site = Site::open();
    site.buy(1, "BKSRV", 2);
    for number in [1, 2] {
        site.agent(number, "checkout", "BKSRV", "agent").ok();
    }
    let old = site.server().fingerprint.clone();
    let seats = site.json(["seats"]);
    let lease_key = fs::read(site.data().join("lease.pem")).unwrap();
    // 1. Stop the server and set its identity aside.
    site.stop();
    let aside = site.data().join("identity.pem.old");
    fs::rename(site.data().join("identity.pem"), &aside).unwrap();
    // 2. Start it: it makes a new one, and says so.
    site.start();
    site.server().await_line("identity.pem is missing");
    // 3. Read the new fingerprint on the server's own host.
    let new = site.json(["status"])["fingerprint"].as_str().unwrap().to_owned();
    assert_ne!(new, old);
    assert_eq!(
        site.json(["seats"]),
        seats,
        "licenses, seats and administrators are as they were"
    );
    assert_eq!(fs::read(site.data().join("lease.pem")).unwrap(), lease_key);
    // Agents refuse the new identity until they are told: it could be anybody's.
    let refused = site.agent(1, "renew", "BKSRV", "agent").failed_with(3);
    assert!(
        cause(&refused).starts_with("invalid license") && refused.stderr.contains(&new),
        "{refused:?}"
    );
    // 4. On each machine.
    for number in [1, 2] {
        trust(&site.machine(number), &new);
        site.agent(number, "renew", "BKSRV", "agent").ok();
    }
    let renewed = site.json(["seats"]);
    assert_eq!(
        renewed[0]["acquired_at"], seats[0]["acquired_at"],
        "no seat was engaged anew"
    );
    assert_eq!(site.json(["status"])["conflicts"], 0);
    // 5. The old one was stolen: one machine is made to forget it, the other one is not.
    of_servers(&site.machine(1), "distrust", &old, &[]).ok();
    site.agent(1, "renew", "BKSRV", "agent").ok();
    let current = site.data().join("identity.pem");
    let set_aside = site.data().join("identity.pem.new");
    site.stop();
    fs::rename(&current, &set_aside).unwrap();
    fs::rename(&aside, &current).unwrap();
    site.start();
    assert_eq!(site.server().fingerprint, old, "the thief's server");
    site.agent(1, "renew", "BKSRV", "agent").failed_with(3);
    site.agent(2, "renew", "BKSRV", "agent").ok();
    // The end of the old one.
    site.stop();
    fs::rename(&set_aside, &current).unwrap();
    site.start();
    for number in [1, 2] {
        site.agent(number, "renew", "BKSRV", "agent").ok();
    }
}

#[test]
fn an_administrator_elsewhere_refuses_a_new_identity_until_told_to_forget_the_old_one() {
    let mut site = Site::open();
    let (address, old) = (site.server().server_arg(), site.server().fingerprint.clone());
    Colleague::with_role(&site, "viewer").ask(&["licenses"]).ok();
    site.stop();
    fs::remove_file(site.data().join("identity.pem")).unwrap();
    // At the same address, where the colleague met the old one.
    let mut serve = command(SEATKEEPER);
    serve.args(["serve", "--listen", &address, "--data"]).arg(site.data());
    site.server = Some(ServerProcess::of(&mut serve, &site.data()));
    let colleague = Colleague::new(&site, "viewer");
    let refused = colleague.ask(&["licenses"]).failed_with(1);
    let told = cause(&refused);
    assert!(
        told.contains("another identity") && told.contains(&site.server().fingerprint),
        "{told}"
    );
    // It says what to type; then the new one is met like any other, and no other server is forgotten.
    let forget: Vec<_> = told.split("run seatkeeper ").nth(1).unwrap().split(' ').collect();
    assert_eq!(forget, ["identity", "forget", &old], "{told}");
    colleague.ask(&["identity", "forget", &"0".repeat(64)]).failed_with(1);
    let file = site.dir.path().join("viewer/seatkeeper/user/servers.json");
    let mut known: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    known["192.0.2.9:17328"] = site.server().fingerprint.clone().into();
    fs::write(&file, known.to_string()).unwrap();
    let forgotten = colleague.json(&forget);
    assert_eq!(forgotten, serde_json::json!({"fingerprint": old, "servers": [address]}));
    let left: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(left, serde_json::json!({"192.0.2.9:17328": site.server().fingerprint}));
    let again = colleague.ask(&["licenses"]);
    assert!(again.stderr.contains("first contact"), "{again:?}");
    again.ok();
    colleague.ask(&forget).failed_with(1);
}

/// Whether `status` on the server's host says that a rotation waits for the next start.
#[track_caller]
fn warns_of_rotation(site: &Site) -> bool {
    let status = site.json(["status"]);
    let mut warnings = status["warnings"].as_array().unwrap().iter();
    warnings.any(|warning| warning["code"] == "rotation-pending")
}

/// Starts the site's server where it was.
#[track_caller]
fn start_again(site: &mut Site, address: &str) {
    let mut serve = command(SEATKEEPER);
    serve.args(["serve", "--listen", address, "--data"]).arg(site.data());
    site.server = Some(ServerProcess::of(&mut serve, &site.data()));
}

#[test]
fn a_rotated_identity_is_followed_by_everybody_who_knew_it_or_one_before_it() {
    let mut site = Site::open();
    site.buy(1, "BKSRV", 2);
    for number in [1, 2] {
        site.agent(number, "checkout", "BKSRV", "agent").ok();
    }
    Colleague::with_role(&site, "viewer").ask(&["licenses"]).ok();
    let (address, first) = (site.server().server_arg(), site.server().fingerprint.clone());
    let seats = site.json(["seats"]);
    let mut before = first.clone();
    for rotation in 1..=3 {
        let told = site.json(["identity", "rotate"]);
        assert_eq!(
            (&told["fingerprint_before"], &told["followed"]),
            (&before.as_str().into(), &true.into())
        );
        // Nothing changes before the next start, and nobody follows over more of them than can be met.
        let identity = fs::read(site.data().join("identity.pem")).unwrap();
        let waits = site.admin(["identity", "rotate"]).failed_with(1);
        assert!(cause(&waits).contains("start the server anew first"), "{waits:?}");
        assert_eq!(fs::read(site.data().join("identity.pem")).unwrap(), identity);
        site.agent(1, "renew", "BKSRV", "agent").ok();
        assert!(warns_of_rotation(&site));
        site.stop();
        start_again(&mut site, &address);
        assert!(!warns_of_rotation(&site));
        before.clone_from(&site.server().fingerprint);
        assert_eq!(told["fingerprint"], *before, "rotation {rotation}");
        site.agent(1, "renew", "BKSRV", "agent").ok();
    }
    // One that slept over all three, and somebody at another desk.
    site.agent(2, "renew", "BKSRV", "agent").ok();
    let colleague = Colleague::new(&site, "viewer");
    let told = colleague.ask(&["licenses"]);
    assert!(
        told.stderr
            .contains("has a new identity, which the one before confirms"),
        "{told:?}"
    );
    told.ok();
    assert!(!colleague.ask(&["licenses"]).stderr.contains("new identity"));
    let after = site.json(["seats"]);
    for place in [0, 1] {
        assert_eq!(after[place]["acquired_at"], seats[place]["acquired_at"]);
    }
    assert_eq!(site.json(["status"])["conflicts"], 0);
    let events = site.json(["events", "--kind", "server-identity-replaced"]);
    assert_eq!(events.as_array().unwrap().len(), 3, "{events}");
    assert_eq!(
        (&events[0]["subject_before"], &events[2]["subject"]),
        (&first.into(), &before.into())
    );
    // It stays so over further starts, and nothing is told again.
    site.stop();
    start_again(&mut site, &address);
    site.agent(2, "renew", "BKSRV", "agent").ok();
    let again = site.json(["events", "--kind", "server-identity-replaced"]);
    assert_eq!(again, events);
}

#[test]
fn nobody_follows_from_a_stolen_identity_before_being_told() {
    let mut site = Site::open();
    site.buy(1, "BKSRV", 2);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let address = site.server().server_arg();
    let met = site.server().fingerprint.clone();
    site.admin(["identity", "rotate"]).ok();
    let told = site.admin(["identity", "rotate", "--compromised"]).ok();
    assert!(
        told.contains("nobody follows") && told.contains("agent trust"),
        "{told}"
    );
    // The one that waited was met by nobody.
    let old = [format!("in place of {met}"), format!("identity forget {met}")];
    assert!(old.iter().all(|old| told.contains(old)), "{told}");
    site.stop();
    start_again(&mut site, &address);
    let new = site.server().fingerprint.clone();
    let refused = site.agent(1, "renew", "BKSRV", "agent").failed_with(3);
    assert!(refused.stderr.contains(&new), "{refused:?}");
    trust(&site.machine(1), &new);
    site.agent(1, "renew", "BKSRV", "agent").ok();
    // Another host's is not this one's.
    let elsewhere = site
        .admin(["identity", "rotate", "--server", "192.0.2.1"])
        .failed_with(2);
    assert!(elsewhere.stderr.contains("without --server"), "{elsewhere:?}");
    // Where there is no server there is nothing to rotate.
    let nowhere = site.dir.path().join("nowhere");
    let nothing = crate::process::run(["identity", "rotate", "--data", nowhere.to_str().unwrap()]).failed_with(1);
    assert!(cause(&nothing).contains("--data DIR"), "{nothing:?}");
}

#[test]
fn the_key_of_a_vendor_is_rotated_beside_the_old_one_which_then_serves_no_more() {
    let site = Site::open();
    let old = site.buy(1, "BKSRV", 2);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    // 1. and 2. The vendor makes a new key pair, signs its catalogue and the customers' licenses with it.
    let vendor = Vendor::new(2);
    let dir = site.dir.path();
    let (key, catalogue) = (vendor.write_public_key(dir), vendor.write_catalogue(dir, 1));
    let keys = dir.join("new-keys.txt");
    fs::write(&keys, vendor.license(2, "BKSRV", 2)).unwrap();
    // Until the server trusts it, nothing that it signs counts.
    site.admin(["catalogue", "import", catalogue.to_str().unwrap()])
        .failed_with(4);
    site.admin(["import-file", keys.to_str().unwrap()]).failed_with(4);
    // 3. The administrator takes it in, beside the old one.
    site.admin(["vendor", "trust", key.to_str().unwrap()]).ok();
    site.admin(["catalogue", "import", catalogue.to_str().unwrap()]).ok();
    site.admin(["import-file", keys.to_str().unwrap()]).ok();
    site.agent(1, "renew", "BKSRV", "agent").ok();
    // 4. A product that was built with the new public key takes a seat of the new license, and the old one is given back.
    let upgraded = Machine {
        vendor_key: key,
        ..site.machine(1)
    };
    let server = site.server().server_arg();
    let here = ["--server", &server];
    site.agent(1, "release", "BKSRV", "agent").ok();
    upgraded.agent("checkout", "BKSRV", "agent", &here).ok();
    let used = |number| {
        let licenses = site.audit();
        let license = licenses
            .iter()
            .find(|license| license["serial"] == serial(number).to_string());
        license.map(|license| license["used"].as_u64().unwrap())
    };
    assert_eq!((used(1), used(2)), (Some(0), Some(1)));
    // 5. The vendor takes back what the old key signed, and the administrator removes it.
    let list = site.vendor.write_blacklist(dir, 1, &[(1, Listed::Superseded)]);
    site.admin(["blacklist", "import", list.to_str().unwrap()]).ok();
    let refused = site.agent(2, "checkout", "BKSRV", "agent").failed_with(4);
    assert!(cause(&refused).contains("taken the place"), "{refused:?}");
    site.admin(["remove", &old]).ok();
    assert_eq!((used(1), used(2)), (None, Some(1)));
    upgraded.agent("renew", "BKSRV", "agent", &here).ok();
    // A product of the old key finds no license any more, and one of the new key does not go by the old one's.
    site.agent(2, "checkout", "BKSRV", "agent").failed_with(4);
}

//! Copies of a machine, systems installed anew, and what an administrator does about them.

use super::cause;
use seatkeeper_harm::copy_dir;

use crate::process::Machine;
use crate::site::Site;

/// A site whose first machine was copied, and both run.
fn with_a_copy() -> Site {
    let site = Site::open();
    site.buy(1, "BKSRV", 1);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let original = site.machine(1);
    let twin = Machine {
        state: site.dir.path().join("twin"),
        ..original.clone()
    };
    copy_dir(&original.state, &twin.state);
    let server = site.server().server_arg();
    for machine in [&original, &twin, &original] {
        machine.agent("checkout", "BKSRV", "agent", &["--server", &server]).ok();
    }
    site
}

// proves I7
#[test]
fn a_copied_machine_shows_in_the_views() {
    let site = with_a_copy();
    let seats = site.json(["seats", "--conflicts"]);
    assert_eq!(seats[0]["conflict"], true, "{seats}");
    assert_eq!(site.json(["seats", "--waiting"]).as_array().unwrap().len(), 0);
    let table = site.admin(["seats"]).ok();
    assert!(table.contains("stale continuation"), "{table}");
    assert_eq!(site.json(["status"])["conflicts"], 1);
    let status = site.admin(["status"]).ok();
    let mut warnings = status.lines().take_while(|line| line.starts_with("WARNING"));
    assert!(warnings.any(|line| line.contains("resolve MAC")), "{status}");
    assert_eq!(site.audit()[0]["used"], 1);
}

// proves I7
#[test]
fn resolving_says_first_what_it_will_do_and_does_it_when_told_so() {
    let site = with_a_copy();
    let mac = site.machine(1).mac;
    let told = site.admin(["resolve", &mac, "--dry-run"]).ok();
    assert!(
        told.contains("stale continuation") && told.contains("the seat stays"),
        "{told}"
    );
    assert!(told.contains("nothing was done"), "{told}");
    // Nobody is at a terminal here: it says what it would do, and stops.
    let told = site.admin(["resolve", &mac]).failed_with(2);
    assert!(told.stdout.contains("the binding is forgotten"), "{told:?}");
    assert!(cause(&told).contains("--yes"), "{told:?}");
    assert_eq!(site.json(["status"])["conflicts"], 1);
    let before = site.json(["seats"]);
    let told = site.json(["resolve", &mac, "--yes"]);
    assert_eq!(told["resolved"], 1, "{told}");
    assert_eq!(
        told["unresolved"][0]["conflict"]["kind"], "stale continuation",
        "{told}"
    );
    let seats = site.json(["seats"]);
    assert_eq!(seats[0]["acquired_at"], before[0]["acquired_at"], "{seats}");
    assert!(seats[0]["components"][0]["identity"].is_null(), "{seats}");
    assert_eq!(site.json(["status"])["conflicts"], 0);
    let again = site.admin(["resolve", &mac, "--yes"]).ok();
    assert!(again.contains("nothing to resolve"), "{again}");
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    assert_eq!(site.json(["seats"])[0]["conflict"], false);
}

// proves I7
#[test]
fn where_the_catalogue_says_so_a_copy_is_refused() {
    let site = Site::open();
    let changed = site.vendor.write_changed_catalogue(site.dir.path(), 2, |products| {
        let product = products.get_mut(&"BKSRV".parse().unwrap()).unwrap();
        product.on_conflict = seatkeeper::domain::catalogue::OnConflict::Refuse;
    });
    site.admin(["catalogue", "import", changed.to_str().unwrap()]).ok();
    site.buy(1, "BKSRV", 1);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let original = site.machine(1);
    let twin = Machine {
        state: site.dir.path().join("twin"),
        ..original.clone()
    };
    copy_dir(&original.state, &twin.state);
    let server = site.server().server_arg();
    let run = |machine: &Machine| machine.agent("checkout", "BKSRV", "agent", &["--server", &server]);
    run(&original).ok();
    run(&twin).ok();
    let refused = run(&original).failed_with(4);
    assert!(cause(&refused).contains("seatkeeper resolve"), "{refused:?}");
    assert_eq!(site.json(["status"])["conflicts"], 1);
    site.admin(["resolve", &original.mac, "--yes"]).ok();
    for _ in 0..3 {
        run(&original).ok();
    }
    // Also where nobody holds the seat any more.
    original.agent("release", "BKSRV", "agent", &["--server", &server]).ok();
    assert_eq!(site.json(["seats"]).as_array().unwrap().len(), 0);
    let refused = run(&twin).failed_with(4);
    assert!(cause(&refused).contains("seatkeeper resolve"), "{refused:?}");
    let told = site.admin(["resolve", &original.mac, "--yes"]).ok();
    assert!(
        told.contains("let go") && told.contains("1 component resolved"),
        "{told}"
    );
    run(&twin).ok();
}

// proves I7
#[test]
fn with_approval_a_system_installed_anew_waits_for_an_administrator() {
    let site = Site::open_with("rebind = \"approve\"\n");
    site.buy(1, "BKSRV", 1);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let (before, mac) = (site.json(["seats"]), site.machine(1).mac);
    let old = Machine {
        state: site.dir.path().join("old"),
        ..site.machine(1)
    };
    std::fs::rename(site.machine(1).state, &old.state).unwrap();
    let refused = site.agent(1, "checkout", "BKSRV", "agent").failed_with(4);
    assert!(
        cause(&refused).contains(&format!("seatkeeper resolve {mac}")),
        "{refused:?}"
    );
    let seats = site.json(["seats", "--waiting"]);
    let waiting = &seats[0]["components"][0]["waiting"];
    assert!(
        waiting["identity"].is_string() && waiting["since"].is_string(),
        "{seats}"
    );
    assert_eq!(
        seats[0]["components"][0]["identity"],
        before[0]["components"][0]["identity"]
    );
    assert_eq!(site.json(["seats", "--conflicts"]).as_array().unwrap().len(), 0);
    let table = site.admin(["seats"]).ok();
    assert!(table.contains("a new identity waits"), "{table}");
    let status = site.json(["status"]);
    assert_eq!(
        (&status["waiting"], &status["rebind"]),
        (&1.into(), &"approve".into()),
        "{status}"
    );
    let approved = waiting["identity"].as_str().unwrap();
    let told = site.admin(["resolve", &mac, "--yes"]).ok();
    assert!(told.contains("waits for approval"), "{told}");
    assert!(told.contains(&format!("{approved} is approved and bound")), "{told}");
    assert_eq!(site.json(["seats"])[0]["components"][0]["identity"], approved);
    // The one before starts first, and gains nothing by it.
    let server = site.server().server_arg();
    let refused = old
        .agent("checkout", "BKSRV", "agent", &["--server", &server])
        .failed_with(4);
    assert!(cause(&refused).contains("has to approve"), "{refused:?}");
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    assert_eq!(site.json(["seats"])[0]["components"][0]["identity"], approved);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    assert_eq!(site.json(["status"])["conflicts"], 0);
    assert_eq!(site.audit()[0]["used"], 1);
}

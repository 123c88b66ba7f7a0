//! How a server is, in one look: what needs somebody first, then its health by the real disk.

use seatkeeper::clock::Clock;
use serde_json::{Value, json};

use crate::site::Site;

fn codes(status: &Value) -> Vec<&str> {
    let warnings = status["warnings"].as_array().unwrap().iter();
    warnings.map(|warning| warning["code"].as_str().unwrap()).collect()
}

/// Days since 1970-01-01, today by the clock of this host.
fn today() -> u32 {
    u32::try_from(Clock::system().calendar().0 / 86_400).unwrap()
}

#[test]
fn status_says_first_what_needs_somebody_and_check_ends_with_1() {
    let site = Site::bare("");
    let told = site.admin(["status", "--check"]).failed_with(1);
    assert!(told.stdout.starts_with("WARNING      no vendor is trusted"), "{told:?}");
    assert!(told.stderr.is_empty(), "{told:?}");
    site.admin(["status"]).ok();
    drop(site);

    let site = Site::open();
    site.buy(1, "BKSRV", 10);
    let well = site.json(["status", "--check"]);
    assert_eq!(codes(&well), [] as [&str; 0], "{well}");
    assert_eq!(well["ending"], json!([]));

    let key = |number, product, seats, days| site.vendor.license_through(number, product, seats, today() + days);
    site.admin(["import", &key(2, "BKWS", 2, 20)]).ok();
    site.admin(["import", &key(3, "PRIV", 1, 3)]).ok();
    site.agent(1, "checkout", "PRIV", "a").ok();
    for machine in 1..=9 {
        site.agent(machine, "checkout", "BKSRV", "agent").ok();
    }
    site.agent(2, "checkout", "PRIV", "a").failed_with(4);
    site.admin(["reserve", "BKSRV", "--count", "2"]).failed_with(4);
    let told = site.admin(["status", "--check", "--json"]).failed_with(1);
    let status: Value = serde_json::from_str(&told.stdout).expect("JSON all the same");
    let expected = [
        "license-ends-at-once",
        "none-available",
        "license-ends-soon",
        "nearly-used-up",
    ];
    assert_eq!(codes(&status), expected, "{status}");
    let first = &status["warnings"][0];
    assert_eq!(
        (&first["product"], &first["number"]),
        (&json!("PRIV"), &json!(4)),
        "{first}"
    );
    let text = first["text"].as_str().unwrap();
    assert!(
        text.contains(first["serial"].as_str().unwrap()) && text.contains("import"),
        "{text}"
    );
    let ending = &status["ending"];
    assert_eq!(
        (&ending[0]["seats"], &ending[1]["seats"]),
        (&json!(1), &json!(2)),
        "{ending}"
    );
    let scarce = status["scarce"].as_array().unwrap();
    let left: Vec<_> = scarce
        .iter()
        .map(|row| (row["product"].as_str(), row["available"].as_u64()))
        .collect();
    assert_eq!(left, [(Some("BKSRV"), Some(1)), (Some("PRIV"), Some(0))]);
    assert_eq!(scarce[1]["refused_at"], status["warnings"][1]["at"], "{status}");
    assert!(scarce[1]["refused_at"].is_string(), "{status}");
    let told = site.admin(["status"]).ok();
    let lines: Vec<_> = told
        .lines()
        .take(5)
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(lines, ["WARNING", "WARNING", "WARNING", "WARNING", "server"], "{told}");
}

#[test]
fn that_all_seats_are_used_is_told_and_warned_of_only_where_somebody_was_refused() {
    let site = Site::open();
    site.buy(1, "PRIV", 1);
    site.agent(1, "checkout", "PRIV", "a").ok();
    // All are used, and that is as it was bought: nobody was refused.
    let status = site.json(["status", "--check"]);
    assert_eq!(codes(&status), [] as [&str; 0], "{status}");
    assert_eq!(status["scarce"][0]["refused_at"], Value::Null, "{status}");
    let told = site.admin(["status"]).ok();
    assert!(
        told.contains(
            "scarce       PRIV (machine licenses): all 1 in use; nobody was refused for want of it within a day\n"
        ),
        "{told}"
    );
    site.agent(2, "checkout", "PRIV", "a").failed_with(4);
    let told = site.admin(["status", "--check"]).failed_with(1);
    assert!(
        told.stdout.starts_with("WARNING      nothing of PRIV is available")
            && told.stdout.contains("; somebody was refused for want of it at 20"),
        "{told:?}"
    );
    // Nothing is lacking any more.
    site.buy(2, "PRIV", 20);
    site.admin(["status", "--check"]).ok();
}

#[test]
fn the_health_of_a_server_is_that_of_its_real_disk_its_checkpoints_and_its_connections() {
    let mut site = Site::open_with("[limits]\nconnections = 40\n[journal]\ncheckpoint_kib = 16\n");
    let status = site.json(["status"]);
    let disk = |field: &str| status["disk"][field].as_u64().unwrap_or_else(|| panic!("{status}"));
    assert!(disk("free") <= disk("total") && disk("total") > 0, "{status}");
    assert!(disk("journal") > 0 && disk("journal") <= disk("data"), "{status}");
    let free = nix_free(&site);
    let apart = disk("free").abs_diff(free);
    assert!(
        apart < 4 << 30,
        "others may write meanwhile: {} and {free}",
        disk("free")
    );
    assert_eq!(
        (&status["connections"], &status["connections_max"]),
        (&json!(1), &json!(40))
    );
    assert_eq!(status["command_version"], status["version"]);
    // The first event is that the server was founded.
    let events = site.json(["events"]);
    assert_eq!(status["events_since"], events[0]["time"]);
    assert_eq!(
        (&status["checkpoint"]["generation"], &status["checkpoint"]["failure"]),
        (&json!(0), &Value::Null)
    );

    for number in 1..=60 {
        site.buy(number, "BKSRV", 1);
    }
    site.server().await_line("checkpoint 1:");
    let status = site.json(["status"]);
    assert!(status["checkpoint"]["generation"].as_u64() >= Some(1), "{status}");
    let made = status["checkpoint"]["made_at"].as_str().unwrap();
    assert!(made <= status["server_time"].as_str().unwrap(), "{status}");
    // It is known after a restart too.
    site.stop();
    site.start();
    let again = site.json(["status"]);
    assert!(again["checkpoint"]["generation"].as_u64() >= Some(1) && again["checkpoint"]["made_at"].is_string());
}

fn nix_free(site: &Site) -> u64 {
    let told = nix::sys::statvfs::statvfs(site.data().as_path()).unwrap();
    told.blocks_available() * told.fragment_size()
}

#[test]
fn the_last_backup_is_told_and_an_event_and_survives_a_kill_and_one_made_at_rest_is_told_by_the_next_start() {
    let mut site = Site::open();
    site.buy(1, "BKSRV", 5);
    assert_eq!(site.json(["status"])["backup"], Value::Null);
    let lines = site.admin(["status"]).ok();
    assert!(lines.lines().any(|line| line == "backup       none yet"), "{lines}");

    let file = |name: &str| site.dir.path().join(name).to_str().unwrap().to_owned();
    let [bare, whole, passphrase] = ["bare.tar", "whole.tar", "passphrase"].map(file);
    std::fs::write(&passphrase, "correct horse battery staple\n").unwrap();
    let owner = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&passphrase, owner).unwrap();
    let same = |last: &Value, told: &Value| {
        for field in ["made_at", "last_round", "bytes", "has_identities"] {
            assert_eq!(last[field], told[field], "{field}: {last} {told}");
        }
    };
    let told = site.json(["backup", &bare, "--without-identity"]);
    same(&site.json(["status"])["backup"], &told);
    let events = site.json(["events", "--kind", "backed-up-without-identity"]);
    let administrator = site.json(["admin", "list"])[0]["fingerprint"].clone();
    assert_eq!(events.as_array().unwrap().len(), 1, "{events}");
    assert_eq!(
        (&events[0]["actor"], &events[0]["version"], &events[0]["from"]),
        (&administrator, &told["last_round"], &told["made_at"])
    );
    site.kill();
    site.start();
    same(&site.json(["status"])["backup"], &told);

    site.stop();
    let told = site.json(["backup", &whole, "--passphrase-file", &passphrase]);
    assert!(site.data().join("last-backup").exists());
    for _ in 0..2 {
        site.start();
        same(&site.json(["status"])["backup"], &told);
        let events = site.json(["events", "--kind", "backed-up"]);
        assert_eq!(events.as_array().unwrap().len(), 1, "told once: {events}");
        assert_eq!(events[0]["actor"], "server");
        assert!(!site.data().join("last-backup").exists());
        site.stop();
    }
}

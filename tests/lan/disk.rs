//! A server whose disk is full.

use crate::lab::{Host, Lab, SmallDisk};
use crate::process::ServerProcess;
use crate::shop::Shop;

/// What is left for a start, which copies the newest generation; far from enough for a segment of the journal.
const LEFT: u64 = 3 << 20;

/// Checkpoints after a few rounds.
const CONFIG: &str = "[journal]\ncheckpoint_kib = 16\n";

/// Licenses of the server: more of them than rounds until the second checkpoint.
const LICENSES: u16 = 60;

fn serve(lab: &Lab, host: &Host) -> ServerProcess {
    let config = lab.dir().join("seatkeeper.toml");
    std::fs::write(&config, CONFIG).unwrap();
    host.serve(&["--config", config.to_str().unwrap()])
}

pub(crate) fn full_disk() {
    let lab = Lab::new();
    let shop = Shop::new(&lab);
    let host = lab.host("server");
    let disk = SmallDisk::mount(host.data(), 44);
    let agent = |number, verb| shop.agent(&host, number, verb, "agent", &["--server", "127.0.0.1"]);
    let server = serve(&lab, &host);
    let licenses: Vec<_> = (1..=LICENSES).map(|number| (number, "BKSRV", 1)).collect();
    shop.supply(&host, &licenses);
    agent(1, "checkout").ok();
    agent(2, "checkout").ok();
    server.await_line("checkpoint 2:");
    server.stop();

    // As after a while: a segment that was made ahead is used up, and there is no room for the next.
    std::fs::remove_file(host.data().join("journal/0000000003.journal")).unwrap();
    let filler = disk.fill("filler", LEFT);
    let server = serve(&lab, &host);
    server.await_line("the journal's next segment cannot be made");
    let status = host.admin(["status", "--json"]).json();
    assert!(status["disk_left"].as_u64().unwrap() > 8 << 20, "{status}");
    let warned = host.admin(["status"]).ok();
    assert!(warned.contains("the disk is full"), "{warned}");
    // What is held goes on, and is given back.
    agent(1, "renew").ok();
    agent(2, "release").ok();
    let refused = agent(3, "checkout").failed_with(4);
    assert!(
        refused.text().contains("disk of the license server is full"),
        "{refused:?}"
    );
    host.admin(["import", &shop.vendor.license(LICENSES + 1, "BKSRV", 5)])
        .failed_with(4);
    host.admin(["licenses"]).ok();
    server.stop();

    // A start that finds no room for its copy of the generation says so and touches nothing.
    let last = disk.fill("last", 64 << 10);
    let refused = host.seatkeeper(["serve", "--data", host.data().to_str().unwrap()]);
    let said = refused.failed_with(1).text();
    assert!(said.contains("there is no room left for"), "{said}");
    assert!(host.data().join("state.2").is_dir(), "{said}");
    std::fs::remove_file(last).unwrap();

    let server = serve(&lab, &host);
    server.await_line("the journal's next segment cannot be made");
    agent(1, "renew").ok();
    std::fs::remove_file(filler).unwrap();
    server.await_line("the journal has room again");
    agent(3, "checkout").ok();
    let status = host.admin(["status", "--json"]).json();
    assert!(status["disk_left"].is_null(), "{status}");
    server.stop();
}

//! A server whose disk is full.

use crate::lab::{Lab, SmallDisk};
use crate::shop::Shop;

/// What is left for the small files of a start; far from enough for a segment of the journal.
const LEFT: u64 = 256 << 10;

pub(crate) fn full_disk() {
    let lab = Lab::new();
    let shop = Shop::new(&lab);
    let host = lab.host("server");
    let disk = SmallDisk::mount(host.data(), 40);
    let agent = |number, verb| shop.agent(&host, number, verb, "agent", &["--server", "127.0.0.1"]);
    let server = shop.server(&host, &[(1, "BKSRV", 5)]);
    agent(1, "checkout").ok();
    agent(2, "checkout").ok();
    server.stop();

    // As after a while: a segment that was made ahead is used up, and there is no room for the next.
    std::fs::remove_file(host.data().join("journal/0000000003.journal")).unwrap();
    let filler = disk.fill(LEFT);
    let server = host.serve(&[]);
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
    host.admin(["import", &shop.vendor.license(2, "BKSRV", 5)])
        .failed_with(4);
    host.admin(["licenses"]).ok();

    std::fs::remove_file(filler).unwrap();
    server.await_line("the journal has room again");
    agent(3, "checkout").ok();
    let status = host.admin(["status", "--json"]).json();
    assert!(status["disk_left"].is_null(), "{status}");
    server.stop();
}

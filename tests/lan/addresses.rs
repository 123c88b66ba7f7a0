//! Which address names a machine, and by which addresses machines meet.

use std::ffi::OsString;

use crate::lab::Lab;
use crate::process::{SEATKEEPER, STATE_DIR, finish};
use crate::shop::{Shop, lists_only, used};

// proves I5
pub(crate) fn no_mac() {
    let lab = Lab::new();
    let [server, container] = ["server", "container"].map(|name| lab.host(name));
    Lab::link((&container, "eth0"), (&server, "eth0"));
    container.address("eth0", "10.77.11.1/24");
    server.address("eth0", "10.77.11.2/24");
    // A bridge of its own is no adapter either.
    container.ip(&["link", "add", "name", "br0", "type", "bridge"]);
    let shop = Shop::new(&lab);
    let _running = shop.server(&server, &[(1, "BKSRV", 10)]);
    let key: OsString = shop.vendor_key.clone().into();
    let checkout = |more: &[&str]| {
        let mut args: Vec<OsString> = ["agent", "checkout", "BKSRV", "agent", "--vendor-key"]
            .map(Into::into)
            .into();
        args.push(key.clone());
        args.extend(more.iter().map(Into::into));
        container.seatkeeper(args)
    };
    let refused = checkout(&[]);
    assert_ne!(refused.code, Some(0), "{refused:?}");
    assert!(
        refused.stderr.contains("--mac") && refused.stderr.contains("--interface"),
        "{refused:?}"
    );
    assert!(
        refused.text().contains("NO_MAC") || refused.stderr.to_lowercase().contains("mac"),
        "{refused:?}"
    );
    assert_eq!(used(&server), 0);
    checkout(&["--mac", "00:1a:2b:3c:00:01"]).ok();
    assert_eq!(used(&server), 1);
    // What the administrator says counts, whatever the adapter is.
    checkout(&["--interface", "eth0"]).ok();
    assert_eq!(used(&server), 2);
    // As a container is told: for every program in it, unless that is told otherwise.
    let told = |more: &[&str]| {
        let mut check = container.command(SEATKEEPER);
        check
            .args(["agent", "check", "BKSRV", "agent", "--json", "--vendor-key"])
            .arg(&key)
            .args(more);
        check
            .env(STATE_DIR, lab.dir().join("told"))
            .env("SEATKEEPER_MAC", "00:1a:2b:3c:00:07");
        finish(&mut check).json()["mac"].clone()
    };
    assert_eq!(told(&[]), "00:1a:2b:3c:00:07");
    assert_eq!(told(&["--mac", "00:1a:2b:3c:00:01"]), "00:1a:2b:3c:00:01");
    assert_ne!(told(&["--interface", "eth0"]), "00:1a:2b:3c:00:07");
}

pub(crate) fn link_local_only() {
    let lab = Lab::new();
    let [server, agent] = ["server", "agent"].map(|name| lab.host(name));
    Lab::link((&agent, "eth0"), (&server, "eth0"));
    for (host, address) in [(&agent, "fe80::77:1/64"), (&server, "fe80::77:2/64")] {
        host.address("eth0", address);
    }
    // A second wire with the same prefix: without its scope the address would lead nowhere.
    let nowhere = lab.host("nowhere");
    Lab::link((&agent, "eth1"), (&nowhere, "eth0"));
    agent.address("eth1", "fe80::77:1/64");
    let shop = Shop::new(&lab);
    let running = shop.server(&server, &[(1, "BKSRV", 10)]);
    lists_only(&agent, &running);
    shop.agent(&agent, 1, "checkout", "agent", &[]).ok();
    shop.agent(&agent, 1, "checkout", "agent", &[]).ok();
    assert_eq!(used(&server), 1);
}

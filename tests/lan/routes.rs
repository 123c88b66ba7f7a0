//! Subnets and routes.

use crate::lab::Lab;
use crate::shop::{Shop, lists_only, used};

pub(crate) fn two_subnets() {
    let lab = Lab::new();
    let [server, north, south] = ["server", "north", "south"].map(|name| lab.host(name));
    Lab::link((&server, "eth0"), (&north, "eth0"));
    Lab::link((&server, "eth1"), (&south, "eth0"));
    server.address("eth0", "10.77.1.1/24");
    server.address("eth1", "10.77.2.1/24");
    north.address("eth0", "10.77.1.2/24");
    south.address("eth0", "10.77.2.2/24");
    let shop = Shop::new(&lab);
    let running = shop.server(&server, &[(1, "BKSRV", 10)]);
    for (number, host, subnet) in [(1, &north, "10.77.1.1"), (2, &south, "10.77.2.1")] {
        lists_only(host, &running);
        let rows = host.seatkeeper(["list", "--json"]).json();
        assert!(rows.to_string().contains(subnet), "the address of this subnet: {rows}");
        shop.agent(host, number, "checkout", "agent", &[]).ok();
    }
    assert_eq!(used(&server), 2);
}

pub(crate) fn default_route_elsewhere() {
    let lab = Lab::new();
    let [server, agent, router] = ["server", "agent", "router"].map(|name| lab.host(name));
    Lab::link((&agent, "eth0"), (&router, "eth0"));
    Lab::link((&agent, "eth1"), (&server, "eth0"));
    agent.address("eth0", "10.77.3.2/24");
    router.address("eth0", "10.77.3.1/24");
    agent.ip(&["route", "add", "default", "via", "10.77.3.1", "dev", "eth0"]);
    agent.address("eth1", "10.77.4.2/24");
    server.address("eth0", "10.77.4.1/24");
    let shop = Shop::new(&lab);
    let running = shop.server(&server, &[(1, "BKSRV", 10)]);
    lists_only(&agent, &running);
    shop.agent(&agent, 1, "checkout", "agent", &[]).ok();
    assert_eq!(used(&server), 1);
}

pub(crate) fn no_default_route() {
    let lab = Lab::new();
    let [server, agent] = ["server", "agent"].map(|name| lab.host(name));
    Lab::link((&agent, "eth0"), (&server, "eth0"));
    // Both in one subnet, and the agent with a second interface that leads nowhere.
    let nowhere = lab.host("nowhere");
    Lab::link((&agent, "eth1"), (&nowhere, "eth0"));
    agent.address("eth0", "10.77.5.2/28");
    agent.address("eth1", "10.77.6.2/24");
    server.address("eth0", "10.77.5.1/28");
    let shop = Shop::new(&lab);
    let running = shop.server(&server, &[(1, "BKSRV", 10)]);
    lists_only(&agent, &running);
    shop.agent(&agent, 1, "checkout", "agent", &[]).ok();
    shop.agent(&agent, 1, "release", "agent", &[]).ok();
    assert_eq!(used(&server), 0);
}

pub(crate) fn listening_on_one_subnet() {
    let lab = Lab::new();
    let [server, inside, outside] = ["server", "inside", "outside"].map(|name| lab.host(name));
    Lab::link((&server, "eth0"), (&inside, "eth0"));
    Lab::link((&server, "eth1"), (&outside, "eth0"));
    server.address("eth0", "10.77.13.1/24");
    server.address("eth1", "10.77.14.1/24");
    inside.address("eth0", "10.77.13.2/24");
    outside.address("eth0", "10.77.14.2/24");
    let shop = Shop::new(&lab);
    let running = shop.server_with(&server, &[(1, "BKSRV", 10)], &["--listen", "10.77.13.1"]);
    lists_only(&inside, &running);
    shop.agent(&inside, 1, "checkout", "agent", &[]).ok();
    outside.seatkeeper(["list"]).failed_with(3);
    shop.agent(&outside, 2, "checkout", "agent", &[]).failed_with(3);
    // Asked by its name it is not there either.
    shop.agent(&outside, 2, "checkout", "agent", &["--server", "10.77.14.1"])
        .failed_with(3);
    assert_eq!(used(&server), 1);
}

pub(crate) fn moved_server() {
    let lab = Lab::new();
    let [server, agent] = ["server", "agent"].map(|name| lab.host(name));
    let _switch = lab.switch(&[(&server, "10.77.15.1/24"), (&agent, "10.77.15.2/24")]);
    let shop = Shop::new(&lab);
    let running = shop.server(&server, &[(1, "BKSRV", 10)]);
    shop.agent(&agent, 1, "checkout", "agent", &[]).ok();
    // Another address, in another subnet, for both: the old one leads nowhere.
    for (host, old, new) in [
        (&server, "10.77.15.1/24", "10.77.16.9/24"),
        (&agent, "10.77.15.2/24", "10.77.16.8/24"),
    ] {
        host.ip(&["address", "del", old, "dev", "eth0"]);
        host.address("eth0", new);
    }
    shop.agent(&agent, 1, "checkout", "agent", &[]).ok();
    lists_only(&agent, &running);
    let rows = server.admin(["seats", "--json"]).json();
    assert_eq!(
        (rows.as_array().unwrap().len(), &rows[0]["conflict"]),
        (1, &false.into()),
        "{rows}"
    );
}

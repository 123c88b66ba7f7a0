//! Seats over a day: engaged, shared, refused, renewed, released.

use super::cause;
use crate::site::Site;

/// How many seats of a product are in use.
fn used(site: &Site, product: &str) -> u64 {
    let licenses = site.audit();
    let of_product = licenses.iter().filter(|license| license["product"] == product);
    of_product.map(|license| license["used"].as_u64().expect("used")).sum()
}

// proves S1
// proves O1
// proves V2
#[test]
fn checkouts_are_granted_until_the_seats_are_gone_and_then_refused_with_cause_and_remedy() {
    let site = Site::open();
    site.buy(1, "BKSRV", 2);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    site.agent(2, "checkout", "BKSRV", "agent").ok();
    let refused = site.agent(3, "checkout", "BKSRV", "agent").failed_with(4);
    let text = cause(&refused);
    assert!(text.starts_with("invalid license"), "{text}");
    assert!(text.contains('2'), "how many are in use: {text}");
    assert!(text.contains("20"), "the earliest renew date: {text}");
    assert_eq!(used(&site, "BKSRV"), 2);
}

// proves I1
// proves I4
#[test]
fn two_components_of_a_product_share_a_seat_and_two_products_do_not() {
    let site = Site::open();
    site.buy(1, "BKSRV", 5);
    site.buy(2, "PRIV", 5);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    site.agent(1, "checkout", "BKSRV", "console").ok();
    assert_eq!(used(&site, "BKSRV"), 1);
    site.agent(1, "checkout", "PRIV", "a").ok();
    assert_eq!((used(&site, "BKSRV"), used(&site, "PRIV")), (1, 1));
    let seats = site.json(["seats", "--product", "BKSRV"]);
    let components: Vec<&str> = seats[0]["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert_eq!(components, ["agent", "console"]);
}

// proves I2
// proves S14
#[test]
fn a_checkout_by_a_machine_that_holds_the_seat_renews_it() {
    let site = Site::open();
    site.buy(1, "BKSRV", 1);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let acquired = site.json(["seats"])[0]["acquired_at"].clone();
    for verb in ["checkout", "renew", "checkout"] {
        site.agent(1, verb, "BKSRV", "agent").ok();
    }
    let seats = site.json(["seats"]);
    assert_eq!(seats.as_array().unwrap().len(), 1);
    assert_eq!(seats[0]["acquired_at"], acquired);
    assert_eq!(seats[0]["conflict"], false, "{seats}");
}

// proves I3
// proves S10
#[test]
fn an_uncounted_component_takes_no_seat_and_an_unknown_one_is_refused_as_such() {
    let site = Site::open();
    site.buy(1, "BKSRV", 3);
    let told = site.agent(1, "checkout", "BKSRV", "gui").ok();
    assert!(told.contains('3'), "the available seats: {told}");
    assert_eq!(used(&site, "BKSRV"), 0);
    let refused = site.agent(1, "checkout", "BKSRV", "nothing").failed_with(4);
    assert!(cause(&refused).to_lowercase().contains("component"), "{refused:?}");
    assert_eq!(used(&site, "BKSRV"), 0);
}

// proves S8
#[test]
fn the_seat_is_free_once_the_last_component_is_released_and_another_machine_takes_it() {
    let site = Site::open();
    site.buy(1, "BKSRV", 1);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    site.agent(1, "checkout", "BKSRV", "console").ok();
    site.agent(1, "release", "BKSRV", "agent").ok();
    site.agent(2, "checkout", "BKSRV", "agent").failed_with(4);
    site.agent(1, "release", "BKSRV", "console").ok();
    assert_eq!(used(&site, "BKSRV"), 0);
    site.agent(2, "checkout", "BKSRV", "agent").ok();
}

// proves S14
#[test]
fn releasing_what_is_not_held_is_no_error_and_frees_nobody_elses_seat() {
    let site = Site::open();
    site.buy(1, "BKSRV", 1);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    site.agent(1, "release", "BKSRV", "agent").ok();
    site.agent(2, "checkout", "BKSRV", "agent").ok();
    site.agent(1, "release", "BKSRV", "agent").ok();
    assert_eq!(used(&site, "BKSRV"), 1);
}

// proves S9
#[test]
fn a_single_use_seat_never_comes_back() {
    let site = Site::open();
    site.buy(1, "DEPLOY", 1);
    site.agent(1, "checkout", "DEPLOY", "image").ok();
    let told = site.agent(1, "release", "DEPLOY", "image");
    assert!(
        told.text().contains("seat is given up"),
        "its unit is not free: {told:?}"
    );
    told.ok();
    assert_eq!(used(&site, "DEPLOY"), 1);
    let refused = site.agent(2, "checkout", "DEPLOY", "image").failed_with(4);
    assert!(cause(&refused).starts_with("invalid license"), "{refused:?}");
    site.agent(1, "checkout", "DEPLOY", "image").failed_with(4);
}

// proves I6
#[test]
fn a_machine_with_another_mac_needs_another_seat() {
    let site = Site::open();
    site.buy(1, "BKSRV", 1);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let mut changed = site.machine(1);
    changed.mac = site.machine(2).mac;
    let server = site.server().server_arg();
    changed
        .agent("checkout", "BKSRV", "agent", &["--server", &server])
        .failed_with(4);
}

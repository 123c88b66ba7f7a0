//! The life of a key: renewed, removed and imported again, taken back by its vendor.

use serde_json::Value;

use super::cause;
use crate::site::Site;
use crate::vendor::{CONTACT, serial};
use seatkeeper::domain::blacklist::Listed;
use seatkeeper::domain::license::{Claims, Kind, Validity};

/// Imports a key that is refused; the status and the reason.
#[track_caller]
fn refused(site: &Site, key: &str) -> (String, String) {
    let output = site.admin(["import", key, "--json"]).failed_with(4);
    let summary: Value = serde_json::from_str(&output.stdout).unwrap();
    let text = |column: &str| summary["refused"][0][column].as_str().expect(column).to_owned();
    (text("status"), text("reason"))
}

// proves K6
#[test]
fn a_renewal_replaces_its_license_and_a_smaller_key_does_not() {
    let site = Site::open();
    let vendor = &site.vendor;
    let key = |seats, day| vendor.license_through(1, "BKSRV", seats, day);
    site.admin(["import", &key(2, 30_000)]).ok();
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let before = site.audit();
    let summary = site.json(["import", &key(3, 30_365), &vendor.license(2, "PRIV", 7)]);
    assert_eq!(
        (&summary["added"], &summary["renewed"]),
        (&2.into(), &1.into()),
        "{summary}"
    );
    let added = &summary["seats_added"];
    assert_eq!(
        (&added["PRIV"], &added["BKSRV"]),
        (&7.into(), &Value::Null),
        "{summary}"
    );
    let after = site.audit();
    assert_eq!(
        (&after[0]["total"], &after[0]["used"]),
        (&3.into(), &1.into()),
        "{after:?}"
    );
    assert_eq!(after[0]["imported_at"], before[0]["imported_at"]);
    assert_ne!(after[0]["expires_at"], before[0]["expires_at"]);
    assert_eq!(refused(&site, &key(2, 30_000)).0, "SUPERSEDED");
    assert_eq!(refused(&site, &key(2, 30_400)).0, "NOT_A_RENEWAL");
    assert_eq!(refused(&site, &key(9, 30_000)).0, "NOT_A_RENEWAL");
    let told = site.admin(["import", &key(4, 30_365)]).ok();
    assert!(told.contains("added 1 (of which 1 renewed a license)"), "{told}");
    site.agent(1, "checkout", "BKSRV", "agent").ok();
}

// proves K5
// proves S12
#[test]
fn a_trial_that_is_removed_and_imported_again_goes_on_where_it_was() {
    let site = Site::open();
    let trial = site.vendor.sign(Claims {
        kind: Kind::Trial,
        validity: Validity::Days(14),
        ..site.vendor.claims(1, "BKSRV", 1)
    });
    site.admin(["import", &trial]).ok();
    let before = site.audit();
    assert_eq!(
        (&before[0]["kind"], &before[0]["days_left"]),
        (&"trial".into(), &14.into()),
        "{before:?}"
    );
    site.admin(["remove", &serial(1).to_string()]).ok();
    let removed_at = site.json(["status"])["server_time"].clone();
    while site.json(["status"])["server_time"] == removed_at {}
    let summary = site.json(["import", &trial]);
    assert_eq!(
        (&summary["added"], &summary["renewed"]),
        (&1.into(), &0.into()),
        "{summary}"
    );
    assert_eq!(site.audit(), before, "its days do not start anew");
}

// proves S9
// proves S12
#[test]
fn spent_units_come_back_with_the_key() {
    let site = Site::open();
    let key = site.vendor.license(1, "DEPLOY", 2);
    site.admin(["import", &key]).ok();
    site.agent(1, "checkout", "DEPLOY", "image").ok();
    let told = site.json(["remove", &serial(1).to_string(), "--end-seats"]);
    assert_eq!((&told["seats_ended"], &told["spent"]), (&1.into(), &1.into()), "{told}");
    site.admin(["import", &key]).ok();
    assert_eq!(site.audit()[0]["used"], 1);
}

// proves S12
#[test]
fn the_seats_of_a_license_that_is_removed_move_where_there_is_room() {
    let site = Site::open();
    let first = site.buy(1, "BKSRV", 2);
    for number in [1, 2] {
        site.agent(number, "checkout", "BKSRV", "agent").ok();
    }
    let second = site.buy(2, "BKSRV", 1);
    let acquired = site.json(["seats"])[0]["acquired_at"].clone();
    let told = site.admin(["remove", &first]).failed_with(4);
    assert!(cause(&told).contains("--end-seats"), "{told:?}");
    let told = site.json(["remove", &first, "--end-seats"]);
    let numbers = ["seats_moved", "seats_ended", "spent", "dropped"].map(|column| told[column].as_u64().unwrap());
    assert_eq!(numbers, [1, 1, 0, 0], "{told}");
    let seats = site.json(["seats"]);
    assert_eq!(seats.as_array().unwrap().len(), 1, "{seats}");
    assert_eq!(
        (&seats[0]["serial"], &seats[0]["acquired_at"]),
        (&(*second).into(), &acquired)
    );
    // All seats find room now: nothing has to be ended.
    site.buy(3, "BKSRV", 5);
    let told = site.admin(["remove", &second]).ok();
    assert!(told.contains("1 seat moved"), "{told}");
    site.audit();
}

/// Imports the vendor's blacklist of this version with these licenses.
#[track_caller]
fn blacklist(site: &Site, version: u64, licenses: &[(u16, Listed)]) -> crate::process::Output {
    let list = site.vendor.write_blacklist(site.dir.path(), version, licenses);
    site.admin(["blacklist", "import", list.to_str().unwrap(), "--json"])
}

// proves C3
// proves K4
#[test]
fn a_blacklisted_license_serves_no_more_until_a_newer_list_lets_it() {
    let site = Site::open();
    site.buy(1, "BKSRV", 2);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let list = site.vendor.write_blacklist(
        site.dir.path(),
        5,
        &[(1, Listed::Blacklisted), (50, Listed::Blacklisted)],
    );
    let tried = site
        .admin(["blacklist", "import", list.to_str().unwrap(), "--dry-run"])
        .ok();
    assert!(
        tried.contains("1 of them is a license here and would serve no more") && tried.contains("nothing was imported"),
        "{tried}"
    );
    assert_eq!(site.audit()[0]["status"], "valid");
    let told = blacklist(&site, 5, &[(1, Listed::Blacklisted), (50, Listed::Blacklisted)]).json();
    let numbers = ["serials", "licenses", "used"].map(|column| told[column].as_u64().unwrap());
    assert_eq!(numbers, [2, 1, 1], "{told}");
    let licenses = site.audit();
    assert_eq!(
        (&licenses[0]["status"], &licenses[0]["available"]),
        (&"blacklisted".into(), &0.into())
    );
    let denied = site.agent(1, "renew", "BKSRV", "agent").failed_with(4);
    assert!(cause(&denied).contains(CONTACT), "{denied:?}");
    assert_eq!(site.json(["seats"]).as_array().unwrap().len(), 1, "it stays visible");
    let (status, reason) = refused(&site, &site.vendor.license(1, "BKSRV", 9));
    assert_eq!(status, "BLACKLISTED");
    assert!(reason.contains(CONTACT), "{reason}");
    let status = site.admin(["status"]).ok();
    assert!(
        status.starts_with("WARNING") && status.contains("taken back"),
        "{status}"
    );
    assert_eq!(site.json(["status"])["licenses_blacklisted"], 1);

    blacklist(&site, 4, &[]).failed_with(4);
    blacklist(&site, 6, &[(1, Listed::Superseded)]).ok();
    assert_eq!(site.audit()[0]["status"], "superseded");
    assert_eq!(refused(&site, &site.vendor.license(1, "BKSRV", 9)).0, "SUPERSEDED");
    site.agent(1, "renew", "BKSRV", "agent").failed_with(4);
    let told = blacklist(&site, 7, &[(50, Listed::Blacklisted)]).json();
    assert_eq!(told["licenses"], 0, "{told}");
    assert_eq!(site.audit()[0]["status"], "valid");
    site.agent(1, "renew", "BKSRV", "agent").ok();
}

#[test]
fn what_is_no_blacklist_or_of_a_vendor_that_is_not_trusted_is_refused() {
    let site = Site::open();
    site.admin(["blacklist", "import", site.vendor_key().to_str().unwrap()])
        .failed_with(1);
    let other = crate::vendor::Vendor::new(2);
    let list = other.write_blacklist(site.dir.path(), 1, &[(1, Listed::Blacklisted)]);
    let told = site
        .admin(["catalogue", "import", list.to_str().unwrap()])
        .failed_with(1);
    assert!(told.stderr.contains("seatkeeper blacklist import"), "{told:?}");
    let told = site
        .admin(["blacklist", "import", list.to_str().unwrap()])
        .failed_with(4);
    assert!(cause(&told).contains("vendor"), "{told:?}");
}

#[test]
fn a_dry_run_tells_what_a_catalogue_changes_and_changes_nothing() {
    let site = Site::open();
    site.buy(1, "BKSRV", 2);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let changed = site.vendor.write_changed_catalogue(site.dir.path(), 2, |products| {
        let product = products.get_mut(&"BKSRV".parse().unwrap()).unwrap();
        product.idle_days = 10;
        product.components.get_mut(&"console".parse().unwrap()).unwrap().counted = false;
        products.remove(&"NEVER".parse().unwrap());
    });
    let file = changed.to_str().unwrap();
    let before = (site.json(["products"]), site.json(["status"])["vendors"].clone());
    let dry = site.json(["catalogue", "import", file, "--dry-run"]);
    let effects: Vec<String> = dry["effects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let [product, component, what, before, after] =
                ["product", "component", "what", "before", "after"].map(|column| row[column].as_str().unwrap_or("-"));
            format!("{product} {component} {what}: {before} > {after}, {}", row["seats"])
        })
        .collect();
    assert_eq!(
        effects,
        [
            "BKSRV - idle days: 30 > 10, 1",
            "BKSRV console counted: yes > no, 0",
            "NEVER - product: Never Bought > , 0",
        ]
    );
    let told = site.admin(["catalogue", "import", file, "--dry-run"]).ok();
    assert!(
        told.contains("idle days") && told.contains("nothing was imported"),
        "{told}"
    );
    assert_eq!(
        (site.json(["products"]), site.json(["status"])["vendors"].clone()),
        before
    );
    let done = site.json(["catalogue", "import", file]);
    assert_eq!(
        (&done["effects"], &done["dry_run"]),
        (&dry["effects"], &false.into()),
        "{done}"
    );
    let products = site.json(["products"]);
    assert_eq!(products[0]["idle_days"], 10, "{products}");
    // Once more it is what is here.
    assert_eq!(
        site.json(["catalogue", "import", file])["effects"],
        serde_json::json!([])
    );
}

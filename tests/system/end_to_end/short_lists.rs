//! The shorter lists, asked for as the long ones are; and seats by what was bought (rule V1).

use seatkeeper::domain::license::{Claims, Kind, Validity};

use crate::site::Site;

/// The values of one field of a list.
fn values(site: &Site, args: &[&str], field: &str) -> Vec<String> {
    let rows = site.json(args);
    let rows = rows.as_array().expect("rows").iter();
    rows.map(|row| row[field].as_str().expect("a text").to_owned())
        .collect()
}

/// A site where `desk` has a bought seat, and `lab` one of a trial that the vendor renews by itself.
fn bought_and_tried() -> Site {
    let site = Site::open();
    site.buy(1, "BKSRV", 3);
    let trial = Claims {
        kind: Kind::Trial,
        validity: Validity::Days(30),
        auto_renew: true,
        ..site.vendor.claims(2, "BKWS", 20)
    };
    site.admin(["import", &site.vendor.sign(trial)]).ok();
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    site.agent(2, "checkout", "BKWS", "agent").ok();
    site
}

// proves V1
#[test]
fn seats_are_listed_by_how_their_license_was_bought_and_whether_it_serves() {
    let site = bought_and_tried();
    let products = |args: &[&str]| values(&site, &[&["seats"], args].concat(), "product");
    assert_eq!(products(&[]), ["BKSRV", "BKWS"]);
    assert_eq!(products(&["--kind", "trial"]), ["BKWS"]);
    assert_eq!(
        products(&["--kind", "trial,commercial", "--status", "valid"]),
        ["BKSRV", "BKWS"]
    );
    assert_eq!(products(&["--auto-renew"]), ["BKWS"]);
    assert_eq!(products(&["--kind", "commercial", "--search", "bksrv"]), ["BKSRV"]);
    for none in [
        &["--status", "expired"][..],
        &["--kind", "commercial", "--auto-renew"],
        &["--kind", "trial", "--product", "BKSRV"],
    ] {
        assert_eq!(products(none), [] as [&str; 0], "{none:?}");
    }
    let csv = site
        .admin(["seats", "--csv", "--columns", "product", "--kind", "trial"])
        .ok();
    assert_eq!(csv, "product\nBKWS\n");
    // Why there are none of a product is said below the table, as by `licenses`.
    let table = |product: &str| site.admin(["seats", "--product", product]).ok();
    assert!(table("PRIV").contains("PRIV (") && table("PRIV").contains(") was never bought\n"));
    assert!(table("NOSUCH").contains("no catalogue here has NOSUCH; see seatkeeper products\n"));
    assert!(!table("BKWS").contains("never bought"));
}

// proves V1
#[test]
fn products_reservations_and_roles_have_columns_an_order_and_a_search_as_the_long_lists() {
    let site = bought_and_tried();
    let csv = site
        .admin([
            "products",
            "--csv",
            "--columns",
            "product,total,free",
            "--sort",
            "-total,product",
        ])
        .ok();
    let lines: Vec<&str> = csv.lines().take(3).collect();
    assert_eq!(lines, ["product,total,free", "BKWS,20,19", "BKSRV,3,2"]);
    assert_eq!(values(&site, &["products", "--search", "bkws"], "product"), ["BKWS"]);
    let table = site.admin(["products", "--columns", "product,never-bought"]).ok();
    assert!(table.contains("never bought"), "{table}");

    for (product, count) in [("BKSRV", "1"), ("BKWS", "5")] {
        site.admin(["reserve", product, "--count", count]).ok();
    }
    let csv = site
        .admin([
            "reservations",
            "--csv",
            "--columns",
            "product,seats-held",
            "--sort",
            "-seats-held",
        ])
        .ok();
    assert_eq!(csv, "product,seats-held\nBKWS,5\nBKSRV,1\n");
    assert_eq!(
        values(&site, &["reservations", "--product", "BKSRV"], "product"),
        ["BKSRV"]
    );
    let name = values(&site, &["reservations", "--search", "bkws"], "reservation");
    assert_eq!(name.len(), 1);
    assert_eq!(
        site.admin(["reservations", &name[0], "--sort", "product"]).code,
        Some(2)
    );
    site.admin(["reservations", &name[0], "--csv"]).ok();
    // Whom it is by is told whole where a program reads it.
    let by = site.admin(["reservations", "--csv", "--columns", "by"]).ok();
    assert!(by.lines().skip(1).all(|line| line.len() == 64), "{by}");
    let whole = by.lines().nth(1).unwrap();
    let table = site.admin(["reservations"]).ok();
    assert!(table.contains(&whole[..16]) && !table.contains(&whole[..17]), "{table}");

    let reader = "ab".repeat(32);
    site.admin(["admin", "add", &reader, "--role", "viewer", "--label", "reader"])
        .ok();
    let csv = site
        .admin([
            "admin",
            "list",
            "--csv",
            "--columns",
            "label,role",
            "--search",
            "READER",
        ])
        .ok();
    assert_eq!(csv, "label,role\nreader,viewer\n");
    assert_eq!(
        values(&site, &["admin", "list", "--sort", "-role"], "role"),
        ["viewer", "administrator"]
    );
}

// proves V1
#[test]
fn tokens_and_whom_they_enrolled_come_as_csv_too() {
    let site = Site::open_with("enrol = \"token\"\n");
    site.admin(["enrol", "token", "--label", "first floor, east"]).ok();
    let csv = site.admin(["enrol", "list", "--csv"]).ok();
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("token,label,state,enrolled,still,uses-left,expires"));
    assert!(
        lines
            .next()
            .is_some_and(|row| row.contains(",\"first floor, east\",valid,0,0,")),
        "{csv}"
    );
    let csv = site.admin(["enrol", "list", "--identities", "--csv"]).ok();
    assert_eq!(csv, "identity,token,label,state,since,holds\n");
    assert_eq!(site.admin(["enrol", "list", "--csv", "--json"]).code, Some(2));
}

//! What administrators see.

use serde_json::Value;

use crate::site::Site;

fn keys(row: &Value) -> Vec<&str> {
    row.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[track_caller]
fn has_columns(row: &Value, columns: &[&str]) {
    for column in columns {
        assert!(keys(row).contains(column), "no '{column}' in {row}");
    }
}

// proves V1
// proves S2
#[test]
fn the_licenses_view_shows_every_column_as_json_csv_and_table() {
    let site = Site::open();
    let serial = site.buy(1, "BKSRV", 3);
    site.buy(2, "PRIV", 2);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let rows = site.json(["licenses", "--product", "bksrv"]);
    assert_eq!(rows.as_array().unwrap().len(), 1);
    has_columns(
        &rows[0],
        &[
            "product",
            "product_name",
            "serial",
            "imported_at",
            "expires_at",
            "total",
            "used",
            "free",
            "available",
            "kind",
            "status",
        ],
    );
    for (column, value) in [
        ("serial", serial.as_str().into()),
        ("total", Value::from(3)),
        ("used", 1.into()),
        ("free", 2.into()),
        ("available", 2.into()),
    ] {
        assert_eq!(rows[0][column], value, "{column}");
    }
    let csv = site.admin(["licenses", "--csv"]).ok();
    assert_eq!(csv.lines().count(), 3, "{csv}");
    assert!(csv.starts_with("product,"), "{csv}");
    let table = site.admin(["licenses"]).ok();
    assert!(table.contains(&serial) && table.contains("Backup Server"), "{table}");
    assert!(table.contains("NEVER"), "a product never bought says so: {table}");
    let unknown = site.admin(["licenses", "--product", "nothing"]).ok();
    assert!(unknown.contains("no catalogue here has NOTHING"), "{unknown}");
    let unused = site.json(["licenses", "--unused"]);
    assert_eq!(
        (unused.as_array().unwrap().len(), &unused[0]["product"]),
        (1, &"PRIV".into())
    );
}

// proves V1
// proves S4
#[test]
fn the_seats_view_shows_machine_dates_and_components() {
    let site = Site::open();
    let serial = site.buy(1, "BKSRV", 3);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    site.agent(2, "checkout", "BKSRV", "agent").ok();
    let rows = site.json(["seats", "--mac", &site.machine(1).mac]);
    assert_eq!(rows.as_array().unwrap().len(), 1);
    let row = &rows[0];
    has_columns(
        row,
        &[
            "product",
            "product_name",
            "host_name",
            "address",
            "mac",
            "serial",
            "acquired_at",
            "renew_by",
            "components",
            "conflict",
        ],
    );
    assert_eq!(row["mac"].as_str().unwrap(), site.machine(1).mac);
    assert_eq!(row["serial"].as_str().unwrap(), serial);
    assert_eq!(row["address"], "127.0.0.1");
    assert_eq!(row["conflict"], false);
    let date = |column: &str| {
        row[column]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .unwrap()
            .as_second()
    };
    assert_eq!(date("renew_by") - date("renewed_at"), 30 * 86_400);
    assert!(date("acquired_at") <= date("renewed_at"));
    let csv = site.admin(["seats", "--csv"]).ok();
    assert_eq!(csv.lines().count(), 3, "{csv}");
}

#[test]
fn status_and_products_are_told_as_json() {
    let site = Site::open();
    site.buy(1, "BKSRV", 3);
    let status = site.json(["status"]);
    assert_eq!(status["fingerprint"].as_str().unwrap(), site.server().fingerprint);
    assert_eq!(
        (&status["licenses"], &status["seats"], &status["admins"]),
        (&1.into(), &0.into(), &1.into()),
        "{status}"
    );
    assert_eq!(
        status["vendors"][0]["id"].as_str().unwrap(),
        site.vendor.id().to_string()
    );
    let products = site.json(["products"]);
    let ids: Vec<&str> = products
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["product"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["BKSRV", "BKWS", "DEPLOY", "FIELD", "NEVER", "PRIV"]);
}

//! `export`: one document with all that a viewer may see.

use std::fs;

use serde_json::Value;

use super::colleague::Colleague;
use crate::site::Site;

/// Rows in the order of their texts: lists sort as people read them, the document as the server has them.
fn sorted(rows: &Value) -> Vec<String> {
    let mut rows: Vec<String> = rows.as_array().unwrap().iter().map(Value::to_string).collect();
    rows.sort();
    rows
}

#[test]
fn everything_that_a_viewer_may_see_is_exported_as_the_lists_show_it() {
    let site = Site::open();
    // More than a page.
    let keys: Vec<_> = (1..=300)
        .map(|number| site.vendor.license(number, "BKSRV", 2))
        .collect();
    let file = site.dir.path().join("keys.txt");
    fs::write(&file, keys.join("\n")).unwrap();
    site.admin(["import-file", file.to_str().unwrap()]).ok();
    for number in 1..=3 {
        site.agent(number, "checkout", "BKSRV", "agent").ok();
    }
    site.admin(["reserve", "BKSRV", "--count", "4"]).ok();
    let viewer = Colleague::with_role(&site, "viewer");
    let text = viewer.ask(&["export"]).ok();
    let document: Value = serde_json::from_str(&text).unwrap();
    for (list, command, rows) in [
        ("products", "products", None),
        ("licenses", "licenses", Some(300)),
        ("seats", "seats", Some(3)),
        ("reservations", "reservations", Some(1)),
    ] {
        assert_eq!(sorted(&document[list]), sorted(&viewer.json(&[command])), "{list}");
        let count = document[list].as_array().unwrap().len();
        assert!(rows.is_none_or(|rows| rows == count) && count > 0, "{list}: {count}");
    }
    assert_eq!(
        sorted(&document["administrators"]),
        sorted(&viewer.json(&["admin", "list"]))
    );
    // More than a page of them too.
    assert_eq!(sorted(&document["events"]), sorted(&viewer.json(&["events"])));
    assert!(document["events"].as_array().unwrap().len() > 300);
    let short: Value = serde_json::from_str(&viewer.ask(&["export", "--without-events"]).ok()).unwrap();
    assert!(short.get("events").is_none() && short["licenses"] == document["licenses"]);
    assert_eq!(document["export_form"], 1);
    assert_eq!(document["status"]["licenses"], 300);
    assert_eq!(document["vendors"], document["status"]["vendors"]);
    // Into a file, for its owner alone; whole or not at all.
    let out = site.dir.path().join("export.json");
    let name = out.to_str().unwrap();
    fs::write(&out, "somebody's").unwrap();
    let refused = viewer.ask(&["export", "--out", name]).failed_with(1);
    assert!(
        refused.stderr.contains("is there already") && refused.stderr.contains("--force"),
        "{refused:?}"
    );
    assert_eq!(fs::read(&out).unwrap(), b"somebody's");
    assert_eq!(viewer.ask(&["export", "--json", "--out", name, "--force"]).ok(), "");
    let written: Value = serde_json::from_slice(&fs::read(&out).unwrap()).unwrap();
    assert_eq!(written["licenses"], document["licenses"]);
    assert_eq!(written["events"], document["events"]);
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&out).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let nobody = Colleague::new(&site, "nobody");
    let missing = site.dir.path().join("missing.json");
    nobody
        .ask(&["export", "--out", missing.to_str().unwrap()])
        .failed_with(5);
    let left = fs::read_dir(site.dir.path())
        .unwrap()
        .map(|one| one.unwrap().file_name());
    assert!(
        left.into_iter()
            .all(|name| !name.to_string_lossy().starts_with("missing.json"))
    );
}
